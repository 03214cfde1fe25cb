import { randomUUID } from "node:crypto";
import { context, propagation } from "@opentelemetry/api";
import express, { type NextFunction, type Request, type Response } from "express";
import { drainOnSignals, QueueFullError, QueueShutDownError, withCorrelationId } from "queuescope";
import { startTelemetry } from "queuescope/sdk";
import { log } from "./log.js";
import { orders, pool, watchdog } from "./orders.js";

const app = express();
app.use((request: Request, _response: Response, next: NextFunction) => {
  const caller = propagation.extract(context.active(), request.headers);
  context.with(caller, () => withCorrelationId(request.get("x-correlation-id") ?? randomUUID(), next));
});
app.use(express.json());

app.post(
  "/orders",
  async (request: Request<unknown, unknown, { id: string; vip?: boolean }>, response: Response) => {
    const { id, vip } = request.body;
    await orders.put({ id }, { tier: vip ? "vip" : "regular" });
    response.status(202).json({ id });
  },
);

app.get("/ready", (_request: Request, response: Response) => {
  const { ok, reasons } = pool.health();
  response.status(ok ? 200 : 503).json({ ok, reasons });
});

// Express 5 hands on what an async handler rejects with.
app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
  if (error instanceof QueueFullError || error instanceof QueueShutDownError) {
    response.status(503).set("retry-after", "1").json({ error: error.message });
  } else next(error);
});

async function main(): Promise<void> {
  const { PORT = "3000", METRICS_PORT = "9464" } = process.env;
  const telemetry = await startTelemetry({ serviceName: "shop", prometheus: { port: Number(METRICS_PORT) } });
  const server = app.listen(Number(PORT), "127.0.0.1", () => {
    const address = server.address();
    log.info(`metrics at ${telemetry.url}`);
    if (typeof address === "object") log.info(`listening at http://127.0.0.1:${address?.port}`);
  });
  drainOnSignals([pool], {
    timeoutMs: 20_000,
    onReport: (report) => log.info({ done: report.done }, "drained"),
    onDrained: async () => {
      server.close();
      await watchdog.stop();
      await telemetry.shutdown();
    },
  });
}

void main();
