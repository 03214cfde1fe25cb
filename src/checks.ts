import { InvalidOptionRangeError, InvalidOptionTypeError } from "./errors.js";

export function checkObject(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "object" || value === null)) {
    throw new InvalidOptionTypeError(name, value, "an object");
  }
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

export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" &&
    value !== null &&
    "aborted" in value &&
    "reason" in value &&
    "addEventListener" in value
  );
}
