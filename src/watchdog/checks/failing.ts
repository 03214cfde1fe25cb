import type { Rates, Situation } from "../situation.js";
import { percent } from "./words.js";

/** From so many deliveries on an item is suspect. */
const ATTEMPTS = 5;
/** From which share of what is taken on retries are the cause. */
const SHARE = 0.5;
/** Of no more items than that it is said that they alone come back. */
const FEW = 3;
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
  return isSuspect && retriedPerSecond >= SHARE * takenPerSecond && itemsThatFail(situation) <= FEW;
}

/** Do nearly all attempts fail, of many items, which then come back? */
export function isEverythingFailing(situation: Situation): boolean {
  const { share, retriedPerSecond, takenPerSecond } = failing(situation);
  const areBack = retriedPerSecond >= COMING_BACK * takenPerSecond && retriedLately(situation) >= ENOUGH;
  return share >= EVERYTHING && areBack && itemsThatFail(situation) > FEW;
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

/** How many it takes, at least: none has come back more often than the one that was delivered most often. */
function itemsThatFail(situation: Situation): number {
  const { attempt, alike } = situation.mostAttempts;
  return Math.max(alike, retriedLately(situation) / Math.max(1, attempt - 1));
}

function retriedLately(situation: Situation): number {
  const { retriedPerSecond, windowMs } = lately(situation);
  return (retriedPerSecond * windowMs) / 1_000;
}

function lately({ recent, rates }: Situation): Rates {
  return recent.takenPerSecond > 0 ? recent : rates;
}
