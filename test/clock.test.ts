import { mock } from "node:test";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { instrument } from "../src/adapters/instrument.js";
import { systemClock } from "../src/base/clock.js";
import { nextTurn, turn } from "../src/base/real-time.js";
import { FifoQueue } from "../src/queue/fifo-queue.js";
import { PriorityQueue } from "../src/queue/priority-queue.js";
import { metricProducer } from "../src/telemetry/metrics/metric-producer.js";
import { FakeClock } from "../src/testing/fake-clock.js";
import { Watchdog } from "../src/watchdog/watchdog.js";
import { WorkerPool } from "../src/worker/pool.js";
import { turns } from "../src/worker/turns.js";

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

/** Also those of a pool that waits for the loop to turn, as it may on a slow machine. */
const microtasks = async () => {
  for (let i = 0; i < 20; i++) await (turns.isDue ? turn() : null);
};

/** Both, with what they fake unless told otherwise, and with timers alone. */
const fakes = [
  ["vitest", () => void vi.useFakeTimers(), (ms: number) => void vi.advanceTimersByTime(ms)],
  [
    "vitest, with queueMicrotask",
    () =>
      void vi.useFakeTimers({
        toFake: [
          "setTimeout",
          "clearTimeout",
          "setInterval",
          "clearInterval",
          "setImmediate",
          "clearImmediate",
          "Date",
          "performance",
          "queueMicrotask",
        ],
      }),
    (ms: number) => void vi.advanceTimersByTime(ms),
  ],
  [
    "vitest, setTimeout alone",
    () => void vi.useFakeTimers({ toFake: ["setTimeout"] }),
    (ms: number) => void vi.advanceTimersByTime(ms),
  ],
  [
    "vitest, timers and Date",
    () => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }),
    (ms: number) => void vi.advanceTimersByTime(ms),
  ],
  ["node:test", () => void mock.timers.enable(), (ms: number) => void mock.timers.tick(ms)],
  [
    "node:test, setTimeout alone",
    () => void mock.timers.enable({ apis: ["setTimeout"] }),
    (ms: number) => void mock.timers.tick(ms),
  ],
] as const;

describe.each(fakes)("under the fake timers of %s", (_, fake, advance) => {
  it("puts and gets are given up when their time is over, not before", async () => {
    fake();
    const queue = new FifoQueue<number>({ capacity: 1 });
    const ended: number[] = [];
    for (const timeoutMs of [1_000, 3_000]) queue.get({ timeoutMs }).catch(() => ended.push(timeoutMs));
    advance(999);
    await microtasks();
    expect(ended).toEqual([]);
    advance(1);
    await microtasks();
    expect(ended).toEqual([1_000]);
    advance(2_000);
    await microtasks();
    expect(ended).toEqual([1_000, 3_000]);
  });

  it("a retry comes after its pause", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    fake();
    const queue = new FifoQueue<number>();
    const seen: number[] = [];
    new WorkerPool(
      queue,
      (_, { attempt }) => {
        seen.push(attempt);
        if (attempt === 1) throw new Error("once");
      },
      { retry: { attempts: 2, backoff: { initialMs: 2_000 } } },
    );
    queue.tryPut(1);
    await microtasks();
    advance(999);
    await microtasks();
    expect(seen).toEqual([1]);
    advance(1);
    await microtasks();
    expect(seen).toEqual([1, 2]);
    vi.restoreAllMocks();
  });

  it("items age", async () => {
    fake();
    const queue = new PriorityQueue<string>({ tiers: { urgent: 0, regular: 10 }, agingMs: 100 });
    queue.tryPut("old", { tier: "regular" });
    advance(2_000);
    queue.tryPut("new", { tier: "urgent" });
    expect([queue.tryGet(), queue.tryGet()]).toEqual(["old", "new"]);
  });

  it("a wait that began before ends", async () => {
    const end = new FifoQueue<number>().get({ timeoutMs: 30 }).catch(({ code }) => code);
    fake();
    expect(await end).toBe("QUEUE_TIMEOUT");
  });

  it("a wait ends that goes on when they are gone", async () => {
    fake();
    const ends = [30, 40].map((timeoutMs) =>
      new FifoQueue<number>().get({ timeoutMs }).catch(({ code }) => code),
    );
    vi.useRealTimers();
    mock.timers.reset();
    expect(await Promise.all(ends)).toEqual(["QUEUE_TIMEOUT", "QUEUE_TIMEOUT"]);
  });

  it("a pool goes on, with and without a tick, and when they are gone", async () => {
    const queue = new FifoQueue<number>();
    let done = 0;
    const pool = new WorkerPool(queue, async () => void done++);
    fake();
    for (let i = 0; i < 3_000; i++) queue.tryPut(i);
    while (done < 3_000) await new Promise<void>((resolve) => nextTurn(resolve));
    vi.useRealTimers();
    mock.timers.reset();
    for (let i = 0; i < 3_000; i++) queue.tryPut(i);
    await pool.drain();
    expect(done).toBe(6_000);
  });

  it("time goes on from where it was, and never back", () => {
    const before = systemClock.now();
    fake();
    const during = systemClock.now();
    expect(during).toBeGreaterThanOrEqual(before);
    expect(during - before).toBeLessThan(1_000);
    systemClock.setTimeout(() => {}, 5_000);
    advance(5_000);
    const later = systemClock.now();
    expect(later - during).toBeGreaterThanOrEqual(4_999);
    expect(later - during).toBeLessThan(6_000);
    vi.useRealTimers();
    mock.timers.reset();
    expect(systemClock.now()).toBeGreaterThanOrEqual(later);
    expect(systemClock.now() - later).toBeLessThan(1_000);
  });
});

