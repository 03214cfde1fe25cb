// Each order has all garbage collected, "to be safe", in a process that keeps millions of objects.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const orders = instrument(new FifoQueue<number>(), { name: "orders", sla: { default: { targetMs: 100 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

const kept = Array.from({ length: 1_000_000 }, (_, id) => ({ id, next: { name: `part ${id}` } }));
new WorkerPool(orders, async () => collectGarbage());
setInterval(() => orders.putMany([1, 2, 3, kept.length]), 25);
