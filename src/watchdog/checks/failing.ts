import type { Rates, Situation } from "../situation.js";
import { percent } from "./words.js";

/** From so many deliveries on an item is suspect. */
const ATTEMPTS = 5;
/** From which share of what is taken on retries are the cause. */
const SHARE = 0.5;
/** Of no more items than that it is said that they alone come back. */
const FEW = 3;
/** While they do, so many of the retries may be those of others that fail for the first time. */
const OTHERS = 0.04;
/** From which share of the attempts on everything fails, if such a share of what is taken comes back for that, and so often. */
const EVERYTHING = 0.8;
const COMING_BACK = 0.3;
const ENOUGH = 5;

/** Attempts that failed lately, whatever became of their items. */
interface Failing {
  /** Of the attempts, from 0 to 1. */
  readonly share: number;
  /** Attempts that ended, and items that came back, per second. */
  readonly attemptsPerSecond: number;
  readonly retriedPerSecond: number;
  readonly takenPerSecond: number;
}

/** Does an item, or a few, come back again and again? */
export function areFewFailing(situation: Situation): boolean {
  const { retriedPerSecond, takenPerSecond } = failing(situation);
  const isSuspect = situation.mostAttempts.attempt >= ATTEMPTS && takenPerSecond > 0;
  return isSuspect && retriedPerSecond >= SHARE * takenPerSecond && !areManyFailing(situation);
}

/** Do nearly all attempts fail, of many items, which then come back? */
export function isEverythingFailing(situation: Situation): boolean {
  const { share, retriedPerSecond, takenPerSecond } = failing(situation);
  const areBack = retriedPerSecond >= COMING_BACK * takenPerSecond && retriedLately(situation) >= ENOUGH;
  return share >= EVERYTHING && areBack && areManyFailing(situation);
}

/** Words to add where many attempts fail. */
export function failuresOf(situation: Situation): string {
  const { share } = failing(situation);
  return share < SHARE ? "" : `; ${percent(share)} of the attempts fail${lastOf(situation)}`;
}

/** What the last one failed with, if that is known. */
export function lastOf({ lastFailure }: Situation): string {
  return lastFailure === undefined ? "" : `; the last failed with: ${lastFailure}`;
}

export function failing(situation: Situation): Failing {
  const { failedPerSecond, retriedPerSecond, endedPerSecond, takenPerSecond } = lately(situation);
  const attemptsPerSecond = endedPerSecond + retriedPerSecond;
  const share = attemptsPerSecond === 0 ? 0 : (failedPerSecond + retriedPerSecond) / attemptsPerSecond;
  return { share, attemptsPerSecond, retriedPerSecond, takenPerSecond };
}

/** Are there more items that come back than a few? Some are seen, some have only begun to, and the others can be counted up. */
function areManyFailing(situation: Situation): boolean {
  const { attempt, alike } = situation.mostAttempts;
  const { firstRetriedPerSecond, windowMs } = lately(situation);
  const retried = retriedLately(situation);
  // None has come back more often than the one that was delivered most often.
  const atLeast = retried / Math.max(1, attempt - 1);
  const begun = (firstRetriedPerSecond * windowMs) / 1_000;
  return alike > FEW || atLeast > FEW || begun > Math.max(FEW, OTHERS * retried);
}

function retriedLately(situation: Situation): number {
  const { retriedPerSecond, windowMs } = lately(situation);
  return (retriedPerSecond * windowMs) / 1_000;
}

function lately({ recent, rates }: Situation): Rates {
  return recent.takenPerSecond > 0 ? recent : rates;
}
