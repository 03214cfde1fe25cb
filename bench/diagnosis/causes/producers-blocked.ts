import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

export const causes: readonly Cause[] = [
  {
    name: "request handlers that all put into a small queue",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>({ capacity: 24 }));
      new WorkerPool(queue, () => work(20));
      const put = async () => {
        for (;;) await queue.put(1);
      };
      for (let i = 0; i < 10; i++) void put();
    },
  },
  {
    name: "an importer that puts as fast as it may",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>({ capacity: 50 }));
      new WorkerPool(queue, () => work(20), { concurrency: 2 });
      arrivals(20, () => queue.put(1));
      after(400, () => queue.putMany(Array.from({ length: 2_000 }, (_, i) => i)));
    },
  },
  {
    name: "a reader that waits for room line by line",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>({ capacity: 24 }));
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(30));
          delivery.done();
        }
      };
      for (let i = 0; i < 2; i++) void consume();
      const read = async () => {
        for (let line = 0; ; line++) await queue.put(line);
      };
      void read();
    },
  },
  {
    name: "the next stage of a pipeline is the slower one",
    run(stage) {
      const first = new FifoQueue<number>({ capacity: 14 });
      const second = stage.watched(new FifoQueue<number>({ capacity: 14 }));
      new WorkerPool(first, (item) => second.put(item), { concurrency: 4 });
      new WorkerPool(second, () => work(30));
      const feed = async () => {
        for (;;) await first.put(1);
      };
      void feed();
    },
  },
  {
    name: "more comes than is done, and soon all producers wait for room",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>({ capacity: 24 }), { default: 400 });
      new WorkerPool(queue, () => work(80), { concurrency: 2 });
      arrivals(
        (ms) => (ms < 300 ? 10 : 150),
        () => queue.put(1),
      );
    },
  },
  {
    name: "eviction that never comes, so that puts wait",
    run(stage) {
      const queue = stage.watched(
        new FifoQueue<number>({ capacity: 24, whenFull: "evict", evictWhen: () => false }),
      );
      new WorkerPool(queue, () => work(40), { concurrency: 2 });
      const put = async () => {
        for (;;) await queue.put(1);
      };
      for (let i = 0; i < 4; i++) void put();
    },
  },
];
