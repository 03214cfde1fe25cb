import type { Check } from "../situation.js";
import { areStuck, busyOf, duration, isFullyBusy } from "./words.js";

export const consumersStuck: Check = {
  name: "consumers-stuck",
  look(situation) {
    const { groups, tasks, lastEndedMsAgo, pools } = situation;
    // One that still moves is enough: healthy busy consumers would be accused otherwise.
    if (!isFullyBusy(situation) || !areStuck(situation)) return undefined;
    const ages = tasks.map(({ runningMs }) => runningMs ?? 0);
    const youngestMs = Math.min(...ages);
    const oldestMs = Math.max(...ages);
    const stalled = pools.reduce((sum, { workers }) => sum + workers.stalled, 0);
    const [group] = groups;
    const where =
      group?.label === undefined ? "" : `; ${group.tasks.length} of them at ${group.kind} "${group.label}"`;
    const none =
      lastEndedMsAgo === Number.POSITIVE_INFINITY
        ? "none has ever ended"
        : `none has ended for ${duration(lastEndedMsAgo)}`;
    return {
      name: "consumers-stuck",
      confidence: 0.85,
      sentence: `all ${busyOf(situation)} tasks in flight have been running for ${duration(youngestMs)} to ${duration(oldestMs)}, and ${none}${where}${stalled > 0 ? `; ${stalled} ignore that they were aborted` : ""}`,
      evidence: { busy: busyOf(situation), youngestMs, oldestMs, lastEndedMsAgo, stalled },
    };
  },
};
