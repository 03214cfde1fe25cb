import type { Check } from "../situation.js";
import { count, duration } from "./words.js";

/** From which share of the wait on a blocked event loop is its cause. */
const SHARE = 0.5;
/** A loop that is busier than this has no time left for anybody. */
const BUSY = 0.98;

export const eventLoopBlocked: Check = {
  name: "event-loop-blocked",
  look({ stalls, waitMs, sla, loopUtilization }) {
    const during = stalls.filter(({ endedMsAgo }) => endedMsAgo < waitMs);
    const blockedMs = during.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const share = Math.min(1, blockedMs / waitMs);
    // What was blocked for a whole SLA has breached it, however long the item waited besides.
    const isEnough = share >= SHARE || blockedMs >= sla.targetMs;
    if (during.length === 0 || (!isEnough && loopUtilization < BUSY)) return undefined;
    const [worst] = [...during].sort((a, b) => b.durationMs - a.durationMs);
    const where =
      worst?.where === undefined ? "" : `, most in ${worst.where}${worst.isNative ? " (a native call)" : ""}`;
    return {
      name: "event-loop-blocked",
      confidence: isEnough ? 0.97 : 0.6,
      sentence: `the event loop stood still for ${duration(blockedMs)} of the ${duration(waitMs)} (${count(during.length, "stall")})${where}`,
      evidence: { blockedMs, share, loopUtilization, stalls: during },
    };
  },
};
