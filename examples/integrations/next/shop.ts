import { setTimeout as sleep } from "node:timers/promises";
import { currentCorrelationId, FifoQueue, instrument, WorkerPool } from "queuescope";

export interface Order {
  readonly id: string;
}

function open() {
  const orders = instrument(new FifoQueue<Order>({ capacity: 1_000, whenFull: "reject" }), {
    name: "orders",
    sla: { default: { targetMs: 1_000, objective: 0.99 } },
  });
  const pool = new WorkerPool(orders, ship, { name: "shipping", concurrency: 4 });
  return { orders, pool };
}

async function ship({ id }: Order): Promise<void> {
  await sleep(50);
  console.log(JSON.stringify({ msg: "shipped", order: id, correlation_id: currentCorrelationId() }));
}

// Next has a copy of this module in the bundle of each route, and of instrumentation.ts: what there must be one of is kept here.
const here = globalThis as { shop?: ReturnType<typeof open> };
here.shop ??= open();
export const { shop } = here as Required<typeof here>;
