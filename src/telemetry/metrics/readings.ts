import type { Capability, GateView, PoolView, Probe, WorkerState } from "../../contracts/index.js";
import type { Histogram } from "./histogram.js";
import type { HistogramName, ReadingName } from "./instruments.js";
import { type Labels, label, NO_LABELS } from "./labels.js";
import {
  allSeries,
  CARRIER_REJECTED,
  CARRIER_TOO_LARGE,
  COMPLETED_MET,
  COMPLETED_MISSED,
  CONTEXT_LOST,
  DEAD_LETTERED,
  DEQUEUED,
  DROP_REASONS,
  dropIndex,
  ENQUEUED,
  ERRORS,
  NEGATIVE_WAITS,
  OUTCOMES,
  OVERTAKES,
  type QueueSeries,
  REDELIVERED,
  RETRIED,
  SLA_MET,
  SLA_MISSED,
  STALE_SETTLES,
  type TierSeries,
} from "./series.js";
import { vitals } from "./vitals.js";

/** Takes one point of an instrument. `more` is what distinguishes it from others of the same queue or tier. */
export type Add = (value: number, labels: Labels, more?: Labels) => void;

/** What distinguishes the points of one queue, made once. */
const SIDES = { put: label("queue.side", "put"), get: label("queue.side", "get") } as const;
const MET = label("queue.result", "met");
const MISSED = label("queue.result", "missed");
const LOST = [
  { index: CONTEXT_LOST, labels: label("queue.where", "get") },
  { index: CARRIER_REJECTED, labels: label("queue.where", "carrier") },
  { index: CARRIER_TOO_LARGE, labels: label("queue.where", "too_large") },
] as const;
/** Of figures that are those of all processes. */
const SHARED = label("queue.scope", "shared");
const REASONS = DROP_REASONS.map((reason) => ({
  reason,
  index: dropIndex(reason),
  labels: label("queue.reason", reason),
}));
const OUTCOME_LABELS = OUTCOMES.map((outcome) => label("queue.outcome", outcome));

type Reading = (queue: QueueSeries, add: Add) => void;

const WORKER_STATES: readonly WorkerState[] = ["idle", "processing", "backoff", "stalled", "stopped"];

/** Gives all points of the instrument. */
export function read(name: ReadingName, add: Add): void {
  readProcess(name, add);
  const readQueue = readerOf(name);
  for (const queue of allSeries.values()) readQueue(queue, add);
}

/** Gives the points of the instrument that come from no queue. */
export function readProcess(name: ReadingName, add: Add): void {
  if (name === "queue.watchdog.last.run.timestamp.seconds" && vitals.lastRun !== undefined) {
    add(vitals.lastRun, NO_LABELS);
  }
}

/** Gives those of one queue after another, for one collection. What a probe throws costs the points of its own queue only. */
export function readerOf(name: ReadingName): Reading {
  const reading = readingOf(name);
  return (queue, add) => {
    try {
      reading?.(queue, add);
    } catch {
      queue.counts[ERRORS]!++;
    }
  };
}

function readingOf(name: ReadingName): Reading | undefined {
  if (name === "queue.gate.limit") return gateReading(({ limit }) => limit);
  if (name === "queue.gate.inflight") return gateReading(({ inFlight }) => inFlight);
  return name === "queue.watchdog.last.run.timestamp.seconds" ? undefined : READINGS[name];
}

/** The series of a histogram that belong to no queue: exported from zero, once a watchdog runs that could see a stall. */
export function processHistograms(name: HistogramName): readonly Histogram[] {
  return name === "queue.eventloop.stall.seconds" && vitals.lastRun !== undefined ? [vitals.stalls] : [];
}

