import type { Check } from "../situation.js";
import { count, duration, perSecond } from "./words.js";

export const starvedTier: Check = {
  name: "starved-tier",
  look({ tier, tiers, waitMs, sla }) {
    const starved = tiers[tier]!;
    const others = tiers.filter((_, i) => i !== tier);
    const takenElsewhere = others.reduce((sum, { takenPerSecond }) => sum + takenPerSecond, 0);
    if (takenElsewhere === 0) return undefined;
    // It gets next to nothing, while others get their turn.
    if (starved.takenPerSecond > 0.1 * takenElsewhere) return undefined;
    const breached = others.filter((other) => other.sla !== undefined && other.waitMs > other.sla.targetMs);
    return {
      name: "starved-tier",
      confidence: breached.length === 0 ? 0.88 : 0.6,
      sentence: `"${starved.name}" gets no turn: ${count(starved.depth, "item waits", "items wait")}, the oldest for ${duration(waitMs)}, while others are served at ${perSecond(takenElsewhere)}; with agingMs each so much waiting would be worth one priority step`,
      evidence: { takenPerSecond: starved.takenPerSecond, takenElsewhere, waitMs, targetMs: sla.targetMs },
    };
  },
};
