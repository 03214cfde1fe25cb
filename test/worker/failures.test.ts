import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Backoff } from "../../src/worker/backoff.js";
import type { Verdict, WorkerPoolOptions } from "../../src/worker/options.js";
import { type Handler, WorkerPool } from "../../src/worker/pool.js";
import { ByHand, settled } from "./by-hand.js";

const warn = vi.spyOn(process, "emitWarning");
let clock: FakeClock;
let queue: FifoQueue<number>;
let hand: ByHand<number>;

beforeEach(() => {
  warn.mockReset().mockImplementation(() => {});
  clock = new FakeClock();
  queue = new FifoQueue<number>({ clock });
  hand = new ByHand<number>();
});

afterAll(() => void warn.mockRestore());

const AT_ONCE = { initialMs: 0 };
const fail = () => {
  throw new Error("no luck");
};

/** What became of one item, put into a pool whose handler fails it. */
async function fate(options: WorkerPoolOptions<number>, handler: Handler<number> = fail) {
  const pool = new WorkerPool(queue, handler, options);
  const verdicts: Verdict[] = [];
  pool.on("failed", ({ verdict }) => void verdicts.push(verdict));
  await queue.put(1);
  await settled();
  await pool.drain();
  return { verdicts, counts: pool.counts };
}

describe("a handler that fails", () => {
  it("stops neither the pool nor the others, whichever way it fails", async () => {
    const handlers: Handler<number>[] = [
      fail,
      async () => fail(),
      () => Promise.reject(undefined),
      () => {
        throw null;
      },
      () => {
        throw Object.create(null);
      },
    ];
    const pool = new WorkerPool(queue, (item, task) => handlers[item]?.(item, task), { concurrency: 2 });
    await queue.putMany([0, 1, 2, 3, 4, 5, 6]);
    await pool.drain();
    expect(pool.counts).toEqual({ done: 2, failed: 5, retried: 0, deadLettered: 0 });
    await queue.join();
  });

  it("is told by event, with item, error, task and verdict", async () => {
    const pool = new WorkerPool(queue, hand.handler, { retry: { attempts: 2, backoff: AT_ONCE } });
    const told: unknown[] = [];
    pool.on("failed", ({ item, error, task, verdict }) => told.push([item, error, task.attempt, verdict]));
    await queue.put(7, { correlationId: "seven" });
    await settled();
    hand.of(7).fail("first");
    await settled();
    hand.of(7).fail("second");
    await settled();
    expect(told).toEqual([
      [7, "first", 1, "retry"],
      [7, "second", 2, "drop"],
    ]);
  });

  it("is warned of once without a listener, with its ID and error", async () => {
    const pool = new WorkerPool(queue, fail, { name: "shipping" });
    await queue.put(1, { correlationId: "c-1" });
    await queue.put(2);
    await pool.drain();
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^shipping: .*c-1.* attempt 1: Error: no luck/s), "QueuescopeWarning"],
    ]);
  });

  it("is no cause for a warning with a listener, or a decision on it", async () => {
    await fate({});
    queue = new FifoQueue<number>({ clock });
    const pool = new WorkerPool(queue, fail, { onFailed: () => "drop" });
    await queue.put(1);
    await pool.drain();
    expect(warn).not.toHaveBeenCalled();
  });

  it("may fail with what can't be shown: that breaks nothing", async () => {
    const odd = {
      [Symbol.for("nodejs.util.inspect.custom")]() {
        throw new Error("not shown");
      },
    };
    const pool = new WorkerPool(queue, () => {
      throw odd;
    });
    await queue.putMany([1, 2]);
    await pool.drain();
    expect(pool.counts.failed).toBe(2);
    expect(pool.workers).toEqual([]);
  });
});

describe("retries", () => {
  it("come back after a pause, as the next attempt, and hold no worker meanwhile", async () => {
    const pool = new WorkerPool(queue, hand.handler, {
      retry: { attempts: 3, backoff: { initialMs: 100, maxMs: 1_000 } },
    });
    await queue.put(1, { correlationId: "c-1" });
    await queue.put(2);
    await settled();
    hand.of(1).fail(new Error("later"));
    await settled();
    expect(hand.items).toEqual([1, 2]);
    expect(queue.delayed).toBe(1);
    hand.of(2).done();
    clock.advance(100);
    await settled();
    expect(hand.of(1).task).toMatchObject({ attempt: 2, correlationId: "c-1" });
    hand.of(1).done();
    await settled();
    expect(pool.counts).toEqual({ done: 2, failed: 0, retried: 1, deadLettered: 0 });
    await queue.join();
  });

  it("end with the last attempt, the first one included", async () => {
    let calls = 0;
    const { verdicts, counts } = await fate({ retry: { attempts: 3, backoff: AT_ONCE } }, () => {
      calls++;
      fail();
    });
    expect(calls).toBe(3);
    expect(verdicts).toEqual(["retry", "retry", "drop"]);
    expect(counts).toEqual({ done: 0, failed: 1, retried: 2, deadLettered: 0 });
  });

  it("may go on for ever, without a pause that is no number", async () => {
    let calls = 0;
    const { counts } = await fate({ retry: { attempts: Number.POSITIVE_INFINITY, backoff: AT_ONCE } }, () => {
      if (++calls < 1_200) fail();
    });
    expect(counts).toMatchObject({ done: 1, retried: 1_199 });
  });
});

