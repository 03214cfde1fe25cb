import { type DrainReport, WorkerPool } from "queuescope";
import type { Order, OrderQueue, Unshipped } from "./orders.js";
import type { Shipping } from "./shipping.js";
import type { Waits } from "./waits.js";

export interface Workplace {
  readonly shipping: Shipping;
  readonly waits: Waits;
  readonly unshipped: Unshipped;
  /** Orders that are shipped at a time. */
  readonly consumers: number;
}

/** Ships orders. One that the carrier doesn't take is tried again, twice, and then given up. */
export function hire(
  orders: OrderQueue,
  { shipping, waits, unshipped, consumers }: Workplace,
): WorkerPool<Order> {
  return new WorkerPool(
    orders,
    async (order, task) => {
      waits.record(task.tier, task.waitMs ?? 0);
      task.signal.addEventListener("abort", () => unshipped.inFlight.push(order));
      task.step("ship");
      await shipping.ship(order, task.signal);
    },
    {
      name: "shipping",
      concurrency: consumers,
      retry: { attempts: 3, backoff: { initialMs: 200 } },
      // Aborted is only what there is no time left for.
      onFailed: (_order, _error, task) => (task.signal.aborted ? "drop" : undefined),
    },
  );
}

/** Finishes what was accepted; when the time is over, gives up. */
export async function close(
  orders: OrderQueue,
  pool: WorkerPool<Order>,
  timeoutMs: number,
): Promise<DrainReport> {
  const report = await pool.drain({ timeoutMs });
  giveUp(orders, pool);
  return report;
}

/** At once: what waits is dropped, what runs is aborted. */
export function giveUp(orders: OrderQueue, pool: WorkerPool<Order>): void {
  orders.shutdown({ immediate: true });
  void pool.stop({ graceMs: 0 });
}
