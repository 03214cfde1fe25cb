import { processWide } from "../../base/process-wide.js";
import { QUEUE_SOURCE, type Report } from "../../contracts/index.js";

type Answer = () => Report | undefined;

/**
 * Lets a queue ask for a report when a join or drain of it times out; of several the first answers that can; it must not throw. Nothing is
 * written on the queue, which may be frozen. Returns what ends that.
 */
export function answerFor(queue: object, answer: Answer): () => void {
  // Others don't ask.
  if (!(QUEUE_SOURCE in queue)) return () => {};
  const { reports } = processWide;
  const all = reports.get(queue) ?? new Set();
  reports.set(queue, all);
  all.add(answer);
  return () => {
    all.delete(answer);
    if (all.size === 0) reports.delete(queue);
  };
}
