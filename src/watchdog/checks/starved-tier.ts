import type { Check } from "../situation.js";
import { count, duration, percent } from "./words.js";

/** So much of what was served had come in later: in order of arrival the item would have waited for a quarter of the time. */
const OVERTAKERS = 0.75;
/** Less than so many turns prove nothing. */
const ENOUGH = 5;

export const starvedTier: Check = {
  name: "starved-tier",
  look({ tier, tiers, waitMs, sla, sinceHead: { taken, overtook } }) {
    if (taken < ENOUGH || overtook < OVERTAKERS * taken) return undefined;
    const { name, depth } = tiers[tier]!;
    const others = tiers.filter((_, i) => i !== tier);
    const areLate = others.some((other) => other.sla !== undefined && other.waitMs > other.sla.targetMs);
    const share = Math.min(1, overtook / taken);
    return {
      name: "starved-tier",
      confidence: areLate ? 0.6 : 0.88,
      sentence: `"${name}" hardly gets a turn: ${count(depth, "item waits", "items wait")}, the oldest for ${duration(waitMs)}, and ${percent(share)} of the ${taken} that were taken meanwhile are of other tiers and came in later; with aging (agingMs of a PriorityQueue) each so much waiting would be worth a step of priority`,
      evidence: { depth, waitMs, targetMs: sla.targetMs, taken, overtook },
    };
  },
};
