import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { App } from "./app.mjs";
import { traceOf } from "./orders.mjs";
import { Receiver } from "./receiver.mjs";

const isStopped = (pid) => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

test("all of an invocation is done and sent before the function is frozen", async () => {
  const receiver = await Receiver.start();
  // A delay that never ends: only what is flushed gets out.
  const env = { ...receiver.env, OTEL_BSP_SCHEDULE_DELAY: "3600000", OTEL_METRIC_EXPORT_INTERVAL: "3600000" };
  const app = new App([fileURLToPath(new URL("lambda-runtime.mjs", import.meta.url))], env);
  const [, pid] = await app.line(/^runtime (\d+)$/);
  for (const [invocation, messages] of [
    [1, ["order-1", "broken", "order-2"]],
    [2, ["order-3"]],
  ]) {
    const [, answer] = await app.line(new RegExp(`^answer ${invocation} (.*)$`));
    while (!isStopped(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    const failures = messages.includes("broken") ? [{ itemIdentifier: `message-${invocation}-broken` }] : [];
    assert.deepEqual(JSON.parse(answer), { batchItemFailures: failures });
    for (const message of messages) {
      const spans = receiver
        .named("process orders")
        .filter(({ traceId, links = [] }) =>
          [traceId, ...links.map((link) => link.traceId)].includes(
            traceOf(invocation * 100 + messages.indexOf(message)),
          ),
        );
      assert.equal(spans.length, message === "broken" ? 2 : 1, `${message}: ${spans.length} spans`);
    }
    const [enqueued] = receiver.metrics.get("queue.enqueued");
    // A retry comes in again.
    assert.equal(Number(enqueued.asInt ?? enqueued.asDouble), invocation === 1 ? 4 : 5);
    const ids = app.logged("shipped").map(({ order, correlation_id }) => [order, correlation_id]);
    assert.deepEqual(new Set(ids.map(([order]) => order)).size, invocation === 1 ? 2 : 3, app.output);
    for (const [order, id] of ids) assert.match(id, new RegExp(`^message-\\d-${order}$`));
    app.kill("SIGCONT");
  }
  assert.equal(await app.exited, 0, app.output);
});
