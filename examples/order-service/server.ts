import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { currentCorrelationId, QueueFullError, QueueShutDownError, withCorrelationId } from "queuescope";
import type { Answer } from "./answer.js";
import { answerFaults } from "./faults/endpoint.js";
import type { Faults } from "./faults/index.js";
import type { OrderQueue } from "./orders.js";
import { readTier } from "./read-order.js";
import { Refusal } from "./refusal.js";

interface Routes {
  readonly orders: OrderQueue;
  readonly faults: Faults;
}

/** `POST /order` puts an order into the queue and answers at once, within the caller's trace; `/faults` breaks things. */
export function orderServer(routes: Routes): Server {
  const tracer = trace.getTracer("order-service");
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const { method = "", url = "" } = request;
    const path = url.split("?", 1)[0]!;
    const name = path === "/order" ? `${method} ${path}` : method;
    const attributes = { "http.request.method": method, "url.path": path };
    tracer.startActiveSpan(name, { kind: SpanKind.SERVER, attributes }, caller, async (span) => {
      const sent = request.headers["x-correlation-id"]?.toString();
      const id = sent || span.spanContext().traceId;
      const { status, headers, body } = await withCorrelationId(id, () => answer(routes, request, path));
      response.writeHead(status, { "content-type": "application/json", "x-correlation-id": id, ...headers });
      response.end(`${JSON.stringify(body)}\n`);
      span.setAttribute("http.response.status_code", status);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
  });
}

async function answer({ orders, faults }: Routes, request: IncomingMessage, path: string): Promise<Answer> {
  try {
    const broken = answerFaults(faults, request.method ?? "", path);
    if (broken !== undefined) return broken;
    if (path !== "/order") throw new Refusal(404, "there is nothing here; orders go to POST /order");
    if (request.method !== "POST") throw new Refusal(405, "orders come by POST", { allow: "POST" });
    return { status: 202, body: await place(orders, request) };
  } catch (error) {
    const { status, headers, message } = error instanceof Refusal ? error : refusalOf(error);
    return { status, headers, body: { error: message } };
  }
}

async function place(orders: OrderQueue, request: IncomingMessage) {
  const tier = await readTier(request);
  const order = { id: randomUUID() };
  // The queue takes the caller's correlation ID and trace along by itself.
  await orders.put(order, { tier });
  return { order_id: order.id, correlation_id: currentCorrelationId(), tier };
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof QueueFullError) {
    return new Refusal(503, `${error.capacity} orders wait already`, { "retry-after": "1" });
  }
  if (error instanceof QueueShutDownError) {
    return new Refusal(503, "the service is shutting down", { "retry-after": "30", connection: "close" });
  }
  console.error(error);
  return new Refusal(500, "internal error");
}