describe("the backoff", () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 1_000 }, "backoff");

  it("is anything between 0 and a limit that doubles up to its maximum", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    const attempts = [1, 2, 3, 4, 5, 50, 5_000];
    expect(attempts.map((n) => backoff.after(n))).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
    random.mockReturnValue(0.25);
    expect(backoff.after(1)).toBe(25);
    random.mockRestore();
  });

  it("is a delay for every attempt, also when it starts at 0", () => {
    const none = new Backoff({ initialMs: 0 }, "backoff");
    for (const attempt of [1, 2, 1_024, 1_025, 1_026, 100_000]) {
      expect(none.after(attempt)).toBe(0);
      expect(backoff.after(attempt)).toBeLessThanOrEqual(1_000);
    }
  });

  it("has defaults", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    const usual = new Backoff(undefined, "backoff");
    expect([usual.after(1), usual.after(100)]).toEqual([100, 30_000]);
    random.mockRestore();
  });
});

describe("onFailed", () => {
  const deadLetter = () => {};

  it.each<[string, WorkerPoolOptions<number>, Verdict[]]>([
    [
      "retry, while there are attempts",
      { retry: { attempts: 3 }, onFailed: () => "retry" },
      ["retry", "retry", "drop"],
    ],
    ["retry, without attempts", { onFailed: () => "retry" }, ["drop"]],
    [
      "retry, without attempts but with a dead letter",
      { onFailed: () => "retry", deadLetter },
      ["dead-letter"],
    ],
    [
      "drop, while there are attempts",
      { retry: { attempts: 3 }, onFailed: () => "drop", deadLetter },
      ["drop"],
    ],
    [
      "dead-letter, while there are attempts",
      { retry: { attempts: 3 }, onFailed: async (): Promise<Verdict> => "dead-letter", deadLetter },
      ["dead-letter"],
    ],
    ["dead-letter, with nowhere to put it", { onFailed: () => "dead-letter" }, ["drop"]],
    ["nothing", { retry: { attempts: 2 }, onFailed: () => undefined, deadLetter }, ["retry", "dead-letter"]],
  ])("that says %s, is heeded", async (_, options, expected) => {
    const { verdicts } = await fate({
      ...options,
      retry: { attempts: 1, ...options.retry, backoff: AT_ONCE },
    });
    expect(verdicts).toEqual(expected);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each<[string, () => unknown]>([
    ["throws", fail],
    ["rejects", async () => fail()],
    ["gives no verdict but something else", () => "perhaps"],
    ["gives what has no words", () => Object.create(null)],
  ])("that %s counts as none, and is a fault", async (_, onFailed) => {
    const { verdicts } = await fate({
      retry: { attempts: 2, backoff: AT_ONCE },
      onFailed: onFailed as () => Verdict,
      deadLetter,
    });
    expect(verdicts).toEqual(["retry", "dead-letter"]);
    expect(warn).toHaveBeenCalledOnce();
  });

  it("gets item, error and task, and its worker waits for it", async () => {
    let decide!: (verdict: Verdict) => void;
    const onFailed = vi.fn(
      () =>
        new Promise<Verdict>((resolve) => {
          decide = resolve;
        }),
    );
    const pool = new WorkerPool(queue, hand.handler, { onFailed });
    await queue.putMany([1, 2]);
    await settled();
    const { task } = hand.of(1);
    hand.of(1).fail("error");
    await settled();
    expect(onFailed).toHaveBeenCalledWith(1, "error", task);
    expect(pool.running).toBe(1);
    expect(hand.items).toEqual([1]);
    decide("drop");
    await settled();
    expect(hand.items).toEqual([1, 2]);
  });
});

describe("the dead letter", () => {
  it("that comes late makes no item of the same request run once more", async () => {
    let isDown = true;
    const put: number[] = [];
    new WorkerPool(queue, hand.handler, {
      deadLetter: (item) => {
        if (isDown) throw new Error("down");
        put.push(item);
      },
      retry: { attempts: 1, backoff: { initialMs: 100, maxMs: 100 } },
    });
    await queue.putMany([1, 2, 3], { correlationId: "one request" });
    for (const item of [1, 2, 3]) {
      await settled();
      hand.of(item).fail(new Error("no luck"));
    }
    await settled();
    isDown = false;
    clock.advance(100);
    for (let i = 0; i < 3; i++) await settled();
    expect([hand.items, put.sort()]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("is a queue, which gets item and correlation ID", async () => {
    const dead = new FifoQueue<number>({ clock });
    const pool = new WorkerPool(queue, fail, { deadLetter: dead, retry: { attempts: 2, backoff: AT_ONCE } });
    await queue.put(1, { correlationId: "c-1" });
    await pool.drain();
    const delivery = await dead.receive();
    expect(delivery).toMatchObject({ item: 1, correlationId: "c-1", attempt: 1 });
    expect(pool.counts).toEqual({ done: 0, failed: 0, retried: 1, deadLettered: 1 });
    await queue.join();
  });

  it("is a function, which gets item, error and task, and is waited for", async () => {
    let accept!: () => void;
    const deadLetter = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          accept = resolve;
        }),
    );
    const pool = new WorkerPool(queue, hand.handler, { deadLetter });
    await queue.putMany([1, 2]);
    await settled();
    const { task } = hand.of(1);
    hand.of(1).fail("error");
    await settled();
    expect(deadLetter).toHaveBeenCalledWith(1, "error", task);
    expect(pool.counts.deadLettered).toBe(0);
    accept();
    await settled();
    expect(pool.counts.deadLettered).toBe(1);
    expect(hand.items).toEqual([1, 2]);
  });

  it("that is full holds its worker up until there is room", async () => {
    const dead = new FifoQueue<number>({ capacity: 1 });
    const pool = new WorkerPool(queue, fail, { deadLetter: dead });
    await queue.putMany([1, 2, 3]);
    for (const item of [1, 2, 3]) {
      await settled();
      expect(pool.counts.deadLettered).toBe(item);
      expect(await dead.get()).toBe(item);
    }
    await pool.drain();
  });

  it("that refuses gets the item again, until it takes it: none is lost", async () => {
    let refusals = 3;
    const put: unknown[] = [];
    const handler = vi.fn(() => {
      throw new Error("the last attempt failed");
    });
    const pool = new WorkerPool(queue, handler, {
      retry: { backoff: AT_ONCE },
      deadLetter: async (item, error) => {
        if (refusals-- > 0) throw new Error("refused");
        put.push(item, (error as Error).message);
      },
    });
    await queue.put(1);
    await pool.drain();
    expect(put).toEqual([1, "the last attempt failed"]);
    expect(handler, "no attempt beyond those that were allowed").toHaveBeenCalledOnce();
    expect(pool.counts).toEqual({ done: 0, failed: 0, retried: 3, deadLettered: 1 });
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining("refused"),
      expect.stringContaining("given up"),
    ]);
  });

  it("that will never take anything leaves the item in the queue when a drain's time is over", async () => {
    const dead = new FifoQueue<number>();
    dead.shutdown();
    // With every delay at its longest, none ends at the very moment at which the time is over.
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    const pool = new WorkerPool(queue, fail, { deadLetter: dead, retry: { backoff: { initialMs: 50 } } });
    await queue.put(1);
    await settled();
    const drained = pool.drain({ timeoutMs: 1_000 });
    for (let i = 0; i < 200; i++) {
      clock.advance(5);
      await settled();
    }
    expect(await drained).toMatchObject({ timedOut: true, leftOver: { count: 1 }, deadLettered: 0 });
  });

  it("may be another pool's queue, whose handler puts it back", async () => {
    const repair = new FifoQueue<number>({ clock });
    const broken = new Set([1, 2]);
    const main = new WorkerPool(
      queue,
      (item) => {
        if (broken.has(item)) fail();
      },
      { deadLetter: repair },
    );
    const fix = new WorkerPool(repair, async (item) => {
      broken.delete(item);
      await queue.put(item);
    });
    await queue.putMany([1, 2, 3]);
    while (main.counts.done < 3) await settled();
    await main.drain();
    await fix.drain();
    expect(main.counts).toMatchObject({ done: 3, deadLettered: 2 });
  });
});
