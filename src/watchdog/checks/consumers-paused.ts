import type { Check } from "../situation.js";
import { busyOf, count, duration, workersOf } from "./words.js";

export const consumersPaused: Check = {
  name: "consumers-paused",
  look(situation) {
    const { isPaused, pools, waitMs, lastTakenMsAgo } = situation;
    const there = pools.filter(
      ({ workers }) => workers.stopped === 0 || workers.idle + workers.processing > 0,
    );
    const arePaused =
      there.length > 0 && there.every(({ isTaking }) => !isTaking) && (workersOf(situation) ?? 0) > 0;
    if (!isPaused && !arePaused) return undefined;
    const busy = busyOf(situation);
    const who = isPaused
      ? "the queue is paused"
      : `${there.map(({ name }) => `"${name}"`).join(", ")} ${there.length === 1 ? "is" : "are"} paused`;
    return {
      name: "consumers-paused",
      confidence: 0.96,
      sentence: `${who}; nothing was taken for ${duration(Math.min(lastTakenMsAgo, waitMs))}, ${count(busy, "task is", "tasks are")} still running`,
      evidence: { isPaused, pools, busy, lastTakenMsAgo },
    };
  },
};
