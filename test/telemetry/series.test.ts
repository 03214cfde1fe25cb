import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { QueueSeries } from "../../src/telemetry/metrics/series.js";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

it("queues without any reference don't pile up under their name, though it is never read", async () => {
  const series = new QueueSeries("orders", false);
  const kept = new FifoQueue()[PROBE];
  series.watch(kept, []);
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j < 100; j++) series.watch(new FifoQueue()[PROBE], []);
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  const { watched } = series as unknown as { watched: unknown[] };
  expect(watched.length).toBeLessThan(500);
  expect([...series.alive()].map(({ probe }) => probe)).toEqual([kept]);
  expect(watched.length).toBeLessThan(500);
});
