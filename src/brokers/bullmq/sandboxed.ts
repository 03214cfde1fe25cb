import { context } from "@opentelemetry/api";
import { type Method, patch, resemble } from "../../adapters/patch.js";
import { requireFunction } from "../../base/checks.js";
import { wallNow } from "../../base/clock.js";
import { correlation } from "../../telemetry/context/correlation.js";
import { parcelOf } from "../../telemetry/context/send-context.js";
import { headersOf, receivedFrom } from "../carrier.js";
import type { Job, JobOptions } from "./clients.js";
import { readerOf, textOf } from "./metadata.js";

/**
 * Has the job tell its child process or thread of the span that is active now, which is that of its handler. In the broker the job keeps
 * the carrier of its producer.
 */
export function handOn(job: Job, fault: (error: unknown) => void): void {
  try {
    const metadata = textOf(headersOf(parcelOf(context.active(), undefined), wallNow(), () => {}));
    if (metadata === undefined) return;
    patch(job, {
      asJSONSandbox: (original: Method) =>
        function asJSONSandbox(this: unknown, ...args: unknown[]) {
          const json = original.apply(this, args) as { opts?: JobOptions };
          const telemetry = Object.assign({}, json.opts?.telemetry, { metadata });
          return Object.assign({}, json, { opts: Object.assign({}, json.opts, { telemetry }) });
        },
    });
  } catch (error) {
    fault(error);
  }
}

/** Options as BullMQ 5 hands them to a child, with names that are shortened. */
interface ShortOptions extends JobOptions {
  readonly tm?: unknown;
}

/**
 * Wraps the processor in a file of its own, which BullMQ calls in a child process or a thread: there it runs in the context of its job, so
 * that spans and logs have the trace and the correlation ID, as far as the child has registered a context manager and a
 * propagator. The worker in the parent must be instrumented. Returns a function with the same arity. Throws `InvalidOptionTypeError` unless it gets a function.
 *
 * @example
 * // resize.mjs, for new Worker("resize", "./resize.mjs")
 * import { currentCorrelationId } from "queuescope";
 * import { sandboxed } from "queuescope/bullmq";
 *
 * export default sandboxed(async (job) => console.log(currentCorrelationId(), job.data));
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever the processor takes and returns
export function sandboxed<F extends (...args: any[]) => any>(processor: F): F {
  requireFunction("processor", processor);
  return resemble(function (this: unknown, ...args: unknown[]) {
    const call = () => processor.apply(this, args) as unknown;
    const parcel = parcelFrom(args[0]);
    if (parcel === undefined) return call();
    const inContext = () => within(parcel.context, call);
    const { correlationId } = parcel;
    return correlationId === undefined ? inContext() : correlation.run({ correlationId }, inContext);
  }, processor) as F;
}

/** Undefined where the job brings nothing, or something that can't be read. */
function parcelFrom(job: unknown): ReturnType<typeof receivedFrom>["parcel"] | undefined {
  try {
    const { telemetry, tm } = ((job as Job | undefined)?.opts ?? {}) as ShortOptions;
    return receivedFrom(readerOf(telemetry?.metadata ?? tm)).parcel;
  } catch {
    return undefined;
  }
}

/** Calls `fn` once. A context manager that doesn't call costs the context, not the job. */
function within<R>(active: Parameters<typeof context.with>[0], fn: () => R): R {
  let result: { readonly of: R } | undefined;
  context.with(active, () => {
    result ??= { of: fn() };
  });
  return result === undefined ? fn() : result.of;
}
