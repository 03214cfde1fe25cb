import { expect, it } from "vitest";
import {
  FifoQueue,
  instrument,
  LifoQueue,
  PriorityQueue,
  uninstrument,
  WorkerPool,
} from "../../src/index.js";

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
