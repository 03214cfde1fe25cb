import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import tracer from "dd-trace";
import express from "express";
import PQueue from "p-queue";
import { currentCorrelationId, instrument } from "queuescope";

const orders = instrument(new PQueue({ concurrency: 4 }), { name: "orders" });

const app = express();
app.use(express.json());
app.post("/orders", async (request, response) => {
  const { id } = request.body;
  await orders.add(() => ship(id));
  response.status(201).json({ id });
});

async function ship(id) {
  // A span of the item's own, by Datadog's API.
  await tracer.trace("ship", { resource: id }, () => sleep(20));
  console.log(JSON.stringify({ msg: "shipped", order: id, correlation_id: currentCorrelationId() }));
}

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
await once(server, "listening");
console.log(`listening at http://127.0.0.1:${server.address().port}`);

process.once("SIGTERM", async () => {
  server.close();
  server.closeIdleConnections();
  await orders.onIdle();
});
