import type { Check, PoolNow, Situation, Verdict } from "../situation.js";
import { count, duration, waitWords } from "./format.js";
import { milliseconds, readThresholds, share } from "./thresholds.js";
import {
  areAllSeen,
  areStuck,
  busyOf,
  hasNoneEnded,
  hungMajority,
  isFullyBusy,
  isOutsidePools,
  notTakingReasons,
  pausedHelpers,
  watchedMsSince,
} from "./workload.js";

/**
 * `no-consumer`: no consumer is left, or none was ever started.
 *
 * @example
 * noConsumer({ quietShare: 0.9 }); // for consumers that take an item only now and then
 */
export function noConsumer(thresholds?: {
  /**
   * Nothing was taken for at least this share of the wait, or of the SLA where that is shorter: a consumer that takes items by plain gets
   * is not seen in between. Default: 0.5.
   */
  quietShare?: number | undefined;
}): Check {
  const { quietShare } = readThresholds(thresholds, { quietShare: share(0.5) });
  return {
    name: "no-consumer",
    look(situation) {
      // A rate-limited queue has a consumer, which may not take yet.
      if (situation.isRateLimited) return undefined;
      const { isPaused, depth, waitMs, sla, waitingGets, takenEver, lastTakenMsAgo, pools, tasks } =
        situation;
      if (depth === 0 || (waitingGets ?? 0) > 0) return undefined;
      // A queue that was paused before it gave out an item was never started, as far as known.
      const isUnstarted = takenEver === 0 && isPaused;
      if (!isUnstarted && (isPaused || pools.some(isThere))) return undefined;
      // A consumer may be there and take only now and then, unless all are known to have stopped. Their tasks in flight are the last.
      const areGone = pools.length > 0 && pools.every(isGone);
      if (areGone ? tasks.some(isOutsidePools) : busyOf(situation) > 0) return undefined;
      const quietMs = quietShare * Math.min(waitMs, sla.targetMs);
      if (!areGone && lastTakenMsAgo < quietMs) return undefined;
      // Items were taken before the watch began, and may still be.
      if (!areGone && takenEver > 0 && watchedMsSince(lastTakenMsAgo, situation) < quietMs)
        return "not enough evidence yet";
      const ended = tasks.filter(({ isOver }) => isOver === true);
      const unsettled = ended.length;
      const left =
        unsettled === 0
          ? ""
          : `; ${count(unsettled, "delivery was", "deliveries were")} taken and never settled`;
      // The failure that ended a loop came last.
      const fatal = ended.findLast(({ failure }) => failure !== undefined)?.failure;
      const { lastFailure } = situation;
      const last = lastFailure === undefined ? "" : `; the last failure was: ${lastFailure}`;
      const failure = fatal === undefined ? last : `, and the handler failed with: ${fatal}`;
      return {
        name: "no-consumer",
        // Consumers that left because nothing ended any more are a symptom of what is stuck.
        confidence: areGone && !pools.some(isStopping) && areStuck(situation) ? 0.8 : 0.95,
        sentence: `${lastTaken(situation)}${left}${failure}`,
        evidence: {
          takenEver,
          lastTakenMsAgo,
          waitingGets,
          unsettled,
          lastFailure: fatal ?? lastFailure,
          pools,
        },
      };
    },
  };
}

/** A pool may rest: that is `consumers-paused`. */
function isThere(pool: PoolNow): boolean {
  return !isGone(pool) && pool.notTakingReason !== "has not been started";
}

function isGone(pool: PoolNow): boolean {
  return isStopping(pool) || pool.notTakingReason === "is stopped";
}

function isStopping({ notTakingReason }: PoolNow): boolean {
  return notTakingReason === "is stopping";
}

function lastTaken(situation: Situation): string {
  const { isPaused, takenEver, lastTakenMsAgo, pools } = situation;
  const running = busyOf(situation);
  const still = running === 0 ? "" : `, ${count(running, "task is", "tasks are")} still running`;
  const who = pools.length === 0 ? "" : `; ${notTakingReasons(pools)}${still}`;
  if (takenEver === 0) {
    const unstarted = isPaused ? ": the queue has not been started, or was paused from the beginning" : "";
    return `no item was ever taken${unstarted}${who}`;
  }
  const last =
    lastTakenMsAgo === Number.POSITIVE_INFINITY
      ? "before the watchdog started"
      : `${duration(lastTakenMsAgo)} ago`;
  return `no item is taken any more: the last one was taken ${last}${who}`;
}

/**
 * `consumers-paused`: the queue is paused, or no pool takes items and one of them is paused.
 *
 * @example
 * consumersPaused({ quietMs: 5_000 }); // shorter pauses are meant
 */
export function consumersPaused(thresholds?: {
  /** Nothing was taken for at least this long, in milliseconds. Default: 0. */
  quietMs?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { quietMs: milliseconds(0) });
  return {
    name: "consumers-paused",
    look(situation) {
      const { isPaused, pools, waitMs, lastTakenMsAgo, waitingGets, takenEver } = situation;
      const isOnePaused = pools.some(({ notTakingReason }) => notTakingReason === "is paused");
      const arePaused = isOnePaused && pools.every(({ isTaking }) => !isTaking);
      // Pools wait for items only while they take them: another consumer takes items.
      if ((!isPaused && !arePaused) || (waitingGets ?? 0) > 0) return undefined;
      const quietMs = Math.min(lastTakenMsAgo, waitMs);
      if (quietMs < limits.quietMs) return undefined;
      const busy = busyOf(situation);
      const what = isPaused ? "the queue is paused" : notTakingReasons(pools);
      return {
        name: "consumers-paused",
        // A queue from which nothing was ever taken was rather never started; a pool tells the two apart.
        confidence: takenEver === 0 && !arePaused ? 0.5 : 0.96,
        sentence: `${what}; nothing was taken for ${duration(quietMs)}, ${count(busy, "task is", "tasks are")} still running`,
        evidence: { isPaused, pools, busy, lastTakenMsAgo },
      };
    },
  };
}

