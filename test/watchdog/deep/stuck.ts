// Three orders that wait for a lock which is never given back; it says what deep reports know of that, and then waits for signals.
import { FifoQueue, instrument, Watchdog, WorkerPool } from "../../../src/index.js";

const waiting: (() => void)[] = [];

async function lockShelf(): Promise<void> {
  await new Promise<void>((resolve) => waiting.push(resolve)); // at:lockShelf
}

async function handle(): Promise<void> {
  await lockShelf(); // at:handle
}

const orders = instrument(new FifoQueue<number>(), { name: "orders" });
const signal = process.argv.includes("signal") ? ("SIGUSR2" as const) : undefined;
const watchdog = new Watchdog({ signal, deep: signal !== undefined }).watch(orders).start();
watchdog.on("error", (error) => console.log(`error ${error}`));
new WorkerPool(orders, handle, { concurrency: 3 });
for (const id of ["a", "b", "c"]) await orders.put(1, { correlationId: id });
await new Promise((resolve) => setImmediate(resolve));

if (signal === undefined) {
  const [report] = await watchdog.report({ deep: true });
  console.log(JSON.stringify(report!.groups));
  console.log(String(report));
  await watchdog.stop();
  process.exit(waiting.length === 3 ? 0 : 1);
}
console.log("ready");
setInterval(() => waiting.length, 1_000);
