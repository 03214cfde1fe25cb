import type { OrderQueue, Unshipped } from "./orders.js";
import type { Shipping } from "./shipping.js";
import type { Waits } from "./waits.js";

const ATTEMPTS = 3;

export interface Workplace {
  readonly shipping: Shipping;
  readonly waits: Waits;
  readonly unshipped: Unshipped;
  /** Aborted when there is no time left to finish. */
  readonly signal: AbortSignal;
}

/** Takes orders, one at a time, until the queue is shut down and empty. */
export async function consume(orders: OrderQueue, { shipping, waits, unshipped, signal }: Workplace) {
  for await (const delivery of orders.deliveries()) {
    waits.record(delivery.tier, delivery.waitMs ?? 0);
    try {
      await delivery.run(() => shipping.ship(delivery.item, signal));
      delivery.done();
    } catch (error) {
      if (signal.aborted) {
        unshipped.inFlight.push(delivery.item);
        delivery.fail(error);
      } else if (delivery.attempt < ATTEMPTS) delivery.retry({ delayMs: 100 * 2 ** delivery.attempt });
      else delivery.fail(error);
    }
  }
}
