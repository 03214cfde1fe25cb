import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./app.mjs";
import { decode } from "./msgpack.mjs";
import { sendOrders } from "./orders.mjs";
import { serve } from "./receiver.mjs";

test("the spans of request, item and what the item does are one trace at the agent", async () => {
  const spans = [];
  const agent = await serve(({ url }, body) => {
    if (url === "/v0.4/traces") spans.push(...decode(body).flat());
    return url === "/info" ? { endpoints: ["/v0.4/traces"] } : { rate_by_service: {} };
  });
  const app = new App(["--import", "./tracer.js", "app.js"], {
    DD_TRACE_AGENT_URL: agent,
    DD_TRACE_AGENT_PROTOCOL_VERSION: "0.4",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: "false",
    DD_REMOTE_CONFIGURATION_ENABLED: "false",
    DD_TRACE_STARTUP_LOGS: "false",
  });
  const numbers = await sendOrders(await app.url(), 10, { traceparent: "" });
  await app.stop();
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const seen = JSON.stringify(spans.map(({ name, resource }) => [name, resource]));
  for (const n of numbers) {
    const ship = spans.find(({ name, resource }) => name === "ship" && resource === `order-${n}`);
    assert.ok(ship, `no span of order ${n} in ${seen}`);
    const up = [];
    for (let span = byId.get(ship.parent_id); span !== undefined; span = byId.get(span.parent_id))
      up.push(span);
    const names = up.map(({ name, resource }) => `${name} ${resource}`);
    assert.ok(
      up.some(({ name, resource }) => `${name} ${resource}`.includes("process orders")),
      `${names}`,
    );
    assert.ok(
      names.some((name) => name.includes("express.request") || name.includes("web.request")),
      `${names} in ${seen}`,
    );
  }
  assert.equal(app.logged("shipped").length, numbers.length, app.output);
});
