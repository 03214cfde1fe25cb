import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./app.mjs";
import { post, sendOrders } from "./orders.mjs";
import { serve } from "./receiver.mjs";

test("a request's transaction has its item's spans, and the item's error has the request's trace and tags", async () => {
  const events = [];
  const url = await serve((_request, body) => {
    // An envelope: lines of JSON, of which each second one from the third on is an event.
    for (const line of body.toString().split("\n")) {
      if (line.startsWith("{")) events.push(JSON.parse(line));
    }
  });
  const app = new App(["--import", "./instrument.js", "app.js"], {
    SENTRY_DSN: url.replace("http://", "http://public@") + "/1",
  });
  const at = await app.url();
  const numbers = await sendOrders(at, 10, { traceparent: "" });
  const { status } = await post(at, { id: "broken" });
  assert.equal(status, 500);
  await app.stop();

  const transactions = events.filter(({ type }) => type === "transaction");
  for (const n of numbers) {
    const transaction = transactions.find(
      ({ tags, spans }) => tags?.order === `order-${n}` && spans !== undefined,
    );
    assert.ok(transaction, `no transaction of order ${n}: ${JSON.stringify(transactions).slice(0, 2_000)}`);
    const names = transaction.spans.map(({ description }) => description);
    for (const name of ["send orders", "process orders"])
      assert.ok(names.includes(name), `${name} in ${names}`);
    const { trace_id } = transaction.contexts.trace;
    const line = app.logged("shipped").find(({ order }) => order === `order-${n}`);
    assert.equal(line.correlation_id, trace_id);
  }
  assert.equal(app.logged("shipped").length, numbers.length);
  const error = events.find(({ exception }) =>
    exception?.values?.some(({ value }) => value === "no address"),
  );
  assert.ok(error, "the error was not sent");
  assert.equal(error.tags?.order, "broken");
  assert.ok(transactions.some(({ contexts }) => contexts?.trace?.trace_id === error.contexts.trace.trace_id));
});
