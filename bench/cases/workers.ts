import { barePool, instrumentedPool } from "../drivers/pool-handoff.js";
import { taskQueues } from "../drivers/task-queues.js";
import { registerMetrics } from "../drivers/telemetry.js";
import { AGAIN, duels, measure } from "../harness.js";
import type { Scenario } from "../scenario.js";

const PEERS = ["fastq callback", "fastq.promise", "async.queue", "p-queue"] as const;
const ITEMS = 10_000;
/** What an unbounded queue swallows before its workers are through. */
const BACKLOG = 50_000;

function scenario(way: "bare" | "instrumented", capacity: number, concurrency: number): Scenario {
  const room = capacity === Number.POSITIVE_INFINITY ? "unbounded" : `capacity ${capacity}`;
  const name = `${way}, ${room}, concurrency ${concurrency}`;
  return {
    name,
    isSlow: way === "instrumented" || concurrency > 1,
    async run(pace) {
      if (way === "instrumented") registerMetrics();
      const items = capacity === Number.POSITIVE_INFINITY ? BACKLOG : ITEMS;
      const peers = taskQueues(capacity, items, concurrency).filter(({ name }) => name !== "p-limit");
      const pool = way === "bare" ? barePool : instrumentedPool;
      const contestants = [pool(capacity, items, concurrency), ...peers];
      const samples = await measure({ items, contestants, twice: "pool" }, pace);
      const goals = { "fastq callback": capacity === 16 ? 0.9 : 1, "fastq.promise": 3, "p-queue": 15 };
      return { rows: duels(name, samples, "pool", [AGAIN, ...PEERS], way === "bare" ? goals : {}) };
    },
  };
}

/** A worker pool on a queue, against queues that have their workers inside: CPU time per item, from put to settled. */
export const workers: readonly Scenario[] = (["bare", "instrumented"] as const).flatMap((way) =>
  [1, 8].flatMap((concurrency) => [
    scenario(way, 16, concurrency),
    scenario(way, Number.POSITIVE_INFINITY, concurrency),
  ]),
);
