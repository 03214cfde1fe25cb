import { expect, it } from "vitest";
import {
  FifoQueue,
  instrument,
  LifoQueue,
  PriorityQueue,
  uninstrument,
  Watchdog,
  WorkerPool,
} from "../../src/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

it.each([
  ["FifoQueue", () => new FifoQueue<number>()],
  ["LifoQueue", () => new LifoQueue<number>()],
  ["PriorityQueue", () => new PriorityQueue<number>()],
])("a frozen %s is instrumented, and serves a pool", async (_, make) => {
  const queue = Object.freeze(make());
  instrument(queue, { name: "frozen" });
  const handled: number[] = [];
  const pool = new WorkerPool<number>(queue, async (item) => {
    handled.push(item);
  });
  pool.start();
  await queue.put(1);
  await pool.drain();
  expect(handled).toEqual([1]);
  expect(uninstrument(queue)).toBe(queue);
});

it.each([
  ["frozen", Object.freeze],
  ["sealed", Object.seal],
  ["closed to new properties", Object.preventExtensions],
])(
  "a queue that is %s is watched, before the watchdog starts and after, and says why a join of it is late",
  async (_, close) => {
    const clock = new FakeClock();
    const before = instrument(new FifoQueue<number>({ clock }), { name: "before" });
    const after = instrument(new FifoQueue<number>({ clock }), { name: "after" });
    close(before);
    close(after);
    const dog = new Watchdog({ clock, stallThresholdMs: Number.POSITIVE_INFINITY }).watch(before).start();
    dog.watch(after);
    for (const queue of [before, after]) {
      await queue.put(1);
      const late = queue.join({ timeoutMs: 1_000 }).catch((error: unknown) => error);
      clock.advance(1_001);
      expect(await late).toMatchObject({ report: { depth: 1 } });
    }
    await dog.stop();
    const late = before.join({ timeoutMs: 1_000 }).catch((error: unknown) => error);
    clock.advance(1_001);
    expect(await late).not.toHaveProperty("report");
  },
);
