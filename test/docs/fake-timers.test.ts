import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FifoQueue, WorkerPool } from "../../src/index.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("retries after a pause", async () => {
  const orders = new FifoQueue<string>();
  const ship = vi.fn().mockRejectedValueOnce(new Error("warehouse is down")).mockResolvedValue("shipped");
  const pool = new WorkerPool(orders, ship, { retry: { attempts: 2, backoff: { initialMs: 5_000 } } });
  await orders.put("order-1");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ship).toHaveBeenCalledTimes(2);
  await pool.drain();
});
