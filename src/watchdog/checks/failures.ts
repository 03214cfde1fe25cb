import type { Check, Rates, Situation, TaskGroup, Verdict } from "../situation.js";
import { count, duration, percent, perSecond } from "./format.js";
import { factor, readThresholds, share, wholeNumber } from "./thresholds.js";
import {
  areSlower,
  busyOf,
  isFullyBusy,
  isLimited,
  isOneAtATime,
  isSlower,
  SLOWDOWN,
  seenTasks,
  slownessOf,
  workersOf,
} from "./workload.js";

/** A few items are failing: one has 5 attempts, 50 % of takes are retries, and at most 3 items can be behind them. */
const FEW = { minAttempts: 5, share: 0.5, maxItems: 3 };
/** While few items fail, up to this share of retries may be first failures of others. */
const OTHERS_SHARE = 0.04;
/** Everything is failing: at least 60 % of attempts fail, 30 % of takes are retries, and 5 retries are in the window. */
const EVERYTHING = { failingShare: 0.6, retriedShare: 0.3, minRetries: 5 };
/** From this share on that is sure. */
const NEARLY_ALL = 0.8;
/** Two thirds of that are enough where the last failure says that a server can't be reached, or refuses: one of two replicas is down, say. */
const REMOTE_FACTOR = 2 / 3;
/** Or from this share of the workers' time on, if they could do what comes without it: more than this share of what is left to them. */
const SOME_SHARE = 0.2;
const MIN_BUSY_SHARE = 0.8;
/** An item that comes round was met in so many deliveries; one that is retried, in two. */
const MIN_DELIVERIES = 3;

/** Errors that JavaScript throws for what code does, and those of validators; and what databases say of a wrong statement. */
const OWN_ERROR =
  /^(?:Uncaught )?(?:Type|Reference|Range|Syntax|URI|Assertion|Validation|Zod|Eval|NotImplemented)Error\b|\b(?:is not a function|is not defined|is not iterable|Cannot read propert|(?:column|relation|table|function|field) .{0,100} does not exist|no such (?:column|table)|Unknown column)\b/;
/** What is thrown when a server can't be reached, by fetch as a TypeError, or when it refuses. */
const REMOTE_ERROR =
  /fetch failed|terminated|network|socket|ECONN|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|aborted|timed? ?out|too many (?:requests|connections|clients)|rate limit|unavailable|bad gateway|\b(?:429|50[0234])\b/i;
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
      if (!areFewFailing(situation, limits)) return takesTheTime(situation, limits);
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

/** An item that takes most of the workers' time, delivery after delivery: it times out each time, kills its thread, or is put back by its handler. */
function takesTheTime(situation: Situation, limits: typeof FEW): Verdict | undefined {
  const { hottest, lastFailure, sinceHead, usualServiceMs, recent } = situation;
  if (
    hottest === undefined ||
    hottest.share < SOME_SHARE ||
    hottest.deliveries < (hottest.attempt >= 2 ? 2 : MIN_DELIVERIES)
  )
    return undefined;
  const { correlationId, share: itsShare, deliveries, attempt, atOnce } = hottest;
  const isRetried = attempt >= 2;
  if (itsShare < limits.share && !(isRetried && wouldSufficeWithout(situation, itsShare))) return undefined;
  // Of an ID that several items share at the same time, none comes round.
  if (atOnce > 1 || (isRetried && areManyFailing(situation, limits.maxItems))) return undefined;
  const failure = !isRetried || lastFailure === undefined ? "" : `; the last failure was: ${lastFailure}`;
  const how = isRetried
    ? `is retried again and again (attempt ${attempt})`
    : "comes round again and again, as a new item each time: its handler puts it back, or a chain of items has its ID";
  return {
    name: "poison-item",
    confidence: isRetried ? 0.93 : 0.86,
    sentence: `one item (${correlationId}) ${how}, and takes ${percent(itsShare)} of the workers' time, in ${count(deliveries, "delivery", "deliveries")} that were seen${failure}`,
    evidence: {
      attempt,
      correlationId,
      share: itsShare,
      deliveries,
      taken: sinceHead.taken,
      usualServiceMs,
      serviceMs: recent.serviceMs,
    },
  };
}

/** Whether the workers could do what comes, at the times that are usual, and can't without the share of their time that one item takes. */
function wouldSufficeWithout(situation: Situation, itsShare: number): boolean {
  const { usualServiceMs, recent } = situation;
  const workers = workersOf(situation) ?? busyOf(situation);
  if (usualServiceMs === undefined) return false;
  const wanted = (recent.arrivedPerSecond * usualServiceMs) / 1_000;
  return wanted < workers && wanted > MIN_BUSY_SHARE * (1 - itsShare) * workers;
}

/**
 * `handler-failing`: the handler itself fails, by a bug, or by data of a form that it doesn't expect.
 *
 * @example
 * handlerFailing({ share: 0.5 }); // a quarter of the attempts fails all day
 */
