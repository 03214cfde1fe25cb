import type { Check, ProcessorNow, Situation, StallNow, Verdict } from "../situation.js";
import { count, duration, percent } from "./format.js";
import { readThresholds, share } from "./thresholds.js";

/**
 * From this share of what blocked the loop on, the blocking was for garbage. While there is room on the heap, what makes the garbage, if it is
 * known, is the cause, such as `JSON.parse` of a big text, unless nothing else was done.
 */
const GARBAGE_SHARE = { usual: 0.5, placed: 0.9 };
/** From this share of its limit on, a heap is full. */
const FULL_HEAP = 0.7;

/** Shares of shorter times say little, in milliseconds. */
const MIN_WINDOW_MS = 250;

/** From this share of the time for which it would run on, a thread lacks a processor. */
const QUEUED_SHARE = 0.4;

/** From this utilization on, the event loop would run all the time, … */
const BUSY_LOOP = 0.98;
/** … if its thread's own times add up to at least this share of it. */
const BUSY_SHARE = 0.5;

/** By what the event loop was held up, and for how long. */
interface Block {
  readonly blockedMs: number;
  readonly stalls: readonly StallNow[];
  /** Whether that was while the head waited, or before: then it waits behind what was held up. */
  readonly when: "meanwhile" | "before";
}

/**
 * `event-loop-blocked`: the event loop had no time to serve the item, or what is before it.
 *
 * @example
 * eventLoopBlocked({ share: 0.8 }); // shorter stalls are no cause
 */
export function eventLoopBlocked(thresholds?: {
  /**
   * The loop was blocked for at least this share of the wait, while the item waited or while what it waits behind piled up; or for a whole
   * SLA of its wait. Default: 0.5.
   */
  share?: number | undefined;
  /** Or the loop is busy for at least this share of the time. Default: 0.98. */
  utilization?: number | undefined;
  /** Such a busy loop uses at least this share of a CPU: one without a CPU looks busy, too. Default: 0.8. */
  cpuShare?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, {
    share: share(0.5),
    utilization: share(BUSY_LOOP),
    cpuShare: share(0.8),
  });
  return {
    name: "event-loop-blocked",
    look(situation) {
      const { waitMs, loopUtilization, processorShare } = situation;
      const block = blockOf(situation, limits.share);
      if (block !== undefined) {
        const { blockedMs, stalls } = block;
        return {
          name: "event-loop-blocked",
          confidence: block.when === "meanwhile" ? 0.97 : isSure(block, situation) ? 0.87 : 0.5,
          sentence: `${blockInWords(block, situation)}${placeOf(stalls)}`,
          evidence: { blockedMs, share: Math.min(1, blockedMs / waitMs), loopUtilization, stalls },
        };
      }
      if (loopUtilization < limits.utilization || processorShare < limits.cpuShare) return undefined;
      // The share is that of the whole process, whose other threads may be those who took the processor.
      if (queuedShareOf(situation.processor) >= QUEUED_SHARE) return undefined;
      return {
        name: "event-loop-blocked",
        confidence: 0.83,
        sentence: `the event loop is ${percent(loopUtilization)} busy: it has no time for more workers`,
        evidence: { loopUtilization, processorShare },
      };
    },
  };
}

/**
 * `gc-pressure`: the time went into collecting garbage.
 *
 * @example
 * gcPressure({ share: 0.5 }); // a third of the time is usual here
 */
