import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./app.mjs";
import { post, sendOrders } from "./orders.mjs";
import { serve } from "./receiver.mjs";

test("an item's spans are in its request's trace, and an item's error has the request's trace and tags", async () => {
  const errors = [];
  const spans = [];
  const url = await serve((_request, body) => {
    // An envelope: lines of JSON.
    for (const line of body.toString().split("\n")) {
      if (!line.startsWith("{")) continue;
      const { exception, items, tags, contexts } = JSON.parse(line);
      if (exception !== undefined)
        errors.push({ value: exception.values[0].value, tags, trace: contexts.trace });
      if (Array.isArray(items)) spans.push(...items);
    }
  });
  const app = new App(["--import", "./instrument.js", "app.js"], {
    SENTRY_DSN: `${url.replace("http://", "http://public@")}/1`,
  });
  const at = await app.url();
  const numbers = await sendOrders(at, 10, { traceparent: "" });
  const { status } = await post(at, { id: "broken" });
  assert.equal(status, 500);
  await app.stop();

  const namesIn = (trace) => spans.filter(({ trace_id }) => trace_id === trace).map(({ name }) => name);
  const shipped = app.logged("shipped");
  assert.equal(shipped.length, numbers.length, app.output);
  for (const { correlation_id } of shipped) {
    // Without an ID of your own, the trace ID is the correlation ID.
    const names = namesIn(correlation_id);
    for (const name of ["POST /orders", "send orders", "process orders"]) {
      assert.equal(names.filter((found) => found === name).length, 1, `${name} in ${names}`);
    }
  }
  const [error, ...more] = errors;
  assert.deepEqual(more, []);
  assert.equal(error.value, "no address");
  assert.deepEqual(error.tags, { order: "broken" });
  assert.ok(namesIn(error.trace.trace_id).includes("process orders"), `${namesIn(error.trace.trace_id)}`);
});
