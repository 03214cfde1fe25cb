import { processWide } from "../base/process-wide.js";
import { QUEUE_SOURCE, type Report } from "../contracts/index.js";

type Answer = () => Report | undefined;

/**
 * Lets queues ask for a report when a join or drain of theirs times out; of several answers for a queue the first report counts. Nothing is written
 * on the queue, which may be frozen.
 */
export class Answers {
  private readonly all = new Map<object, Answer>();

  /** `answer` must not throw. */
  give(queue: object, answer: Answer): void {
    // Other queues don't ask.
    if (!(QUEUE_SOURCE in queue)) return;
    const answers = processWide.reports.get(queue) ?? new Set();
    processWide.reports.set(queue, answers.add(answer));
    this.all.set(queue, answer);
  }

  /** Does nothing where none is given. */
  end(queue: object): void {
    const answers = processWide.reports.get(queue);
    answers?.delete(this.all.get(queue)!);
    if (answers?.size === 0) processWide.reports.delete(queue);
    this.all.delete(queue);
  }
}
