import { once } from "node:events";
import express from "express";
import PQueue from "p-queue";
import { currentCorrelationId, instrument } from "queuescope";

const orders = instrument(new PQueue({ concurrency: 4 }), { name: "orders" });

const app = express();
app.use(express.json());
app.post("/orders", (request, response) => {
  const { id } = request.body;
  void orders.add(() => ship(id));
  response.status(202).json({ id });
});

async function ship(id) {
  // A call from within the item: its span is a child of `process orders`.
  await fetch(`${process.env.CARRIER_URL}/ship/${id}`);
  // Without an ID of your own, the trace ID is the correlation ID.
  console.log(JSON.stringify({ msg: "shipped", order: id, correlation_id: currentCorrelationId() }));
}

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
await once(server, "listening");
console.log(`listening at http://127.0.0.1:${server.address().port}`);

// `register` shuts its SDK down at SIGTERM, at once: what ends after that is lost. Its other occasion is better: nothing is left to do.
process.removeAllListeners("SIGTERM");
process.once("SIGTERM", async () => {
  server.close();
  server.closeIdleConnections();
  await orders.onIdle();
});