/**
 * `never-resumes`: the garbage collector has proven that tasks wait for what can never be settled.
 *
 * @example
 * neverResumes({ share: 0.1 }); // a tenth of the workers is enough to be the cause
 */
export function neverResumes(thresholds?: {
  /** The proven tasks are at least this share of the busy ones; below it the confidence is 0.5. Default: 0.5. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.5) });
  return {
    name: "never-resumes",
    look(situation) {
      const lost = situation.tasks.filter((task) => task.neverResumes === true);
      if (lost.length === 0) return undefined;
      const { tasks } = situation;
      const seen = Math.max(tasks.filter(({ isOver }) => isOver !== true).length, lost.length);
      const lostShare = lost.length / seen;
      // Tasks that were not sampled may end, and keep the queue going.
      const areAll = areAllSeen(situation);
      const isCause = lostShare >= limits.share && (areAll || hasNoneEnded(situation));
      const among = areAll ? `${seen}` : `${seen} sampled (${busyOf(situation)} in flight)`;
      const longest = Math.max(...lost.map(({ runningMs }) => runningMs ?? 0));
      return {
        name: "never-resumes",
        confidence: isCause ? 0.95 : 0.5,
        sentence: `${count(lost.length, "task")} of ${among} can never resume: nothing can settle what ${lost.length === 1 ? "it awaits" : "they await"}; the longest has been running for ${duration(longest)}`,
        evidence: {
          share: lostShare,
          correlationIds: lost.slice(0, 10).map(({ correlationId }) => correlationId),
        },
      };
    },
  };
}

/**
 * `consumers-stuck`: every task in flight runs for longer than its like, and none ends; or most of them run for many times as long.
 *
 * @example
 * consumersStuck({ quietShare: 1 }); // only after a whole SLA without an end
 */
export function consumersStuck(thresholds?: {
  /** No task has ended for at least this share of the SLA. Default: 0.5. */
  quietShare?: number | undefined;
  /** Or at least this share of them hang, while others end. Default: 0.5. */
  share?: number | undefined;
}): Check {
  const { quietShare, share: hungShare } = readThresholds(thresholds, {
    quietShare: share(0.5),
    share: share(0.5),
  });
  return {
    name: "consumers-stuck",
    look(situation) {
      const { groups, tasks, lastEndedMsAgo, pools } = situation;
      if (!isFullyBusy(situation)) return undefined;
      // A single task that still moves acquits the others, unless they run for many times as long: healthy busy consumers would be accused.
      if (!areStuck(situation, quietShare)) return mostStuck(situation, hungShare);
      const ages = tasks.map(({ runningMs }) => runningMs ?? 0);
      const youngestMs = Math.min(...ages);
      const oldestMs = Math.max(...ages);
      const stalled = pools.reduce((sum, { workers }) => sum + workers.stalled, 0);
      const busy = busyOf(situation);
      const all =
        busy === 1
          ? `the only task in flight has been running for ${duration(oldestMs)}`
          : `all ${busy} tasks in flight have been running for ${duration(youngestMs)} to ${duration(oldestMs)}`;
      const [group] = groups;
      const them = areAllSeen(situation) ? "them" : `${tasks.length} sampled`;
      const many = busy === 1 ? "it is" : `${group?.tasks.length} of ${them}`;
      const where = group?.label === undefined ? "" : `; ${many} ${waitWords(group.kind, group.label)}`;
      const none =
        lastEndedMsAgo === Number.POSITIVE_INFINITY
          ? "none was seen to end"
          : `none has ended for ${duration(lastEndedMsAgo)}`;
      return {
        name: "consumers-stuck",
        confidence: 0.85,
        sentence: `${all}, and ${none}${where}${stalled > 0 ? `; ${count(stalled, "ignores that it was", "ignore that they were")} aborted` : ""}${pausedHelpers(situation)}`,
        evidence: { busy, youngestMs, oldestMs, lastEndedMsAgo, stalled },
      };
    },
  };
}

/** Most workers hang, and the others can't do what comes. */
function mostStuck(situation: Situation, minShare: number): Verdict | undefined {
  const hung = hungMajority(situation, minShare);
  if (hung.length === 0) return undefined;
  const ages = hung.map(({ runningMs }) => runningMs!);
  const [youngestMs, oldestMs] = [Math.min(...ages), Math.max(...ages)];
  const busy = busyOf(situation);
  const { serviceMs } = situation.recent;
  const usual = serviceMs === undefined ? "" : `, others take ${duration(serviceMs)}`;
  const group = situation.groups.find(
    ({ label, tasks }) =>
      label !== undefined && 2 * tasks.filter((task) => hung.includes(task)).length > hung.length,
  );
  const where = group === undefined ? "" : `; most of them ${waitWords(group.kind, group.label ?? "")}`;
  return {
    name: "consumers-stuck",
    confidence: 0.85,
    sentence: `${hung.length} of ${busy} tasks in flight ${hung.length === 1 ? "has" : "have"} been running for ${ages.length === 1 ? "" : `${duration(youngestMs)} to `}${duration(oldestMs)}${usual}${where}${pausedHelpers(situation)}`,
    evidence: { busy, stuck: hung.length, youngestMs, oldestMs, serviceMs },
  };
}
