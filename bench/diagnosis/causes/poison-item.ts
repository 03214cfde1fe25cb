import { FifoQueue, LifoQueue, PriorityQueue, WorkerPool } from "queuescope";
import { inThreads } from "queuescope/threads";
import type { Cause } from "../cause.js";
import { after, arrivals, sleep, work } from "../load.js";

/** When the item comes that can't be handled. */
const AT_MS = 300;

async function handle(item: string): Promise<void> {
  await work(10);
  if (item === "poison") throw new Error("unexpected token in JSON at position 0");
}

/** Without a pool. */
async function consume(queue: LifoQueue<string> | PriorityQueue<string>): Promise<void> {
  for await (const delivery of queue.deliveries()) {
    try {
      await delivery.run(() => handle(delivery.item));
      delivery.done();
    } catch {
      delivery.retry();
    }
  }
}

const forEver = { attempts: Number.POSITIVE_INFINITY, backoff: { initialMs: 0, maxMs: 0 } };

export const causes: readonly Cause[] = [
  {
    name: "the most urgent item fails for ever",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<string>({ tiers: { vip: 0, regular: 10 } }));
      new WorkerPool(queue, handle, { retry: forEver });
      arrivals(30, () => queue.put("ok", { tier: "regular" }));
      after(AT_MS, () => queue.put("poison", { tier: "vip" }));
    },
  },
  {
    name: "a stack hands out its latest item again and again",
    async run(stage) {
      const queue = stage.watched(new LifoQueue<string>());
      arrivals(20, () => queue.put("ok"));
      after(AT_MS, () => queue.put("poison"));
      await consume(queue);
    },
  },
  {
    name: "the item whose deadline is next fails for ever",
    async run(stage) {
      const queue = stage.watched(new PriorityQueue<string>({ order: "deadline" }));
      const inMinutes = (minutes: number) => ({ deadline: Date.now() + minutes * 60_000 });
      arrivals(30, () => queue.put("ok", inMinutes(10)));
      after(AT_MS, () => queue.put("poison", inMinutes(1)));
      await consume(queue);
    },
  },
  {
    name: "the dead-letter store refuses the most urgent item",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<string>());
      const deadLetter = async () => {
        await work(10);
        throw new Error("the disk is full");
      };
      new WorkerPool(queue, handle, { deadLetter, onFailed: () => "dead-letter", retry: forEver });
      arrivals(30, () => queue.put("ok", { priority: 1 }));
      after(AT_MS, () => queue.put("poison", { priority: 0 }));
    },
  },
  {
    name: "two items on top of a stack keep two workers busy",
    run(stage) {
      const queue = stage.watched(new LifoQueue<string>());
      new WorkerPool(queue, handle, { concurrency: 2, retry: forEver });
      arrivals(20, () => queue.put("ok"));
      after(AT_MS, () => queue.putMany(["poison", "poison"]));
    },
  },
  {
    name: "an item that times out each time",
    run(stage) {
      const queue = stage.watched(new FifoQueue<string>());
      new WorkerPool(
        queue,
        (item, { signal }) => (item === "poison" ? sleep(60_000, undefined, { signal }) : work(16)),
        {
          timeoutMs: 150,
          retry: forEver,
        },
      );
      arrivals(44, () => queue.put("ok"));
      after(AT_MS, () => queue.put("poison"));
    },
  },
  {
    name: "a handler puts back what it can't do yet",
    run(stage) {
      const queue = stage.watched(new PriorityQueue<string>());
      new WorkerPool(queue, async (item) => {
        await work(item === "poison" ? 60 : 10);
        if (item === "poison") await queue.put(item, { priority: 0 });
      });
      arrivals(25, () => queue.put("ok", { priority: 1 }));
      after(AT_MS, () => queue.put("poison", { priority: 0 }));
    },
  },
  {
    name: "an item that kills its thread",
    async run(stage) {
      const queue = stage.watched(new FifoQueue<string>(), { default: 600 });
      const file = new URL("./parts/dies.mjs", import.meta.url);
      const handle = inThreads<string, void>(file, { threads: 1 });
      new WorkerPool(queue, handle, { retry: forEver });
      // What it loads takes its time.
      await queue.put("ok");
      await queue.join();
      arrivals(20, () => queue.put("ok"));
      after(2 * AT_MS, () => queue.put("poison"));
    },
  },
];
