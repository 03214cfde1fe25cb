import type { PoolView, Probe, SlaTarget } from "../../contracts/index.js";
import {
  DEAD_LETTERED,
  DEQUEUED,
  DROP_REASONS,
  dropIndex,
  ENQUEUED,
  FAILURE,
  type QueueSeries,
  RETRIED,
  SLA_MET,
  SLA_MISSED,
  SUCCESS,
  type TierSeries,
} from "../../telemetry/metrics/series.js";
import type { Totals, WorkerCounts } from "../protocol.js";

/** One tier of the queues of a name, now. */
export interface TierFigures {
  depth: number;
  oldestMs: number;
  sla: SlaTarget | undefined;
}

/** The queues of a name, now. As on `/metrics`: what none of them knows is undefined. */
export class Figures {
  readonly tiers = new Map<TierSeries, TierFigures>();
  depth: number | undefined = undefined;
  oldestMs: number | undefined = undefined;
  slaUsed: number | undefined = undefined;
  worstTier: string | undefined = undefined;
  capacity: number | undefined = undefined;
  delayed: number | undefined = undefined;
  inFlight: number | undefined = undefined;
  inFlightOldestMs: number | undefined = undefined;
  waitingPuts: number | undefined = undefined;
  waitingGets: number | undefined = undefined;
  consumers: number | undefined = undefined;
  workers: { -readonly [K in keyof WorkerCounts]: number } | undefined = undefined;
  /** Why nothing is given out or taken. */
  paused: string | undefined = undefined;
  openBreakers: string[] | undefined = undefined;
}

/** The SLA that holds for a tier of the queue with that probe. */
export type SlaOf = (probe: Probe, tier: number, declared: SlaTarget | undefined) => SlaTarget | undefined;

/** Reads them: O(tiers) for each queue of the name, whatever the depth. What a probe throws costs its own queue's figures only. */
export function readFigures(series: QueueSeries, slaOf: SlaOf): Figures {
  const figures = new Figures();
  for (const { probe, tiers } of series.alive()) {
    try {
      readTiers(figures, probe, tiers, slaOf);
      readQueue(figures, probe);
      readPools(figures, probe);
    } catch {
      // Scrapes count it.
    }
  }
  if (!Number.isFinite(figures.capacity ?? Number.NaN)) figures.capacity = undefined;
  judge(figures);
  return figures;
}

function readTiers(figures: Figures, probe: Probe, tiers: readonly TierSeries[], slaOf: SlaOf): void {
  const isShared = probe.shared !== undefined;
  const knowsDepth = !isShared || probe.knows?.("depth") === true;
  const knowsAge = !isShared || probe.knows?.("age") === true;
  const now = probe.now();
  for (const [i, series] of tiers.entries()) {
    let tier = figures.tiers.get(series);
    if (tier === undefined) {
      tier = { depth: 0, oldestMs: 0, sla: undefined };
      figures.tiers.set(series, tier);
    }
    tier.sla ??= slaOf(probe, i, series.sla);
    // A broker doesn't tell how it spreads over tiers; of several clients that tell, the highest counts.
    if (isShared && i > 0) continue;
    if (knowsDepth) {
      const depth = probe.depth(i);
      tier.depth = isShared ? Math.max(tier.depth, depth) : tier.depth + depth;
      figures.depth ??= 0;
    }
    if (knowsAge) {
      const since = probe.oldestAt(i);
      if (since !== undefined) tier.oldestMs = Math.max(tier.oldestMs, now - since);
      figures.oldestMs ??= 0;
    }
  }
}

function judge(figures: Figures): void {
  let worst = -1;
  for (const [{ tier: name }, { depth, oldestMs, sla }] of figures.tiers) {
    if (figures.depth !== undefined) figures.depth += depth;
    if (figures.oldestMs !== undefined) figures.oldestMs = Math.max(figures.oldestMs, oldestMs);
    if (sla === undefined) continue;
    const used = oldestMs / sla.targetMs;
    if (used <= worst) continue;
    worst = used;
    figures.slaUsed = used;
    figures.worstTier = name;
  }
}

function readQueue(figures: Figures, probe: Probe): void {
  figures.capacity = plus(figures.capacity, probe.capacity);
  figures.delayed = plus(figures.delayed, probe.delayed);
  figures.waitingPuts = plus(figures.waitingPuts, probe.waitingPuts);
  figures.waitingGets = plus(figures.waitingGets, probe.waitingGets);
  const { inFlight, shared } = probe;
  if (inFlight !== undefined) {
    const since = probe.inFlightOldestAt;
    const ms = since === undefined ? 0 : Math.max(0, probe.now() - since);
    figures.inFlightOldestMs = Math.max(figures.inFlightOldestMs ?? 0, ms);
    figures.inFlight = plus(figures.inFlight, inFlight);
  }
  if (shared?.consumers !== undefined) figures.consumers = Math.max(figures.consumers ?? 0, shared.consumers);
  if (probe.isPaused === true) figures.paused = "the queue is paused";
  else if (probe.isRateLimited === true) figures.paused = "the queue is held back by its rate limit";
}

function readPools(figures: Figures, probe: Probe): void {
  let paused: string | undefined;
  let isTaken = false;
  for (const pool of probe.pools ?? NO_POOLS) {
    figures.workers ??= { idle: 0, processing: 0, backoff: 0, stalled: 0, stopped: 0 };
    for (const state of STATES) figures.workers[state] += pool.count(state);
    if (pool.notTakingReason === undefined) isTaken = true;
    else if (pool.notTakingReason !== "is stopped") paused = `the pool ${pool.notTakingReason}`;
    for (const { name, isOpen } of pool.gates) {
      if (isOpen !== true) continue;
      figures.openBreakers ??= [];
      if (!figures.openBreakers.includes(name)) figures.openBreakers.push(name);
    }
  }
  if (!isTaken && paused !== undefined) figures.paused ??= paused;
}

const STATES: readonly (keyof WorkerCounts)[] = ["idle", "processing", "backoff", "stalled", "stopped"];
const NO_POOLS: readonly PoolView[] = [];

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return b === undefined ? a : (a ?? 0) + b;
}

/** What was counted for the queues of the name. */
export function totalsOf({ counts, tiers }: QueueSeries): Totals {
  let enqueued = 0;
  let dequeued = 0;
  let slaMet = 0;
  let slaMissed = 0;
  let dropped = 0;
  for (const tier of tiers.values()) {
    enqueued += tier.counts[ENQUEUED]!;
    dequeued += tier.counts[DEQUEUED]!;
    slaMet += tier.counts[SLA_MET]!;
    slaMissed += tier.counts[SLA_MISSED]!;
    for (const index of DROPS) dropped += tier.counts[index]!;
  }
  return {
    enqueued,
    dequeued,
    succeeded: counts[SUCCESS]!,
    failed: counts[FAILURE]!,
    retried: counts[RETRIED]!,
    deadLettered: counts[DEAD_LETTERED]!,
    dropped,
    slaMet,
    slaMissed,
  };
}

const DROPS = DROP_REASONS.map(dropIndex);
