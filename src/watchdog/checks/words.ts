import type { PoolNow, Situation, TaskNow } from "../situation.js";

/** A duration as people say it. */
export function duration(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "for ever";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function perSecond(rate: number): string {
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`;
}

/** Workers of the pools that take items, whatever they do; undefined where no pool is known. */
export function workersOf({ pools }: Situation): number | undefined {
  if (pools.length === 0) return undefined;
  let sum = 0;
  for (const { isTaking, workers } of pools)
    if (isTaking) sum += workers.idle + workers.processing + workers.backoff + workers.stalled;
  return sum;
}

/** The pools, with why each takes nothing. */
export function notTakingReasons(pools: readonly PoolNow[]): string {
  const [first] = pools;
  if (pools.length > 1 && pools.every(({ notTakingReason }) => notTakingReason === first?.notTakingReason))
    return `${pools.map(({ name }) => `"${name}"`).join(", ")} ${first?.notTakingReason?.replace(/^is /, "are ").replace(/^has /, "have ")}`;
  return pools.map(({ name, notTakingReason }) => `"${name}" ${notTakingReason}`).join(", ");
}

/** Whoever might help those that are busy, and takes nothing: words to add, if there is such a pool. */
export function butOthers({ pools }: Situation): string {
  const others = pools.filter(
    ({ notTakingReason }) => notTakingReason === "is paused" || notTakingReason === "has not been started",
  );
  return others.length === 0 ? "" : `; ${notTakingReasons(others)}`;
}

/** How many tasks are in flight, as far as can be known. Those whose handler is over hold nobody. */
export function busyOf({ inFlight, tasks }: Situation): number {
  const over = tasks.filter(({ isOver }) => isOver === true).length;
  return (inFlight ?? tasks.length) - over;
}

/** Were all tasks in flight looked at? If not, it is the oldest and the youngest that were. */
export function areAllSeen({ inFlight, tasks }: Situation): boolean {
  return (inFlight ?? 0) <= tasks.length;
}

/** The tasks that were looked at. */
export function lookedAt(situation: Situation): string {
  const { inFlight, tasks } = situation;
  return areAllSeen(situation)
    ? `${tasks.length} tasks in flight`
    : `${tasks.length} that were looked at, of ${inFlight} tasks in flight,`;
}

/** Is something in flight, and everybody busy who could take an item? */
export function isFullyBusy(situation: Situation): boolean {
  return busyOf(situation) > 0 && !isSomebodyIdle(situation);
}

/** Could somebody take an item at once? Of a pool that takes nothing, nobody could, whatever its workers do. */
function isSomebodyIdle({ pools, waitingGets }: Situation): boolean {
  return (waitingGets ?? 0) > 0 || pools.some(({ isTaking, workers }) => isTaking && workers.idle > 0);
}

/** Are there consumers that go on, as far as can be known? */
function isSomebodyThere(situation: Situation): boolean {
  const { pools, tasks, recent } = situation;
  if (pools.length > 0 && !pools.some(({ isTaking }) => isTaking)) return tasks.some(isOnItsOwn);
  return busyOf(situation) > 0 || recent.takenPerSecond > 0;
}

/** Is it at work without a pool? */
export function isOnItsOwn({ worker, isOver }: TaskNow): boolean {
  return worker === undefined && isOver !== true;
}

/**
 * Are there consumers, and is none of them free, as far as can be known? Whoever takes items by plain gets is busy with what nobody
 * sees.
 */
export function isNobodyIdle(situation: Situation): boolean {
  return situation.isRateLimited || (isSomebodyThere(situation) && !isSomebodyIdle(situation));
}

/** A task that takes so many times longer than tasks usually do is held up. */
export const SLOWER = 3;

/** Mean time of the tasks that ended lately, where it is several times that of the tasks before the oldest item came in. */
function slowServiceMs({ recent, usualServiceMs }: Situation): number | undefined {
  const { serviceMs } = recent;
  if (serviceMs === undefined || usualServiceMs === undefined) return undefined;
  return serviceMs >= SLOWER * usualServiceMs ? serviceMs : undefined;
}

/** Whether tasks take several times as long as they did before the oldest item came in. */
export function areSlower(situation: Situation): boolean {
  return slowServiceMs(situation) !== undefined;
}

/** By how much tasks have become slower: words to add, if they have. */
export function slowness(situation: Situation): string {
  const nowMs = slowServiceMs(situation);
  return nowMs === undefined
    ? ""
    : `; a task takes ${duration(nowMs)} now, it took ${duration(situation.usualServiceMs!)} before`;
}

/** None has ended for such a share of the SLA: ends are seen only at the next look. */
const QUIET = 0.5;

/** Do all tasks in flight run for longer than can be expected of them, with none that ended lately? */
export function areStuck(situation: Situation): boolean {
  const { tasks } = situation;
  const isStuck = ({ runningMs, patienceMs }: TaskNow) =>
    runningMs !== undefined && patienceMs !== undefined && runningMs >= patienceMs;
  return tasks.length > 0 && tasks.every(isStuck) && hasNoneEnded(situation);
}

/** Has no task ended lately, as far as anybody looked? */
export function hasNoneEnded(situation: Situation): boolean {
  return seenMs(situation.lastEndedMsAgo, situation) >= QUIET * situation.sla.targetMs;
}

/** For how long nothing has happened, as far as anybody looked: what was never seen may have happened before that. */
export function seenMs(lastMsAgo: number, { watchedMs }: Situation): number {
  return Math.min(lastMsAgo, watchedMs);
}