describe("the system clock", () => {
  it("is not held up by a performance that stands still", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const queue = new FifoQueue<number>();
    const ends = [20, 40].map((timeoutMs) => queue.get({ timeoutMs }).catch(({ code }) => code));
    expect(await Promise.all(ends)).toEqual(["QUEUE_TIMEOUT", "QUEUE_TIMEOUT"]);
  });

  it.each<[string, () => number]>([
    [
      "throws",
      () => {
        throw new Error("no time today");
      },
    ],
    ["tells nothing, as a mock without an implementation", () => undefined as never],
    ["tells Infinity", () => Number.POSITIVE_INFINITY],
  ])("is not stopped, then or for good, by a performance that %s", async (_, now) => {
    const broken = { isOn: false };
    const { now: own } = performance;
    for (const isNoticed of [true, false]) {
      // It may fail from the start, or when it was found good already.
      broken.isOn = isNoticed;
      const given = vi
        .spyOn(performance, "now")
        .mockImplementation(() => (broken.isOn ? now() : own.call(performance)));
      const before = systemClock.now();
      broken.isOn = true;
      await expect(new FifoQueue().get({ timeoutMs: 20 })).rejects.toThrow("20 ms in vain");
      const during = systemClock.now();
      expect(during - before).toBeGreaterThanOrEqual(18);
      given.mockRestore();
      const after = systemClock.now();
      expect(after).toBeGreaterThanOrEqual(during);
      await expect(new FifoQueue().get({ timeoutMs: 20 })).rejects.toThrow("20 ms in vain");
      expect(systemClock.now() - after).toBeGreaterThanOrEqual(18);
      expect(systemClock.now() - before).toBeLessThan(60_000);
    }
  });

  it("goes on when there is no performance at all", async () => {
    const before = systemClock.now();
    vi.stubGlobal("performance", undefined);
    await expect(new FifoQueue().get({ timeoutMs: 20 })).rejects.toThrow("20 ms in vain");
    expect(systemClock.now() - before).toBeGreaterThanOrEqual(18);
    vi.unstubAllGlobals();
    expect(systemClock.now() - before).toBeGreaterThanOrEqual(18);
  });

  it("takes the longest delay for one that is too long, which Node would take for none", () => {
    vi.useFakeTimers();
    const fired = vi.fn();
    systemClock.setTimeout(fired, 2 ** 31);
    systemClock.setTimeout(fired, Number.POSITIVE_INFINITY);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(fired).not.toHaveBeenCalled();
  });

  it("fires no timer that was cleared, whichever code set it", () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const fired = vi.fn();
    systemClock.clearTimeout(systemClock.setTimeout(fired, 10));
    vi.advanceTimersByTime(100);
    expect(fired).not.toHaveBeenCalled();
  });
});

describe("wall time", () => {
  it.each<[string, () => number]>([
    [
      "throws",
      () => {
        throw new Error("no date today");
      },
    ],
    ["tells nothing, as a mock without an implementation", () => undefined as never],
  ])(
    "is the real one where Date.now %s: puts with a deadline enter, spans and reports have their times",
    async (_, now) => {
      const before = Date.now();
      vi.spyOn(Date, "now").mockImplementation(now);
      onTestFinished(() => void vi.restoreAllMocks());
      expect(systemClock.wallNow()).toBeGreaterThanOrEqual(before);
      const queue = instrument(new FifoQueue<number>(), { name: "no-date" });
      await queue.put(1, { deadline: before - 1 });
      await queue.put(2, { deadline: before + 600_000 });
      expect(await queue.get()).toBe(2);
      const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY }).watch(queue);
      expect(dog.report()[0]!.at).toBeGreaterThanOrEqual(before);
      const { errors, resourceMetrics } = await metricProducer().collect();
      expect(errors).toEqual([]);
      const [point] = resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints;
      expect(point!.endTime[0]).toBeGreaterThanOrEqual(Math.floor(before / 1_000));
    },
  );
});

it("a clock that throws makes puts and gets reject, and none throw", async () => {
  const clock = new FakeClock();
  vi.spyOn(clock, "wallNow").mockImplementation(() => {
    throw new Error("no wall");
  });
  const put = new FifoQueue<number>({ clock }).put(1, { deadline: 5 });
  await expect(put).rejects.toThrow("no wall");
});
