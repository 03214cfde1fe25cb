import { EventEmitter, once } from "node:events";
import { promise as fastq } from "fastq";
import PQueue from "p-queue";
import { FifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import type { Cause } from "../cause.js";
import { after, arrivals, crowd, sleep, work } from "../load.js";

/** When it happens. */
const AT_MS = 500;

/** What waits here is known, and could be woken, but never is. */
const line: (() => void)[] = [];
const bus = new EventEmitter({ captureRejections: false });
bus.setMaxListeners(0);

export const causes: readonly Cause[] = [
  {
    name: "a lock that is never released",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isLocked = false;
      new WorkerPool(
        queue,
        async () => {
          if (isLocked) await new Promise<void>((resolve) => line.push(resolve));
          await work(20);
        },
        { concurrency: 3 },
      );
      arrivals(60, () => queue.put(1));
      after(AT_MS, () => {
        isLocked = true;
      });
    },
  },
  {
    name: "handlers go on for ever although they were aborted",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isUp = true;
      new WorkerPool(
        queue,
        async () => {
          while (!isUp) await sleep(20);
          await work(20);
        },
        { concurrency: 2, timeoutMs: 100, stalledAfterMs: 50 },
      );
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isUp = false;
      });
    },
  },
  {
    name: "jobs of a p-queue wait until it is idle",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 2 }));
      let jobs = 0;
      arrivals(40, () =>
        queue.add(async () => {
          await work(20);
          if (++jobs > 20) await queue.onIdle();
        }),
      );
    },
  },
  {
    name: "loops wait for an event that doesn't come",
    async run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isConnected = true;
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(async () => {
            if (!isConnected) await once(bus, "connected");
            await work(20);
          });
          delivery.done();
        }
      };
      for (let i = 0; i < 2; i++) void consume();
      arrivals(40, () => queue.put(1));
      after(AT_MS, () => {
        isConnected = false;
      });
    },
  },
  {
    name: "tasks wait for items behind them in the same queue",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<() => unknown>());
      new WorkerPool(queue, (job) => job(), { concurrency: 2 });
      let isNested = false;
      arrivals(40, () =>
        queue.put(async () => {
          if (isNested) await new Promise<void>((resolve) => queue.put(() => resolve()));
          await work(20);
        }),
      );
      after(AT_MS, () => {
        isNested = true;
      });
    },
  },
  {
    name: "workers of a fastq that poll for what never comes",
    run(stage) {
      let isThere = true;
      const queue = stage.watched(
        fastq<unknown, number>(async () => {
          while (!isThere) await sleep(30);
          await work(20);
        }, 2),
      );
      arrivals(40, () => queue.push(1));
      after(AT_MS, () => {
        isThere = false;
      });
    },
  },
  {
    name: "one of two pools is paused, and the other one hangs",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let isLocked = false;
      const handle = async () => {
        if (isLocked) await new Promise<void>((resolve) => line.push(resolve));
        await work(20);
      };
      new WorkerPool(queue, handle, { concurrency: 2, name: "packers" });
      const helpers = new WorkerPool(queue, handle, { concurrency: 4, name: "helpers" });
      arrivals(40, () => queue.put(1));
      after(AT_MS - 200, () => helpers.pause());
      after(AT_MS, () => {
        isLocked = true;
      });
    },
  },
  {
    name: "more jobs hang than are looked at",
    run(stage) {
      const queue = stage.watched(new PQueue({ concurrency: 1_200 }), { default: 800 });
      let isLocked = false;
      const handle = async () => {
        if (isLocked) await new Promise<void>((resolve) => line.push(resolve));
        await work(20);
      };
      arrivals(40, () => queue.add(handle));
      after(AT_MS, () => {
        isLocked = true;
        crowd(1_200, () => queue.add(handle));
      });
    },
  },
  {
    name: "three of four workers hang, and the fourth goes on",
    run(stage) {
      const queue = stage.watched(new FifoQueue<number>());
      let toHang = 0;
      new WorkerPool(
        queue,
        async () => {
          if (toHang > 0) {
            toHang--;
            await new Promise<void>((resolve) => line.push(resolve));
          }
          await work(25);
        },
        { concurrency: 4 },
      );
      arrivals(70, () => queue.put(1));
      after(AT_MS, () => {
        toHang = 3;
      });
    },
  },
  {
    name: "two of three loops wait for a reply that never comes",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<number>());
      let toHang = 0;
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(async () => {
            if (toHang-- > 0) await new Promise<void>((resolve) => line.push(resolve));
            await work(20);
          });
          delivery.done();
        }
      };
      for (let i = 0; i < 3; i++) void consume();
      arrivals(80, () => queue.put(1));
      after(AT_MS, () => {
        toHang = 2;
      });
    },
  },
];
