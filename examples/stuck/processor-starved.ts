// The process is suspended for a second, as a frozen container is; what comes in after that waits behind what was held up.
import { spawn } from "node:child_process";
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

new WorkerPool(orders, () => sleep(10), { name: "packers", concurrency: 2 });
setInterval(() => orders.put(1), 20);
setTimeout(() => {
  void orders.putMany([1, 2, 3, 4, 5, 6]);
  spawn("sh", ["-c", `kill -STOP ${process.pid}; sleep 1; kill -CONT ${process.pid}`], { stdio: "ignore" });
}, 500);
