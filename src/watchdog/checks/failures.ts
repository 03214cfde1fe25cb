import type { Check, Rates, Situation, TaskGroup, Verdict } from "../situation.js";
import { count, duration, percent, perSecond } from "./format.js";
import { factor, readThresholds, share, wholeNumber } from "./thresholds.js";
import { areSlower, busyOf, isFullyBusy, SLOWDOWN, seenTasks, slownessOf } from "./workload.js";

/** A few items are failing: one has 5 attempts, 50 % of takes are retries, and at most 3 items can be behind them. */
const FEW = { minAttempts: 5, share: 0.5, maxItems: 3 };
/** While few items fail, up to this share of retries may be first failures of others. */
const OTHERS_SHARE = 0.04;
/** Everything is failing: at least 80 % of attempts fail, 30 % of takes are retries, and 5 retries are in the window. */
const EVERYTHING = { failingShare: 0.8, retriedShare: 0.3, minRetries: 5 };
/** From this share of failed attempts on, a sentence tells of them. */
const NOTABLE_SHARE = 0.5;

/**
 * `poison-item`: an item, or a few, fail again and again, and keep the workers busy.
 *
 * @example
 * poisonItem({ minAttempts: 10 }); // ten attempts are usual here
 */
export function poisonItem(thresholds?: {
  /** The item has had at least this many attempts. Default: 5. */
  minAttempts?: number | undefined;
  /** At least this share of takes are retries. Default: 0.5. */
  share?: number | undefined;
  /** At most this many items can be behind the retries. Default: 3. */
  maxItems?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, {
    minAttempts: wholeNumber(FEW.minAttempts),
    share: share(FEW.share),
    maxItems: wholeNumber(FEW.maxItems),
  });
  return {
    name: "poison-item",
    look(situation) {
      if (!areFewFailing(situation, limits)) return undefined;
      const { attempt, correlationId } = situation.mostAttempts;
      const { lastFailure } = situation;
      const { retriedPerSecond, takenPerSecond } = failing(situation);
      const retried = Math.min(1, retriedPerSecond / takenPerSecond);
      const failure = lastFailure === undefined ? "" : `; it failed with: ${lastFailure}`;
      return {
        name: "poison-item",
        confidence: 0.93,
        sentence: `one item (${correlationId ?? "without a correlation ID"}) fails again and again: ${count(attempt, "attempt")} so far, and ${percent(retried)} of takes (${perSecond(takenPerSecond)}) are retries${failure}`,
        evidence: { attempt, correlationId, share: retried, retriedPerSecond, takenPerSecond, lastFailure },
      };
    },
  };
}

/**
 * `downstream-saturated`: what the tasks call is down, refuses them, or answers too slowly.
 *
 * @example
 * downstreamSaturated({ share: 0.9 }); // half of the tasks wait for the database at all times
 */
export function downstreamSaturated(thresholds?: {
  /** At least this share of the tasks wait for the same thing, or for the same gate. Default: 0.6. */
  share?: number | undefined;
  /** Such a wait lasts at least this many times as long as a task usually takes, or tasks now take that many times as long. Default: 3. */
  slowdown?: number | undefined;
  /** Or everything is failing: at least this share of the attempts fail, … Default: 0.8. */
  failingShare?: number | undefined;
  /** … at least this share of takes are retries, … Default: 0.3. */
  retriedShare?: number | undefined;
  /** … and at least this many retries are in the window. Default: 5. */
  minRetries?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, {
    share: share(0.6),
    slowdown: factor(SLOWDOWN),
    failingShare: share(EVERYTHING.failingShare),
    retriedShare: share(EVERYTHING.retriedShare),
    minRetries: wholeNumber(EVERYTHING.minRetries),
  });
  return {
    name: "downstream-saturated",
    look(situation) {
      return (
        atGate(situation, limits.share) ?? everythingFails(situation, limits) ?? sameWait(situation, limits)
      );
    },
  };
}

function atGate(situation: Situation, minShare: number): Verdict | undefined {
  const open = situation.gates.find(({ isOpen, waiting }) => isOpen === true && waiting > 0);
  if (open !== undefined) {
    return {
      name: "downstream-saturated",
      confidence: 0.94,
      sentence: `the circuit breaker of "${open.name}" is open, ${count(open.waiting, "call waits", "calls wait")} for it`,
      evidence: { gate: open.name, waiting: open.waiting },
    };
  }
  const full = situation.gates.find(({ limit, inFlight, waiting }) => inFlight >= limit && waiting > 0);
  if (full === undefined || full.waiting < minShare * (busyOf(situation) - full.inFlight)) return undefined;
  return {
    name: "downstream-saturated",
    confidence: 0.91,
    sentence: `the gate "${full.name}" lets ${count(full.limit, "call")} through at a time, ${count(full.waiting, "more waits", "more wait")} for it`,
    evidence: { gate: full.name, limit: full.limit, waiting: full.waiting },
  };
}

