import type { Check } from "../situation.js";
import { count, duration, isFullyBusy } from "./words.js";

export const priorityInversion: Check = {
  name: "priority-inversion",
  look(situation) {
    const { tier, tiers, tasks, sla } = situation;
    const urgency = new Map(tiers.map(({ name }, i) => [name, i]));
    const less = tasks.filter((task) => (urgency.get(task.tier) ?? -1) > tier);
    if (less.length === 0 || !isFullyBusy(situation) || less.length < tasks.length) return undefined;
    // Tasks that are through in no time let the urgent ones have their turn.
    const shortest = Math.min(...less.map(({ runningMs }) => runningMs ?? 0));
    if (shortest < sla.targetMs / 2) return undefined;
    const names = [...new Set(less.map((task) => `"${task.tier}"`))].join(", ");
    return {
      name: "priority-inversion",
      confidence: 0.92,
      sentence: `"${tiers[tier]?.name}" waits while ${count(less.length, "task")} of ${names}, which ${less.length === 1 ? "is" : "are"} less urgent, hold every worker, for ${duration(shortest)} at least`,
      evidence: { holders: less.length, tiers: names, shortestMs: shortest },
    };
  },
};
