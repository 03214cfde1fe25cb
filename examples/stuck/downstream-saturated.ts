// The bank stops answering. Every worker waits for it, and no number of workers would help.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";

const charges = instrument(new FifoQueue<number>(), { name: "charges", sla: { default: { targetMs: 400 } } });
new Watchdog({ everyMs: 50 })
  .watch(charges)
  .on("breach", (report) => {
    console.log(String(report));
    process.exit();
  })
  .start();

let isUp = true;
const bank = createServer((_, response) => {
  if (isUp) response.end();
}).listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${(bank.address() as AddressInfo).port}/v1/charges`;
  new WorkerPool(charges, async () => void (await fetch(url, { method: "POST" })), { concurrency: 4 });
  setInterval(() => charges.put(1), 20);
  setTimeout(() => {
    isUp = false;
  }, 500);
});
