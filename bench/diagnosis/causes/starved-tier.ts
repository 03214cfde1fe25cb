import async from "async";
import PQueue from "p-queue";
import { PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

/** When the others begin to take every turn. */
const AT_MS = 400;

/** So many arrive of the urgent ones, before and after. */
function urgent(put: () => unknown, busy: number): void {
  const stop = arrivals(20, put);
  after(AT_MS, () => {
    stop();
    // As many as are served, at regular times.
    let due = 0;
    const startedAt = performance.now();
    setInterval(() => {
      for (const until = ((performance.now() - startedAt) * busy) / 1_000; due < until; due++) put();
    }, 5);
  });
}

const TARGETS = { default: 500 };

export const causes: readonly Cause[] = [
  {
    name: "important orders take every turn in a pool",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ tiers: { vip: 0, regular: 10 } }), TARGETS);
      new WorkerPool(queue, () => work(20), { concurrency: 2 });
      urgent(() => queue.put(1, { tier: "vip" }), 98);
      arrivals(20, () => queue.put(1, { tier: "regular" }));
    },
  },
  {
    name: "two loops, and paying customers keep them busy",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ tiers: { paid: 0, free: 1 } }), TARGETS);
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(15));
          delivery.done();
        }
      };
      for (let i = 0; i < 2; i++) void consume();
      urgent(() => queue.put(1, { tier: "paid" }), 130);
      arrivals(20, () => queue.put(1, { tier: "free" }));
    },
  },
  {
    name: "the lowest of three tiers",
    run(stage) {
      const tiers = { high: 0, middle: 1, low: 2 };
      const queue = stage.watched(new PriorityQueue<number>({ tiers }), TARGETS);
      new WorkerPool(queue, () => work(15), { concurrency: 3 });
      urgent(() => queue.put(1, { tier: "high" }), 100);
      urgent(() => queue.put(1, { tier: "middle" }), 92);
      arrivals(20, () => queue.put(1, { tier: "low" }));
    },
  },
  {
    name: "jobs of a p-queue with the default priority",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 2 }), TARGETS);
      urgent(() => queue.add(() => work(20), { priority: 10 }), 98);
      arrivals(20, () => queue.add(() => work(20)));
    },
  },
  {
    name: "tasks of async's priorityQueue with a large number",
    run(stage) {
      const queue = stage.watched(
        async.priorityQueue<number>(async () => work(20), 2),
        TARGETS,
      );
      urgent(() => queue.push(1, 1), 98);
      arrivals(20, () => queue.push(1, 5));
    },
  },
  {
    name: "aging is so slow that it is none",
    run(stage) {
      const options = { tiers: { vip: 0, regular: 10 }, agingMs: 60_000 };
      const queue = stage.watched(new PriorityQueue<number>(options), TARGETS);
      new WorkerPool(queue, () => work(10), { concurrency: 1 });
      urgent(() => queue.put(1, { tier: "vip" }), 94);
      arrivals(15, () => queue.put(1, { tier: "regular" }));
    },
  },
];
