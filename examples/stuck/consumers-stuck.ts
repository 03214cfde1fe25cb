// A lock that is never released: both workers wait for it, and so does everything behind them.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const orders = instrument(new FifoQueue<number>(), { name: "orders", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

const waiters: (() => void)[] = [];
const lock = () => new Promise<void>((resolve) => waiters.push(resolve));

new WorkerPool(
  orders,
  async (order, task) => {
    await sleep(10);
    task.step("lock the shelf");
    if (order > 20) await lock();
  },
  { name: "packers", concurrency: 2 },
);
let next = 0;
setInterval(() => orders.put(next++), 20);
