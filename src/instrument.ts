import { isObservable, ownQueue } from "./adapters/own-queue.js";
import type { Adapter, Attachment } from "./contracts.js";
import { AlreadyInstrumentedError, InvalidOptionTypeError, NotInstrumentableError } from "./errors.js";
import { type InstrumentOptions as Options, readOptions } from "./telemetry/options.js";
import { Telemetry } from "./telemetry/telemetry.js";

export { type GenericNames, generic } from "./adapters/generic.js";
export type { Adapter, Attachment, Probe, QueueTelemetry } from "./contracts.js";

/** Options of {@link instrument}. */
export interface InstrumentOptions extends Options {
  /** How to attach to a queue that is not recognised by itself, such as `generic({ put: "enqueue", get: "dequeue" })`. */
  adapter?: Adapter | undefined;
}

interface Instrumented {
  readonly telemetry: Telemetry;
  readonly attachment: Attachment;
}

/** Keeps the probes, which the metrics only hold weakly, for as long as the queue is there. */
const instrumented = new WeakMap<object, Instrumented>();

/**
 * Gives the queue traces, metrics and correlation IDs, and returns it: the same object of the same type. Our own queues, and any
 * object with the help of an adapter.
 * Throws an `InvalidOption…Error` for a bad option, `NotInstrumentableError` for an object that can't be attached to,
 * `AlreadyInstrumentedError` the second time.
 */
export function instrument<Q extends object>(queue: Q, options: InstrumentOptions): Q {
  if ((typeof queue !== "object" && typeof queue !== "function") || queue === null) {
    throw new InvalidOptionTypeError("queue", queue, "a queue");
  }
  const adapter = adapterFor(queue, options);
  const settings = readOptions(options, adapter.tiersOf(queue));
  const first = instrumented.get(queue);
  if (first !== undefined) throw new AlreadyInstrumentedError(first.telemetry.series.name, settings.name);
  const telemetry = new Telemetry(settings, adapter.tiersOf(queue), adapter.system);
  const attachment = adapter.attach(queue, telemetry);
  telemetry.series.watch(attachment.probe, telemetry.tiers);
  instrumented.set(queue, { telemetry, attachment });
  return queue;
}

/** Takes the telemetry away and restores the queue. What was counted stays in the metrics. Returns the queue. */
export function uninstrument<Q extends object>(queue: Q): Q {
  const found = instrumented.get(queue);
  if (found === undefined) return queue;
  instrumented.delete(queue);
  found.attachment.detach();
  found.telemetry.series.unwatch(found.attachment.probe);
  return queue;
}

function adapterFor(queue: object, options: InstrumentOptions | undefined): Adapter {
  const adapter: Partial<Adapter> | undefined = options?.adapter;
  if (adapter !== undefined) {
    if (typeof adapter?.attach !== "function" || typeof adapter.tiersOf !== "function") {
      throw new InvalidOptionTypeError("adapter", adapter, "an adapter, such as generic({ put, get })");
    }
    return adapter as Adapter;
  }
  if (isObservable(queue)) return ownQueue as unknown as Adapter;
  throw new NotInstrumentableError(
    "no adapter knows this object; name its methods with { adapter: generic({ put, get, size }) }",
  );
}
