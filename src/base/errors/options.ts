import { shown } from "../shown.js";
import { defineError, inWords, isArray } from "./define-error.js";

/** How long a message is at most, in characters. */
const MAX_SENTENCE = 2_000;

/**
 * An option or argument has the wrong type, or must not be given here.
 *
 * @example
 * try {
 *   new FifoQueue({ capacity: "10" as never });
 * } catch (error) {
 *   if (error instanceof InvalidOptionTypeError) console.log(error.option, error.allowed);
 * }
 */
export class InvalidOptionTypeError extends defineError(
  "InvalidOptionTypeError",
  "QUEUE_INVALID_OPTION_TYPE",
  TypeError,
) {
  constructor(
    /** The option's name. */
    readonly option: string,
    /** What was given. */
    readonly value: unknown,
    /** What may be given, in words. */
    readonly allowed: string,
    message = `${option} must be ${allowed}, not ${inWords(value)}`,
  ) {
    super(shown(message, MAX_SENTENCE));
  }
}

/**
 * An option or argument has the right type and a value that is not allowed.
 *
 * @example
 * try {
 *   new FifoQueue({ capacity: 0 });
 * } catch (error) {
 *   if (error instanceof InvalidOptionRangeError) console.log(error.option, error.allowed);
 * }
 */
export class InvalidOptionRangeError extends defineError(
  "InvalidOptionRangeError",
  "QUEUE_INVALID_OPTION_RANGE",
  RangeError,
) {
  constructor(
    /** The option's name. */
    readonly option: string,
    /** What was given. */
    readonly value: unknown,
    /** What may be given, in words. */
    readonly allowed: string,
  ) {
    super(
      shown(
        `${option} must be ${allowed}, not ${isEmptyObject(value) ? "an empty object" : inWords(value)}`,
        MAX_SENTENCE,
      ),
    );
  }
}

/** Such a value has the right type where an object is wanted, so the message says more. */
function isEmptyObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null || isArray(value)) return false;
  try {
    return Object.keys(value).length === 0;
  } catch {
    return false;
  }
}
