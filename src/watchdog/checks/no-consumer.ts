import type { Check, PoolNow, Situation } from "../situation.js";
import { areStuck, busyOf, count, duration, isOnItsOwn, notTakingReasons, seenMs } from "./words.js";

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
    if (depth === 0 || (waitingGets ?? 0) > 0) return undefined;
    // What was paused before it ever took an item was never started, as far as anybody can tell.
    const isUnstarted = takenEver === 0 && isPaused;
    if (!isUnstarted && (isPaused || pools.some(isThere))) return undefined;
    // Whoever takes now and then is there, unless it is known that all are gone. What these still work on is their last.
    const areGone = pools.length > 0 && pools.every(isGone);
    if (areGone ? tasks.some(isOnItsOwn) : busyOf(situation) > 0) return undefined;
    const quietMs = QUIET * Math.min(waitMs, sla.targetMs);
    if (!areGone && lastTakenMsAgo < quietMs) return undefined;
    // Somebody did take items before anybody looked, and may do so still.
    if (!areGone && takenEver > 0 && seenMs(lastTakenMsAgo, situation) < quietMs)
      return "not enough evidence yet";
    const over = tasks.filter(({ isOver }) => isOver === true);
    const unsettled = over.length;
    const left =
      unsettled === 0
        ? ""
        : `; ${count(unsettled, "delivery was", "deliveries were")} taken and never settled`;
    // What ended a loop was the last thing that it did.
    const died = over.findLast(({ failure }) => failure !== undefined)?.failure;
    const last = lastFailure === undefined ? "" : `; the last failure was: ${lastFailure}`;
    const failure = died === undefined ? last : `, and the handler failed with: ${died}`;
    return {
      name: "no-consumer",
      // If they went because nothing came to an end any more, that is what has to be looked at first.
      confidence: areGone && !pools.some(isStopping) && areStuck(situation) ? 0.8 : 0.95,
      sentence: `${whatIsWrong(situation)}${left}${failure}`,
      evidence: {
        takenEver,
        lastTakenMsAgo,
        waitingGets,
        unsettled,
        lastFailure: died ?? lastFailure,
        pools,
      },
    };
  },
};

/** It may rest for now: then it is paused, which is another cause. */
function isThere(pool: PoolNow): boolean {
  return !isGone(pool) && pool.notTakingReason !== "has not been started";
}

function isGone(pool: PoolNow): boolean {
  return isStopping(pool) || pool.notTakingReason === "is stopped";
}

function isStopping({ notTakingReason }: PoolNow): boolean {
  return notTakingReason === "is stopping";
}

function whatIsWrong(situation: Situation): string {
  const { isPaused, takenEver, lastTakenMsAgo, pools } = situation;
  const running = busyOf(situation);
  const still = running === 0 ? "" : `, ${count(running, "task is", "tasks are")} still running`;
  const who = pools.length === 0 ? "" : `; ${notTakingReasons(pools)}${still}`;
  if (takenEver === 0) {
    const unstarted = isPaused ? ": the queue has not been started, or was paused from the beginning" : "";
    return `nobody has ever taken an item${unstarted}${who}`;
  }
  const last =
    lastTakenMsAgo === Number.POSITIVE_INFINITY
      ? "before the watchdog came"
      : `${duration(lastTakenMsAgo)} ago`;
  return `nobody takes items any more: the last one was taken ${last}${who}`;
}
