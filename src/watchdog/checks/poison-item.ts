import type { Check } from "../situation.js";
import { areFewFailing, failing } from "./failing.js";
import { count, percent, perSecond } from "./words.js";

export const poisonItem: Check = {
  name: "poison-item",
  look(situation) {
    if (!areFewFailing(situation)) return undefined;
    const { attempt, correlationId } = situation.mostAttempts;
    const { lastFailure } = situation;
    const { retriedPerSecond, takenPerSecond } = failing(situation);
    const share = Math.min(1, retriedPerSecond / takenPerSecond);
    const failure = lastFailure === undefined ? "" : `; it failed with: ${lastFailure}`;
    return {
      name: "poison-item",
      confidence: 0.93,
      sentence: `one item (${correlationId ?? "without a correlation ID"}) comes back again and again: ${count(attempt, "attempt")} so far, and ${percent(share)} of what is taken (${perSecond(takenPerSecond)}) is retried${failure}`,
      evidence: { attempt, correlationId, share, retriedPerSecond, takenPerSecond, lastFailure },
    };
  },
};
