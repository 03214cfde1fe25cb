import { AsyncResource } from "node:async_hooks";
import { checkKnown, type OptionNames } from "../base/checks.js";
import { AlreadyInstrumentedError, InvalidOptionTypeError, NotInstrumentableError } from "../base/errors.js";
import { processWide } from "../base/process-wide.js";
import { type BrokerOptions, isBrokerAdapter, readClient } from "../brokers/instrument.js";
import type { Adapter, TierOf } from "../contracts/index.js";
import { askEnvironment } from "../telemetry/ask-environment.js";
import { WatchableQueue } from "../telemetry/metrics/watchable.js";
import { type InstrumentOptions as Options, readOptions } from "../telemetry/options.js";
import { warnOfOtherApi } from "../telemetry/other-api.js";
import { Telemetry } from "../telemetry/telemetry.js";
import { asyncPriorityQueue, asyncQueue, isAsyncPriorityQueue, isAsyncQueue } from "./async.js";
import { fastq, isFastq } from "./fastq.js";
import { isObservable, ownQueue } from "./own-queue.js";
import { isPQueue, pQueue } from "./p-queue.js";

/** Options of {@link instrument}. */
export interface InstrumentOptions<Tier extends string = string> extends Options<Tier> {
  /** How to attach to a queue that is not recognised by itself, such as `generic({ put: "enqueue", get: "dequeue" })`. */
  adapter?: Adapter | undefined;
}

const OPTIONS: OptionNames<InstrumentOptions> = {
  name: true,
  adapter: true,
  tiers: true,
  sla: true,
  traces: true,
  relation: true,
  asyncContext: true,
  metrics: true,
};

/** What every copy of this library has instrumented. It also keeps the probes, which the metrics hold only weakly. */
const { instrumented } = processWide;

/** Queues that are recognised by how they are built. */
const KNOWN: readonly { readonly is: (queue: object) => boolean; readonly adapter: unknown }[] = [
  { is: isObservable, adapter: ownQueue },
  { is: isPQueue, adapter: pQueue },
  { is: isFastq, adapter: fastq },
  { is: isAsyncPriorityQueue, adapter: asyncPriorityQueue },
  { is: isAsyncQueue, adapter: asyncQueue },
];

/**
 * Gives the queue traces, metrics and correlation IDs, and returns it: the same object of the same type. Knows our own queues, those
 * of p-queue, fastq and async, and any object with the help of an adapter.
 * Throws an `InvalidOption…Error` for a bad option, `NotInstrumentableError` for an object that can't be attached to,
 * `AlreadyInstrumentedError` the second time.
 *
 * @example
 * import PQueue from "p-queue";
 *
 * const thumbnails = instrument(new PQueue({ concurrency: 4 }), { name: "thumbnails" });
 * await thumbnails.add(async () => console.log("resized"));
 */
export function instrument<Q extends object>(queue: Q, options: InstrumentOptions<TierOf<Q>>): Q;
/**
 * The same for the client of a broker: a queue, worker, channel or connection. What isn't declared in `queues` counts as the queue
 * `other`. See docs/brokers.md.
 */
export function instrument<Q extends C, C extends object>(client: Q, options: BrokerOptions<C>): Q;
export function instrument(queue: object, options: InstrumentOptions | BrokerOptions): object {
  if ((typeof queue !== "object" && typeof queue !== "function") || queue === null) {
    throw new InvalidOptionTypeError("queue", queue, "a queue");
  }
  askEnvironment();
  if (isBrokerAdapter(options?.adapter)) return instrumentClient(queue, options as BrokerOptions);
  return instrumentQueue(queue, options as InstrumentOptions);
}

function instrumentClient(client: object, options: BrokerOptions): object {
  const { name, attach } = readClient(client, options);
  const first = instrumented.get(client);
  if (first !== undefined) throw new AlreadyInstrumentedError(first.name, name);
  warnOfOtherApi();
  instrumented.set(client, attach());
  return client;
}

function instrumentQueue(queue: object, options: InstrumentOptions): object {
  checkKnown(options, OPTIONS);
  const adapter = adapterFor(queue, options?.adapter);
  const tiers = adapter.tiersOf(queue);
  const { priorities, asyncContext, relation } = adapter;
  const settings = readOptions(options, { tiers, priorities, asyncContext, relation });
  const first = instrumented.get(queue);
  if (first !== undefined) throw new AlreadyInstrumentedError(first.name, settings.name);
  warnOfOtherApi();
  const telemetry = new Telemetry(settings, tiers, adapter.system, homeOf(adapter));
  const attachment = adapter.attach(queue, telemetry);
  const { series } = telemetry;
  series.watch(attachment.probe, telemetry.tiers, attachment.capabilities);
  const undo = () => {
    attachment.detach();
    series.unwatch(attachment.probe);
  };
  const watchable = new WatchableQueue(series, telemetry.tierTable, attachment.probe, settings.isTier);
  instrumented.set(queue, { name: settings.name, watchables: [watchable], undo });
  return queue;
}

/**
 * Takes the telemetry away and restores the queue. What was counted stays in the metrics. Returns the queue.
 *
 * @example
 * const jobs = instrument(new FifoQueue<string>(), { name: "jobs" });
 * uninstrument(jobs);
 * instrument(jobs, { name: "other jobs" });
 */
export function uninstrument<Q extends object>(queue: Q): Q {
  instrumented.get(queue)?.undo();
  instrumented.delete(queue);
  return queue;
}

/** Where jobs run that bring no context of their own. Deliveries of our own queues run where their consumer calls them. */
function homeOf(adapter: Adapter): AsyncResource | undefined {
  if ((adapter as unknown) === ownQueue) return undefined;
  return new AsyncResource("queuescope.queue", { requireManualDestroy: true });
}

function adapterFor(queue: object, adapter: Partial<Adapter> | undefined): Adapter {
  if (adapter !== undefined) {
    if (typeof adapter?.attach !== "function" || typeof adapter.tiersOf !== "function") {
      throw new InvalidOptionTypeError("adapter", adapter, "an adapter, such as generic({ put, get })");
    }
    return adapter as Adapter;
  }
  const known = KNOWN.find(({ is }) => is(queue));
  if (known !== undefined) return known.adapter as Adapter;
  if (typeof queue === "function") {
    throw new NotInstrumentableError(
      "a function's own call can't be replaced; wrap an object with a method that calls it, " +
        'as for p-limit in docs/writing-an-adapter.md: { adapter: generic({ put: "run", size: "waiting" }) }',
    );
  }
  throw new NotInstrumentableError(
    "no adapter knows this object; name its methods with { adapter: generic({ put, get, size }) }",
  );
}
