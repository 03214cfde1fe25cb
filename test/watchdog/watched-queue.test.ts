import { expect, it, vi } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrument } from "../../src/adapters/instrument.js";
import { processWide } from "../../src/base/process-wide.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import type { SharedHead } from "../../src/stall-monitor/shared-heads.js";
import { type ProcessFacts, WatchedQueue } from "../../src/watchdog/sampling/watched-queue.js";
import { processor } from "./situations.js";

/** Budgets go by the real clock, which fake timers don't reach; here the test moves it. */
const real = vi.hoisted(() => ({ now: 0 }));
vi.mock("../../src/base/real-time.js", async (original) => ({
  ...(await original<typeof import("../../src/base/real-time.js")>()),
  realNow: () => real.now,
}));

const noFacts: ProcessFacts = {
  waitsOf: () => [],
  putAt: () => undefined,
  neverResumes: () => undefined,
  stalls: () => [],
  loopUtilization: () => 0,
  processor: () => processor(),
};

it("the heads of a queue can be read in the midst of what the queue does: no code of the user's is called", () => {
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
  const publish = vi.fn();
  const head = vi.fn(() => ({ publish }) as unknown as SharedHead);
  const watched = new WatchedQueue(watchable, 60_000, { head });
  queue.push("first");
  asked = 0;
  watched.showHeads();
  expect(asked).toBe(0);
  watched.sample(noFacts);
  expect(asked).toBeGreaterThan(0);
  expect(head.mock.calls).toEqual([["homemade", "default"]]);
  expect(publish.mock.calls).toEqual([
    [expect.any(Number), 1_000],
    [expect.any(Number), 1_000],
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
