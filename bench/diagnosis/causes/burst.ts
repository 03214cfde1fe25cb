import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

/** When more comes than usual. */
const AT_MS = 500;

const many = Array.from({ length: 60 }, (_, i) => i);

export const causes: readonly Cause[] = [
  {
    name: "a nightly batch",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(20), { concurrency: 2 });
      arrivals(30, () => queue.put(1));
      after(AT_MS, () => queue.putMany(many));
    },
  },
  {
    name: "many clients at once, for a moment",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      new WorkerPool(queue, () => work(20), { concurrency: 2 });
      arrivals(
        (ms) => (ms > AT_MS && ms < AT_MS + 100 ? 1_000 : 30),
        () => queue.put(1),
      );
    },
  },
  {
    name: "a backlog at the start",
    async run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      await queue.putMany(many);
      new WorkerPool(queue, () => work(15), { concurrency: 2 });
      arrivals(20, () => queue.put(1));
    },
  },
  {
    name: "a p-queue gets a whole list",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 3 }));
      arrivals(30, () => queue.add(() => work(20)));
      after(AT_MS, () => queue.addAll(many.map(() => () => work(20))));
    },
  },
  {
    name: "what failed during an outage comes back all at once",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isDown = false;
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(isDown ? 1 : 20));
          if (isDown) delivery.retry({ delayMs: 400 });
          else delivery.done();
        }
      };
      for (let i = 0; i < 2; i++) void consume();
      arrivals(40, () => queue.put(1));
      after(AT_MS - 100, () => {
        isDown = true;
        void queue.putMany(many);
      });
      after(AT_MS + 100, () => {
        isDown = false;
      });
    },
  },
  {
    name: "a batch for receive loops",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(20));
          delivery.done();
        }
      };
      for (let i = 0; i < 3; i++) void consume();
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => queue.putMany(many));
    },
  },
];
