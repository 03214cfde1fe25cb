import { EventEmitter, once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, crowd, work } from "../load.js";

/** When it happens. */
const AT_MS = 400;

const TARGETS = { default: 600 };

/** The whole heap is collected now and then, as in a service that is at work. */
function litter(everyMs = 60): void {
  setFlagsFromString("--expose-gc");
  setInterval(runInNewContext("gc"), everyMs);
}

export const causes: readonly Cause[] = [
  {
    name: "a promise that nothing will settle",
    run(stage) {
      litter();
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      let isForgetful = false;
      new WorkerPool(queue, () => (isForgetful ? new Promise<void>(() => {}) : work(10)), { concurrency: 2 });
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isForgetful = true;
      });
    },
  },
  {
    name: "replies are awaited in a map that is cleared",
    run(stage) {
      litter();
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      const replies = new Map<number, () => void>();
      let isConnected = true;
      new WorkerPool(
        queue,
        async (id) => {
          const reply = new Promise<void>((resolve) => replies.set(id, resolve));
          if (isConnected) setTimeout(() => replies.get(id)?.(), 10);
          await reply;
          replies.delete(id);
        },
        { concurrency: 3 },
      );
      let next = 0;
      arrivals(40, () => queue.put(next++));
      after(AT_MS, () => {
        isConnected = false;
        setInterval(() => replies.clear(), 50);
      });
    },
  },
  {
    name: "an event of an emitter that is gone",
    run(stage) {
      litter();
      const queue = stage.watched(new PriorityQueue<number>(), TARGETS);
      let isForgetful = false;
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(async () => {
            if (isForgetful) await once(new EventEmitter(), "done");
            await work(10);
          });
          delivery.done();
        }
      };
      for (let i = 0; i < 2; i++) void consume();
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isForgetful = true;
      });
    },
  },
  {
    name: "a callback that is called on one path only",
    run(stage) {
      litter();
      const queue = stage.watched(new PQueue({ concurrency: 2 }), TARGETS);
      let isCached = true;
      const load = (done: () => void) => {
        if (isCached) setTimeout(done, 5);
      };
      arrivals(40, () => queue.add(() => new Promise<void>((resolve) => load(resolve))));
      after(AT_MS, () => {
        isCached = false;
      });
    },
  },
  {
    name: "two promises that wait for each other",
    run(stage) {
      litter();
      const queue = stage.watched(new FifoQueue<number>(), TARGETS);
      let isCircular = false;
      new WorkerPool(
        queue,
        async () => {
          if (isCircular) {
            const pair: Promise<void>[] = [];
            pair.push((async () => void (await Promise.resolve().then(() => pair[1])))());
            pair.push((async () => void (await Promise.resolve().then(() => pair[0])))());
            await pair[0];
          }
          await work(10);
        },
        { concurrency: 2 },
      );
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isCircular = true;
      });
    },
  },
  {
    name: "more promises than are looked at, none of which anything will settle",
    run(stage) {
      litter(200);
      const queue = stage.watched(new PQueue({ concurrency: 1_200 }), { default: 1_000 });
      let isForgetful = false;
      const handle = () => (isForgetful ? new Promise<void>(() => {}) : work(10));
      arrivals(40, () => queue.add(handle));
      after(AT_MS, () => {
        isForgetful = true;
        crowd(1_200, () => queue.add(handle));
      });
    },
  },
];
