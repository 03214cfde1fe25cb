import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isOurs } from "../base/own-folders.js";
import type { DevTools } from "./devtools.js";
import type { Origin, Place } from "./suspended.js";

/** Larger source maps are not read, in characters. */
const MAX_MAP = 50_000_000;

interface Script {
  readonly url: string;
  readonly sourceMapURL: string | undefined;
  map: SourceMap | undefined | null;
}

/** The scripts of a process, by the number that its inspector gives them. */
export class Scripts {
  private readonly scripts = new Map<string, Script>();

  /** `root`: where the files of the process are, as this process sees them. */
  constructor(private readonly root = "") {}

  /** Learns of the scripts until the returned function is called. */
  listen(devTools: DevTools): () => void {
    return devTools.on("Debugger.scriptParsed", ({ scriptId, url, sourceMapURL }) => {
      this.scripts.set(scriptId, { url, sourceMapURL: sourceMapURL || undefined, map: null });
    });
  }

  /** Where that is in the source. Lines and columns of what is given count from 0. Undefined for a script that isn't known. */
  placeOf(scriptId: string, line: number, column: number): Place | undefined {
    const script = this.scripts.get(scriptId);
    if (script === undefined) return undefined;
    const file = pathOf(script.url);
    const built = { file, line: line + 1, column: column + 1, origin: originOf(file) };
    if (built.origin === "node" || script.sourceMapURL === undefined) return built;
    script.map = script.map === null ? this.mapOf(script) : script.map;
    const entry = script.map?.findEntry(line, column);
    if (entry === undefined || !("originalSource" in entry) || typeof entry.originalLine !== "number")
      return built;
    const source = sourceOf(entry.originalSource, script);
    return {
      file: source,
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
      origin: originOf(source) === "package" ? "package" : built.origin,
    };
  }

  private mapOf(script: Script): SourceMap | undefined {
    try {
      return new SourceMap(JSON.parse(this.read(script)));
    } catch {
      return undefined;
    }
  }

  private read({ url, sourceMapURL = "" }: Script): string {
    if (sourceMapURL.length > MAX_MAP) return "";
    const [, base64, data] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(sourceMapURL) ?? [];
    if (data !== undefined) {
      return base64 === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString("utf8");
    }
    return readFileSync(this.root + fileURLToPath(new URL(sourceMapURL, urlOf(url))), "utf8");
  }
}

function urlOf(url: string): string | URL {
  return isAbsolute(url) ? pathToFileURL(url) : url;
}

function pathOf(url: string): string {
  if (!url.startsWith("file:")) return url;
  try {
    return fileURLToPath(url.replace(/[?#].*$/, ""));
  } catch {
    return url;
  }
}

/** A source is named from where its map is, which is the script itself or beside it. */
function sourceOf(source: string, { url, sourceMapURL = "" }: Script): string {
  if (source.startsWith("file:")) return pathOf(source);
  if (/^[a-z][a-z\d+.-]*:/i.test(source) || isAbsolute(source)) return source;
  const script = pathOf(url);
  const map = sourceMapURL.startsWith("data:") ? script : resolve(dirname(script), sourceMapURL);
  return resolve(dirname(map), source);
}

/** Whose file or URL it is. */
export function originOf(file: string): Origin {
  if (file === "" || file.startsWith("node:") || file.startsWith("internal/")) return "node";
  return /[\\/]node_modules[\\/]/.test(file) || isOurs(file) ? "package" : "own";
}
