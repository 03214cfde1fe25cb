// An importer puts as fast as it may into a queue that holds more than its SLA allows: backpressure works, and everything is late.
import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const rows = instrument(new FifoQueue<number>({ capacity: 50 }), {
  name: "rows",
  sla: { default: { targetMs: 400 } },
});
new Watchdog({ everyMs: 50 })
  .watch(rows)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

new WorkerPool(rows, () => sleep(20), { name: "writers" });
for (let row = 0; ; row++) await rows.put(row);
