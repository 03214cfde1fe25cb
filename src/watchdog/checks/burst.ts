import type { Check } from "../situation.js";
import { areFewFailing, failuresOf, isEverythingFailing } from "./failing.js";
import { SUSTAINED, servedPerSecond } from "./under-capacity.js";
import { areStuck, butOthers, count, duration, isNobodyIdle, perSecond } from "./words.js";

export const burst: Check = {
  name: "burst",
  look(situation) {
    const { depth, backlog } = situation;
    if (!isNobodyIdle(situation) || areStuck(situation)) return undefined;
    if (areFewFailing(situation) || isEverythingFailing(situation)) return undefined;
    if (backlog === undefined) return "not enough evidence yet";
    const served = servedPerSecond(situation);
    if (served === undefined) return "not enough evidence yet";
    const { arrivedPerSecond } = backlog.later;
    if (served === 0 || arrivedPerSecond >= SUSTAINED * served) return undefined;
    const drainMs = (depth / (served - arrivedPerSecond)) * 1_000;
    return {
      name: "burst",
      confidence: 0.75,
      sentence: `more came in than could be served, and it is over: ${count(depth, "item waits", "items wait")}, ${perSecond(arrivedPerSecond)} come in and ${perSecond(served)} are served; at these rates they are through in ${duration(drainMs)}${butOthers(situation)}${failuresOf(situation)}`,
      evidence: { depth, drainMs, arrivedPerSecond, servedPerSecond: served },
    };
  },
};
