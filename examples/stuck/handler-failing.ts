// After a deploy the handler reads what orders no longer have, and every attempt fails.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

interface Order {
  readonly address?: { readonly city: string };
}

const orders = instrument(new FifoQueue<Order>(), { name: "orders", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

let isDeployed = false;
async function pack(order: Order): Promise<void> {
  await sleep(10);
  if (isDeployed) console.log(order.address!.city);
}

const retry = { attempts: 20, backoff: { initialMs: 20, maxMs: 100 } };
new WorkerPool(orders, pack, { name: "packers", concurrency: 2, retry });
setInterval(() => orders.put({}), 20);
setTimeout(() => {
  isDeployed = true;
}, 500);