/** How the points of each gauge and counter are read from the numbers of one queue. */
const READINGS: Record<Exclude<ReadingName, QueuelessName>, Reading> = {
  "queue.depth": perTier("depth", (probe, tier) => probe.depth(tier), sum),
  "queue.oldest.age.seconds": perTier(
    "age",
    (probe, tier) => ageSeconds(probe, probe.oldestAt(tier)),
    Math.max,
  ),
  "queue.capacity": (queue, add) => {
    // Where one of several queues has no bound, neither have all together.
    const capacity = perQueue(queue, (probe) => probe.capacity, sum);
    if (capacity !== undefined && Number.isFinite(capacity)) add(capacity, queue.labels);
  },
  "queue.inflight": both(
    gauge("in flight", (probe) => probe.inFlight, sum),
    shared((probe) => probe.shared?.inFlight),
  ),
  "queue.inflight.oldest.age.seconds": gauge(
    "age in flight",
    (probe) => (probe.inFlight === undefined ? undefined : ageSeconds(probe, probe.inFlightOldestAt)),
    Math.max,
  ),
  "queue.waiters": both(
    gauge("waiting puts", (probe) => probe.waitingPuts, sum, SIDES.put),
    gauge("waiting gets", (probe) => probe.waitingGets, sum, SIDES.get),
  ),
  "queue.sla.breaches": eachTier(({ breaches, labels }, add) => {
    for (const [verdict, count] of breaches) add(count, labels, label("queue.verdict", verdict));
  }),
  "queue.workers": (queue, add) => {
    for (const state of WORKER_STATES) {
      workers[state](queue, (value) => add(value, queue.labels, label("queue.state", state)));
    }
  },
  "queue.breaker.open": (queue, add) => {
    for (const { name, isOpen } of gatesOf(queue)) {
      if (isOpen !== undefined) add(isOpen ? 1 : 0, queue.labels, label("queue.gate", name));
    }
  },
  "queue.delayed": both(
    gauge("delayed", (probe) => (probe.shared === undefined ? probe.delayed : undefined), sum),
    shared((probe) => (probe.shared === undefined ? undefined : probe.delayed)),
  ),
  "queue.consumers": shared((probe) => probe.shared?.consumers),
  "queue.clock.skew.seconds": (queue, add) => {
    const further = (a: number, b: number) => (Math.abs(a) > Math.abs(b) ? a : b);
    const skewMs = perQueue(queue, (probe) => probe.shared?.skewMs, further);
    if (skewMs !== undefined) add(skewMs / 1000, queue.labels);
  },
  "queue.redelivered": ifTold("redeliveries", queueCounter(REDELIVERED)),
  "queue.settle.stale": ifTold("redeliveries", queueCounter(STALE_SETTLES)),
  "queue.negative.waits": ifTold("redeliveries", queueCounter(NEGATIVE_WAITS)),
  "messaging.client.sent.messages": (queue, add) => {
    for (const { send } of queue.messaging.values()) add(send.count, send.labels);
  },
  "messaging.client.consumed.messages": (queue, add) => {
    for (const { process } of queue.messaging.values()) add(process.count, process.labels);
  },
  "queue.enqueued": tierCounter(ENQUEUED),
  "queue.dequeued": ifTold("takes", tierCounter(DEQUEUED)),
  // One process sees a part of a broker's queue only, by clocks that differ.
  "queue.overtakes": ifTold("takes", (queue, add) => {
    if (queue.isLocal) tierCounter(OVERTAKES)(queue, add);
  }),
  "queue.completed": ifTold("outcomes", (queue, add) => {
    for (const [i, labels] of OUTCOME_LABELS.entries()) add(queue.counts[i]!, queue.labels, labels);
  }),
  "queue.dropped": (queue, add) => {
    for (const { index, reason, labels: more } of REASONS) {
      const isPossible = queue.tells(reason);
      for (const tier of queue.tiers.values()) {
        const count = tier.counts[index]!;
        if (count > 0 || (isPossible && tier.isExported)) add(count, tier.labels, more);
      }
    }
  },
  "queue.retried": ifTold("retries", queueCounter(RETRIED)),
  "queue.dead.lettered": ifTold("dead-letters", queueCounter(DEAD_LETTERED)),
  "queue.telemetry.errors": queueCounter(ERRORS),
  "queue.context.lost": (queue, add) => {
    const wheres = queue.tells("redeliveries") ? LOST : LOST.slice(0, 1);
    for (const { index, labels } of wheres) add(queue.counts[index]!, queue.labels, labels);
  },
  "queue.sla.target.seconds": eachTier(({ sla, labels }, add) => {
    if (sla !== undefined) add(sla.targetMs / 1000, labels);
  }),
  "queue.sla.objective.ratio": eachTier(({ sla, labels }, add) => {
    if (sla !== undefined) add(sla.objective, labels);
  }),
  "queue.sla.items": ifTold(
    "takes",
    eachTier(({ sla, counts, labels }, add) => {
      if (sla === undefined) return;
      add(counts[SLA_MET]!, labels, MET);
      add(counts[SLA_MISSED]!, labels, MISSED);
    }),
  ),
  "queue.unsettled.oldest.age.seconds": ifTold("outcomes", (queue, add) => {
    const ages = new Map<TierSeries, number>();
    for (const { probe, tiers } of queue.alive()) {
      if (probe.unsettledAt === undefined) continue;
      queue.shown.add("unsettled age");
      for (const [i, tier] of tiers.entries()) {
        ages.set(tier, Math.max(ages.get(tier) ?? 0, ageSeconds(probe, probe.unsettledAt(i))));
      }
    }
    if (!queue.shown.has("unsettled age")) return;
    eachTier((tier, addTo) => addTo(ages.get(tier) ?? 0, tier.labels))(queue, add);
  }),
  "queue.sla.completion.target.seconds": eachTier(({ sla, labels }, add) => {
    if (sla?.completeMs !== undefined) add(sla.completeMs / 1000, labels);
  }),
  "queue.sla.completions": ifTold("outcomes", (queue, add) => {
    for (const { probe } of queue.alive()) probe.judgeLate?.();
    eachTier(({ sla, counts, labels }, addTo) => {
      if (sla?.completeMs === undefined) return;
      addTo(counts[COMPLETED_MET]!, labels, MET);
      addTo(counts[COMPLETED_MISSED]!, labels, MISSED);
    })(queue, add);
  }),
  "queue.errors": ifTold("outcomes", (queue, add) => {
    for (const { count, labels } of queue.errors) add(count, labels);
  }),
};

