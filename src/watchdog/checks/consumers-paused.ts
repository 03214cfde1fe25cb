import type { Check } from "../situation.js";
import { busyOf, count, duration, notTakingReasons } from "./words.js";

export const consumersPaused: Check = {
  name: "consumers-paused",
  look(situation) {
    const { isPaused, pools, waitMs, lastTakenMsAgo, waitingGets, takenEver } = situation;
    const isOnePaused = pools.some(({ notTakingReason }) => notTakingReason === "is paused");
    const arePaused = isOnePaused && pools.every(({ isTaking }) => !isTaking);
    // Pools stand in line only while they take: somebody else takes items.
    if ((!isPaused && !arePaused) || (waitingGets ?? 0) > 0) return undefined;
    const busy = busyOf(situation);
    const who = isPaused ? "the queue is paused" : notTakingReasons(pools);
    return {
      name: "consumers-paused",
      // A queue from which nothing was ever taken was rather never started; of a pool that is known.
      confidence: takenEver === 0 && !arePaused ? 0.5 : 0.96,
      sentence: `${who}; nothing was taken for ${duration(Math.min(lastTakenMsAgo, waitMs))}, ${count(busy, "task is", "tasks are")} still running`,
      evidence: { isPaused, pools, busy, lastTakenMsAgo },
    };
  },
};
