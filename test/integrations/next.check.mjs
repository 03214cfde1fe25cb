import { test } from "node:test";
import { App, run } from "./app.mjs";
import { assertInTrace, assertScraped, assertShipped, sendOrders } from "./orders.mjs";
import { Receiver } from "./receiver.mjs";

const NEXT = ["node_modules/next/dist/bin/next"];

test("builds", () => run("npm", "run", "build"));

test("one queue for all bundles: spans in the request's trace, IDs in the logs, series, and a stop that loses nothing", async () => {
  const receiver = await Receiver.start();
  const app = new App([...NEXT, "start", "--hostname", "127.0.0.1", "--port", "0"], {
    ...receiver.env,
    NEXT_MANUAL_SIG_HANDLE: "true",
  });
  const [, url] = await app.line(/Local:\s+(http:\/\/127\.0\.0\.1:\d+)/);
  const metrics = await app.metricsUrl();
  const numbers = await sendOrders(url, 20);
  await assertScraped(metrics, numbers.length);
  await app.stop(); // while most orders still wait
  assertShipped(app, numbers);
  assertInTrace(receiver, numbers);
});
