/** Ships orders, two at a time. Arguments: the ports of Redis and of the metrics, and a name. */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "bullmq";
import { instrument } from "queuescope";
import { bullmq } from "queuescope/bullmq";
import { startTelemetry } from "queuescope/sdk";
import { tell, watch } from "./watch.js";

const [redisPort, metricsPort, name] = process.argv.slice(2);

const telemetry = await startTelemetry({
  serviceName: "orders-worker",
  prometheus: { port: Number(metricsPort) },
});
const worker = new Worker<{ id: string }>(
  "orders",
  async ({ data: { id }, attemptsMade }) => {
    await sleep(40);
    // A carrier that refuses one order in twenty, the first time.
    if (attemptsMade === 0 && Number(id.slice("order-".length)) % 20 === 0) throw new Error("no driver");
    tell({ shipped: id });
  },
  {
    connection: { host: "127.0.0.1", port: Number(redisPort) },
    concurrency: 2,
    // Orders of a worker that was killed come to the others after so long.
    lockDuration: 2_000,
    stalledInterval: 1_000,
    maxStalledCount: 10,
  },
);
worker.on("error", () => {});
instrument(worker, { adapter: bullmq(), sla: { default: { targetMs: 2_000 } }, poll: { everyMs: 1_000 } });
const watchdog = watch(worker, `worker ${name}`);
await worker.waitUntilReady();
tell({ ready: true });

process.once("disconnect", async () => {
  await worker.close();
  await watchdog.stop();
  await telemetry.shutdown();
});
