import { expect, it } from "vitest";
import { FifoQueue, WorkerPool } from "../../src/index.js";
import { FakeClock } from "../../src/testing.js";

it("gives up a put that waits for room for too long", async () => {
  const clock = new FakeClock();
  const orders = new FifoQueue<string>({ capacity: 1, clock });
  await orders.put("order-1");
  const put = orders.put("order-2", { timeoutMs: 60_000 });
  clock.advance(60_000);
  await expect(put).rejects.toMatchObject({ code: "QUEUE_TIMEOUT", item: "order-2" });
});

it("aborts a task that takes too long, and tries again", async () => {
  const clock = new FakeClock();
  const orders = new FifoQueue<string>({ clock });
  const attempts: number[] = [];
  const pool = new WorkerPool(
    orders,
    (_order, task) => {
      attempts.push(task.attempt);
      return new Promise((_, reject) =>
        task.signal.addEventListener("abort", () => reject(task.signal.reason)),
      );
    },
    { timeoutMs: 30_000, retry: { attempts: 2, backoff: { initialMs: 5_000 } } },
  );
  pool.on("failed", () => {});
  await orders.put("order-1");
  await clock.advanceAsync(65_000); // 30 s, at most 5 s, 30 s
  expect(attempts).toEqual([1, 2]);
  expect(pool.counts.failed).toBe(1);
});
