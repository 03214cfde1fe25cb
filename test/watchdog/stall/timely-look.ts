// The event loop is blocked while the watchdog needn't look, and an item that was late then is served at once afterwards.
import { setTimeout as wait } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "../../../src/index.js";

/** Between two looks the thread has time to start, on a crowded machine, too. */
const EVERY_MS = 6_000;
/** The thread sees a late head only while it has a processor. */
const BLOCKED_MS = 3_000;
/** From the end of the block to the next look: the thread takes longer to tell. */
const LEFT_MS = 60;

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

const orders = instrument(new FifoQueue<string>(), { name: "orders", sla: { default: { targetMs: 300 } } });
new WorkerPool(orders, () => wait(5));
const startedAt = performance.now();
new Watchdog({ everyMs: EVERY_MS })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();
await wait(EVERY_MS);
await wait(startedAt + 2 * EVERY_MS - LEFT_MS - BLOCKED_MS - performance.now());
await orders.putMany(["is being worked on", "waits"]);
spin(BLOCKED_MS);
await wait(EVERY_MS);