/** Retries keep the workers busy with what will fail again. */
function everythingFails(situation: Situation, limits: typeof EVERYTHING): Verdict | undefined {
  if (!isEverythingFailing(situation, limits)) return undefined;
  const { failedShare, attemptsPerSecond, retriedPerSecond } = failing(situation);
  return {
    name: "downstream-saturated",
    confidence: 0.9,
    sentence: `${percent(failedShare)} of attempts (${perSecond(attemptsPerSecond)}) fail, and many items are retried: what they need is down, or refuses them${lastFailureOf(situation)}`,
    evidence: {
      share: failedShare,
      attemptsPerSecond,
      retriedPerSecond,
      lastFailure: situation.lastFailure,
    },
  };
}

function sameWait(
  situation: Situation,
  { share: minShare, slowdown }: { readonly share: number; readonly slowdown: number },
): Verdict | undefined {
  const { groups, tasks } = situation;
  const [group] = [...groups].filter(isLabelled).sort((a, b) => b.tasks.length - a.tasks.length);
  if (group === undefined || group.tasks.length < minShare * tasks.length || !isFullyBusy(situation))
    return undefined;
  const ages = group.forMs.map((ms) => ms ?? 0).sort((a, b) => a - b);
  const median = ages[Math.floor(ages.length / 2)]!;
  const { usualServiceMs, sla } = situation;
  const heldUpMs = usualServiceMs === undefined ? sla.targetMs : slowdown * usualServiceMs;
  // Where calls end now and then, most calls in flight are young: those that ended tell.
  if (median < heldUpMs && !areSlower(situation, slowdown)) return undefined;
  const [state] = group.states;
  return {
    name: "downstream-saturated",
    confidence: group.kind === "step" ? 0.5 : 0.9,
    sentence: `${tasks.length === 1 ? "the only task in flight waits" : `${group.tasks.length} of ${seenTasks(situation)} wait`} on ${group.label}, ${ages.length === 1 ? "" : "the longest "}for ${duration(ages.at(-1)!)}${state === undefined ? "" : `, "${state}"`}${slownessOf(situation, slowdown)}`,
    evidence: { kind: group.kind, label: group.label, tasks: group.tasks.length, medianMs: median },
  };
}

/** A step says what a task does, not that it waits for something else; but it is better than nothing. */
function isLabelled(group: TaskGroup): boolean {
  return group.label !== undefined;
}

/** Whether one item, or a few, fail again and again. */
export function areFewFailing(situation: Situation, limits = FEW): boolean {
  const { retriedPerSecond, takenPerSecond } = failing(situation);
  const isSuspect = situation.mostAttempts.attempt >= limits.minAttempts && takenPerSecond > 0;
  const isCause = retriedPerSecond >= limits.share * takenPerSecond;
  return isSuspect && isCause && !areManyFailing(situation, limits.maxItems);
}

/** Whether nearly all attempts fail, of many items, which are retried. */
export function isEverythingFailing(situation: Situation, limits = EVERYTHING): boolean {
  const { failedShare, retriedPerSecond, takenPerSecond } = failing(situation);
  const areRetried =
    retriedPerSecond >= limits.retriedShare * takenPerSecond && recentRetries(situation) >= limits.minRetries;
  return failedShare >= limits.failingShare && areRetried && areManyFailing(situation, FEW.maxItems);
}

/** An addition to a sentence where many attempts fail. */
export function failuresOf(situation: Situation): string {
  const { failedShare } = failing(situation);
  return failedShare < NOTABLE_SHARE
    ? ""
    : `; ${percent(failedShare)} of attempts fail${lastFailureOf(situation)}`;
}

function lastFailureOf({ lastFailure }: Situation): string {
  return lastFailure === undefined ? "" : `; the last failed with: ${lastFailure}`;
}

/** Attempts that failed lately, whatever became of their items. */
function failing(situation: Situation): {
  /** Of the attempts, from 0 to 1. */
  readonly failedShare: number;
  readonly attemptsPerSecond: number;
  readonly retriedPerSecond: number;
  readonly takenPerSecond: number;
} {
  const { failedPerSecond, retriedPerSecond, endedPerSecond, takenPerSecond } = recentRates(situation);
  const attemptsPerSecond = endedPerSecond + retriedPerSecond;
  const failedShare = attemptsPerSecond === 0 ? 0 : (failedPerSecond + retriedPerSecond) / attemptsPerSecond;
  return { failedShare, attemptsPerSecond, retriedPerSecond, takenPerSecond };
}

/** Whether more than a few items are retried: some are seen, some have only begun to fail, and the number of the others has a lower bound. */
function areManyFailing(situation: Situation, maxItems: number): boolean {
  const { attempt, alike } = situation.mostAttempts;
  const { firstRetriedPerSecond, windowMs } = recentRates(situation);
  const retries = recentRetries(situation);
  // No item was retried more often than the one with most attempts.
  const atLeast = retries / Math.max(1, attempt - 1);
  const begun = (firstRetriedPerSecond * windowMs) / 1_000;
  return alike > maxItems || atLeast > maxItems || begun > Math.max(maxItems, OTHERS_SHARE * retries);
}

function recentRetries(situation: Situation): number {
  const { retriedPerSecond, windowMs } = recentRates(situation);
  return (retriedPerSecond * windowMs) / 1_000;
}

function recentRates({ recent, rates }: Situation): Rates {
  return recent.takenPerSecond > 0 ? recent : rates;
}
