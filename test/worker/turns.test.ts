import { expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { WorkerPool } from "../../src/worker/pool.js";

it.each([
  ["sync", () => {}],
  ["async", async () => {}],
])("timers and signals have their turn while %s handlers beget work without end", async (_, work) => {
  const queue = new FifoQueue<number>();
  let isOver = false;
  const pool = new WorkerPool(queue, () => {
    if (!isOver) queue.tryPut(0);
    return work();
  });
  await queue.put(0);
  const turns: string[] = [];
  await Promise.all([
    new Promise<void>((resolve) => setTimeout(() => resolve(void turns.push("timer")), 5)),
    new Promise<void>((resolve) => {
      process.once("SIGUSR2", () => resolve(void turns.push("signal")));
      process.kill(process.pid, "SIGUSR2");
    }),
  ]);
  isOver = true;
  expect(turns.sort()).toEqual(["signal", "timer"]);
  const report = await pool.drain();
  expect(report.leftOver.count).toBe(0);
  expect(pool.counts.done).toBeGreaterThan(1);
});

it("every item is done in order, across turns", async () => {
  const queue = new FifoQueue<number>();
  const seen: number[] = [];
  const pool = new WorkerPool(queue, (item) => void seen.push(item));
  const items = Array.from({ length: 10_000 }, (_, i) => i);
  await queue.putMany(items);
  await pool.drain();
  expect(seen).toEqual(items);
});

it.each([
  ["sync", (burn: () => void) => burn()],
  ["async", async (burn: () => void) => burn()],
])("timers have their turn while %s handlers compute for long", async (_, work) => {
  const queue = new FifoQueue<number>();
  for (let i = 0; i < 60; i++) queue.tryPut(i);
  const burn = () => {
    const until = performance.now() + 10;
    while (performance.now() < until);
  };
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const pool = new WorkerPool(queue, () => work(burn));
  await pool.drain();
  clearInterval(timer);
  expect(turns).toBeGreaterThan(40);
});
