/** A service with two pools under load, for tests that tell it to stop. Its last lines are what became of its items. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { QueueShutDownError } from "../../src/base/errors.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { drainOnSignals } from "../../src/worker/drain-on-signals.js";
import { WorkerPool } from "../../src/worker/pool.js";

const { timeoutMs, hang = false, takeAway = false } = JSON.parse(process.argv[2]!);

const dead: number[] = [];
const queues = [new FifoQueue<number>({ capacity: 50 }), new FifoQueue<number>({ capacity: 50 })];
const pools = queues.map(
  (queue, i) =>
    new WorkerPool(
      queue,
      async (item) => {
        if (hang && item === 200) await new Promise(() => {});
        if (item % 10 === 0) await sleep(1);
        if (item % 3 === 0) throw new Error("not this one");
      },
      {
        name: `pool ${i}`,
        concurrency: 4,
        retry: { attempts: 2, backoff: { initialMs: 5 } },
        deadLetter: (item) => void dead.push(item),
      },
    ),
);

let accepted = 0;
let timedOut = 0;
const sums = { leftOver: 0, abandoned: 0 };
const takeHandlersAway = drainOnSignals(pools, {
  timeoutMs,
  onReport: (report) => {
    sums.leftOver += report.leftOver.count;
    sums.abandoned += report.abandoned.length;
    if (report.timedOut) timedOut++;
  },
  onDrained: async () => {
    const counts = pools.map((pool) => pool.counts);
    const sum = (name: "done" | "failed" | "deadLettered") => counts[0]![name] + counts[1]![name];
    const ends = { done: sum("done"), failed: sum("failed"), deadLettered: sum("deadLettered") };
    console.log(JSON.stringify({ accepted, ...ends, ...sums, timedOut }));
    await turn();
    console.log("telemetry is shut down");
  },
});
if (takeAway) takeHandlersAway();

/** Puts until the queue takes no more. */
async function load(queue: FifoQueue<number>): Promise<void> {
  for (let item = 1; ; item++) {
    await queue.put(item);
    accepted++;
    if (item === 500 || (hang && item === 240)) console.log("under load");
    if (item % 20 === 0) await turn();
  }
}

await Promise.all(
  queues.map((queue) =>
    load(queue).catch((error) => {
      if (!(error instanceof QueueShutDownError)) throw error;
      if (queue === queues[0]) console.log("draining");
    }),
  ),
);
