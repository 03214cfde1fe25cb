// The pool is paused for a deployment, and never resumed.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const mails = instrument(new FifoQueue<number>(), { name: "mails", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(mails)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

const pool = new WorkerPool(mails, () => sleep(10), { name: "senders", concurrency: 2 });
setInterval(() => mails.put(1), 20);
setTimeout(() => pool.pause(), 500);
