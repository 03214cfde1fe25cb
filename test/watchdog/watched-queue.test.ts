import { expect, it, vi } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrument } from "../../src/adapters/instrument.js";
import { processWide } from "../../src/base/process-wide.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { WatchedQueue } from "../../src/watchdog/sampling/watched-queue.js";

/** Budgets go by the real clock, which fake timers don't reach; here the test moves it. */
const real = vi.hoisted(() => ({ now: 0 }));
vi.mock("../../src/base/real-time.js", async (original) => ({
  ...(await original<typeof import("../../src/base/real-time.js")>()),
  realNow: () => real.now,
}));

it("the heads of a queue can be read in the midst of what the queue does: nobody's code is called", () => {
  let asked = 0;
  const items: string[] = [];
  const queue = instrument(
    {
      push: (item: string) => items.push(item),
      take: () => items.shift(),
      get size() {
        asked++;
        return items.length;
      },
    },
    {
      name: "homemade",
      adapter: generic({ put: "push", get: "take", size: "size" }),
      sla: { default: { targetMs: 1_000 } },
    },
  );
  const watchable = processWide.instrumented.get(queue)!.watchables[0]!;
  const watched = new WatchedQueue(watchable, 60_000);
  queue.push("first");
  asked = 0;
  const [inTheMidst] = watched.promises(true);
  expect(asked).toBe(0);
  const [otherwise] = watched.promises(false);
  expect(asked).toBeGreaterThan(0);
  expect([inTheMidst, otherwise]).toMatchObject([
    { name: "default", targetMs: 1_000, waitMs: expect.any(Number) },
    { name: "default", targetMs: 1_000, waitMs: expect.any(Number) },
  ]);
});

it("items that take too long to weigh are weighed once", async () => {
  const queue = instrument(new FifoQueue<object>(), { name: "heavy" });
  const watchable = processWide.instrumented.get(queue)!.watchables[0]!;
  const watched = new WatchedQueue(watchable, 60_000);
  const slow = new Proxy(
    {},
    {
      ownKeys() {
        real.now += 200;
        return [];
      },
    },
  );
  await queue.put(slow);
  expect(watched.memory()).toMatchObject({ sampled: 1 });
  expect(watched.memory()).toBeUndefined();
});
