import type { Check } from "../situation.js";
import { busyOf, duration, workersOf } from "./words.js";

export const noConsumer: Check = {
  name: "no-consumer",
  look(situation) {
    const { waitMs, isPaused, waitingGets, takenEver, lastTakenMsAgo, pools, lastFailure } = situation;
    if (isPaused || busyOf(situation) > 0 || (waitingGets ?? 0) > 0) return undefined;
    if ((workersOf(situation) ?? 0) > 0) return undefined;
    // Whoever takes now and then is there.
    if (lastTakenMsAgo < waitMs) return undefined;
    const failure = lastFailure === undefined ? "" : `; the last failure was: ${lastFailure}`;
    const stopped =
      pools.length > 0
        ? `; every worker of ${pools.map(({ name }) => `"${name}"`).join(", ")} has stopped`
        : "";
    const sentence =
      takenEver === 0
        ? `nobody has ever taken an item${stopped}`
        : `nobody takes items any more: the last one was taken ${lastTakenMsAgo === Number.POSITIVE_INFINITY ? "before the watchdog came" : `${duration(lastTakenMsAgo)} ago`}${stopped}${failure}`;
    return {
      name: "no-consumer",
      confidence: 0.95,
      sentence,
      evidence: { takenEver, lastTakenMsAgo, waitingGets, lastFailure, pools },
    };
  },
};
