import type { PoolNow, Situation, TaskNow } from "../situation.js";
import { duration } from "./format.js";

/** A task is held up when it takes so many times longer than tasks usually do. */
export const SLOWDOWN = 3;

/** No task has ended for this share of the SLA. Ends are seen only at the next sample. */
const QUIET_SHARE = 0.5;

/** Workers of the pools that take items, whatever they do; undefined where no pool is known. */
export function workersOf({ pools }: Situation): number | undefined {
  if (pools.length === 0) return undefined;
  let sum = 0;
  for (const { isTaking, workers } of pools)
    if (isTaking) sum += workers.idle + workers.processing + workers.backoff + workers.stalled;
  return sum;
}

/** The pools, each with the reason why it takes nothing. */
export function notTakingReasons(pools: readonly PoolNow[]): string {
  const [first] = pools;
  if (pools.length > 1 && pools.every(({ notTakingReason }) => notTakingReason === first?.notTakingReason))
    return `${pools.map(({ name }) => `"${name}"`).join(", ")} ${first?.notTakingReason?.replace(/^is /, "are ").replace(/^has /, "have ")}`;
  return pools.map(({ name, notTakingReason }) => `"${name}" ${notTakingReason}`).join(", ");
}

/** An addition to a sentence: the pools that could help those that are busy, and are paused or were never started. */
export function pausedHelpers({ pools }: Situation): string {
  const others = pools.filter(
    ({ notTakingReason }) => notTakingReason === "is paused" || notTakingReason === "has not been started",
  );
  return others.length === 0 ? "" : `; ${notTakingReasons(others)}`;
}

/** How many tasks hold a worker, as far as known: a task whose handler has ended holds none. */
export function busyOf({ inFlight, tasks }: Situation): number {
  const ended = tasks.filter(({ isOver }) => isOver === true).length;
  return (inFlight ?? tasks.length) - ended;
}

/** Whether `tasks` has all that are in flight. If not, it has the oldest and the youngest. */
export function areAllSeen({ inFlight, tasks }: Situation): boolean {
  return (inFlight ?? 0) <= tasks.length;
}

/** The tasks that a sentence speaks of. */
export function seenTasks(situation: Situation): string {
  const { inFlight, tasks } = situation;
  return areAllSeen(situation)
    ? `${tasks.length} tasks in flight`
    : `${tasks.length} sampled of ${inFlight} tasks in flight`;
}

/** Whether tasks are in flight, and no consumer is free. */
export function isFullyBusy(situation: Situation): boolean {
  return busyOf(situation) > 0 && !hasIdleConsumer(situation);
}

/** Idle workers of a pool that takes nothing are no free consumers. */
function hasIdleConsumer({ pools, waitingGets }: Situation): boolean {
  return (waitingGets ?? 0) > 0 || pools.some(({ isTaking, workers }) => isTaking && workers.idle > 0);
}

/** Whether consumers go on taking items, as far as known. */
function hasConsumers(situation: Situation): boolean {
  const { pools, tasks, recent } = situation;
  if (pools.length > 0 && !pools.some(({ isTaking }) => isTaking)) return tasks.some(isOutsidePools);
  return busyOf(situation) > 0 || recent.takenPerSecond > 0;
}

/** Whether a task runs without a pool. */
export function isOutsidePools({ worker, isOver }: TaskNow): boolean {
  return worker === undefined && isOver !== true;
}

/**
 * Whether there are consumers, and none is free, as far as known. A consumer that takes items by plain gets counts as busy: what it does
 * with them is not seen.
 */
export function areConsumersBusy(situation: Situation): boolean {
  return situation.isRateLimited || (hasConsumers(situation) && !hasIdleConsumer(situation));
}

/** Mean time of the tasks that ended lately, where it is several times that of the tasks before the oldest item arrived. */
function slowServiceMs({ recent, usualServiceMs }: Situation, slowdown: number): number | undefined {
  const { serviceMs } = recent;
  if (serviceMs === undefined || usualServiceMs === undefined) return undefined;
  return serviceMs >= slowdown * usualServiceMs ? serviceMs : undefined;
}

/** Whether tasks take several times as long as before the oldest item arrived. */
export function areSlower(situation: Situation, slowdown = SLOWDOWN): boolean {
  return slowServiceMs(situation, slowdown) !== undefined;
}

/** An addition to a sentence: by how much tasks have become slower. */
export function slownessOf(situation: Situation, slowdown = SLOWDOWN): string {
  const nowMs = slowServiceMs(situation, slowdown);
  return nowMs === undefined
    ? ""
    : `; a task takes ${duration(nowMs)} now, it took ${duration(situation.usualServiceMs!)} before`;
}

/** Whether every task in flight has outrun its patience, and none has ended lately. */
export function areStuck(situation: Situation, quietShare = QUIET_SHARE): boolean {
  const { tasks } = situation;
  const isStuck = ({ runningMs, patienceMs }: TaskNow) =>
    runningMs !== undefined && patienceMs !== undefined && runningMs >= patienceMs;
  return tasks.length > 0 && tasks.every(isStuck) && hasNoneEnded(situation, quietShare);
}

/** Whether no task has ended for that share of the SLA, while the queue was watched. */
export function hasNoneEnded(situation: Situation, quietShare = QUIET_SHARE): boolean {
  return watchedMsSince(situation.lastEndedMsAgo, situation) >= quietShare * situation.sla.targetMs;
}

/** How long something has not happened while the queue was watched: what was never seen may have happened before. */
export function watchedMsSince(lastMsAgo: number, { watchedMs }: Situation): number {
  return Math.min(lastMsAgo, watchedMs);
}
