import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, sleep, work } from "../load.js";

export const causes: readonly Cause[] = [
  {
    name: "a pool that is never started",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(5), { autoStart: false });
      arrivals(20, () => queue.put(1));
    },
  },
  {
    name: "a loop dies of an exception",
    async run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let next = 0;
      arrivals(40, () => queue.put(next++));
      try {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(5));
          if (delivery.item === 15) throw new Error("cannot read properties of undefined");
          delivery.done();
        }
      } catch (error) {
        console.error(String(error));
      }
    },
  },
  {
    name: "a pool is stopped while its queue is still in use",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      const pool = new WorkerPool(queue, () => work(10), { concurrency: 4 });
      arrivals(40, () => queue.put(1));
      after(600, () => pool.stop());
    },
  },
  {
    name: "no consumer was ever started",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ tiers: { vip: 0, regular: 10 } }));
      arrivals(20, () => queue.put(1));
    },
  },
  {
    name: "a loop gives up after a get that timed out",
    async run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const stop = arrivals(50, () => queue.put(1));
      after(500, stop);
      after(1_000, () => arrivals(50, () => queue.put(1)));
      try {
        for (;;) {
          const delivery = await queue.receive({ timeoutMs: 250 });
          await delivery.run(() => work(5));
          delivery.done();
        }
      } catch (error) {
        console.error(String(error));
      }
    },
  },
  {
    name: "a p-queue that is never started",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 4, autoStart: false }));
      arrivals(20, () => queue.add(() => work(5)));
    },
  },
  {
    name: "a loop ends at an item that means the end",
    async run(stage) {
      const queue = stage.watched(new FifoQueue<number | "end">());
      arrivals(30, () => queue.put(1));
      after(600, () => queue.put("end"));
      for await (const item of queue) {
        if (item === "end") break;
        await sleep(5);
        queue.taskDone();
      }
    },
  },
  {
    name: "a pool is stopping, and works on its last task",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isLong = false;
      const pool = new WorkerPool(queue, () => (isLong ? sleep(10_000) : work(10)));
      arrivals(40, () => queue.put(1));
      after(500, () => {
        isLong = true;
      });
      after(600, () => pool.stop({ graceMs: 20_000 }));
    },
  },
];
