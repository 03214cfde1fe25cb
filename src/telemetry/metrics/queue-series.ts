import type { Capability, DropReason, Outcome, Probe, SlaTarget } from "../../contracts/index.js";
import { ErrorKinds } from "./error-kinds.js";
import { Histogram, type HistogramSinks, NO_SINKS } from "./histogram.js";
import { BOUNDS, type Bounds, type HistogramName } from "./instruments.js";
import { attributesOf, Labels, label } from "./labels.js";
import { Messaging } from "./messaging.js";
import { numbers } from "./numbers.js";

/** Where numbers become known: series by name, and who gets the values of histograms one by one. */
export interface Exports {
  readonly series: Map<string, QueueSeries>;
  readonly sinks: HistogramSinks;
}

export const DROP_REASONS: readonly DropReason[] = ["evicted", "expired", "rejected", "shutdown"];
export const OUTCOMES: readonly Outcome[] = ["success", "failure"];
const EVERYTHING: readonly Capability[] = [
  "pulls",
  "takes",
  "outcomes",
  "durations",
  "retries",
  "dead-letters",
  ...DROP_REASONS,
];

/** Indices into {@link TierSeries.counts}. */
export const ENQUEUED = 0;
export const DEQUEUED = 1;
export const OVERTAKES = 2;
export const SLA_MET = 3;
export const SLA_MISSED = 4;
const FIRST_DROP = 5;
export const COMPLETED_MET = FIRST_DROP + DROP_REASONS.length;
export const COMPLETED_MISSED = COMPLETED_MET + 1;
const TIER_COUNTS = COMPLETED_MISSED + 1;

/** Where a reason is counted in {@link TierSeries.counts}. */
export function dropIndex(reason: DropReason): number {
  return FIRST_DROP + DROP_REASONS.indexOf(reason);
}

/** The numbers of one tier of a queue. */
export class TierSeries {
  readonly counts = numbers(TIER_COUNTS);
  readonly labels: Labels;
  readonly wait: Histogram;
  /** Breaches by verdict. */
  readonly breaches = new Map<string, number>();
  sla: SlaTarget | undefined = undefined;
  /** Whether it was declared, or had an item when it was looked at. */
  isKnown: boolean;

  constructor(
    queue: string,
    readonly tier: string,
    sinks: HistogramSinks,
    isDeclared: boolean,
    waitBounds: Bounds,
  ) {
    this.isKnown = isDeclared;
    this.labels = new Labels({ "queue.name": queue, "queue.tier": tier });
    this.wait = new Histogram("queue.wait.seconds", this.labels, sinks, waitBounds);
  }

  /** Whether it has series: from then on it keeps them. */
  get isExported(): boolean {
    this.isKnown ||= this.counts.some((count) => count > 0);
    return this.isKnown;
  }

  /** A watchdog may find this: an increase is only seen from 0. */
  mayBreach(verdict: string): void {
    if (!this.breaches.has(verdict)) this.breaches.set(verdict, 0);
  }
}

/** Indices into {@link QueueSeries.counts}. */
export const SUCCESS = 0;
export const FAILURE = 1;
export const RETRIED = 2;
export const DEAD_LETTERED = 3;
export const ERRORS = 4;
export const CONTEXT_LOST = 5;
export const CARRIER_REJECTED = 6;
export const CARRIER_TOO_LARGE = 7;
export const REDELIVERED = 8;
export const STALE_SETTLES = 9;
export const NEGATIVE_WAITS = 10;

/** A queue that can be looked at, as long as it is kept alive elsewhere. */
interface Watched {
  readonly probe: WeakRef<Probe>;
  /** For each tier of the probe, its series. */
  readonly tiers: readonly TierSeries[];
  readonly tells: readonly Capability[];
}

interface Alive {
  readonly probe: Probe;
  readonly tiers: readonly TierSeries[];
}

/** Beyond so many tiers, the rest is lumped together as `other`. */
export const MAX_TIERS = 20;

/** All numbers under one queue name. Queues of the same name share them. */
export class QueueSeries {
  readonly counts = numbers(NEGATIVE_WAITS + 1);
  readonly labels: Labels;
  readonly put: Histogram;
  readonly get: Histogram;
  readonly process: Record<Outcome, Histogram>;
  readonly tiers = new Map<string, TierSeries>();
  /** What failed attempts have failed with. */
  readonly errors: ErrorKinds;
  /** What the last one failed with of which that is known. */
  lastError: unknown = undefined;
  /** Hears what each task fails with; must not throw. Absent while nothing looks. */
  onFailure: ((error: unknown) => void) | undefined = undefined;
  /** Items that went back for the first time. Not exported. */
  firstRetried = 0;
  /** What watchdogs may find to be the cause of a breach. */
  readonly verdicts = new Set<string>();
  private readonly gates = new Map<string, Histogram>();
  /** Of a queue in a broker, by what that is. */
  readonly messaging = new Map<string, Messaging>();
  private watched: Watched[] = [];
  private sweepAt = 64;
  private readonly told = new Set<Capability>();
  private readonly sinks: HistogramSinks;
  /** Gauges that were shown: from then on they stay, at 0 when the queue is gone, because series must not disappear. */
  readonly shown = new Set<string>();

