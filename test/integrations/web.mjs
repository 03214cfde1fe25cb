// The check of a recipe whose app is an HTTP server with telemetry of ours.
import { test } from "node:test";
import { App } from "./app.mjs";
import { assertInTrace, assertScraped, assertShipped, sendOrders } from "./orders.mjs";
import { Receiver } from "./receiver.mjs";

export function checkWeb(args) {
  test("spans are in the request's trace, IDs in the logs, series in /metrics, and a stop loses nothing", async () => {
    const receiver = await Receiver.start();
    const app = new App(args, receiver.env);
    const url = await app.url();
    const numbers = await sendOrders(url, 20);
    await assertScraped(await app.metricsUrl(), numbers.length);
    await app.stop(); // while most orders still wait
    assertShipped(app, numbers);
    assertInTrace(receiver, numbers);
  });
}
