// A cache without a limit fills the heap, until hardly anything but the collection of garbage is done.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { getHeapStatistics } from "node:v8";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const MEGABYTE = 2 ** 20;

// A heap that is full soon.
if (getHeapStatistics().heap_size_limit > 200 * MEGABYTE) {
  const options = ["--max-old-space-size=100", ...process.execArgv];
  const file = fileURLToPath(import.meta.url);
  process.exit(spawnSync(process.execPath, [...options, file], { stdio: "inherit" }).status ?? 1);
}

const orders = instrument(new FifoQueue<number>(), { name: "orders", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

const cache: object[][] = [];
const parts = (count: number) => Array.from({ length: count }, (_, i) => ({ id: i, tags: [i, i + 1] }));
new WorkerPool(orders, async () => {
  const all = parts(15_000);
  // Short of what ends the process.
  if (process.memoryUsage().heapUsed < 86 * MEGABYTE) cache.push(all);
  await sleep(3);
});
setInterval(() => orders.put(1), 25);
