import { AsyncLocalStorage } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import type { QueueOptions } from "../../src/queue/options.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** How many of the things that `make` returns are still there, after a collection. */
async function survivors(make: () => object[] | Promise<object[]>): Promise<number> {
  const refs = (await make()).map((thing) => new WeakRef(thing));
  // A WeakRef keeps its target until the job that made it is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

it("a queue lets go of the async context of a caller whose wait is over, though others wait", async () => {
  const storage = new AsyncLocalStorage<object>();
  const queue = new FifoQueue<number>();
  const left = await survivors(async () => {
    const request = {};
    const over = storage.run(request, () => queue.get({ timeoutMs: 1 }).catch(() => {}));
    void queue.get({ timeoutMs: 60_000 }).catch(() => {});
    await over;
    return [request];
  });
  expect(left).toBe(0);
  queue.shutdown();
});

const COUNT = 50;
const things = () => Array.from({ length: COUNT }, () => ({}));

type AnyQueue = FifoQueue<object>;

describe.each<[string, (options: QueueOptions<object>) => AnyQueue]>([
  ["FifoQueue", (options) => new FifoQueue(options)],
  ["LifoQueue", (options) => new LifoQueue(options)],
  ["PriorityQueue", (options) => new PriorityQueue(options) as unknown as AnyQueue],
  ["aging PriorityQueue", (options) => new PriorityQueue({ ...options, agingMs: 5 }) as unknown as AnyQueue],
  [
    "PriorityQueue ordered by deadline",
    (options) => new PriorityQueue({ ...options, order: "deadline" }) as unknown as AnyQueue,
  ],
])("a %s lets go of", (_, make) => {
  it("what was taken", async () => {
    const queue = make({});
    const left = await survivors(async () => {
      const items = things();
      await queue.putMany(items);
      while (!queue.empty) queue.tryGet();
      return items;
    });
    expect(left).toBe(0);
    expect(queue.size).toBe(0);
  });

  it("what was handed to a consumer that waited", async () => {
    const queue = make({});
    const left = await survivors(async () => {
      const items = things();
      const gets = items.map(() => queue.get());
      for (const item of items) queue.tryPut(item);
      await Promise.all(gets);
      return items;
    });
    // The executor that all promises share may hold the last one.
    expect(left).toBeLessThanOrEqual(1);
    expect(queue.size).toBe(0);
  });

  it("deliveries that are settled, and their items", async () => {
    const queue = make({ clock: new FakeClock() });
    const left = await survivors(async () => {
      const items = things();
      await queue.putMany(items);
      const deliveries = [];
      for (const _ of items) deliveries.push(await queue.receive());
      for (const delivery of deliveries) delivery.retry({ delayMs: 5 });
      queue.shutdown({ immediate: true });
      return [...items, ...deliveries];
    });
    expect(left).toBe(0);
    expect(queue.size).toBe(0);
  });

  it("puts that were aborted or ran out of time, with their items and signals", async () => {
    const clock = new FakeClock();
    const queue = make({ capacity: 1, clock });
    const keep = {};
    queue.tryPut(keep);
    const left = await survivors(async () => {
      const items = things();
      const controllers = items.map(() => new AbortController());
      const puts = items.map((item, i) =>
        queue.put(item, { signal: controllers[i]!.signal, timeoutMs: 10 + i }),
      );
      const outcomes = Promise.allSettled(puts);
      for (const controller of controllers.slice(0, COUNT / 2)) controller.abort();
      clock.advance(1_000);
      await outcomes;
      return [...items, ...controllers.map(({ signal }) => signal)];
    });
    expect(left).toBeLessThanOrEqual(2);
    expect(queue.tryGet()).toBe(keep);
  });
});
