import { InvalidOptionRangeError, InvalidOptionTypeError } from "./errors.js";
import { shown } from "./shown.js";

export function checkObject(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "object" || value === null)) {
    throw new InvalidOptionTypeError(name, value, "an object");
  }
}

/** How much is shown of the name of an option that is none. */
const MAX_SHOWN = 80;

/** The names of all options in `O`. The compiler sees to it that none is missing. */
export type OptionNames<O> = { readonly [Name in keyof O]-?: true };

/**
 * Throws for an unknown option: a misspelt one would have no effect. What is undefined isn't given; and only plain
 * objects count, as those of a class may well have more to them. `path` is what the names stand behind, such as `retry.`.
 */
export function checkKnown(options: unknown, names: Readonly<Record<string, true>>, path = ""): void {
  if (typeof options !== "object" || options === null || !isPlainObject(options)) return;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const known = Object.keys(names);
    const near = name.length > MAX_SHOWN ? undefined : known.find((other) => isMisspelt(name, other));
    const hint = near === undefined ? `there are ${known.join(", ")}` : `did you mean ${path}${near}?`;
    throw new InvalidOptionTypeError(
      path + shown(name, MAX_SHOWN),
      value,
      "left out",
      `${path}${shown(name, MAX_SHOWN)} is not an option; ${hint}`,
    );
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** At most two letters are wrong, missing or too many, and not most of them; upper or lower case doesn't matter. */
function isMisspelt(name: string, meant: string): boolean {
  const distance = editDistance(name.toLowerCase(), meant.toLowerCase());
  return distance <= 2 && 2 * distance < meant.length;
}

/** Levenshtein's: how many letters to change, insert or leave out. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

export function checkOneOf<V extends string>(name: string, value: unknown, allowed: readonly V[]): V {
  if (value === undefined) return allowed[0]!;
  if (allowed.includes(value as V)) return value as V;
  const words = allowed.map((word) => `"${word}"`).join(" or ");
  if (typeof value !== "string") throw new InvalidOptionTypeError(name, value, words);
  throw new InvalidOptionRangeError(name, value, words);
}

export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") {
    throw new InvalidOptionTypeError(name, value, "a function");
  }
}

/** As {@link checkFunction}, where there is no default. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new InvalidOptionTypeError(name, value, "a function");
}

export function checkClock(value: unknown): void {
  if (value === undefined) return;
  const methods = ["now", "wallNow", "setTimeout", "clearTimeout"];
  const clock = value as Record<string, unknown> | null;
  if (clock === null || !methods.every((method) => typeof clock[method] === "function")) {
    throw new InvalidOptionTypeError(
      "clock",
      value,
      "a Clock with now, wallNow, setTimeout and clearTimeout",
    );
  }
}

export function checkNumber(
  name: string,
  value: unknown,
  allowed: string,
  isAllowed: (n: number) => boolean,
): number {
  if (typeof value !== "number") throw new InvalidOptionTypeError(name, value, allowed);
  if (!isAllowed(value)) throw new InvalidOptionRangeError(name, value, allowed);
  return value;
}

export function checkDuration(name: string, value: unknown): void {
  checkNumber(name, value, "milliseconds, from 0", (n) => n >= 0);
}

/** Whether the value has all that is asked of a signal. One whose properties throw has not. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  try {
    const signal = value as Partial<AbortSignal>;
    return (
      typeof signal.aborted === "boolean" &&
      "reason" in signal &&
      typeof signal.addEventListener === "function" &&
      typeof signal.removeEventListener === "function"
    );
  } catch {
    return false;
  }
}
