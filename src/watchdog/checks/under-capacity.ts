import type { Check } from "../situation.js";
import { busyOf, count, isFullyBusy, perSecond, workersOf } from "./words.js";

/** Arrivals that exceed what is served by so much do so for a reason. */
const EXCESS = 1.05;

export const underCapacity: Check = {
  name: "under-capacity",
  look(situation) {
    const { rates, recent } = situation;
    if (recent.takenPerSecond === 0 || !isFullyBusy(situation)) return undefined;
    if (rates.windowMs < 1_000) return "not enough evidence yet";
    const { arrivedPerSecond } = recent;
    if (arrivedPerSecond < EXCESS * recent.takenPerSecond) return undefined;
    const workers = workersOf(situation) ?? busyOf(situation);
    const serviceMs = recent.serviceMs ?? rates.serviceMs;
    const needed =
      serviceMs === undefined ? undefined : Math.ceil((arrivedPerSecond * serviceMs) / 1_000 + 1);
    const advice = needed === undefined ? "" : `; ${count(needed, "worker")} would do, there are ${workers}`;
    return {
      name: "under-capacity",
      confidence: 0.8,
      sentence: `${perSecond(arrivedPerSecond)} come in and ${perSecond(recent.takenPerSecond)} are served, by workers that are all busy${advice}`,
      evidence: { arrivedPerSecond, takenPerSecond: recent.takenPerSecond, serviceMs, workers, needed },
    };
  },
};
