// What each task asks for takes ten times as long from one moment on.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool, waitFor } from "queuescope";

const orders = instrument(new FifoQueue<number>(), { name: "orders", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

let lookupMs = 15;
new WorkerPool(orders, () => waitFor("stock table", sleep(lookupMs)), { name: "packers", concurrency: 3 });
setInterval(() => orders.put(1), 15);
setTimeout(() => {
  lookupMs = 150;
}, 1_200);
