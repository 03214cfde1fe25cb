/** How an instrument behaves: what a gauge shows may fall, what a counter shows only rises. */
export type InstrumentKind = "gauge" | "counter" | "histogram";

/** One row of the telemetry contract. */
export interface Instrument {
  readonly kind: InstrumentKind;
  /** UCUM; never `1`, to which OTLP appends `_ratio`. Seconds stand in the name, so that every path of export agrees. */
  readonly unit: string;
  readonly attributes: readonly string[];
  readonly description: string;
}

const QUEUE = ["queue.name"] as const;
const GATE = ["queue.name", "queue.gate"] as const;
const TIER = ["queue.name", "queue.tier"] as const;
/** And `error.type`, of what has failed. */
const OPERATION = [
  "messaging.system.name",
  "messaging.destination.name",
  "messaging.operation.name",
] as const;

/** The instruments of the telemetry contract that queues feed. Names are for ever; docs/telemetry.md carries the table. */
export const INSTRUMENTS = {
  "queue.depth": { kind: "gauge", unit: "{item}", attributes: TIER, description: "Items waiting" },
  "queue.capacity": {
    kind: "gauge",
    unit: "{item}",
    attributes: QUEUE,
    description: "Most items the queue may hold; absent when unbounded",
  },
  "queue.oldest.age.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: TIER,
    description: "Age of the oldest item that is due; 0 when there is none",
  },
  "queue.inflight": {
    kind: "gauge",
    unit: "{item}",
    attributes: QUEUE,
    description: "Items taken and not yet settled",
  },
  "queue.inflight.oldest.age.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: QUEUE,
    description: "Age of the item that has been in flight longest; 0 when there is none",
  },
  "queue.waiters": {
    kind: "gauge",
    unit: "{waiter}",
    attributes: ["queue.name", "queue.side"],
    description: "Callers blocked: in put by backpressure, in get for lack of items",
  },
  "queue.put.seconds": {
    kind: "histogram",
    unit: "s",
    attributes: QUEUE,
    description: "Duration of a successful put, waiting for room included",
  },
  "queue.get.seconds": {
    kind: "histogram",
    unit: "s",
    attributes: QUEUE,
    description: "Duration of a successful get, waiting for an item included",
  },
  "queue.wait.seconds": {
    kind: "histogram",
    unit: "s",
    attributes: TIER,
    description: "Time an item spent in the queue, from put to get",
  },
  "queue.process.seconds": {
    kind: "histogram",
    unit: "s",
    attributes: ["queue.name", "queue.outcome"],
    description: "Time from get to settle",
  },
  "queue.gate.wait.seconds": {
    kind: "histogram",
    unit: "s",
    attributes: GATE,
    description: "Time that work on an item waited for a gate",
  },
  "queue.gate.limit": {
    kind: "gauge",
    unit: "{permit}",
    attributes: ["queue.gate"],
    description: "Calls that the gate lets through at a time",
  },
  "queue.gate.inflight": {
    kind: "gauge",
    unit: "{permit}",
    attributes: ["queue.gate"],
    description: "Calls that are through the gate and not back",
  },
  "queue.breaker.open": {
    kind: "gauge",
    unit: "{breaker}",
    attributes: GATE,
    description: "1 while the gate's circuit breaker lets nobody through",
  },
  "queue.workers": {
    kind: "gauge",
    unit: "{worker}",
    attributes: ["queue.name", "queue.state"],
    description: "Workers by what they do",
  },
  "queue.enqueued": { kind: "counter", unit: "{item}", attributes: TIER, description: "Items that came in" },
  "queue.dequeued": { kind: "counter", unit: "{item}", attributes: TIER, description: "Items taken" },
  "queue.completed": {
    kind: "counter",
    unit: "{item}",
    attributes: ["queue.name", "queue.outcome"],
    description: "Items settled",
  },
  "queue.dropped": {
    kind: "counter",
    unit: "{item}",
    attributes: ["queue.name", "queue.tier", "queue.reason"],
    description: "Items refused or dropped",
  },
  "queue.retried": {
    kind: "counter",
    unit: "{item}",
    attributes: QUEUE,
    description: "Deliveries given back for another attempt",
  },
  "queue.dead.lettered": {
    kind: "counter",
    unit: "{item}",
    attributes: QUEUE,
    description: "Items given up after their last attempt",
  },
  "queue.sla.target.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: TIER,
    description: "Longest wait that meets the SLA, as declared",
  },
  "queue.sla.objective.ratio": {
    kind: "gauge",
    unit: "{ratio}",
    attributes: TIER,
    description: "Share of items that should meet the SLA, as declared",
  },
  "queue.sla.items": {
    kind: "counter",
    unit: "{item}",
    attributes: ["queue.name", "queue.tier", "queue.result"],
    description: "Items whose wait met or missed the SLA, judged at get",
  },
  "queue.sla.breaches": {
    kind: "counter",
    unit: "{breach}",
    attributes: ["queue.name", "queue.tier", "queue.verdict"],
    description: "Breaches of the SLA that a watchdog found, by what it found to be the cause",
  },
  "queue.watchdog.last.run.timestamp.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: [],
    description: "Unix time of a watchdog's last look",
  },
  "queue.eventloop.stall.seconds": {
    kind: "histogram",
    unit: "s",
    attributes: [],
    description: "Stalls of the event loop over the threshold",
  },
  "queue.delayed": {
    kind: "gauge",
    unit: "{item}",
    attributes: QUEUE,
    description: "Retries and planned items that are not due yet",
  },
  "queue.overtakes": {
    kind: "counter",
    unit: "{item}",
    attributes: TIER,
    description: "Items served after a younger one",
  },
  "queue.telemetry.errors": {
    kind: "counter",
    unit: "{error}",
    attributes: QUEUE,
    description: "Exceptions of telemetry, hooks and callbacks that were contained",
  },
  "queue.context.lost": {
    kind: "counter",
    unit: "{item}",
    attributes: ["queue.name", "queue.where"],
    description: "Deliveries without the context that their put had",
  },
  "queue.consumers": {
    kind: "gauge",
    unit: "{consumer}",
    attributes: ["queue.name", "queue.scope"],
    description: "Consumers that the broker knows of",
  },
  "queue.redelivered": {
    kind: "counter",
    unit: "{item}",
    attributes: QUEUE,
    description: "Deliveries of what had been delivered before",
  },
  "queue.settle.stale": {
    kind: "counter",
    unit: "{item}",
    attributes: QUEUE,
    description: "Acknowledgements of deliveries whose channel or lock is gone",
  },
  "queue.clock.skew.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: QUEUE,
    description: "By how much this process's clock is ahead of the broker's",
  },
  "queue.negative.waits": {
    kind: "counter",
    unit: "{item}",
    attributes: QUEUE,
    description: "Items that were taken before they were put, as clocks have it: their wait counts as 0",
  },
  "queue.unsettled.oldest.age.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: TIER,
    description:
      "Age, since it first came in, of the oldest item that waits, is delayed by a retry, or in flight; 0 when there is none",
  },
  "queue.sla.completion.target.seconds": {
    kind: "gauge",
    unit: "s",
    attributes: TIER,
    description: "Longest time from when an item first comes in until it is settled, as declared",
  },
  "queue.sla.completions": {
    kind: "counter",
    unit: "{item}",
    attributes: ["queue.name", "queue.tier", "queue.result"],
    description: "Items that were settled in time, or not, judged when they are or that time has passed",
  },
  "queue.errors": {
    kind: "counter",
    unit: "{error}",
    attributes: ["queue.name", "error.type"],
    description: "Attempts that failed, by the error's code or class",
  },
  // As OpenTelemetry's conventions for messaging have them.
  "messaging.client.operation.duration": {
    kind: "histogram",
    unit: "s",
    attributes: OPERATION,
    description: "Duration of an operation of a broker's client: to send",
  },
  "messaging.process.duration": {
    kind: "histogram",
    unit: "s",
    attributes: OPERATION,
    description: "Duration of processing, from taken to settled",
  },
  "messaging.client.sent.messages": {
    kind: "counter",
    unit: "{message}",
    attributes: OPERATION,
    description: "Messages that were sent to the broker",
  },
  "messaging.client.consumed.messages": {
    kind: "counter",
    unit: "{message}",
    attributes: OPERATION,
    description: "Messages that were delivered to the application",
  },
} as const satisfies Record<string, Instrument>;

