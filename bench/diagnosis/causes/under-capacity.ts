import { promise as fastq } from "fastq";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, work } from "../load.js";

export const causes: readonly Cause[] = [
  {
    name: "a pool of one where two are needed",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(40));
      arrivals(45, () => queue.put(1));
    },
  },
  {
    name: "the rate limit of a p-queue",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 4, intervalCap: 4, interval: 200 }));
      arrivals(40, () => queue.add(() => work(20)));
    },
  },
  {
    name: "arrivals grow slowly",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      new WorkerPool(queue, () => work(25), { concurrency: 2 });
      arrivals(
        (ms) => 40 + ms / 20,
        () => queue.put(1),
      );
    },
  },
  {
    name: "one of four loops is left",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let toDie = 0;
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => work(30));
          delivery.done();
          if (toDie > 0) {
            toDie--;
            throw new Error("connection reset");
          }
        }
      };
      for (let i = 0; i < 4; i++) consume().catch((error) => console.error(String(error)));
      arrivals(70, () => queue.put(1));
      after(500, () => {
        toDie = 3;
      });
    },
  },
  {
    name: "a p-queue with concurrency 1",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 1 }));
      arrivals(50, () => queue.add(() => work(35)));
    },
  },
  {
    name: "a pool is resized to one by mistake",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      const pool = new WorkerPool(queue, () => work(50), { concurrency: 8 });
      arrivals(60, () => queue.put(1));
      after(600, () => pool.resize(1));
    },
  },
  {
    name: "a fastq gets more than it was made for",
    run(stage) {
      const queue = stage.watched(fastq<unknown, number>(() => work(40), 2));
      arrivals(
        (ms) => (ms < 500 ? 25 : 90),
        () => queue.push(1),
      );
    },
  },
  {
    name: "one of two pools is paused, and the other one is not enough",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      new WorkerPool(queue, () => work(40), { name: "packers" });
      const helpers = new WorkerPool(queue, () => work(40), { concurrency: 3, name: "helpers" });
      arrivals(45, () => queue.put(1));
      after(500, () => helpers.pause());
    },
  },
];
