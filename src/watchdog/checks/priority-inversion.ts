import type { Check } from "../situation.js";
import { areAllSeen, areStuck, count, duration, isFullyBusy } from "./words.js";

/** The holders have been at it for such a share of the SLA: tasks that are through in no time let the urgent ones have their turn. */
const SHARE = 0.5;

export const priorityInversion: Check = {
  name: "priority-inversion",
  look(situation) {
    const { tier, tiers, tasks, sla, gates, isMoreUrgent } = situation;
    const isLess = (name: string) => {
      const index = tiers.findIndex((each) => each.name === name);
      return index !== -1 && isMoreUrgent(tier, index);
    };
    const less = tasks.filter((task) => isLess(task.tier));
    if (less.length === 0 || !isFullyBusy(situation) || less.length < tasks.length) return undefined;
    // Who knows what the younger ones are?
    if (!areAllSeen(situation)) return undefined;
    // Then whoever holds the workers isn't at its usual work, and its priority is not to blame.
    if (areStuck(situation) || gates.some(({ isOpen, waiting }) => isOpen === true || waiting > 0)) {
      return undefined;
    }
    const shortestMs = Math.min(...less.map(({ runningMs }) => runningMs ?? 0));
    if (shortestMs < SHARE * sla.targetMs) return undefined;
    const names = [...new Set(less.map((task) => `"${task.tier}"`))].join(", ");
    return {
      name: "priority-inversion",
      confidence: 0.92,
      sentence: `"${tiers[tier]?.name}" waits while ${count(less.length, "task")} of ${names}, which ${less.length === 1 ? "is" : "are"} less urgent, ${less.length === 1 ? "holds" : "hold"} every worker, for ${duration(shortestMs)} at least`,
      evidence: { holders: less.length, tiers: names, shortestMs },
    };
  },
};
