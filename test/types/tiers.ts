/** Tier names, as the type checker knows them: nothing here runs, `npm run types` reads it. */
import {
  FifoQueue,
  type InstrumentOptions,
  instrument,
  PriorityQueue,
  Watchdog,
  WorkerPool,
} from "../../src/index.js";

interface Order {
  readonly id: string;
}
declare const order: Order;

// From the tiers that the constructor gets.
const inferred = new PriorityQueue({ tiers: { vip: 0, regular: 10 } });
void inferred.put(order, { tier: "vip" });
inferred.tryPut(order, { tier: "regular" });
// @ts-expect-error there is no such tier
void inferred.put(order, { tier: "nosuch" });
// @ts-expect-error there is no such tier
inferred.tryPut(order, { tier: "nosuch" });
// @ts-expect-error there is no such tier
void inferred.putMany([order], { tier: "nosuch" });

// From the callback, also of items.
const withItems = new PriorityQueue({
  tiers: { vip: 0, regular: 10 },
  onDrop: (dropped: Order) => void dropped.id,
});
void withItems.put(order, { tier: "vip" });
// @ts-expect-error there is no such tier
void withItems.put(order, { tier: "nosuch" });
// @ts-expect-error an order is no string
void withItems.put("an order", { tier: "vip" });

// From a type that was given.
const annotated: PriorityQueue<Order, "vip" | "regular"> = new PriorityQueue({
  tiers: { vip: 0, regular: 10 },
});
void annotated.put(order, { tier: "vip" });
// @ts-expect-error there is no such tier
void annotated.put(order, { tier: "nosuch" });
const explicit = new PriorityQueue<Order, "vip" | "regular">({ tiers: { vip: 0, regular: 10 } });
// @ts-expect-error there is no such tier
void explicit.put(order, { tier: "nosuch" });
// @ts-expect-error a tier is missing
new PriorityQueue<Order, "vip" | "regular">({ tiers: { vip: 0 } });
// @ts-expect-error there is no such tier
new PriorityQueue<Order, "vip" | "regular">({ tiers: { vip: 0, regular: 10, nosuch: 20 } });

// One type argument: nothing is known of the tiers.
const usual = new PriorityQueue<Order>({ capacity: 1_000, tiers: { vip: 0, regular: 10 }, agingMs: 2_000 });
void usual.put(order, { tier: "vip" });
declare const byConfig: Record<string, number>;
const dynamic = new PriorityQueue({ tiers: byConfig });
void dynamic.put(order, { tier: "whatever" });
void new PriorityQueue<Order>().put(order, { priority: 1 });

// Queues whose tiers are known go where any queue does.
const anyTiers: PriorityQueue<Order> = explicit;
const pool = new WorkerPool(explicit, async ({ id }) => id, { deadLetter: annotated });
void new WorkerPool<Order>(new FifoQueue<Order>(), ({ id }) => id, { deadLetter: explicit });

// SLAs have the same keys, and `default`.
const same: PriorityQueue<Order, "vip" | "regular"> = instrument(explicit, {
  name: "orders",
  sla: { vip: { targetMs: 500, objective: 0.999 }, default: { targetMs: 5_000 } },
});
// @ts-expect-error there is no such tier
instrument(explicit, { name: "orders", sla: { vpi: { targetMs: 500 } } });
// @ts-expect-error there is no such tier
instrument(new PriorityQueue({ tiers: { vip: 0 } }), { name: "orders", sla: { nosuch: { targetMs: 500 } } });
instrument(usual, { name: "orders", sla: { vip: { targetMs: 500 }, regular: { targetMs: 5_000 } } });
instrument(new FifoQueue<Order>(), { name: "orders", sla: { default: { targetMs: 500 } } });
new Watchdog().watch(explicit, { sla: { vip: { targetMs: 500 } } });
// @ts-expect-error there is no such tier
new Watchdog().watch(explicit, { sla: { nosuch: { targetMs: 500 } } });
new Watchdog()
  .watch(usual, { sla: { vip: { targetMs: 500 } } })
  .watch(pool, { sla: { vip: { targetMs: 1 } } });

// A function of the user's that knows nothing of its queue.
export function named<Queue extends object>(queue: Queue, options: InstrumentOptions): Queue {
  new Watchdog().watch(queue, { name: "other" });
  instrument(queue, { name: "a name", sla: { default: { targetMs: 500 } } });
  return instrument(queue, options);
}

export const used = [anyTiers, same];
