import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./app.mjs";
import { assertInTrace, assertShipped, sendOrders, traceOf } from "./orders.mjs";
import { Receiver, serve } from "./receiver.mjs";

test("request, item and the call that the item makes are one trace, and a stop sends all of it", async () => {
  const receiver = await Receiver.start();
  const carrier = [];
  const app = new App(["--import", "@opentelemetry/auto-instrumentations-node/register", "app.js"], {
    ...receiver.env,
    OTEL_SERVICE_NAME: "shop",
    CARRIER_URL: await serve(({ url, headers }) => {
      carrier.push({ url, traceparent: headers.traceparent });
      return {};
    }),
  });
  const numbers = await sendOrders(await app.url(), 20);
  await app.stop();
  assertShipped(app, numbers, traceOf);
  assertInTrace(receiver, numbers);
  for (const n of numbers) {
    const process = receiver.named("process orders").find(({ traceId }) => traceId === traceOf(n));
    const call = receiver.spans.find(
      ({ traceId, parentSpanId, kind }) =>
        traceId === traceOf(n) && parentSpanId === process.spanId && kind === 3,
    );
    assert.ok(call, `no call in the item of request ${n}`);
    const { traceparent } = carrier.find(({ url }) => url === `/ship/order-${n}`);
    assert.equal(traceparent, `00-${traceOf(n)}-${call.spanId}-01`);
    assert.ok(
      receiver.spans.some(({ traceId, kind }) => traceId === traceOf(n) && kind === 2),
      "no span of the request",
    );
  }
  const [enqueued] = receiver.metrics.get("queue.enqueued") ?? [];
  assert.equal(
    Number(enqueued?.asInt ?? enqueued?.asDouble),
    numbers.length,
    [...receiver.metrics.keys()].join(" "),
  );
  assert.ok(receiver.metrics.has("queue.wait.seconds"));
});
