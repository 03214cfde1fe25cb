import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { context, propagation } from "@opentelemetry/api";
import Fastify from "fastify";
import PQueue from "p-queue";
import { currentCorrelationId, instrument, withCorrelationId } from "queuescope";
import { telemetry } from "./telemetry.js";

const orders = instrument(new PQueue({ concurrency: 4 }), {
  name: "orders",
  sla: { default: { targetMs: 1_000, objective: 0.99 } },
});

const app = Fastify({
  logger: { mixin: () => ({ correlation_id: currentCorrelationId() }) },
  genReqId: (request) => request.headers["x-correlation-id"] ?? randomUUID(),
});

// What the request puts into a queue belongs to the caller's trace, and has the request's ID.
app.addHook("onRequest", (request, _reply, done) => {
  const caller = propagation.extract(context.active(), request.headers);
  context.with(caller, () => withCorrelationId(request.id, done));
});

app.post("/orders", async (request, reply) => {
  const { id } = request.body;
  void orders.add(() => ship(id));
  return reply.code(202).send({ id });
});

async function ship(id) {
  await sleep(50);
  app.log.info({ order: id }, "shipped");
}

// No request comes in any more: finish what was accepted, then send what was measured.
app.addHook("onClose", async () => {
  await orders.onIdle();
  await telemetry.shutdown();
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => app.close());

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT ?? 3000) });
app.log.info(`metrics at ${telemetry.url}`);
