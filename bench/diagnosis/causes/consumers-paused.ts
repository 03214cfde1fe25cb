import async from "async";
import { promise as fastq } from "fastq";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, sleep, work } from "../load.js";

/** When it is paused. */
const AT_MS = 400;

export const causes: readonly Cause[] = [
  {
    name: "a pool is paused",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const pool = new WorkerPool(queue, () => work(10), { concurrency: 2 });
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => pool.pause());
    },
  },
  {
    name: "both pools of a queue are paused",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      const pools = ["one", "two"].map((name) => new WorkerPool(queue, () => work(20), { name }));
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => pools[0]!.pause());
      after(AT_MS + 30, () => pools[1]!.pause());
    },
  },
  {
    name: "a pool is paused while a long task still runs",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isLong = false;
      const pool = new WorkerPool(queue, () => (isLong ? sleep(10_000) : work(10)));
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isLong = true;
      });
      after(AT_MS + 100, () => pool.pause());
    },
  },
  {
    name: "a p-queue is paused",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 2 }));
      arrivals(40, () => queue.add(() => work(10)));
      after(AT_MS, () => queue.pause());
    },
  },
  {
    name: "a fastq is paused",
    run(stage) {
      const queue = stage.watched(fastq<unknown, number>(() => work(10), 2));
      arrivals(40, () => queue.push(1));
      after(AT_MS, () => queue.pause());
    },
  },
  {
    name: "a queue of async's is paused",
    run(stage) {
      const queue = stage.watched(async.queue<number>(async () => work(10), 2));
      arrivals(40, () => queue.push(1));
      after(AT_MS, () => queue.pause());
    },
  },
];
