import { processWide } from "../../base/process-wide.js";
import { QUEUE_SOURCE, REPORT, type Report } from "../../contracts/index.js";

type Answer = () => Report | undefined;

/** Of each queue, those who can say why it is late. */
const { reports: answers } = processWide;

/** Lets a queue ask for a report when a join or drain of it times out; of several the first answers that can. Returns what ends that. */
export function answerFor(queue: object, answer: Answer): () => void {
  // Others don't ask.
  if (!(QUEUE_SOURCE in queue)) return () => {};
  const all = answers.get(queue) ?? new Set();
  answers.set(queue, all);
  all.add(answer);
  const value = () => {
    for (const each of all) {
      const report = each();
      if (report !== undefined) return report;
    }
    return undefined;
  };
  Object.defineProperty(queue, REPORT, { value, configurable: true });
  return () => {
    all.delete(answer);
    if (all.size === 0) Reflect.deleteProperty(queue, REPORT);
  };
}
