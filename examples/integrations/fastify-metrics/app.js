import { setTimeout as sleep } from "node:timers/promises";
import Fastify from "fastify";
import metrics from "fastify-metrics";
import PQueue from "p-queue";
import { instrument } from "queuescope";
import { registerWith } from "queuescope/prom-client";

const orders = instrument(new PQueue({ concurrency: 4 }), { name: "orders" });

const app = Fastify({ logger: true });
await app.register(metrics.default, { endpoint: "/metrics" });
// The queues' series stand beside those of the routes, at the endpoint that is there already.
registerWith(app.metrics.client.register);

app.post("/orders", async (request, reply) => {
  const { id } = request.body;
  void orders.add(() => sleep(20));
  return reply.code(202).send({ id });
});

app.addHook("onClose", () => orders.onIdle());
process.once("SIGTERM", () => app.close());
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT ?? 3000) });
