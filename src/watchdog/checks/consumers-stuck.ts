import type { Check } from "../situation.js";
import { areAllSeen, areStuck, busyOf, butOthers, count, duration, isFullyBusy } from "./words.js";

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
    const busy = busyOf(situation);
    const all =
      busy === 1
        ? `the only task in flight has been running for ${duration(oldestMs)}`
        : `all ${busy} tasks in flight have been running for ${duration(youngestMs)} to ${duration(oldestMs)}`;
    const [group] = groups;
    const them = areAllSeen(situation) ? "them" : `the ${tasks.length} looked at`;
    const many = busy === 1 ? "it is" : `${group?.tasks.length} of ${them}`;
    const where = group?.label === undefined ? "" : `; ${many} at ${group.kind} "${group.label}"`;
    const none =
      lastEndedMsAgo === Number.POSITIVE_INFINITY
        ? "none was seen to end"
        : `none has ended for ${duration(lastEndedMsAgo)}`;
    return {
      name: "consumers-stuck",
      confidence: 0.85,
      sentence: `${all}, and ${none}${where}${stalled > 0 ? `; ${count(stalled, "ignores that it was", "ignore that they were")} aborted` : ""}${butOthers(situation)}`,
      evidence: { busy, youngestMs, oldestMs, lastEndedMsAgo, stalled },
    };
  },
};
