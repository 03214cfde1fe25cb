import { FifoQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

/** When it happens. */
const AT_MS = 500;

/** So many objects that a collection has to walk through. */
function objects(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({ id: i, tags: [i, i + 1], next: { name: `n${i}` } }));
}

export const causes: readonly Cause[] = [
  {
    name: "a cache that grows until the heap is nearly full",
    execArgv: ["--max-old-space-size=120"],
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), { default: 400 });
      const cache: object[] = [];
      let isLeaking = false;
      new WorkerPool(
        queue,
        async () => {
          const all = objects(8_000);
          if (isLeaking && process.memoryUsage().heapUsed < 96 * 2 ** 20) cache.push(all);
          await work(3);
        },
        { concurrency: 2 },
      );
      arrivals(45, () => queue.put(1));
      after(AT_MS, () => {
        isLeaking = true;
      });
    },
  },
  {
    name: "what is kept nearly fills the heap",
    execArgv: ["--max-old-space-size=100"],
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), { default: 400 });
      const kept = objects(10_000);
      const fill = () => {
        if (process.memoryUsage().heapUsed < 80 * 2 ** 20) kept.push(...objects(2_000));
      };
      new WorkerPool(
        queue,
        async () => {
          objects(6_000);
          await work(3);
        },
        { concurrency: 2 },
      );
      arrivals(40, () => queue.put(kept.length));
      after(AT_MS, () => setInterval(fill, 5));
    },
  },
];
