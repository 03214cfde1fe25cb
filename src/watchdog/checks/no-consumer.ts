import type { Check, Situation } from "../situation.js";
import { busyOf, count, duration, seenMs, workersOf } from "./words.js";

/** Nothing was taken for such a share of the wait: a consumer that takes items by plain gets isn't seen in between. */
const QUIET = 0.5;

export const noConsumer: Check = {
  name: "no-consumer",
  look(situation) {
    // Then somebody is there, and may not.
    if (situation.isRateLimited) return undefined;
    const {
      isPaused,
      depth,
      waitMs,
      sla,
      waitingGets,
      takenEver,
      lastTakenMsAgo,
      pools,
      lastFailure,
      tasks,
    } = situation;
    if (depth === 0 || busyOf(situation) > 0 || (waitingGets ?? 0) > 0) return undefined;
    // What was paused before it ever took an item was never started, as far as anybody can tell.
    const isUnstarted =
      takenEver === 0 && (isPaused || (pools.length > 0 && pools.every((p) => !p.isTaking)));
    if (!isUnstarted && (isPaused || (workersOf(situation) ?? 0) > 0)) return undefined;
    // Whoever takes now and then is there, unless it is known that all are gone.
    const areGone = pools.length > 0 && pools.every(({ workers }) => workers.stopped > 0);
    const quietMs = QUIET * Math.min(waitMs, sla.targetMs);
    if (!areGone && lastTakenMsAgo < quietMs) return undefined;
    // Somebody did take items before anybody looked, and may do so still.
    if (!areGone && takenEver > 0 && seenMs(lastTakenMsAgo, situation) < quietMs)
      return "not enough evidence yet";
    const unsettled = tasks.filter(({ isOver }) => isOver === true).length;
    const left =
      unsettled === 0
        ? ""
        : `; ${count(unsettled, "delivery was", "deliveries were")} taken and never settled`;
    const failure = lastFailure === undefined ? "" : `; the last failure was: ${lastFailure}`;
    return {
      name: "no-consumer",
      confidence: 0.95,
      sentence: `${whatIsWrong(situation, isUnstarted)}${left}${failure}`,
      evidence: { takenEver, lastTakenMsAgo, waitingGets, unsettled, lastFailure, pools },
    };
  },
};

function whatIsWrong({ takenEver, lastTakenMsAgo, pools }: Situation, isUnstarted: boolean): string {
  const names = pools.map(({ name }) => `"${name}"`).join(", ");
  if (isUnstarted) {
    return `nobody has ever taken an item: ${names === "" ? "the queue" : names} has not been started, or was paused from the beginning`;
  }
  const stopped = names === "" ? "" : `; every worker of ${names} has stopped`;
  if (takenEver === 0) return `nobody has ever taken an item${stopped}`;
  const last =
    lastTakenMsAgo === Number.POSITIVE_INFINITY
      ? "before the watchdog came"
      : `${duration(lastTakenMsAgo)} ago`;
  return `nobody takes items any more: the last one was taken ${last}${stopped}`;
}
