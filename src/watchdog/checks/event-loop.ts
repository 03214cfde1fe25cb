import type { Check, Verdict } from "../situation.js";
import { count, duration, percent } from "./format.js";
import { readThresholds, share } from "./thresholds.js";

/**
 * `event-loop-blocked`: the event loop had no time to serve the item.
 *
 * @example
 * eventLoopBlocked({ share: 0.8 }); // shorter stalls are no cause
 */
export function eventLoopBlocked(thresholds?: {
  /** The loop was blocked for at least this share of the wait, or for a whole SLA; or the process lacked a CPU for it. Default: 0.5. */
  share?: number | undefined;
  /** Or the loop is busy for at least this share of the time. Default: 0.98. */
  utilization?: number | undefined;
  /** Such a busy loop uses at least this share of a CPU: one without a CPU looks busy, too. Default: 0.8. */
  cpuShare?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, {
    share: share(0.5),
    utilization: share(0.98),
    cpuShare: share(0.8),
  });
  return {
    name: "event-loop-blocked",
    look({ stalls, waitMs, sla, lateMs, starvedMs, loopUtilization, processorShare }) {
      const during = stalls.filter(({ endedMsAgo }) => endedMsAgo < waitMs);
      // What ended before the item arrived is not what it waited for.
      const stalledMs = during.reduce(
        (sum, { durationMs, endedMsAgo }) => sum + Math.min(durationMs, waitMs - endedMsAgo),
        0,
      );
      // Late samples also show short stalls, and one that has only just ended.
      const blockedMs = Math.max(stalledMs, lateMs);
      const blockedShare = Math.min(1, blockedMs / waitMs);
      // A stall of a whole SLA has breached it, however long the item waited besides.
      const isBlocked = blockedShare >= limits.share || blockedMs >= sla.targetMs;
      const isBusy = loopUtilization >= limits.utilization && processorShare >= limits.cpuShare;
      if (!isBlocked && !isBusy) {
        const isStarved = starvedMs > 0 && starvedMs >= limits.share * waitMs;
        return isStarved ? starved(starvedMs, waitMs, processorShare) : undefined;
      }
      const [worst] = [...during].sort((a, b) => b.durationMs - a.durationMs);
      const where =
        worst?.where === undefined
          ? ""
          : `, mostly in ${worst.where}${worst.isNative ? " (native call)" : ""}`;
      const blocked = `the event loop was blocked for ${duration(blockedMs)} of the ${duration(waitMs)} wait${during.length === 0 ? "" : ` (${count(during.length, "stall")})`}${where}`;
      const busy = `the event loop is ${percent(loopUtilization)} busy: it has no time for more workers`;
      return {
        name: "event-loop-blocked",
        confidence: isBlocked ? 0.97 : 0.83,
        sentence: isBlocked ? blocked : busy,
        evidence: { blockedMs, share: blockedShare, loopUtilization, stalls: during },
      };
    },
  };
}

/** Nothing in the process blocks its event loop: the machine doesn't let it run. Any other known cause is a better one. */
function starved(starvedMs: number, waitMs: number, cpuShare: number): Verdict {
  return {
    name: "event-loop-blocked",
    confidence: 0.3,
    sentence: `the process did not run for ${duration(starvedMs)} of the ${duration(waitMs)} wait, and had ${percent(cpuShare)} of a CPU: other processes use it, or this one was suspended`,
    evidence: { starvedMs, processorShare: cpuShare },
  };
}
