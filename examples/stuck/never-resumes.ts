// A callback is called on one path only. On the other the promise is never settled, and nothing is left that could settle it: the
// garbage collector proves that.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const lookups = instrument(new FifoQueue<number>(), { name: "lookups", sla: { default: { targetMs: 800 } } });
new Watchdog({ everyMs: 50 })
  .watch(lookups)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

// In a service at work the whole heap is collected now and then; this one has next to nothing to collect.
setFlagsFromString("--expose-gc");
setInterval(runInNewContext("gc"), 100);

const load = (key: number, done: () => void) => {
  if (key < 20) setTimeout(done, 5);
};
new WorkerPool(lookups, (key) => new Promise<void>((resolve) => load(key, resolve)), { concurrency: 2 });
let next = 0;
setInterval(() => lookups.put(next++), 20);
