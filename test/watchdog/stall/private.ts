// A watchdog that is told what is private, and a handler that blocks the event loop until its parent has made a file.
import { existsSync } from "node:fs";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "../../../src/index.js";
import { watching } from "./watching.js";

const [file = "", reportDir = "", print] = process.argv.slice(2);
const queue = instrument(new FifoQueue<string>(), { name: "orders" });
const watchdog = new Watchdog({
  stallThresholdMs: 200,
  reportDir,
  print: print !== "silently",
  redact: (text) => text.replaceAll("ann", "…"),
})
  .watch(queue)
  .on("error", (error) => console.log(`error ${JSON.stringify(String(error))}`))
  .start();
let resolve = () => {};
const stalled = new Promise<void>((done) => {
  resolve = done;
});

function busy(): void {
  const end = performance.now() + 1_000;
  while (!existsSync(file) || performance.now() < end);
}

const hold = setInterval(() => {}, 1_000);
await watching(watchdog);
watchdog.on("stall", (stall) => {
  console.log(`stall ${JSON.stringify(stall)}`);
  resolve();
});
const pool = new WorkerPool(queue, async (_, task) => {
  task.step("mail to ann");
  busy();
});
await queue.put("book", { correlationId: "of ann" });
await stalled;
await pool.drain();
await watchdog.stop();
clearInterval(hold);
