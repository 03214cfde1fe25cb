import type { Check } from "../situation.js";
import { busyOf, count, duration } from "./words.js";

export const consumersPaused: Check = {
  name: "consumers-paused",
  look(situation) {
    const { isPaused, pools, waitMs, lastTakenMsAgo, waitingGets, takenEver } = situation;
    const there = pools.filter(({ workers }) => workers.idle + workers.processing + workers.backoff > 0);
    const arePaused = there.length > 0 && there.every(({ isTaking }) => !isTaking);
    // Pools stand in line only while they take: somebody else takes items.
    if ((!isPaused && !arePaused) || (waitingGets ?? 0) > 0) return undefined;
    const busy = busyOf(situation);
    const who = isPaused
      ? "the queue is paused"
      : `${there.map(({ name }) => `"${name}"`).join(", ")} ${there.length === 1 ? "is" : "are"} paused`;
    return {
      name: "consumers-paused",
      // What never took anything was rather never started.
      confidence: takenEver === 0 ? 0.5 : 0.96,
      sentence: `${who}; nothing was taken for ${duration(Math.min(lastTakenMsAgo, waitMs))}, ${count(busy, "task is", "tasks are")} still running`,
      evidence: { isPaused, pools, busy, lastTakenMsAgo },
    };
  },
};
