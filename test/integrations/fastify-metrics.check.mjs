import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./app.mjs";
import { assertScraped, sendOrders } from "./orders.mjs";

test("the endpoint that the app has serves queues, too, each family once", async () => {
  const app = new App(["app.js"]);
  const url = await app.url();
  const numbers = await sendOrders(url, 20);
  const text = await assertScraped(`${url}/metrics`, numbers.length);
  assert.match(text, /^http_request_duration_seconds_bucket\{/m);
  assert.match(text, /^process_cpu_seconds_total /m);
  await app.stop();
});
