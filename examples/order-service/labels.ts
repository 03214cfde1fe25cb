import type { Order } from "./orders.js";

/** No customer waits for it any more: to try again, or to look at it later, is in vain. */
export class CancelledError extends Error {}

/** Prints the label that an order needs before it is shipped. Ours prints nothing, and fails only when told to, in two ways. */
export class Labels {
  /** Which share fails, from 0 to 1. */
  failing = 0;

  print(order: Order): void {
    if (Math.random() >= this.failing) return;
    if (Math.random() < 0.5) throw new CancelledError(`order ${order.id} is cancelled`);
    throw new Error(`order ${order.id} has no address`);
  }
}
