import { type Context, context, trace } from "@opentelemetry/api";
import { InvalidOptionTypeError } from "../../base/errors.js";
import { cut, MAX_CORRELATION_ID } from "../../base/limits.js";
import { processWide } from "../../base/process-wide.js";

/** The only one of this library, in all its copies: each instance makes every `run` of the process slower. */
export const { correlation } = processWide;

/**
 * Calls `fn` so that everything in it, and everything that it starts, has the correlation ID: what it puts into instrumented
 * queues takes the ID along. Returns what `fn` returns. An ID of more than 256 characters is cut. Throws `InvalidOptionTypeError` unless `id` is a string with characters.
 *
 * @example
 * const jobs = instrument(new FifoQueue<string>(), { name: "jobs" });
 * await withCorrelationId("request 7", () => jobs.put("resize cat.png"));
 * const job = await jobs.receive();
 * console.log(job.correlationId); // request 7
 * job.done();
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

/**
 * The correlation ID of the code that runs now: its own, or that of the item that it handles; else the ID of its trace. Undefined outside
 * any context that has one.
 *
 * @example
 * withCorrelationId("request 7", () => console.log(currentCorrelationId())); // request 7
 * console.log(currentCorrelationId()); // undefined
 */
export function currentCorrelationId(): string | undefined {
  const id = correlation.getStore()?.correlationId;
  if (id !== undefined) return id;
  try {
    return traceIdOf(context.active());
  } catch {
    return undefined;
  }
}

/** Whether code that runs now has this ID, once the context is active. */
export function isIdOf(id: string, active: Context | undefined): boolean {
  const store = correlation.getStore();
  if (store !== undefined) return store.correlationId === id;
  return active !== undefined && trace.getSpanContext(active)?.traceId === id;
}

/** The ID of the context's trace, if it is in one. */
export function traceIdOf(active: Context): string | undefined {
  const spanContext = trace.getSpanContext(active);
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
}
