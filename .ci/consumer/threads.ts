import { FifoQueue, WorkerPool } from "queuescope";
import { inThreads, ThreadCrashedError, type ThreadHandler, type ThreadTask } from "queuescope/threads";

const double: ThreadHandler<number, number> = inThreads("/srv/double.js", {
  threads: 2,
  resourceLimits: { maxOldGenerationSizeMb: 64 },
});
const pool = new WorkerPool(new FifoQueue<number>(), double, { concurrency: 2 });
export const answer: number = await double(21, { correlationId: "a-request" });
await pool.drain();
await double.close({ graceMs: 1_000 });

/** What `/srv/double.js` might say. */
export default function inThread(n: number, { signal, step }: ThreadTask): number {
  signal.throwIfAborted();
  step("double");
  return 2 * n;
}

// @ts-expect-error a number is no string
double("21");

export const why = (error: unknown): unknown =>
  error instanceof ThreadCrashedError ? error.cause : undefined;