export function gcPressure(thresholds?: {
  /** At least this share of the time went into it, since items piled up. Default: 0.3. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.3) });
  return {
    name: "gc-pressure",
    look(situation) {
      const { windowMs, gcMs, heapBytes, heapLimitBytes } = situation.processor;
      // Of a collection that had no processor, others made most.
      const ranShare = 1 - queuedShareOf(situation.processor);
      const block = blockOf(situation, 0.5);
      const isPlaced = block?.stalls.some(({ where }) => where !== undefined) === true;
      const garbageShare =
        GARBAGE_SHARE[isPlaced && heapBytes < FULL_HEAP * heapLimitBytes ? "placed" : "usual"];
      const isBlock = block !== undefined && gcMs >= garbageShare * block.blockedMs;
      const gcShare = windowMs > 0 ? Math.min(1, gcMs / windowMs) : 0;
      if (!isBlock && (gcShare * ranShare < limits.share || !isTelling(situation))) return undefined;
      return {
        name: "gc-pressure",
        confidence: isBlock && block.when === "meanwhile" ? 0.98 : 0.89,
        sentence: `garbage was collected for ${duration(gcMs)} of ${duration(windowMs)} (${percent(gcShare)}); the heap has ${megabytes(heapBytes)} of at most ${megabytes(heapLimitBytes)}`,
        evidence: { gcMs, windowMs, share: gcShare, heapBytes, heapLimitBytes },
      };
    },
  };
}

/**
 * `processor-starved`: the process, or its event loop, was ready to work and had no processor: others use it, a quota is used up, or the
 * process was suspended.
 *
 * @example
 * processorStarved({ share: 0.8 }); // half of the time without a processor is usual here
 */
export function processorStarved(thresholds?: {
  /** For at least this share of the wait the process did not run at all. Default: 0.5. */
  share?: number | undefined;
  /** Or of the time for which the event loop's thread would run, it waits for a processor for at least this share, … Default: 0.4. */
  queuedShare?: number | undefined;
  /** … and would run for at least this share of all time. Default: 0.8. */
  busyShare?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, {
    share: share(0.5),
    queuedShare: share(QUEUED_SHARE),
    busyShare: share(0.8),
  });
  return {
    name: "processor-starved",
    look(situation) {
      const { waitMs, pile } = situation;
      // A call that blocks, such as `execSync`, uses no processor either: the thread saw the event loop wait in it.
      const starvedMs = situation.starvedMs - stalledMs(situation, waitMs);
      const isMeanwhile = starvedMs >= limits.share * waitMs;
      const lostMs = isMeanwhile ? starvedMs : pile.starvedMs - stalledMs(situation, pile.forMs);
      if (lostMs > 0 && lostMs >= limits.share * waitMs) {
        return notRunning(situation, lostMs, isMeanwhile);
      }
      return isTelling(situation) ? crowdedOut(situation, limits) : undefined;
    },
  };
}

/** For how long the event loop was known to be blocked, in stalls that ended within the last `forMs`. */
function stalledMs({ stalls }: Situation, forMs: number): number {
  return stalls
    .filter(({ endedMsAgo }) => endedMsAgo < forMs)
    .reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** Whether an item waits, and the processor was watched for long enough to tell why. */
function isTelling({ waitMs, processor: { windowMs } }: Situation): boolean {
  return waitMs > 0 && windowMs >= Math.max(MIN_WINDOW_MS, waitMs / 2);
}

/** The block that made the head late, if one did. */
function blockOf({ stalls, waitMs, sla, lateMs, pile }: Situation, minShare: number): Block | undefined {
  const during = stalls.filter(({ endedMsAgo }) => endedMsAgo < waitMs);
  // What ended before the item arrived is not what it waited for.
  const stalledMs = during.reduce(
    (sum, { durationMs, endedMsAgo }) => sum + Math.min(durationMs, waitMs - endedMsAgo),
    0,
  );
  // Late samples also show short stalls, and one that has only just ended.
  const blockedMs = Math.max(stalledMs, lateMs);
  // A stall of a whole SLA has breached it, however long the item waited besides.
  if (blockedMs > 0 && (blockedMs >= minShare * waitMs || blockedMs >= sla.targetMs))
    return { blockedMs, stalls: during, when: "meanwhile" };
  const earlier = stalls.filter(({ endedMsAgo }) => endedMsAgo < pile.forMs);
  const earlierMs = Math.max(
    earlier.reduce((sum, { durationMs }) => sum + durationMs, 0),
    pile.lateMs,
  );
  if (earlierMs === 0 || earlierMs < minShare * waitMs) return undefined;
  return { blockedMs: earlierMs, stalls: earlier, when: "before" };
}

/** Late looks that add up to less than an SLA are what every crowded machine has; a stall was seen as one. */
function isSure({ blockedMs, stalls }: Block, { sla }: Situation): boolean {
  return stalls.length > 0 || blockedMs >= sla.targetMs;
}

function blockInWords({ blockedMs, stalls, when }: Block, { waitMs, depth }: Situation): string {
  const how = stalls.length === 0 ? "" : ` (${count(stalls.length, "stall")})`;
  if (when === "meanwhile")
    return `the event loop was blocked for ${duration(blockedMs)} of the ${duration(waitMs)} wait${how}`;
  const endedMsAgo = Math.min(...stalls.map((stall) => stall.endedMsAgo));
  const until = stalls.length === 0 ? "" : ` until ${duration(endedMsAgo)} ago`;
  return `the event loop was blocked for ${duration(blockedMs)}${how}${until}, and what that held up is not worked off: ${count(depth, "item waits", "items wait")}, the oldest for ${duration(waitMs)}`;
}

function placeOf(stalls: readonly StallNow[]): string {
  const [worst] = [...stalls].sort((a, b) => b.durationMs - a.durationMs);
  return worst?.where === undefined
    ? ""
    : `, mostly in ${worst.where}${worst.isNative ? " (native call)" : ""}`;
}

/** The process hardly ran. What is known to be stuck, paused or failing in it besides is a better cause. */
function notRunning(
  { waitMs, depth, processorShare, processor }: Situation,
  lostMs: number,
  isMeanwhile: boolean,
): Verdict {
  const { queuedMs, throttledShare } = processor;
  const how = isMeanwhile
    ? `the process did not run for ${duration(lostMs)} of the ${duration(waitMs)} wait, and had ${percent(processorShare)} of a CPU`
    : `the process did not run for ${duration(lostMs)} before, and what that held up is not worked off: ${count(depth, "item waits", "items wait")}, the oldest for ${duration(waitMs)}`;
  const isReady = queuedMs === undefined ? undefined : queuedMs >= lostMs / 2;
  const why =
    isReady === undefined
      ? "other processes use the processor, or this one was suspended"
      : isReady
        ? takersOf(throttledShare)
        : "it was suspended, or waited in a call that blocks";
  return {
    name: "processor-starved",
    // On a crowded machine short pauses add up, whatever else is the cause.
    confidence: isMeanwhile ? 0.84 : isReady === true && !(throttledShare! > 0.3) ? 0.5 : 0.83,
    sentence: `${how}: ${why}`,
    evidence: { starvedMs: lostMs, processorShare, queuedMs, throttledShare },
  };
}

/** It runs, but most of the time others do. */
function crowdedOut(
  { processor, loopUtilization }: Situation,
  limits: { readonly queuedShare: number; readonly busyShare: number },
): Verdict | undefined {
  const { windowMs, ranMs, queuedMs, throttledShare } = processor;
  if (ranMs === undefined || queuedMs === undefined || windowMs <= 0) return undefined;
  const wantedMs = ranMs + queuedMs;
  // The kernel's two times leave out what a hypervisor took; a loop that lacks the processor looks busy all the same.
  const busyShare = loopUtilization >= BUSY_LOOP ? BUSY_SHARE : limits.busyShare;
  const isBusy = wantedMs >= busyShare * windowMs;
  if (!isBusy || queuedShareOf(processor) < limits.queuedShare) return undefined;
  return {
    name: "processor-starved",
    confidence: 0.84,
    sentence: `of ${duration(windowMs)} the event loop's thread ran for ${duration(ranMs)} and was ready to run for ${duration(queuedMs)} more, without a processor: ${takersOf(throttledShare)}; more workers would not help`,
    evidence: { windowMs, ranMs, queuedMs, share: queuedShareOf(processor), throttledShare },
  };
}

/** Of the time for which the event loop's thread would run, the share in which it had no processor; 0 where that is not known. */
function queuedShareOf({ ranMs, queuedMs }: ProcessorNow): number {
  if (ranMs === undefined || queuedMs === undefined) return 0;
  return queuedMs / Math.max(1, ranMs + queuedMs);
}

function takersOf(throttledShare: number | undefined): string {
  return throttledShare === undefined || throttledShare < 0.1
    ? "others use it"
    : `its CPU quota was used up in ${percent(throttledShare)} of the periods`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
