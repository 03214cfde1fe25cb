import { promise as fastq } from "fastq";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { arrivals, sleep, work } from "../load.js";

/** Long enough that a moment in which the machine is busy elsewhere is no breach. */
const TARGETS = { default: 1_000 };

export const causes: readonly Cause[] = [
  {
    name: "bursts that are through in time",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      new WorkerPool(queue, () => work(10), { concurrency: 4 });
      setInterval(() => queue.putMany(Array.from({ length: 40 }, (_, i) => i)), 700);
    },
  },
  {
    name: "long tasks, and workers enough",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>(), TARGETS);
      new WorkerPool(queue, () => sleep(1_500), { concurrency: 20 });
      arrivals(5, () => queue.put(1));
    },
  },
  {
    name: "nothing to do",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      new WorkerPool(queue, () => work(10), { concurrency: 2 });
    },
  },
  {
    name: "much garbage",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      new WorkerPool(queue, async () => JSON.stringify(Array.from({ length: 10_000 }, (_, i) => ({ i }))), {
        concurrency: 4,
      });
      arrivals(60, () => queue.put(1));
    },
  },
  {
    name: "a p-queue that is nearly full all the time",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 4 }), TARGETS);
      arrivals(100, () => queue.add(() => work(20), { priority: Math.random() < 0.2 ? 1 : 0 }));
    },
  },
  {
    name: "failures that are retried, and backpressure",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>({ capacity: 5 }), TARGETS);
      const handle = async () => {
        await work(10);
        if (Math.random() < 0.2) throw new Error("try again");
      };
      new WorkerPool(queue, handle, { concurrency: 4, retry: { attempts: 20, backoff: { initialMs: 10 } } });
      const put = async () => {
        for (;;) await queue.put(1);
      };
      void put();
      const other = fastq<unknown, number>(() => work(5), 1);
      arrivals(20, () => other.push(1));
    },
  },
];
