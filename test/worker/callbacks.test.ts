import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { settled } from "./by-hand.js";

const fail = () => {
  throw new Error("handler");
};
/** What a callback may do that fails. */
const bad: [string, () => unknown][] = [
  [
    "throws",
    () => {
      throw new Error("callback");
    },
  ],
  ["rejects", async () => Promise.reject(new Error("callback"))],
  [
    "returns a promise of another realm that rejects",
    () => runInNewContext('Promise.reject(new Error("callback"))'),
  ],
  [
    "returns a thenable that rejects",
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: it stands for a thenable
      then(_: unknown, reject: (error: Error) => void) {
        reject(new Error("callback"));
      },
    }),
  ],
  [
    "returns a thenable that throws",
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: it stands for a thenable
      then() {
        throw new Error("callback");
      },
    }),
  ],
];

let clock: FakeClock;
let queue: FifoQueue<number>;
let warnings: string[];
beforeEach(() => {
  clock = new FakeClock();
  queue = new FifoQueue<number>({ clock });
  warnings = [];
  vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
});
afterEach(() => void vi.restoreAllMocks());

describe.each(bad)("a callback that %s", (_, callback) => {
  it.each(["state", "failed", "stopped"] as const)(
    "as listener of %s costs no item, is warned of once, and the next listener is told",
    async (event) => {
      const pool = new WorkerPool(queue, (item) => (item === 1 ? fail() : undefined));
      const next = vi.fn();
      pool.on(event, callback as never).on(event, next);
      await queue.putMany([1, 2, 3]);
      await pool.drain();
      await settled();
      expect(pool.counts).toMatchObject({ done: 2, failed: 1 });
      expect(next).toHaveBeenCalled();
      expect(warnings.filter((warning) => warning.includes("a callback of a queue has thrown"))).toHaveLength(
        1,
      );
    },
  );

  it("as onDrop, evictWhen, onFailed or deadLetter neither ends the process nor loses an item", async () => {
    const full = new FifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      evictWhen: callback as never,
      onDrop: callback,
    });
    full.tryPut(1);
    void full.put(2);
    full.shutdown({ immediate: true });
    const pool = new WorkerPool(queue, fail, { onFailed: callback as never, deadLetter: callback });
    pool.on("failed", () => {});
    await queue.put(1);
    await settled();
    await settled();
    expect(queue.delayed).toBe(1);
    const stopped = pool.stop();
    await settled();
    expect((await stopped).leftOver.count).toBe(1);
  });

  it("is counted where telemetry counts", async () => {
    const instrumented = instrument(new FifoQueue<number>(), {
      name: `callbacks-${bad.findIndex(([, each]) => each === callback)}`,
    });
    const pool = new WorkerPool(instrumented, () => {});
    pool.on("stopped", callback as never);
    await pool.drain();
    await settled();
    expect(warnings).toEqual([]);
  });
});

describe.each(["onFailed", "deadLetter"] as const)("an %s that never ends", (name) => {
  const never = vi.fn(() => new Promise<never>(() => {}));

  it.each([
    ["30 s", {}, 30_000],
    ["the pool's timeoutMs", { timeoutMs: 500 }, 500],
    ["callbackTimeoutMs", { timeoutMs: 500, callbackTimeoutMs: 2_000 }, 2_000],
  ])("keeps its worker for %s, and then counts as failed", async (_, options, limitMs) => {
    const pool = new WorkerPool(queue, fail, { ...options, [name]: never });
    pool.on("failed", () => {});
    await queue.put(1);
    await settled();
    expect(pool.running).toBe(1);
    await clock.advanceAsync(limitMs - 1);
    expect(pool.running).toBe(1);
    await clock.advanceAsync(1);
    expect(pool.running).toBe(0);
    expect(warnings.some((warning) => warning.includes(`${name} took longer than ${limitMs} ms`))).toBe(true);
    if (name === "onFailed") expect(pool.counts.failed).toBe(1);
    else expect(queue.delayed).toBe(1);
    await pool.stop();
  });
});

it("a dead letter queue without room gets each item once, however long that takes", async () => {
  const dead = new FifoQueue<number>({ capacity: 1, clock });
  const pool = new WorkerPool(queue, fail, {
    timeoutMs: 100,
    deadLetter: dead,
    retry: { backoff: { initialMs: 1 } },
  });
  await queue.putMany([1, 2]);
  await settled();
  expect([dead.size, pool.counts.deadLettered]).toEqual([1, 1]);
  for (let i = 0; i < 10; i++) await clock.advanceAsync(100);
  expect(dead.tryGet()).toBe(1);
  for (let i = 0; i < 10; i++) await clock.advanceAsync(100);
  expect(pool.counts.deadLettered).toBe(2);
  expect(dead.tryGet()).toBe(2);
  for (let i = 0; i < 10; i++) await clock.advanceAsync(100);
  expect(dead.size).toBe(0);
});

describe("what a shutdown rejects", () => {
  it("is no unhandled rejection if it is not awaited, and is heard by those who await it", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const full = new FifoQueue<number>({ capacity: 1, clock });
      const pool = new WorkerPool(
        full,
        () => new Promise((resolve) => clock.setTimeout(resolve as never, 10)),
      );
      await full.putMany([1, 2]);
      void full.put(3);
      void full.putMany([4, 5]);
      const awaited = full.put(6);
      const drained = pool.drain();
      void full.put(7);
      await expect(awaited).rejects.toMatchObject({ code: "QUEUE_SHUT_DOWN", item: 6 });
      for (let i = 0; i < 10; i++) await clock.advanceAsync(10);
      await drained;
      const empty = new FifoQueue<number>();
      void empty.get();
      void empty.receive();
      void empty.getMany(2);
      const got = empty.get();
      empty.shutdown();
      void empty.get();
      await expect(got).rejects.toMatchObject({ code: "QUEUE_SHUT_DOWN" });
      await settled();
      await settled();
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});
