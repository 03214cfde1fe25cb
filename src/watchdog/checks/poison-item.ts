import type { Check } from "../situation.js";
import { count, percent, perSecond } from "./words.js";

/** From so many deliveries on an item is suspect. */
const ATTEMPTS = 5;
/** From which share of what is taken on retries are the cause. */
const SHARE = 0.5;

export const poisonItem: Check = {
  name: "poison-item",
  look({ mostAttempts, rates, recent, lastFailure }) {
    const { attempt, correlationId } = mostAttempts;
    if (attempt < ATTEMPTS) return undefined;
    const { retriedPerSecond, takenPerSecond } = recent.takenPerSecond > 0 ? recent : rates;
    const share = takenPerSecond === 0 ? 0 : Math.min(1, retriedPerSecond / takenPerSecond);
    if (share < SHARE) return undefined;
    const failure = lastFailure === undefined ? "" : `; it failed with: ${lastFailure}`;
    return {
      name: "poison-item",
      confidence: 0.93,
      sentence: `one item (${correlationId ?? "without a correlation ID"}) comes back again and again: ${count(attempt, "attempt")} so far, and ${percent(share)} of what is taken (${perSecond(takenPerSecond)}) is retried${failure}`,
      evidence: { attempt, correlationId, share, retriedPerSecond, takenPerSecond, lastFailure },
    };
  },
};
