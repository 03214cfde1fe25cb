/**
 * A process with some queues, of which each has another load: some are late, some fail, most are well.
 *
 *     node --import tsx tools/dashboards/queues.ts --port 9464 --queues 30 --seed 0
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "../../src/index.js";
import { startTelemetry } from "../../src/sdk.js";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "9464" },
    queues: { type: "string", default: "30" },
    seed: { type: "string", default: "0" },
  },
});
const seed = Number(values.seed);

await startTelemetry({ serviceName: "order-service", prometheus: { port: Number(values.port) } });
const watchdog = new Watchdog({ print: false });
const NAMES = ["orders", "mails", "invoices", "thumbnails", "webhooks", "exports"];
for (let i = 0; i < Number(values.queues); i++) {
  const name = `${NAMES[i % NAMES.length]}${i < NAMES.length ? "" : `-${Math.floor(i / NAMES.length)}`}`;
  const isLate = (i + seed) % 7 === 3;
  const fails = (i + seed) % 11 === 5;
  const sla = { default: { targetMs: 500 } };
  const queue = instrument(new FifoQueue<number>({ capacity: 1_000, whenFull: "evict" }), { name, sla });
  watchdog.watch(queue);
  new WorkerPool(
    queue,
    async (n: number) => {
      await sleep(isLate ? 120 : 10 + (n % 20));
      if (fails && n % 3 === 0) throw new TypeError("no such customer");
    },
    { name: `${name}-workers`, concurrency: 1 },
  );
  let n = 0;
  setInterval(() => queue.tryPut(n++), 90 + 10 * (i % 5));
}
watchdog.start();
console.log("ready");