  constructor(
    readonly name: string,
    /** `false`: the numbers are kept, and not exported. */
    private readonly exports: Exports | false,
  ) {
    this.sinks = exports ? exports.sinks : NO_SINKS;
    this.labels = new Labels({ "queue.name": name });
    this.errors = new ErrorKinds(this.labels);
    const histogram = (instrument: HistogramName, labels = this.labels) =>
      new Histogram(instrument, labels, this.sinks);
    const processed = (outcome: Outcome) =>
      histogram(
        "queue.process.seconds",
        new Labels(attributesOf(this.labels, label("queue.outcome", outcome))),
      );
    this.put = histogram("queue.put.seconds");
    this.get = histogram("queue.get.seconds");
    this.process = { success: processed("success"), failure: processed("failure") };
  }

  /** An attempt has failed with that. */
  failed(error: unknown): void {
    this.lastError = error;
    this.errors.count(error);
    this.onFailure?.(error);
  }

  /** Whether this is known of at least one queue of the name. Then it stays so: series must not disappear. */
  tells(what: Capability): boolean {
    if (this.told.has(what)) return true;
    for (const { tells } of this.watched) this.learn(tells);
    return this.told.has(what);
  }

  private learn(tells: readonly Capability[]): void {
    for (const what of tells) this.told.add(what);
  }

  /** Of the histograms of waits that are made from now on. */
  waitBounds: Bounds = BOUNDS;
  /** Whether a queue of this name is or was in this process: then its figures are, too. */
  isLocal = false;

  watch(probe: Probe, tiers: readonly TierSeries[], tells: readonly Capability[] = EVERYTHING): void {
    this.learn(tells);
    this.isLocal ||= probe.shared === undefined;
    if (this.exports) this.exports.series.set(this.name, this);
    this.watched.push({ probe: new WeakRef(probe), tiers, tells });
    if (this.watched.length >= this.sweepAt) this.sweep();
  }

  unwatch(probe: Probe): void {
    for (const { tells } of this.watched) this.learn(tells);
    this.watched = this.watched.filter((each) => each.probe.deref() !== probe);
  }

  /** The queues of this name that are still there. */
  alive(): readonly Alive[] {
    const alive: Alive[] = [];
    for (const { probe: ref, tiers } of this.watched) {
      const probe = ref.deref();
      if (probe !== undefined) alive.push({ probe, tiers });
    }
    if (alive.length < this.watched.length) this.sweep();
    return alive;
  }

  /** Also where it is never read: short-lived queues of one name must not pile up. */
  private sweep(): void {
    this.watched = this.watched.filter(({ probe }) => probe.deref() !== undefined);
    this.sweepAt = Math.max(64, 2 * this.watched.length);
  }

  /** Waits for the gate. */
  gate(name: string): Histogram {
    let waits = this.gates.get(name);
    if (waits === undefined) {
      const labels = new Labels(attributesOf(this.labels, label("queue.gate", name)));
      waits = new Histogram("queue.gate.wait.seconds", labels, this.sinks);
      this.gates.set(name, waits);
    }
    return waits;
  }

  /** The series of a histogram for which there can be values. */
  histograms(name: HistogramName): Iterable<Histogram> {
    switch (name) {
      case "queue.put.seconds":
        return [this.put];
      case "queue.get.seconds":
        return this.tells("pulls") ? [this.get] : [];
      case "queue.wait.seconds":
        return this.tells("takes") ? this.waits() : [];
      case "queue.gate.wait.seconds":
        return this.gateWaits();
      case "queue.process.seconds":
        return this.tells("durations") ? OUTCOMES.map((outcome) => this.process[outcome]) : [];
      case "messaging.client.operation.duration":
        return this.durations(({ send }) => send);
      case "messaging.process.duration":
        return this.durations(({ process }) => process);
      default:
        return [];
    }
  }

  private *durations(of: (messaging: Messaging) => Messaging["send"]): Iterable<Histogram> {
    for (const each of this.messaging.values()) yield* of(each).durations.values();
  }

  /** What the conventions count of it, made if it is missing. */
  messagingOf(system: string): Messaging {
    let messaging = this.messaging.get(system);
    if (messaging === undefined) {
      messaging = new Messaging(system, this.name, this.sinks);
      this.messaging.set(system, messaging);
    }
    return messaging;
  }

  private *waits(): Iterable<Histogram> {
    for (const tier of this.tiers.values()) if (tier.isExported) yield tier.wait;
  }

  /** Of each gate that work passed, or that a pool has. */
  private gateWaits(): Iterable<Histogram> {
    for (const { probe } of this.alive()) {
      for (const pool of probe.pools ?? []) for (const { name } of pool.gates) this.gate(name);
    }
    return this.gates.values();
  }

  /** The series of the tier, made if it is missing. One that is not declared is exported once it has had an item. */
  tier(name: string, isDeclared = true): TierSeries {
    let tier = this.tiers.get(name);
    if (tier === undefined) {
      tier = new TierSeries(this.name, name, this.sinks, isDeclared, this.waitBounds);
      this.tiers.set(name, tier);
    }
    tier.isKnown ||= isDeclared;
    return tier;
  }
}
