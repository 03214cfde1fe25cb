import { type FifoQueue, type Gate, WorkerPool } from "queuescope";
import { CancelledError, type Labels } from "./labels.js";
import type { Order, OrderQueue, Unshipped } from "./orders.js";
import type { Shipping } from "./shipping.js";
import type { Waits } from "./waits.js";

export interface Workplace {
  readonly orders: OrderQueue;
  readonly labels: Labels;
  readonly shipping: Shipping;
  /** What every order passes on its way to the carrier. */
  readonly carrier: Gate;
  readonly deadLetters: FifoQueue<Order>;
  readonly waits: Waits;
  readonly unshipped: Unshipped;
  /** Orders that are shipped at a time. */
  readonly consumers: number;
}

/** Ships orders. One that fails is tried again, twice, and then becomes a dead letter; one that is cancelled is dropped at once. */
export function hire(workplace: Workplace): WorkerPool<Order> {
  const { orders, labels, shipping, carrier, deadLetters, waits, unshipped, consumers } = workplace;
  return new WorkerPool(
    orders,
    async (order, task) => {
      waits.record(task.tier, task.waitMs ?? 0);
      task.signal.addEventListener("abort", () => unshipped.inFlight.push(order));
      task.step("print the label");
      labels.print(order);
      task.step("ship");
      await shipping.ship(order, task.signal);
    },
    {
      name: "shipping",
      concurrency: consumers,
      gate: carrier,
      retry: { attempts: 3, backoff: { initialMs: 200 } },
      // Aborted is only what there is no time left for.
      onFailed: (_order, error, task) =>
        task.signal.aborted || error instanceof CancelledError ? "drop" : undefined,
      deadLetter: deadLetters,
    },
  );
}
