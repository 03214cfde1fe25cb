import { InvalidOptionTypeError } from "../../base/errors.js";
import { cut, MAX_CORRELATION_ID } from "../../base/limits.js";
import { processWide } from "../../base/process-wide.js";

/** The only one of this library, in all its copies: each instance makes every `run` of the process slower. */
export const { correlation } = processWide;

/**
 * Calls `fn` so that everything in it, and everything that it starts, has the correlation ID: what it puts into instrumented
 * queues takes the ID along. Returns what `fn` returns. An ID of more than 256 characters is cut. Throws `InvalidOptionTypeError` unless `id` is a string with characters.
 */
export function withCorrelationId<R>(id: string, fn: () => R): R {
  if (typeof id !== "string" || id === "") {
    throw new InvalidOptionTypeError("id", id, "a string with at least one character");
  }
  if (typeof fn !== "function") throw new InvalidOptionTypeError("fn", fn, "a function");
  const correlationId = cut(id, MAX_CORRELATION_ID);
  const notes = correlation.getStore()?.notes;
  return correlation.run(notes === undefined ? { correlationId } : { correlationId, notes }, fn);
}

/** The correlation ID of the code that runs now; undefined outside any context that has one. */
export function currentCorrelationId(): string | undefined {
  return correlation.getStore()?.correlationId;
}
