import type { Check } from "../situation.js";
import { busyOf, duration, isFullyBusy } from "./words.js";

export const consumersStuck: Check = {
  name: "consumers-stuck",
  look(situation) {
    const { tasks, sla, lastEndedMsAgo, pools } = situation;
    if (tasks.length === 0 || !isFullyBusy(situation)) return undefined;
    const ages = tasks.map(({ runningMs }) => runningMs ?? 0);
    const youngest = Math.min(...ages);
    // Otherwise healthy busy consumers would be accused.
    if (youngest < sla.targetMs || lastEndedMsAgo < sla.targetMs) return undefined;
    const stalled = pools.reduce((sum, { workers }) => sum + workers.stalled, 0);
    return {
      name: "consumers-stuck",
      confidence: 0.85,
      sentence: `all ${busyOf(situation)} tasks in flight have been running for ${duration(youngest)} to ${duration(Math.max(...ages))}, and none has ended for ${duration(lastEndedMsAgo)}${stalled > 0 ? `; ${stalled} ignore that they were aborted` : ""}`,
      evidence: {
        busy: busyOf(situation),
        youngestMs: youngest,
        oldestMs: Math.max(...ages),
        lastEndedMsAgo,
        stalled,
      },
    };
  },
};
