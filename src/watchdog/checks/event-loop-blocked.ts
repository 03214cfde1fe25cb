import type { Check, Verdict } from "../situation.js";
import { count, duration, percent } from "./words.js";

/** From which share of the wait on a blocked event loop is its cause. */
const SHARE = 0.5;
/** A loop that is busier than this has no time left for anybody, if it really works: one without a processor looks busy, too. */
const BUSY = 0.98;
const WORKING = 0.8;

export const eventLoopBlocked: Check = {
  name: "event-loop-blocked",
  look({ stalls, waitMs, sla, lateMs, starvedMs, loopUtilization, processorShare }) {
    const during = stalls.filter(({ endedMsAgo }) => endedMsAgo < waitMs);
    // What was over when the item came in is not what it waited for.
    const stalledMs = during.reduce(
      (sum, { durationMs, endedMsAgo }) => sum + Math.min(durationMs, waitMs - endedMsAgo),
      0,
    );
    // Late looks tell of short blocks too, and of one that is over only now.
    const blockedMs = Math.max(stalledMs, lateMs);
    const share = Math.min(1, blockedMs / waitMs);
    // What was blocked for a whole SLA has breached it, however long the item waited besides.
    const isEnough = share >= SHARE || blockedMs >= sla.targetMs;
    const isBusy = loopUtilization >= BUSY && processorShare >= WORKING;
    if (!isEnough && !isBusy) {
      const isStarved = starvedMs > 0 && starvedMs >= SHARE * waitMs;
      return isStarved ? starved(starvedMs, waitMs, processorShare) : undefined;
    }
    const [worst] = [...during].sort((a, b) => b.durationMs - a.durationMs);
    const where =
      worst?.where === undefined ? "" : `, most in ${worst.where}${worst.isNative ? " (a native call)" : ""}`;
    const stood = `the event loop stood still for ${duration(blockedMs)} of the ${duration(waitMs)}${during.length === 0 ? "" : ` (${count(during.length, "stall")})`}${where}`;
    const busy = `the event loop is ${percent(loopUtilization)} busy: more workers have no time to work in`;
    return {
      name: "event-loop-blocked",
      confidence: isEnough ? 0.97 : 0.83,
      sentence: isEnough ? stood : busy,
      evidence: { blockedMs, share, loopUtilization, stalls: during },
    };
  },
};

/** Nothing in the process blocks its event loop; it is the machine that doesn't let it run. Whatever else is known is a better cause. */
function starved(starvedMs: number, waitMs: number, processorShare: number): Verdict {
  return {
    name: "event-loop-blocked",
    confidence: 0.3,
    sentence: `the process did not run for ${duration(starvedMs)} of the ${duration(waitMs)}, and had ${percent(processorShare)} of a processor: others take it, or the process was suspended`,
    evidence: { starvedMs, processorShare },
  };
}
