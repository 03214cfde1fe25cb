import assert from "node:assert/strict";
import { test } from "node:test";
import { App, run } from "./app.mjs";
import { assertScraped, assertShipped, sendOrders } from "./orders.mjs";

test("compiles", () => run("npm", "run", "build"));

test("IDs and the request's cls store reach the worker, series /metrics, and shutdown hooks lose nothing", async () => {
  const app = new App(["dist/main.js"]);
  const url = await app.url();
  const numbers = await sendOrders(url, 20);
  const text = await assertScraped(`${url}/metrics`, numbers.length);
  assert.match(text, /^process_cpu_seconds_total /m);
  app.kill("SIGTERM");
  // Nest ends the process by the signal that it was told to stop by.
  assert.equal(await app.exited, "SIGTERM", app.output);
  const shipped = assertShipped(app, numbers);
  for (const { order, user } of shipped) assert.equal(user, order.replace("order", "user"));
  assert.equal(app.logged("drained").length, 1, app.output);
});
