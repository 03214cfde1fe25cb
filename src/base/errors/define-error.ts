import { errorLine } from "../error-text.js";
import { shown } from "../shown.js";

/** How much of a value is quoted in a message, in characters. */
const MAX_QUOTED = 60;
/** How much of another error's message is quoted, in characters. */
export const MAX_MESSAGE = 1_000;

/** The key under which an error has the name of its class: the same in every copy of this package, and in every realm. */
const BRAND = Symbol.for("queuescope.error");

/** Reads the brand. Anything can be thrown, or be the reason of an abort: also a proxy that throws when it is read. */
function brandOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return (value as Record<symbol, unknown>)[BRAND];
  } catch {
    return undefined;
  }
}

/** A base class of errors with that code. */
type CodedError<Code extends string, E extends Error> = new (
  message?: string,
  options?: ErrorOptions,
) => E & { readonly code: Code };

/**
 * A base for one class of errors, with `code` as a field. `instanceof` on that class holds for errors of other copies of this package, too;
 * classes that extend it stay as usual. `shownAs` is the errors' `name`, where that differs from the class's.
 */
export function defineError<const Code extends string, E extends Error = Error>(
  name: string,
  code: Code,
  Base: new (message?: string, options?: ErrorOptions) => E = Error as never,
  shownAs = name,
): CodedError<Code, E> {
  class Coded extends (Base as new (message?: string, options?: ErrorOptions) => Error) {
    readonly code = code;
  }
  Object.defineProperty(Coded, Symbol.hasInstance, {
    value(this: unknown, value: unknown) {
      // The class itself extends Coded; a class of the user's extends that one.
      const isOurs = typeof this === "function" && Object.getPrototypeOf(this) === Coded;
      if (!isOurs) return Function.prototype[Symbol.hasInstance].call(this, value);
      return brandOf(value) === name;
    },
  });
  // Defined: an assignment fails where `Error.prototype` is frozen.
  Object.defineProperty(Coded.prototype, "name", { value: shownAs, writable: true, configurable: true });
  Object.defineProperty(Coded.prototype, BRAND, { value: name });
  return Coded as unknown as CodedError<Code, E>;
}

/** A value in words, short enough for an error message, and on one line. */
export function inWords(value: unknown): string {
  if (typeof value === "string")
    return shown(
      JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED - 3)}...` : value),
      Number.POSITIVE_INFINITY,
    );
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null)
    return isArray(value) ? `an array of ${value.length}` : "an object";
  if (typeof value === "bigint") return `${errorLine(value, MAX_QUOTED)}n`;
  return Object.is(value, -0) ? "-0" : errorLine(value, MAX_QUOTED);
}

/** `Array.isArray` throws for a revoked proxy. */
export function isArray(value: object): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** The message of an error, or a value in words. */
export function textOf(error: unknown): string {
  try {
    return error instanceof Error ? shown(error.message, MAX_MESSAGE) : inWords(error);
  } catch {
    return inWords(error);
  }
}
