import { FifoQueue } from "queuescope";
import type { Order } from "./orders.js";

const MOST = 1_000;

/**
 * The latest orders that were given up, for an operator to look at. They need not be taken in time, so that neither a depth nor an
 * age means that anything is late: it is not instrumented, and `queue_dead_lettered_total` of the orders tells how many came.
 */
export function openDeadLetters(): FifoQueue<Order> {
  return new FifoQueue<Order>({ capacity: MOST, whenFull: "evict" });
}
