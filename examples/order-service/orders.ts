import { instrument, PriorityQueue } from "queuescope";

export interface Order {
  readonly id: string;
}

/** Orders that were accepted and never shipped, because the service had to stop. */
export interface Unshipped {
  readonly waiting: Order[];
  readonly inFlight: Order[];
}

export type OrderQueue = PriorityQueue<Order>;

/**
 * VIPs come first. But each second of waiting is worth one priority step, so a regular order that came 10 s before a VIP's goes
 * ahead of it: none starves. A full queue refuses: better an honest "come back later" than a promise that can't be kept.
 */
export function openOrders(capacity: number, unshipped: Unshipped): OrderQueue {
  const queue = new PriorityQueue<Order>({
    capacity,
    whenFull: "reject",
    tiers: { vip: 0, regular: 10 },
    agingMs: 1_000,
    onDrop: (order, reason) => {
      if (reason === "shutdown") unshipped.waiting.push(order);
    },
  });
  return instrument(queue, {
    name: "orders",
    sla: {
      // Taken in half a second, and shipped, or given up, within five minutes: with all retries.
      vip: { targetMs: 500, objective: 0.999, completeMs: 300_000 },
      regular: { targetMs: 5_000, objective: 0.99, completeMs: 300_000 },
    },
  });
}
