const { randomUUID } = require("node:crypto");
const { once } = require("node:events");
const { setTimeout: sleep } = require("node:timers/promises");
const { context, propagation } = require("@opentelemetry/api");
const express = require("express");
const fastq = require("fastq");
const pino = require("pino");
const pinoHttp = require("pino-http");
const { currentCorrelationId, instrument, instrumentHandler, withCorrelationId } = require("queuescope");
const { startTelemetry } = require("queuescope/sdk");

const log = pino({ mixin: () => ({ correlation_id: currentCorrelationId() }) });

// The worker is fixed at construction, so it is wrapped, too, under the queue's name.
const orders = instrument(fastq.promise(instrumentHandler(ship, { name: "orders" }), 4), {
  name: "orders",
  sla: { default: { targetMs: 1_000, objective: 0.99 } },
});

async function ship({ id }) {
  await sleep(50);
  log.info({ order: id }, "shipped");
}

const app = express();
// What the request puts into a queue belongs to the caller's trace, and has the request's ID.
app.use((request, _response, next) => {
  const caller = propagation.extract(context.active(), request.headers);
  context.with(caller, () => withCorrelationId(request.get("x-correlation-id") ?? randomUUID(), next));
});
app.use(pinoHttp({ logger: log, genReqId: () => currentCorrelationId() }));
app.use(express.json());

app.post("/orders", (request, response) => {
  orders.push({ id: request.body.id }).catch((error) => log.error(error));
  response.status(202).json({ id: request.body.id });
});

async function main() {
  const { PORT = "3000", METRICS_PORT = "9464" } = process.env;
  const telemetry = await startTelemetry({ serviceName: "shop", prometheus: { port: Number(METRICS_PORT) } });
  const server = app.listen(Number(PORT), "127.0.0.1");
  await once(server, "listening");
  log.info(`metrics at ${telemetry.url}`);
  log.info(`listening at http://127.0.0.1:${server.address().port}`);

  process.once("SIGTERM", async () => {
    server.close();
    server.closeIdleConnections();
    await once(server, "close");
    // No request comes in any more: finish what was accepted, then send what was measured.
    await orders.drained();
    await telemetry.shutdown();
  });
}

main();
