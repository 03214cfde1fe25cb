// One order brings a list that is sorted the hard way: while that runs, nothing else does, in any queue.
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const orders = instrument(new FifoQueue<number>(), { name: "orders", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

function bubbleSort(list: number[]): void {
  for (const end = performance.now() + 2_000; performance.now() < end; ) list.sort(() => Math.random() - 0.5);
}

new WorkerPool(orders, async (length) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (length > 0) bubbleSort(Array.from({ length }, Math.random));
});
setInterval(() => orders.put(0), 100);
// The thread that watches the event loop needs a moment to start.
setTimeout(() => orders.putMany([1_000, 0, 0, 0]), 1_000);
