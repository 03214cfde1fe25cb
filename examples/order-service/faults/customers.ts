import { randomUUID } from "node:crypto";
import type { OrderQueue } from "../orders.js";
import type { Tier } from "../read-order.js";

const TICK_MS = 50;
const VIP_SHARE = 0.2;

/** Customers come to the counter, so many a second, and turn round at the door while so many orders wait. The result ends that. */
export function customersCome(orders: OrderQueue, perSecond: number, most: number): () => void {
  const startedAt = performance.now();
  let came = 0;
  const timer = setInterval(() => {
    for (const due = (perSecond * (performance.now() - startedAt)) / 1_000; came < due; came++) {
      if (orders.size < most) order(orders, Math.random() < VIP_SHARE ? "vip" : "regular");
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** Like the customers of any shop, these don't care what becomes of an order that is refused. */
export function order(orders: OrderQueue, tier: Tier): void {
  orders.put({ id: randomUUID() }, { tier }).catch(() => {});
}
