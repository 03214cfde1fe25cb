// A nightly batch comes in at once. It is late, and there is nothing to repair: it will be through soon.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const invoices = instrument(new FifoQueue<number>(), {
  name: "invoices",
  sla: { default: { targetMs: 400 } },
});
new Watchdog({ everyMs: 50 })
  .watch(invoices)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

new WorkerPool(invoices, () => sleep(20), { name: "printers", concurrency: 2 });
setInterval(() => invoices.put(1), 50);
setTimeout(() => invoices.putMany(Array.from({ length: 100 }, (_, i) => i)), 500);
