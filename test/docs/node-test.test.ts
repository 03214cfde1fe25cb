import assert from "node:assert/strict";
import { mock } from "node:test";
import { it } from "vitest";
import { FifoQueue } from "../../src/index.js";

it("gives up a get for which nothing comes", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const orders = new FifoQueue<string>();
  const get = orders.get({ timeoutMs: 5_000 });
  mock.timers.tick(5_000);
  await assert.rejects(get, { code: "QUEUE_TIMEOUT" });
  mock.timers.reset();
});
