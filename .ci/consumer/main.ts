import { type Delivery, generic, instrument, PriorityQueue, QueueFullError } from "queuescope";

interface Order {
  readonly id: string;
}

const orders = instrument(
  new PriorityQueue<Order>({ capacity: 1_000, tiers: { vip: 0, regular: 10 }, agingMs: 2_000 }),
  {
    name: "orders",
    sla: { vip: { targetMs: 500, objective: 0.999 }, regular: { targetMs: 5_000, objective: 0.99 } },
  },
);

// The decorator returns the type that it was given.
const same: PriorityQueue<Order> = orders;
await same.put({ id: "1" }, { tier: "vip", correlationId: "a-request" });

export async function ship(delivery: Delivery<Order>): Promise<string> {
  const id = await delivery.run(() => delivery.item.id);
  delivery.done();
  return id;
}

await ship(await orders.receive({ timeoutMs: 1_000 }));

// @ts-expect-error an order is no string
orders.tryPut("1");
// @ts-expect-error a capacity is no string
new PriorityQueue<Order>({ capacity: "10" });

class Desk {
  readonly tickets: Order[] = [];
  draw(ticket: Order): void {
    this.tickets.push(ticket);
  }
  call(): Order | undefined {
    return this.tickets.shift();
  }
}
instrument(new Desk(), { name: "desk", adapter: generic({ put: "draw", get: "call" }) });
instrument(new Desk(), { name: "second desk", adapter: generic<Desk>({ put: "draw", get: "call" }) });
// @ts-expect-error a desk has no such method
generic<Desk>({ put: "drew" });

export const lost = (error: unknown): unknown => (error instanceof QueueFullError ? error.item : undefined);
