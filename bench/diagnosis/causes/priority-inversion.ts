import async from "async";
import PQueue from "p-queue";
import { PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, sleep, work } from "../load.js";

/** When the long ones come. */
const AT_MS = 500;
/** How long those take. */
const LONG_MS = 2_000;

const TARGETS = { vip: 250, batch: 5_000 };

export const causes: readonly Cause[] = [
  {
    name: "reports hold every worker of a pool",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ tiers: { vip: 0, batch: 10 } }), TARGETS);
      new WorkerPool(queue, (ms) => sleep(ms), { concurrency: 2 });
      arrivals(30, () => queue.put(5, { tier: "vip" }));
      after(AT_MS, () => queue.putMany([LONG_MS, LONG_MS, LONG_MS], { tier: "batch" }));
    },
  },
  {
    name: "a single worker takes a long import",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ tiers: { vip: 0, batch: 10 } }), TARGETS);
      new WorkerPool(queue, (ms) => sleep(ms));
      after(AT_MS, () => queue.put(LONG_MS, { tier: "batch" }));
      after(AT_MS + 100, () => arrivals(30, () => queue.put(5, { tier: "vip" })));
    },
  },
  {
    name: "loops that each have a long one",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ tiers: { vip: 0, batch: 1 } }), TARGETS);
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(delivery.item));
          delivery.done();
        }
      };
      for (let i = 0; i < 3; i++) void consume();
      arrivals(30, () => queue.put(5, { tier: "vip" }));
      after(AT_MS, () => queue.putMany([LONG_MS, LONG_MS, LONG_MS, LONG_MS], { tier: "batch" }));
    },
  },
  {
    name: "the middle and the lowest of three tiers",
    run(stage) {
      const tiers = { vip: 0, batch: 5, idle: 9 };
      const queue = stage.watched(new PriorityQueue<number>({ tiers }), { ...TARGETS, idle: 10_000 });
      new WorkerPool(queue, (ms) => sleep(ms), { concurrency: 2 });
      arrivals(30, () => queue.put(5, { tier: "vip" }));
      after(AT_MS, () => queue.put(LONG_MS, { tier: "batch" }));
      after(AT_MS + 20, () => queue.put(LONG_MS, { tier: "idle" }));
    },
  },
  {
    name: "unimportant jobs hold a p-queue",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 2 }), { "10": 250, default: 5_000 });
      arrivals(30, () => queue.add(() => sleep(5), { priority: 10 }));
      after(AT_MS, () => queue.addAll([() => sleep(LONG_MS), () => sleep(LONG_MS)]));
    },
  },
  {
    name: "unimportant tasks hold a priorityQueue of async's",
    run(stage) {
      const queue = stage.watched(
        async.priorityQueue<number>(async (ms: number) => sleep(ms), 2),
        { "1": 250, default: 5_000 },
      );
      arrivals(30, () => queue.push(5, 1));
      after(AT_MS, () => queue.push([LONG_MS, LONG_MS], 5));
    },
  },
];
