// A handler whose native call blocks the event loop for a second or more, while an item of its queue waits for longer than its SLA allows.
import { setTimeout as wait } from "node:timers/promises";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "../../../src/index.js";
import { watching } from "./watching.js";

function parseBigText(text: string): unknown {
  return JSON.parse(text);
}

function bigText(): string {
  for (let length = 100_000; ; length *= 2) {
    const text = JSON.stringify(Array.from({ length }, (_, id) => ({ id, tags: ["a", "b"] })));
    const before = process.cpuUsage();
    parseBigText(text);
    if (process.cpuUsage(before).user > 1_000_000) return text;
  }
}

const text = bigText();
const orders = instrument(new FifoQueue<string>(), { name: "orders", sla: { default: { targetMs: 400 } } });
const watchdog = new Watchdog({ everyMs: 50 })
  .watch(orders)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();
await watching(watchdog);
new WorkerPool(orders, async (item) => {
  await wait(20);
  parseBigText(item);
});
await orders.putMany([text, "1", "2"]);