export function handlerFailing(thresholds?: {
  /** At least this share of the attempts fail. Default: 0.25. */
  share?: number | undefined;
  /** At least this many attempts failed lately. Default: 5. */
  minFailures?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.25), minFailures: wholeNumber(5) });
  return {
    name: "handler-failing",
    look(situation) {
      const { lastFailure, failingForMs, tiers } = situation;
      if (lastFailure === undefined || !isHandlersFault(lastFailure)) return undefined;
      if (areFewFailing(situation)) return undefined;
      const { failedShare, attemptsPerSecond, retriedPerSecond } = failing(situation);
      const { failedPerSecond, windowMs } = recentRates(situation);
      const failures = ((failedPerSecond + retriedPerSecond) * windowMs) / 1_000;
      if (failedShare < limits.share) return undefined;
      // Where all back off, attempts are few.
      if (failures < limits.minFailures && !areDelayed(situation)) return undefined;
      const since = failingForMs === undefined ? "" : `, for ${duration(failingForMs)} now`;
      const kinds = new Set(situation.tasks.filter(({ attempt }) => attempt > 1).map(({ tier }) => tier));
      const kind =
        tiers.length > 1 && kinds.size === 1
          ? `; those that are tried again now are of tier "${[...kinds][0]}"`
          : "";
      return {
        name: "handler-failing",
        confidence: 0.92,
        sentence: `${percent(failedShare)} of attempts (${perSecond(attemptsPerSecond)}) fail in the handler itself${since}; the last failed with: ${lastFailure}${kind}`,
        evidence: { share: failedShare, attemptsPerSecond, retriedPerSecond, failingForMs, lastFailure },
      };
    },
  };
}

/** By its words an error of the code, or of the data that it got, and not of what it called. */
function isHandlersFault(failure: string): boolean {
  return OWN_ERROR.test(failure) && !REMOTE_ERROR.test(failure);
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
  /** Or everything is failing: at least this share of the attempts fail, or two thirds of it where a server can't be reached or refuses, … Default: 0.6. */
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
        atGate(situation, limits.share) ??
        everythingFails(situation, limits) ??
        allBackOff(situation) ??
        sameWait(situation, limits) ??
        oneAtATime(situation)
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
    confidence: failedShare >= NEARLY_ALL ? 0.9 : 0.86,
    sentence: `${percent(failedShare)} of attempts (${perSecond(attemptsPerSecond)}) fail, and many items are retried: what they need is down, or refuses them${lastFailureOf(situation)}`,
    evidence: {
      share: failedShare,
      attemptsPerSecond,
      retriedPerSecond,
      lastFailure: situation.lastFailure,
    },
  };
}

/** Too seldom for that, as backing off takes longer each time: all that is there has failed, and is to be tried again some time. */
function allBackOff(situation: Situation): Verdict | undefined {
  const { depth, inFlight = 0, delayed, lastFailure, rates, failingForMs = 0, sla } = situation;
  if (!areDelayed(situation) || lastFailure === undefined) return undefined;
  const wasDoneLately = rates.endedPerSecond > rates.failedPerSecond && failingForMs < sla.targetMs;
  if (wasDoneLately || isHandlersFault(lastFailure)) return undefined;
  return {
    name: "downstream-saturated",
    confidence: 0.8,
    sentence: `${depth + inFlight === 0 ? "all " : ""}${delayed} items wait for another attempt, and none was done lately: what they need is down, or refuses them${lastFailureOf(situation)}`,
    evidence: { delayed, lastFailure },
  };
}

/** Whether nothing is late but by its retries, of which most items wait for the next one. */
function areDelayed({ promise, depth, delayed, inFlight = 0 }: Situation): boolean {
  return promise === "completion" && delayed > Math.max(FEW.maxItems, depth + inFlight);
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
  // Calls that end, only later, are slow: that is another cause.
  if (isSlower(situation) && !isLimited(group)) return undefined;
  const [state] = group.states;
  return {
    name: "downstream-saturated",
    confidence: group.kind === "step" ? 0.5 : 0.9,
    sentence: `${tasks.length === 1 ? "the only task in flight waits" : `${group.tasks.length} of ${seenTasks(situation)} wait`} on ${whatOf(group)}, ${ages.length === 1 ? "" : "the longest "}for ${duration(ages.at(-1)!)}${state === undefined ? "" : `, "${state}"`}${slownessOf(situation, slowdown)}`,
    evidence: { kind: group.kind, label: group.label, tasks: group.tasks.length, medianMs: median },
  };
}

function whatOf({ kind, label }: TaskGroup): string {
  if (kind === "gate") return `the gate "${label}"`;
  if (kind === "connection") return `a connection of ${label}`;
  return kind === "queue" ? `room in the queue "${label}"` : label!;
}

/** A pool of connections of one, or a lock, which the tasks pass one after the other: of the others it is not known what they wait for. */
function oneAtATime(situation: Situation): Verdict | undefined {
  const { slowest, inFlight } = situation;
  if (slowest === undefined || !isFullyBusy(situation) || !isOneAtATime(situation)) return undefined;
  return {
    name: "downstream-saturated",
    confidence: 0.86,
    sentence: `at each of ${slowest.looks} looks one task alone waited on ${slowest.label}, with ${count(inFlight ?? 0, "task")} in flight: they pass it one at a time, as through a pool with one connection, or a lock`,
    evidence: { label: slowest.label, looks: slowest.looks, inFlight },
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
  const isRemote = situation.lastFailure !== undefined && REMOTE_ERROR.test(situation.lastFailure);
  const failingShare = limits.failingShare * (isRemote ? REMOTE_FACTOR : 1);
  return failedShare >= failingShare && areRetried && areManyFailing(situation, FEW.maxItems);
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
  // While nothing is late but by its retries, those that are delayed are what matters.
  if (situation.promise === "completion" && situation.delayed > maxItems) return true;
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
