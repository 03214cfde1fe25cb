import type { Check } from "../situation.js";
import { count, duration, isFullyBusy, perSecond } from "./words.js";

export const burst: Check = {
  name: "burst",
  look(situation) {
    const { depth, recent, rates } = situation;
    if (recent.takenPerSecond === 0 || !isFullyBusy(situation)) return undefined;
    if (recent.arrivedPerSecond >= recent.takenPerSecond) return undefined;
    const drainMs = (depth / (recent.takenPerSecond - recent.arrivedPerSecond)) * 1_000;
    return {
      name: "burst",
      confidence: 0.75,
      sentence: `more came in than could be served, and it is over: ${count(depth, "item waits", "items wait")}, ${perSecond(recent.arrivedPerSecond)} come in and ${perSecond(recent.takenPerSecond)} are served; at these rates they are through in ${duration(drainMs)}`,
      evidence: {
        depth,
        drainMs,
        arrivedPerSecond: recent.arrivedPerSecond,
        takenPerSecond: recent.takenPerSecond,
        before: rates.arrivedPerSecond,
      },
    };
  },
};
