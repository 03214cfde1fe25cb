import type { Check, Situation } from "../situation.js";
import { areFewFailing, failuresOf, isEverythingFailing } from "./failures.js";
import { count, duration, percent, perSecond } from "./format.js";
import { whyNoWorkers } from "./slowness.js";
import { readThresholds, share, wholeNumber } from "./thresholds.js";
import {
  areAllSeen,
  areConsumersBusy,
  areSlower,
  areStuck,
  busyOf,
  isFullyBusy,
  pausedHelpers,
  SLOWDOWN,
  slownessOf,
  workersOf,
} from "./workload.js";

/** Arrivals are sustained while they are at least this share of what is served: the rest is chance. */
const SUSTAINED_SHARE = 0.9;
/** A number of taken items makes a rate from here on. */
const MIN_TAKEN = 3;

/**
 * `priority-inversion`: less urgent tasks hold every worker, at their usual work.
 *
 * @example
 * priorityInversion({ share: 1 }); // only tasks that hold a worker for a whole SLA
 */
export function priorityInversion(thresholds?: {
  /** Each of them has held its worker for at least this share of the SLA: short tasks let urgent items have their turn. Default: 0.5. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.5) });
  return {
    name: "priority-inversion",
    look(situation) {
      const { tier, tiers, tasks, sla, gates, isMoreUrgent } = situation;
      const isLessUrgent = (name: string) => {
        const index = tiers.findIndex((each) => each.name === name);
        return index !== -1 && isMoreUrgent(tier, index);
      };
      const holders = tasks.filter((task) => isLessUrgent(task.tier));
      if (holders.length === 0 || !isFullyBusy(situation) || holders.length < tasks.length) return undefined;
      // The tiers of tasks that were not sampled are unknown.
      if (!areAllSeen(situation)) return undefined;
      // Tasks that are stuck, or wait for a gate, are not at their usual work: their priority is not to blame.
      if (areStuck(situation) || gates.some(({ isOpen, waiting }) => isOpen === true || waiting > 0)) {
        return undefined;
      }
      const shortestMs = Math.min(...holders.map(({ runningMs }) => runningMs ?? 0));
      if (shortestMs < limits.share * sla.targetMs) return undefined;
      const names = [...new Set(holders.map((task) => `"${task.tier}"`))].join(", ");
      return {
        name: "priority-inversion",
        confidence: 0.92,
        sentence: `"${tiers[tier]?.name}" waits while ${count(holders.length, "less urgent task")} of ${names} ${holders.length === 1 ? "holds" : "hold"} every worker, for at least ${duration(shortestMs)}`,
        evidence: { holders: holders.length, tiers: names, shortestMs },
      };
    },
  };
}

/**
 * `starved-tier`: items of other tiers, which arrived later, are served first.
 *
 * @example
 * starvedTier({ share: 0.9, minTaken: 50 });
 */
export function starvedTier(thresholds?: {
  /**
   * At least this share of the items taken meanwhile had arrived later. Default: 0.75; in order of arrival the item would then have waited
   * for a quarter of the time.
   */
  share?: number | undefined;
  /** At least this many items were taken meanwhile. Default: 5. */
  minTaken?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.75), minTaken: wholeNumber(5) });
  return {
    name: "starved-tier",
    look({ tier, tiers, waitMs, sla, sinceHead: { taken, overtook } }) {
      if (taken < limits.minTaken || overtook < limits.share * taken) return undefined;
      const { name, depth } = tiers[tier]!;
      const others = tiers.filter((_, i) => i !== tier);
      const areLate = others.some((other) => other.sla !== undefined && other.waitMs > other.sla.targetMs);
      return {
        name: "starved-tier",
        confidence: areLate ? 0.6 : 0.88,
        sentence: `"${name}" is hardly served: ${count(depth, "item waits", "items wait")}, the oldest for ${duration(waitMs)}, and ${percent(Math.min(1, overtook / taken))} of the ${taken} taken meanwhile arrived later, in other tiers; aging (agingMs of a PriorityQueue; a shorter one where it is set) would raise the priority of items that wait`,
        evidence: { depth, waitMs, targetMs: sla.targetMs, taken, overtook },
      };
    },
  };
}

