import type { Attributes } from "@opentelemetry/api";
import type { Probe, Told } from "../contracts.js";
import type { ReadingName } from "./instruments.js";
import {
  allSeries,
  CONTEXT_LOST,
  DEAD_LETTERED,
  DEQUEUED,
  DROP_REASONS,
  dropIndex,
  ENQUEUED,
  ERRORS,
  OUTCOMES,
  OVERTAKES,
  type QueueSeries,
  RETRIED,
  SLA_MET,
  SLA_MISSED,
  type TierSeries,
} from "./series.js";

/** Takes one point of an instrument. */
export type Add = (value: number, attributes: Attributes) => void;

type Reading = (queue: QueueSeries, add: Add) => void;

/** Gives all points of the instrument. What a probe throws costs the points of its own queue only. */
export function read(name: ReadingName, add: Add): void {
  for (const queue of allSeries.values()) {
    try {
      READINGS[name](queue, add);
    } catch {
      queue.counts[ERRORS]!++;
    }
  }
}

/** How the points of each gauge and counter are read from the numbers of one queue. */
const READINGS: Record<ReadingName, Reading> = {
  "queue.depth": perTier((probe, tier) => probe.depth(tier), sum),
  "queue.oldest.age.seconds": perTier((probe, tier) => ageSeconds(probe, probe.oldestAt(tier)), Math.max),
  "queue.capacity": (queue, add) => {
    // Where one of several queues has no bound, neither have all together.
    const capacity = perQueue(queue, (probe) => probe.capacity, sum);
    if (capacity !== undefined && Number.isFinite(capacity)) add(capacity, queue.attributes);
  },
  "queue.inflight": gauge((probe) => probe.inFlight, sum),
  "queue.inflight.oldest.age.seconds": gauge(
    (probe) => (probe.inFlight === undefined ? undefined : ageSeconds(probe, probe.inFlightOldestAt)),
    Math.max,
  ),
  "queue.waiters": both(
    gauge((probe) => probe.waitingPuts, sum, { "queue.side": "put" }),
    gauge((probe) => probe.waitingGets, sum, { "queue.side": "get" }),
  ),
  "queue.delayed": gauge((probe) => probe.delayed, sum),
  "queue.enqueued": tierCounter(ENQUEUED),
  "queue.dequeued": ifTold("takes", tierCounter(DEQUEUED)),
  "queue.overtakes": ifTold("takes", tierCounter(OVERTAKES)),
  "queue.completed": ifTold("outcomes", (queue, add) => {
    for (const [i, outcome] of OUTCOMES.entries()) {
      add(queue.counts[i]!, { ...queue.attributes, "queue.outcome": outcome });
    }
  }),
  "queue.dropped": (queue, add) => {
    for (const tier of queue.tiers.values()) {
      for (const reason of DROP_REASONS.filter((each) => queue.tells(each))) {
        add(tier.counts[dropIndex(reason)]!, { ...tier.attributes, "queue.reason": reason });
      }
    }
  },
  "queue.retried": ifTold("retries", queueCounter(RETRIED)),
  "queue.dead.lettered": ifTold("dead-letters", queueCounter(DEAD_LETTERED)),
  "queue.telemetry.errors": queueCounter(ERRORS),
  "queue.context.lost": (queue, add) =>
    add(queue.counts[CONTEXT_LOST]!, { ...queue.attributes, "queue.where": "get" }),
  "queue.sla.target.seconds": eachTier(({ sla, attributes }, add) => {
    if (sla !== undefined) add(sla.targetMs / 1000, attributes);
  }),
  "queue.sla.objective.ratio": eachTier(({ sla, attributes }, add) => {
    if (sla !== undefined) add(sla.objective, attributes);
  }),
  "queue.sla.items": ifTold(
    "takes",
    eachTier(({ sla, counts, attributes }, add) => {
      if (sla === undefined) return;
      add(counts[SLA_MET]!, { ...attributes, "queue.result": "met" });
      add(counts[SLA_MISSED]!, { ...attributes, "queue.result": "missed" });
    }),
  ),
};

type Merge = (a: number, b: number) => number;

function sum(a: number, b: number): number {
  return a + b;
}

function ageSeconds(probe: Probe, since: number | undefined): number {
  return since === undefined ? 0 : Math.max(0, probe.now() - since) / 1000;
}

/** One figure for all queues of the name; undefined where none of them knows it. */
function perQueue(queue: QueueSeries, read: (probe: Probe) => number | undefined, merge: Merge) {
  let merged: number | undefined;
  for (const { probe } of queue.alive()) {
    const value = read(probe);
    if (value !== undefined) merged = merged === undefined ? value : merge(merged, value);
  }
  return merged;
}

/** A gauge of the queue; once it was shown it stays, at 0 when the queue is gone, because series must not disappear. */
function gauge(read: (probe: Probe) => number | undefined, merge: Merge, more?: Attributes): Reading {
  const shown = new WeakSet<QueueSeries>();
  return (queue, add) => {
    const value = perQueue(queue, read, merge) ?? (shown.has(queue) ? 0 : undefined);
    if (value === undefined) return;
    shown.add(queue);
    add(value, more === undefined ? queue.attributes : { ...queue.attributes, ...more });
  };
}

/** Nothing, where no queue of the name can tell. */
function ifTold(what: Told, reading: Reading): Reading {
  return (queue, add) => {
    if (queue.tells(what)) reading(queue, add);
  };
}

function both(first: Reading, second: Reading): Reading {
  return (queue, add) => {
    first(queue, add);
    second(queue, add);
  };
}

function perTier(read: (probe: Probe, tier: number) => number, merge: Merge): Reading {
  return (queue, add) => {
    const values = new Map<TierSeries, number>();
    for (const tier of queue.tiers.values()) values.set(tier, 0);
    for (const { probe, tiers } of queue.alive()) {
      for (const [i, tier] of tiers.entries()) values.set(tier, merge(values.get(tier)!, read(probe, i)));
    }
    for (const [tier, value] of values) add(value, tier.attributes);
  };
}

function eachTier(read: (tier: TierSeries, add: Add) => void): Reading {
  return (queue, add) => {
    for (const tier of queue.tiers.values()) read(tier, add);
  };
}

function tierCounter(index: number): Reading {
  return eachTier((tier, add) => add(tier.counts[index]!, tier.attributes));
}

function queueCounter(index: number): Reading {
  return (queue, add) => add(queue.counts[index]!, queue.attributes);
}
