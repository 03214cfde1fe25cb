import type { Check } from "../situation.js";
import { busyOf, count, duration } from "./words.js";

/** From which share of the busy workers on they are the cause. */
const SHARE = 0.5;

export const neverResumes: Check = {
  name: "never-resumes",
  look(situation) {
    const lost = situation.tasks.filter((task) => task.neverResumes === true);
    if (lost.length === 0) return undefined;
    const busy = Math.max(busyOf(situation), lost.length);
    const share = lost.length / busy;
    const longest = Math.max(...lost.map(({ runningMs }) => runningMs ?? 0));
    return {
      name: "never-resumes",
      confidence: share >= SHARE ? 0.95 : 0.5,
      sentence: `${count(lost.length, "task")} of ${busy} can never resume: whatever ${lost.length === 1 ? "it awaits" : "they await"} is gone; the longest for ${duration(longest)}`,
      evidence: { share, correlationIds: lost.slice(0, 10).map(({ correlationId }) => correlationId) },
    };
  },
};
