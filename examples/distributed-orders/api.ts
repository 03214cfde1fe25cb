/**
 * Takes orders by HTTP, and puts them into the queue. Arguments: the ports of Redis, of HTTP and of the metrics.
 *
 *     curl -d '{"item":"cat"}' http://127.0.0.1:PORT/orders
 */
import { createServer } from "node:http";
import { Queue } from "bullmq";
import { instrument } from "queuescope";
import { bullmq } from "queuescope/bullmq";
import { startTelemetry } from "queuescope/sdk";
import { tell, watch } from "./watch.js";

const [redisPort, port, metricsPort] = process.argv.slice(2).map(Number);

const telemetry = await startTelemetry({ serviceName: "orders-api", prometheus: { port: metricsPort! } });
const orders = instrument(new Queue("orders", { connection: { host: "127.0.0.1", port: redisPort! } }), {
  adapter: bullmq(),
  sla: { default: { targetMs: 2_000 } },
  poll: { everyMs: 1_000 },
});
// BullMQ tells of each connection that fails; the orders wait until there is one again.
orders.on("error", () => {});
const watchdog = watch(orders, "the API");

let count = 0;
const server = createServer(async (_request, response) => {
  const id = `order-${++count}`;
  // By then Redis has it on its disk. While Redis is away this waits, and so does the one who orders.
  await orders.add("order", { id }, { jobId: id, attempts: 5, backoff: { type: "exponential", delay: 200 } });
  tell({ accepted: id });
  response.writeHead(202).end(`${id}\n`);
});
server.listen(port!, "127.0.0.1", () => tell({ ready: true }));

process.once("disconnect", async () => {
  server.close();
  await watchdog.stop();
  await orders.close();
  await telemetry.shutdown();
});