export type InstrumentName = keyof typeof INSTRUMENTS;

/** Of these the greatest counts over several processes; all others add up. */
export const NOT_ADDED: ReadonlySet<InstrumentName> = new Set<InstrumentName>([
  "queue.oldest.age.seconds",
  "queue.unsettled.oldest.age.seconds",
  "queue.inflight.oldest.age.seconds",
  "queue.sla.target.seconds",
  "queue.sla.completion.target.seconds",
  "queue.sla.objective.ratio",
  "queue.breaker.open",
  "queue.watchdog.last.run.timestamp.seconds",
]);

/** The upper bounds of a histogram's buckets, in seconds and in milliseconds. */
export interface Bounds {
  readonly seconds: readonly number[];
  readonly ms: Float64Array;
}

function bounds(...seconds: readonly number[]): Bounds {
  return { seconds, ms: Float64Array.from(seconds, (each) => each * 1000) };
}

/** Of every histogram but those below. */
export const BOUNDS = bounds(
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300,
);
/** Of waits in a broker, which may take hours. */
export const BROKER_WAIT_BOUNDS = bounds(...BOUNDS.seconds, 600, 1_800, 3_600, 14_400);
/** Of the metrics of OpenTelemetry's conventions for messaging, as those have them. */
export const MESSAGING_BOUNDS = bounds(
  0.005,
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
);

type NamesOf<K extends InstrumentKind> = {
  [N in InstrumentName]: (typeof INSTRUMENTS)[N]["kind"] extends K ? N : never;
}[InstrumentName];

export type HistogramName = NamesOf<"histogram">;
/** Instruments whose values are read on demand. */
export type ReadingName = NamesOf<"gauge" | "counter">;
