import type { PoolNow, Situation, TaskGroup, TaskNow } from "../situation.js";
import { duration } from "./format.js";

/** A task is held up when it takes so many times longer than tasks usually do. */
export const SLOWDOWN = 3;

/** From this share of its time on, the event loop is what is short. */
export const BUSY_LOOP = 0.85;

/** A wait that was met at so many looks, by one of so many tasks at a time, lets only one through. */
const MIN_LOOKS = 5;
const MIN_QUEUE = 3;

/** A task hangs beside others that end from so many times their time on, and from such shares of the SLA and of its patience on. */
const HUNG = 5;
const HUNG_SHARE = 0.8;
const HUNG_PATIENCE = 1.5;

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

/** Mean time of the tasks that ended lately, where it is several times that of the tasks before items piled up. */
export function slowServiceMs({ recent, usualServiceMs }: Situation, slowdown: number): number | undefined {
  const { serviceMs } = recent;
  if (serviceMs === undefined || usualServiceMs === undefined) return undefined;
  return serviceMs >= slowdown * usualServiceMs ? serviceMs : undefined;
}

/** Whether tasks take several times as long as before items piled up. */
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

/** Whether tasks end, and take several times as long as before, and not because this process has no time for them. */
export function isSlower(situation: Situation, slowdown = 2.5, utilization = BUSY_LOOP): boolean {
  const { loopUtilization, processor, lastEndedMsAgo, sla } = situation;
  const nowMs = slowServiceMs(situation, slowdown);
  if (nowMs === undefined || lastEndedMsAgo >= Math.max(QUIET_SHARE * sla.targetMs, 2 * nowMs)) return false;
  if (!isFullyBusy(situation) || hasOtherMix(situation)) return false;
  const queuedShare = processor.windowMs > 0 ? (processor.queuedMs ?? 0) / processor.windowMs : 0;
  return loopUtilization < utilization && queuedShare < 0.5;
}

/** Items of other tiers may be other work: they take as long as they always did. */
function hasOtherMix({ tiers, tasks }: Situation): boolean {
  if (tiers.length === 1) return false;
  const taken = tiers.reduce((sum, { takenPerSecond }) => sum + takenPerSecond, 0);
  const main = Math.max(...tiers.map(({ takenPerSecond }) => takenPerSecond));
  return main < 0.9 * taken || new Set(tasks.map(({ tier }) => tier)).size > 1;
}

/** The tasks that have outrun their patience by far, and run for several times as long as those that end, where these are not all, and most of those that hold a worker. */
export function hungMajority(situation: Situation, minShare: number): readonly TaskNow[] {
  const { tasks, recent, sla } = situation;
  if (!areAllSeen(situation) || hasNoneEnded(situation)) return [];
  const usualMs = HUNG * (recent.serviceMs ?? 0);
  const hung = tasks.filter(
    ({ runningMs, patienceMs, isOver }) =>
      isOver !== true &&
      runningMs !== undefined &&
      patienceMs !== undefined &&
      runningMs >= Math.max(HUNG_SHARE * sla.targetMs, HUNG_PATIENCE * patienceMs, usualMs),
  );
  const busy = busyOf(situation);
  return hung.length > 0 && hung.length < busy && hung.length >= minShare * busy ? hung : [];
}

/** How long something has not happened while the queue was watched: what was never seen may have happened before. */
export function watchedMsSince(lastMsAgo: number, { watchedMs }: Situation): number {
  return Math.min(lastMsAgo, watchedMs);
}

/** Whether the tasks wait for something that only so many can have at a time: each waits for the others, however many workers there are. */
export function isLimited({ kind, states }: TaskGroup): boolean {
  return (
    kind === "gate" || kind === "queue" || kind === "connection" || states[0] === "waiting for a connection"
  );
}

/** Whether of several tasks in flight one at most is met at what takes their time, look after look. */
export function isOneAtATime(situation: Situation): boolean {
  const { slowest, groups } = situation;
  if (slowest === undefined || slowest.looks < MIN_LOOKS || slowest.atOnce > 1) return false;
  const unknown = groups.find(({ label }) => label === undefined)?.tasks.length ?? 0;
  return busyOf(situation) >= MIN_QUEUE && unknown >= MIN_QUEUE - 1;
}
