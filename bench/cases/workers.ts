import { barePool, instrumentedPool } from "../drivers/pool-handoff.js";
import { taskQueues } from "../drivers/task-queues.js";
import { registerMetrics } from "../drivers/telemetry.js";
import { GOALS } from "../goals.js";
import { AGAIN, duels, measure } from "../harness.js";
import type { Scenario } from "../scenario.js";

/** Peers whose handlers are async functions, as those of our pool are; and two whose workers call back. */
const PEERS = ["fastq, async handler", "fastq.promise", "p-queue", "fastq callback", "async.queue"] as const;
const ITEMS = 10_000;
/** What an unbounded queue swallows before its workers are through. */
const BACKLOG = 50_000;

type Room = keyof typeof GOALS.barePool;

/** A pool and one peer: beside p-queue in one process the same pool takes three times as long. */
function scenario(
  way: "bare" | "instrumented",
  room: Room,
  concurrency: number,
  peer: (typeof PEERS)[number],
): Scenario {
  const name = `${way}, ${room === 16 ? "capacity 16" : room}, concurrency ${concurrency}`;
  const goals: Readonly<Record<string, number>> = GOALS.barePool[room];
  const hasGoal = way === "bare" && concurrency === 1 && Object.hasOwn(goals, peer);
  return {
    name: `${name}, ${peer}`,
    isSlow: !hasGoal,
    async run(pace) {
      if (way === "instrumented") registerMetrics();
      const capacity = room === "unbounded" ? Number.POSITIVE_INFINITY : room;
      const items = room === "unbounded" ? BACKLOG : ITEMS;
      const pool = way === "bare" ? barePool : instrumentedPool;
      const contestants = [
        pool(capacity, items, concurrency),
        ...taskQueues(capacity, items, concurrency).filter((each) => each.name === peer),
      ];
      const samples = await measure({ items, contestants, twice: "pool" }, pace);
      return { rows: duels(name, samples, "pool", [AGAIN, peer], hasGoal ? goals : {}) };
    },
  };
}

/** A worker pool on a queue, against queues that have their workers inside: CPU time per item, from put to settled. */
export const workers: readonly Scenario[] = (["bare", "instrumented"] as const).flatMap((way) =>
  (way === "bare" ? [1, 8] : [1]).flatMap((concurrency) =>
    ([16, "unbounded"] as const).flatMap((room) =>
      PEERS.map((peer) => scenario(way, room, concurrency, peer)),
    ),
  ),
);