/**
 * `under-capacity`: more arrives than the consumers serve, though all are busy with usual work.
 *
 * @example
 * underCapacity({ share: 1 }); // only while more arrives than is served
 */
export function underCapacity(thresholds?: {
  /** In the second half of the time in which items piled up, at least this share of what is served still arrives. Default: 0.9. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(SUSTAINED_SHARE) });
  return {
    name: "under-capacity",
    look(situation) {
      const { backlog, rates, recent } = situation;
      if (!areConsumersBusy(situation) || areStuck(situation)) return undefined;
      // More workers would serve more retries, and get no more done.
      if (areFewFailing(situation) || isEverythingFailing(situation)) return undefined;
      if (backlog === undefined) return "not enough evidence yet";
      const service = serviceOf(situation);
      if (service === undefined) return "not enough evidence yet";
      const served = service.perSecond;
      if (served === 0) return undefined;
      const { arrivedPerSecond } = backlog;
      const sentence = `${perSecond(arrivedPerSecond)} arrive and ${servedInWords(service)}`;
      if (backlog.later.arrivedPerSecond < limits.share * served) return undefined;
      if (situation.isRateLimited) {
        return {
          name: "under-capacity",
          confidence: 0.8,
          sentence: `${sentence}: the queue's rate limit lets no more through`,
          evidence: { arrivedPerSecond, servedPerSecond: served, isRateLimited: true },
        };
      }
      const workers = workersOf(situation) ?? busyOf(situation);
      const serviceMs = recent.serviceMs ?? rates.serviceMs;
      const needed =
        serviceMs === undefined ? undefined : Math.ceil((arrivedPerSecond * serviceMs) / 1_000 + 1);
      const failures = failuresOf(situation);
      const why = failures === "" ? whyNoWorkers(situation) : "they would try again what fails";
      const advice =
        needed === undefined || workers === 0 || needed <= workers
          ? ""
          : why === undefined
            ? `; ${count(needed, "worker")} would suffice, there ${workers === 1 ? "is" : "are"} ${workers}`
            : `; more workers might not help: ${why}`;
      return {
        name: "under-capacity",
        confidence: 0.8,
        sentence: `${sentence}, ${busyInWords(situation)}${advice}${slownessOf(situation)}${pausedHelpers(situation)}${failures}`,
        evidence: { arrivedPerSecond, servedPerSecond: served, serviceMs, workers, needed },
      };
    },
  };
}

/**
 * `burst`: as `under-capacity`, but the arrivals have ceased: the queue drains by itself.
 *
 * @example
 * burst({ share: 0.5 }); // a burst has ended when less than half of what is served arrives
 */
export function burst(thresholds?: {
  /** In the second half of the time in which items piled up, less than this share of what is served still arrives. Default: 0.9. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(SUSTAINED_SHARE) });
  return {
    name: "burst",
    look(situation) {
      const { depth, backlog } = situation;
      if (!areConsumersBusy(situation) || areStuck(situation)) return undefined;
      if (areFewFailing(situation) || isEverythingFailing(situation)) return undefined;
      if (backlog === undefined) return "not enough evidence yet";
      const service = serviceOf(situation);
      if (service === undefined) return "not enough evidence yet";
      const served = service.perSecond;
      const { arrivedPerSecond } = backlog.later;
      if (served === 0 || arrivedPerSecond >= limits.share * served) return undefined;
      const drainMs = (depth / (served - arrivedPerSecond)) * 1_000;
      return {
        name: "burst",
        confidence: 0.75,
        sentence: `a burst that has ended: ${count(depth, "item waits", "items wait")}, ${perSecond(arrivedPerSecond)} arrive and ${servedInWords(service)}; at these rates the queue is empty in ${duration(drainMs)}${pausedHelpers(situation)}${failuresOf(situation)}`,
        evidence: { depth, drainMs, arrivedPerSecond, servedPerSecond: served },
      };
    },
  };
}

/**
 * `producers-blocked`: the queue is full and producers wait for room; with a confidence of 0.4 a symptom of something else.
 *
 * @example
 * producersBlocked({ minWaiting: 10 }); // a few waiting producers are usual
 */
export function producersBlocked(thresholds?: {
  /** At least this many producers wait. Default: 1. */
  minWaiting?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { minWaiting: wholeNumber(1) });
  return {
    name: "producers-blocked",
    look(situation) {
      const { waitingPuts, depth, capacity, sla } = situation;
      if (waitingPuts === undefined || waitingPuts < limits.minWaiting) return undefined;
      const blocked = count(waitingPuts, "producer waits", "producers wait");
      const service = serviceOf(situation);
      const served = service?.perSecond;
      const isUsual = !areStuck(situation) && !areFewFailing(situation) && !isEverythingFailing(situation);
      const isFull = depth >= capacity && areConsumersBusy(situation) && isUsual;
      if (!isFull || served === undefined || served <= 0) {
        return {
          name: "producers-blocked",
          confidence: 0.4,
          sentence: `${blocked} for room: ${depth}${Number.isFinite(capacity) ? ` of ${capacity}` : ""} places are taken`,
          evidence: { waitingPuts, depth, capacity },
        };
      }
      // Backpressure holds arrivals at what is served, so an accepted item waits as long as a full queue takes.
      const fullMs = (capacity / served) * 1_000;
      // A report on demand may be of a queue without an SLA.
      const fits = Number.isFinite(sla.targetMs)
        ? Math.max(1, Math.floor((served * sla.targetMs) / 1_000))
        : undefined;
      const advice = fits === undefined ? "" : `a capacity of ${fits} would keep the wait within the SLA, `;
      return {
        name: "producers-blocked",
        confidence: 0.82,
        sentence: `the queue is full and ${blocked} for room: ${service!.isMeasured ? "at" : "at a presumed"} ${perSecond(served)} an item waits ${duration(fullMs)} behind ${capacity} others; ${advice}more workers would shorten it`,
        evidence: { waitingPuts, depth, capacity, servedPerSecond: served, fullMs, fits },
      };
    },
  };
}

/** What is served a second, and whether that was measured: else it is concluded from how long tasks take. */
interface Service {
  readonly perSecond: number;
  readonly isMeasured: boolean;
}

/**
 * What is served while items pile up. The rate over all of that time is steadiest; where tasks have become slower since, that of its second
 * half counts; where tasks take so long that hardly any was taken, what those that ended lately would make, or, before any did, usual ones.
 */
function serviceOf(situation: Situation): Service | undefined {
  const { backlog, rates, recent, usualServiceMs, isRateLimited } = situation;
  // A rate limit lets items through in batches: only over a long time that is a rate.
  if (isRateLimited)
    return { perSecond: Math.max(0, rates.takenPerSecond - rates.retriedPerSecond), isMeasured: true };
  // Thousands of free workers were filled: that is no rate, and says nothing of what comes next.
  if (backlog !== undefined && !areAllSeen(situation) && backlog.taken <= busyOf(situation)) return undefined;
  if (backlog !== undefined && backlog.taken >= MIN_TAKEN) {
    const { takenPerSecond } = backlog.later;
    const takenLater = (takenPerSecond * backlog.windowMs) / 2_000;
    const isLater = areSlower(situation) && takenLater >= MIN_TAKEN;
    return { perSecond: isLater ? takenPerSecond : backlog.takenPerSecond, isMeasured: true };
  }
  const serviceMs = recent.serviceMs ?? usualServiceMs ?? rates.serviceMs;
  // What is in flight shows that tasks no longer take that long.
  if (serviceMs === undefined || areOlder(situation, serviceMs)) return undefined;
  return { perSecond: (busyOf(situation) * 1_000) / serviceMs, isMeasured: false };
}

function areOlder({ tasks }: Situation, serviceMs: number): boolean {
  const ages = tasks.map(({ runningMs }) => runningMs ?? 0).sort((a, b) => a - b);
  return (ages[Math.floor(ages.length / 2)] ?? 0) > SLOWDOWN * serviceMs;
}

function servedInWords({ perSecond: rate, isMeasured }: Service): string {
  return isMeasured
    ? `${perSecond(rate)} are served`
    : `${perSecond(rate)} could be served, by how long tasks take`;
}

/** What is known of the consumers, of which none is free. */
function busyInWords(situation: Situation): string {
  const busy = busyOf(situation);
  if (workersOf(situation) !== undefined) return "with all workers busy";
  return busy > 0 ? `with ${count(busy, "task")} in flight` : "by a consumer whose work is not seen";
}