/** Their points belong to no queue: several may share a gate. */
type QueuelessName = "queue.gate.limit" | "queue.gate.inflight" | "queue.watchdog.last.run.timestamp.seconds";

/** For one collection: a gate is read where the first queue has it. */
function gateReading(read: (gate: GateView) => number): Reading {
  const seen = new Set<string>();
  return (queue, add) => {
    for (const gate of gatesOf(queue)) {
      if (seen.has(gate.name)) continue;
      seen.add(gate.name);
      const value = read(gate);
      if (Number.isFinite(value)) add(value, label("queue.gate", gate.name));
    }
  };
}

function gatesOf(queue: QueueSeries): Set<GateView> {
  const gates = new Set<GateView>();
  for (const { probe } of queue.alive()) {
    for (const pool of probe.pools ?? NO_POOLS) for (const gate of pool.gates) gates.add(gate);
  }
  return gates;
}

const NO_POOLS: readonly PoolView[] = [];

/** How many workers of all pools are in the state; undefined where there never was a pool. */
function workersIn(state: WorkerState): Reading {
  return gauge(
    `workers ${state}`,
    (probe) => {
      let count: number | undefined;
      for (const pool of probe.pools ?? NO_POOLS) count = (count ?? 0) + pool.count(state);
      return count;
    },
    sum,
  );
}

const workers = {
  idle: workersIn("idle"),
  processing: workersIn("processing"),
  backoff: workersIn("backoff"),
  stalled: workersIn("stalled"),
  stopped: workersIn("stopped"),
} as const;

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
function gauge(
  name: string,
  read: (probe: Probe) => number | undefined,
  merge: Merge,
  more?: Labels,
): Reading {
  return (queue, add) => {
    const value = perQueue(queue, read, merge) ?? (queue.shown.has(name) ? 0 : undefined);
    if (value === undefined) return;
    queue.shown.add(name);
    add(value, queue.labels, more);
  };
}

/** Nothing, where no queue of the name can tell. */
function ifTold(what: Capability, reading: Reading): Reading {
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

/** A figure of a broker's, which is that of all processes: of several clients that tell it, the highest counts. Absent while it is unknown. */
function shared(read: (probe: Probe) => number | undefined): Reading {
  return (queue, add) => {
    const value = perQueue(queue, read, Math.max);
    if (value !== undefined) add(value, queue.labels, SHARED);
  };
}

function perTier(what: "depth" | "age", read: (probe: Probe, tier: number) => number, merge: Merge): Reading {
  return (queue, add) => {
    const values = new Map<TierSeries, number>();
    let told: number | undefined;
    let first: TierSeries | undefined;
    if (queue.isLocal) for (const tier of queue.tiers.values()) values.set(tier, 0);
    for (const { probe, tiers } of queue.alive()) {
      if (probe.shared === undefined) {
        for (const [i, tier] of tiers.entries()) values.set(tier, merge(values.get(tier)!, read(probe, i)));
      } else if (probe.knows?.(what) === true) {
        // A broker doesn't tell how it spreads over tiers.
        told = Math.max(told ?? 0, read(probe, 0));
        first = tiers[0];
      }
    }
    for (const [tier, value] of values) {
      // Items that were inside before are in no counter.
      if (value > 0) tier.isKnown = true;
      if (tier.isExported) add(value, tier.labels);
    }
    if (told !== undefined) add(told, first!.labels, SHARED);
  };
}

function eachTier(read: (tier: TierSeries, add: Add) => void): Reading {
  return (queue, add) => {
    for (const tier of queue.tiers.values()) if (tier.isExported) read(tier, add);
  };
}

function tierCounter(index: number): Reading {
  return eachTier((tier, add) => add(tier.counts[index]!, tier.labels));
}

function queueCounter(index: number): Reading {
  return (queue, add) => add(queue.counts[index]!, queue.labels);
}
