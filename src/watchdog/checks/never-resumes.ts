import type { Check } from "../situation.js";
import { areAllSeen, busyOf, count, duration, hasNoneEnded } from "./words.js";

/** From which share of the busy workers on they are the cause. */
const SHARE = 0.5;

export const neverResumes: Check = {
  name: "never-resumes",
  look(situation) {
    const lost = situation.tasks.filter((task) => task.neverResumes === true);
    if (lost.length === 0) return undefined;
    const { tasks } = situation;
    const looked = Math.max(tasks.filter(({ isOver }) => isOver !== true).length, lost.length);
    const share = lost.length / looked;
    // Those that nobody looked at may get on, and keep the queue going.
    const areAll = areAllSeen(situation);
    const isCause = share >= SHARE && (areAll || hasNoneEnded(situation));
    const among = areAll ? `${looked}` : `the ${looked} looked at, of ${busyOf(situation)},`;
    const longest = Math.max(...lost.map(({ runningMs }) => runningMs ?? 0));
    return {
      name: "never-resumes",
      confidence: isCause ? 0.95 : 0.5,
      sentence: `${count(lost.length, "task")} of ${among} can never resume: whatever ${lost.length === 1 ? "it awaits" : "they await"} is gone; the longest for ${duration(longest)}`,
      evidence: { share, correlationIds: lost.slice(0, 10).map(({ correlationId }) => correlationId) },
    };
  },
};
