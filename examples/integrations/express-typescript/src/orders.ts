import { setTimeout as sleep } from "node:timers/promises";
import { instrument, PriorityQueue, Watchdog, WorkerPool } from "queuescope";
import { log } from "./log.js";

export interface Order {
  readonly id: string;
}

export const orders = instrument(
  new PriorityQueue<Order>({
    capacity: 1_000,
    whenFull: "reject",
    tiers: { vip: 0, regular: 10 },
    agingMs: 2_000,
  }),
  {
    name: "orders",
    sla: { vip: { targetMs: 500, objective: 0.999 }, regular: { targetMs: 5_000, objective: 0.99 } },
  },
);

export const pool = new WorkerPool(
  orders,
  async (order, task) => {
    task.step("ship");
    await sleep(50, undefined, { signal: task.signal });
    log.info({ order: order.id }, "shipped");
  },
  { name: "shipping", concurrency: 4, retry: { attempts: 3 } },
);

export const watchdog = new Watchdog({ everyMs: 100 }).watch(orders).start();
watchdog.on("breach", (report) => log.warn({ verdicts: report.verdicts }, "orders are late"));
