import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { cut } from "../base/limits.js";
import type { StackFrame } from "./stall.js";

const MAX_FRAMES = 50;
/** How much of a function's name and of a file's is told, in characters: a module may be called by all of its source. */
const MAX_FUNCTION = 200;
const MAX_FILE = 500;

/** What runs below the function `above`, innermost first; nothing where `Error` is frozen, as by `--frozen-intrinsics`. */
export function callSites(above: () => unknown): StackFrame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    const holder: { stack?: unknown } = {};
    Reflect.set(Error, "stackTraceLimit", MAX_FRAMES);
    if (!Reflect.set(Error, "prepareStackTrace", (_: unknown, sites: unknown) => sites)) return [];
    Error.captureStackTrace(holder, above);
    return (holder.stack as NodeJS.CallSite[]).map((site) =>
      frame(
        site.getFunctionName() ?? undefined,
        site.getFileName() ?? undefined,
        site.getLineNumber() ?? undefined,
        site.getColumnNumber() ?? undefined,
      ),
    );
  } finally {
    Reflect.set(Error, "prepareStackTrace", prepareStackTrace);
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  }
}

/** A frame as the engine knows it, at the place in the source where there is a source map. */
export function frame(
  functionName: string | undefined,
  url: string | undefined,
  line: number | undefined,
  column: number | undefined,
): StackFrame {
  const isInternal = url === undefined || url === "" || url.startsWith("node:");
  const plain = {
    functionName: functionName ? cut(functionName, MAX_FUNCTION) : undefined,
    file: url === undefined || url === "" ? undefined : cut(pathOf(url), MAX_FILE),
    line,
    column,
    isInternal,
  };
  if (isInternal || line === undefined) return plain;
  return { ...plain, ...inSource(url, line, column ?? 1) };
}

/** Only where source maps are on: otherwise Node has none. */
function inSource(url: string, line: number, column: number): Partial<StackFrame> | undefined {
  try {
    const entry = findSourceMap(url)?.findEntry(line - 1, column - 1);
    if (entry === undefined || !("originalSource" in entry)) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    if (typeof originalLine !== "number") return undefined;
    return { file: pathOf(originalSource), line: originalLine + 1, column: originalColumn + 1 };
  } catch {
    return undefined;
  }
}

function pathOf(url: string): string {
  if (!url.startsWith("file:")) return url;
  try {
    return fileURLToPath(url.replace(/\?.*$/, ""));
  } catch {
    return url;
  }
}
