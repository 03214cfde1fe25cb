import { shown } from "./shown.js";

/** How much of an error's message is shown, in characters; of each line of its stack; and how many lines. */
const MAX_MESSAGE = 1_000;
const MAX_FRAME = 300;
const MAX_FRAMES = 10;
/** How much of a stack is read: V8 writes the message into it, and that may be anything. */
const MAX_STACK = 20_000;
/** Causes of causes, which may lead in a circle; and how many of an AggregateError's errors are shown. */
const MAX_CAUSES = 5;
const MAX_ERRORS = 3;

/**
 * What was thrown, on one line: its name and message, and nothing else of it, as what else it has may be secret. Anything can be
 * thrown, also what throws when it is looked at (then it is only its type); this never does.
 */
export function errorLine(error: unknown, most = MAX_MESSAGE): string {
  try {
    return shown(said(error, most), most);
  } catch {
    return typeof error;
  }
}

/** The same with the stack, and the errors that caused it, a few lines each; every line but the first begins with spaces. */
export function errorText(error: unknown): string {
  const lines = [errorLine(error)];
  const seen = new Set<unknown>();
  let inner: unknown = error;
  for (let depth = 0; ; depth++) {
    seen.add(inner);
    lines.push(...framesOf(inner), ...errorsIn(inner));
    const cause = read(inner, "cause");
    if (cause === undefined || seen.has(cause) || depth === MAX_CAUSES) break;
    lines.push(`  caused by ${errorLine(cause)}`);
    inner = cause;
  }
  return lines.join("\n");
}

/** The same as an error, for a logger that wants one: it has nothing else to be shown. */
export function plainError(error: unknown): Error {
  const text = errorText(error);
  const plain = new Error(shown(textIn(error, "message") ?? errorLine(error), MAX_MESSAGE));
  const hidden = { enumerable: false, writable: true, configurable: true };
  const name = textIn(error, "name");
  if (name !== undefined && name !== "Error")
    Object.defineProperty(plain, "name", { ...hidden, value: shown(name) });
  Object.defineProperty(plain, "stack", { ...hidden, value: text });
  return plain;
}

function said(error: unknown, most: number): string {
  if (!isError(error)) return wordsOf(error, most);
  const name = textIn(error, "name") ?? "Error";
  const message = textIn(error, "message") ?? "";
  return message === "" ? name : `${name === "" ? "" : `${name}: `}${message.slice(0, most + 1)}`;
}

function wordsOf(value: unknown, most: number): string {
  // The digits of a huge one take seconds to find.
  if (typeof value === "bigint" && BigInt.asIntN(1_024, value) !== value) return "a huge bigint";
  return String(value).slice(0, most + 1);
}

/** Of this realm, of another one, or by its looks. What throws when it is looked at is none. */
function isError(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  try {
    if (value instanceof Error) return true;
  } catch {
    return false;
  }
  return textIn(value, "message") !== undefined && read(value, "stack") !== undefined;
}

/** Whether it is an error of that name. Never throws. */
export function isErrorNamed(name: string, value: unknown): value is object {
  return isError(value) && textIn(value, "name") === name;
}

function framesOf(error: unknown): string[] {
  const stack = textIn(error, "stack");
  if (stack === undefined) return [];
  // Lines in the message may look like frames.
  const message = textIn(error, "message") ?? "";
  const at = message === "" ? -1 : stack.indexOf(message);
  const from = at === -1 ? 0 : at + message.length;
  return stack
    .slice(from, from + MAX_STACK)
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => `    ${shown(line.trim(), MAX_FRAME)}`);
}

/** Those of an AggregateError. */
function errorsIn(error: unknown): string[] {
  const errors = read(error, "errors");
  try {
    if (!Array.isArray(errors)) return [];
    const lines = errors.slice(0, MAX_ERRORS).map((each) => `  with ${errorLine(each)}`);
    if (errors.length > MAX_ERRORS) lines.push(`  and ${errors.length - MAX_ERRORS} more`);
    return lines;
  } catch {
    return [];
  }
}

function textIn(error: unknown, key: string): string | undefined {
  const value = read(error, key);
  return typeof value === "string" ? value : undefined;
}

function read(error: unknown, key: string): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  try {
    return (error as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
