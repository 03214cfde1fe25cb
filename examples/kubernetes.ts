// A worker as Kubernetes runs it: probes, metrics that Prometheus reaches, and an end that loses nothing. docs/kubernetes.md has the manifests.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { drainOnSignals, FifoQueue, instrument, WorkerPool } from "queuescope";
import { startTelemetry } from "queuescope/sdk";

// All addresses of the pod: probes and Prometheus come from others.
const { HOST = "0.0.0.0", PORT = "8080", METRICS_PORT = "9464" } = process.env;
const telemetry = await startTelemetry({
  serviceName: "order-worker",
  prometheus: { host: HOST, port: Number(METRICS_PORT) },
});

const orders = instrument(new FifoQueue<string>({ capacity: 1_000 }), {
  name: "orders",
  sla: { default: { targetMs: 120_000 } },
});
const pool = new WorkerPool(orders, (_order, task) => sleep(200, undefined, { signal: task.signal }), {
  concurrency: 8,
  timeoutMs: 20_000,
});

const server = createServer((request, response) => {
  if (request.url === "/ready") {
    const { ok, reasons } = pool.health();
    response.writeHead(ok ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify({ ok, reasons }));
  } else if (request.url === "/live") {
    // What only a restart ends: every worker has a task that goes on although it was aborted.
    const isLost = pool.workers.every(({ state }) => state === "stalled");
    response.writeHead(isLost ? 503 : 200).end();
  } else if (request.url === "/orders" && request.method === "POST") {
    response.writeHead(orders.tryPut("an order") ? 202 : 503).end();
  } else {
    response.writeHead(404).end();
  }
}).listen(Number(PORT), HOST, () => {
  const address = server.address();
  if (typeof address === "object") console.log(`port ${address?.port}, metrics at ${telemetry.url}`);
});

// Together less than terminationGracePeriodSeconds, which is 60.
drainOnSignals([pool], {
  timeoutMs: 30_000,
  callbackTimeoutMs: 10_000,
  onDrained: () => telemetry.shutdown(),
});
