import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";
import { calibrate, work } from "../drivers/native-work.js";
import { registerMetrics } from "../drivers/telemetry.js";
import { GOALS } from "../goals.js";
import { compare, cpuMicros } from "../harness.js";
import { LIMIT } from "../report.js";
import type { Pace, Row, Scenario } from "../scenario.js";
import { median } from "../statistics.js";

/** How long a handler keeps the processor busy, in microseconds. */
const WORK_MICROS = 100;
/** So many more than the depth may wait: a put waits for the workers. */
const ROOM = 16;
/** What a round takes, and what is left before it to whatever else has just begun, in milliseconds. */
const ROUND_MS = { full: 1_500, quick: 150 };
const READY_MS = 400;

/** The same pool on the same queue, by turns with and without a watchdog that looks every second, as it does by default. */
function scenario(name: string, depth: number): Scenario {
  return {
    name,
    isSlow: depth > 0,
    async run(pace) {
      registerMetrics();
      calibrate(WORK_MICROS);
      const queue = instrument(new FifoQueue<number>({ capacity: depth + ROOM }), {
        name: "bench.watchdog",
        traces: "never",
        sla: { default: { targetMs: 3_600_000 } },
      });
      await queue.putMany(Array.from({ length: depth }, (_, i) => i));
      new WorkerPool(queue, async () => work(), { concurrency: 8 });
      // As many are put as are done, so that the queue stays as deep as it is.
      const samples = { with: [] as number[], without: [] as number[] };
      const grown: number[] = [];
      for (let round = 0; round < Math.max(4, pace.fewestRounds); round++) {
        samples.without.push(await costOf(queue, depth, pace));
        const before = process.memoryUsage().rss;
        const watchdog = new Watchdog().watch(queue).start();
        samples.with.push(await costOf(queue, depth, pace));
        grown.push(process.memoryUsage().rss - before);
        await watchdog.stop();
      }
      const rows: Row[] = [
        compare({
          case: name,
          ours: samples.with,
          peer: samples.without,
          peerName: "without",
          goal: GOALS.watchdog.without,
        }),
        // Later rounds find memory that earlier ones left, so that the first one tells most.
        compare({
          case: `${name}, memory`,
          ours: [Math.max(...grown.slice(0, 1), median(grown))],
          peer: GOALS.watchdog.memoryBytes,
          peerName: LIMIT,
          goal: 1,
          unit: "bytes",
        }),
      ];
      return { rows };
    },
  };
}

/** CPU nanoseconds per item, while as many come as are done. */
async function costOf(queue: FifoQueue<number>, depth: number, pace: Pace): Promise<number> {
  globalThis.gc?.();
  // The watchdog's thread begins, and the collection of a million items goes on in threads of its own.
  await wait(READY_MS);
  // Meanwhile the pool went on. What only fills the queue again is no item that was done.
  while (queue.size < depth) await queue.put(0);
  const until = performance.now() + (pace.quick ? ROUND_MS.quick : ROUND_MS.full);
  const before = cpuMicros();
  let items = 0;
  for (; performance.now() < until; items++) {
    await queue.put(items);
  }
  return ((cpuMicros() - before) * 1_000) / items;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What a watchdog costs a pool whose handlers take 100 µs of CPU time. */
export const watchdog: readonly Scenario[] = [
  scenario("empty queue", 0),
  scenario("1M items deep", 1_000_000),
];
