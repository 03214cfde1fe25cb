import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Gate } from "../../src/worker/gate.js";
import { WorkerPool, type WorkerStatus } from "../../src/worker/pool.js";
import type { Task } from "../../src/worker/task.js";
import { ByHand, settled } from "./by-hand.js";

let clock: FakeClock;
let queue: FifoQueue<number>;
let hand: ByHand<number>;

beforeEach(() => {
  clock = new FakeClock();
  queue = new FifoQueue<number>({ clock });
  hand = new ByHand<number>();
});

describe("a pool", () => {
  it.each([
    ["stops it", (pool: WorkerPool<string>) => void pool.stop()],
    ["leaves it one worker less", (pool: WorkerPool<string>) => pool.resize(1)],
  ])("loses nothing when `onDrop` %s while it looks for an item", async (_, react) => {
    let pool: WorkerPool<string> | undefined;
    const handled: string[] = [];
    const late = new FifoQueue<string>({ clock, onDrop: () => react(pool!) });
    await late.put("late", { deadline: clock.wallNow() + 10 });
    await late.put("good");
    clock.advance(20);
    pool = new WorkerPool(late, (item) => void handled.push(item), { concurrency: 2 });
    await settled();
    expect([handled, late.size, pool.running]).toEqual([["good"], 0, 0]);
  });

  it("loses nothing when a listener that hears of a worker's end puts something in", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    await queue.put(1);
    await settled();
    pool.on("state", ({ to }) => to === "stopped" && queue.tryPut(2));
    pool.resize(1);
    await settled();
    expect([hand.items, queue.size]).toEqual([[1], 1]);
    hand.of(1).done();
    await settled();
    expect(hand.items).toEqual([1, 2]);
  });

  it("handles what is put, in order, and no more at a time than it may", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    await queue.putMany([1, 2, 3, 4]);
    await settled();
    expect(hand.items).toEqual([1, 2]);
    expect(pool.running).toBe(2);
    hand.of(2).done();
    await settled();
    expect(hand.items).toEqual([1, 2, 3]);
    for (let i = 0; i < 3; i++) {
      for (const call of hand.open) call.done();
      await settled();
    }
    expect(hand.items).toEqual([1, 2, 3, 4]);
    expect(hand.most).toBe(2);
    expect(pool.counts).toEqual({ done: 4, failed: 0, retried: 0, deadLettered: 0 });
    expect(pool.running).toBe(0);
  });

  it("handles what was there before it", async () => {
    await queue.putMany([1, 2]);
    new WorkerPool(queue, hand.handler, { concurrency: 3 });
    await settled();
    expect(hand.items).toEqual([1, 2]);
  });

  it.each([
    ["a LifoQueue", () => new LifoQueue<number>(), [3, 2, 1]],
    ["a PriorityQueue", () => new PriorityQueue<number>(), [3, 1, 2]],
  ] as const)("serves %s in its order", async (_, make, order) => {
    const other = make() as PriorityQueue<number>;
    const seen: number[] = [];
    if (other instanceof PriorityQueue) {
      await other.put(1, { priority: 5 });
      await other.put(2, { priority: 9 });
      await other.put(3, { priority: 1 });
    } else await (other as LifoQueue<number>).putMany([1, 2, 3]);
    const pool = new WorkerPool(other, (item: number) => seen.push(item));
    await pool.drain();
    expect(seen).toEqual(order);
  });

  it("never calls a handler inside a put", async () => {
    const seen: number[] = [];
    new WorkerPool(queue, (item) => void seen.push(item));
    await settled();
    queue.tryPut(1);
    expect(seen).toEqual([]);
    void queue.put(2);
    expect(seen).toEqual([]);
    await settled();
    expect(seen).toEqual([1, 2]);
  });

  it("settles each task, so that a join resolves when all is done", async () => {
    new WorkerPool(queue, hand.handler, { concurrency: 2 });
    await queue.putMany([1, 2]);
    const joined = queue.join();
    let isJoined = false;
    void joined.then(() => {
      isJoined = true;
    });
    await settled();
    hand.of(1).done();
    await settled();
    expect(isJoined).toBe(false);
    hand.of(2).done();
    await joined;
  });

  it("makes room for puts that wait", async () => {
    const small = new FifoQueue<number>({ capacity: 1 });
    new WorkerPool(small, hand.handler);
    const puts = [1, 2, 3].map((item) => small.put(item));
    await settled();
    await Promise.all(puts.slice(0, 2));
    hand.of(1).done();
    await Promise.all(puts);
    expect(hand.items).toEqual([1, 2]);
  });

  it("takes handlers that return anything: values, promises, other thenables, promises of a make of their own", async () => {
    class Strange extends Promise<number> {
      // biome-ignore lint/suspicious/noThenProperty: it is one
      override then(): never {
        throw new Error("no then");
      }
    }
    const twice = Promise.resolve();
    // biome-ignore lint/suspicious/noThenProperty: it is one
    Object.defineProperty(twice, "then", {
      value: (done: () => void) => {
        done();
        done();
      },
    });
    const results: (() => unknown)[] = [
      () => undefined,
      () => 5,
      () => Promise.resolve(),
      // biome-ignore lint/suspicious/noThenProperty: it is one
      () => ({ then: (done: () => void) => done() }),
      // biome-ignore lint/suspicious/noThenProperty: it is one
      () => Object.assign(() => {}, { then: (done: () => void) => setImmediate(done) }),
      () => twice,
      // biome-ignore lint/suspicious/noThenProperty: it is one
      () => ({ then: "not a function" }),
    ];
    const failures: (() => unknown)[] = [
      // biome-ignore lint/suspicious/noThenProperty: it is one
      () => ({ then: (_: unknown, fail: (error: unknown) => void) => fail(new Error("late")) }),
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: it is one
        get then() {
          throw new Error("a getter");
        },
      }),
      () => new Strange(() => {}),
    ];
    const works = new FifoQueue<() => unknown>();
    const pool = new WorkerPool(works, (work) => work());
    const errors: unknown[] = [];
    pool.on("failed", ({ error }) => void errors.push((error as Error).message));
    await works.putMany([...results, ...failures]);
    await pool.drain();
    expect(pool.counts).toMatchObject({ done: results.length, failed: failures.length });
    expect(errors).toEqual(["late", "a getter", "no then"]);
  });

  it("shares a queue with other pools and with plain gets, in order of arrival in the line", async () => {
    const other = new ByHand<number>();
    new WorkerPool(queue, hand.handler);
    await settled();
    const get = queue.get();
    new WorkerPool(queue, other.handler);
    await settled();
    await queue.putMany([1, 2, 3, 4]);
    await settled();
    expect(hand.items).toEqual([1]);
    expect(await get).toBe(2);
    expect(other.items).toEqual([3]);
    other.of(3).done();
    await settled();
    expect(other.items).toEqual([3, 4]);
    queue.taskDone();
    hand.of(1).done();
    other.of(4).done();
    await queue.join();
  });

  it("calls handlers in the async context in which it was made, not in that of a put", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const gates = [undefined, new Gate({ name: "any", concurrency: 1 })];
    for (const gate of gates) {
      const own = new FifoQueue<number>();
      const pool = store.run("the pool's", () => {
        const handler = async (item: number) => {
          seen.push(store.getStore());
          if (item % 2 === 0) await settled();
        };
        return new WorkerPool(own, handler, { concurrency: 2, gate });
      });
      await settled();
      for (const item of [1, 2, 3, 4]) store.run(`put ${item}`, () => void own.put(item));
      await settled();
      await store.run("resume", async () => {
        pool.pause();
        await own.put(5);
        pool.resume();
      });
      await store.run("drain", () => pool.drain());
    }
    expect(seen).toEqual(Array.from({ length: 10 }, () => "the pool's"));
  });

  it("is not started when autoStart is false, until it is told to", async () => {
    const pool = new WorkerPool(queue, hand.handler, { autoStart: false });
    await queue.put(1);
    pool.resume();
    await settled();
    expect(hand.items).toEqual([]);
    expect(pool.isTaking).toBe(false);
    pool.start();
    pool.start();
    await settled();
    expect(hand.items).toEqual([1]);
  });
});

describe("a handler's task", () => {
  it("knows attempt, tier, correlation ID and wait", async () => {
    const orders = new PriorityQueue<string>({ tiers: { vip: 0, regular: 10 }, clock, agingMs: 1_000 });
    const facts: unknown[] = [];
    await orders.put("a", { tier: "vip", correlationId: "c-1" });
    clock.advance(30);
    const pool = new WorkerPool(orders, (_, { attempt, tier, correlationId, waitMs }) => {
      facts.push({ attempt, tier, correlationId, waitMs });
    });
    await pool.drain();
    expect(facts).toEqual([{ attempt: 1, tier: "vip", correlationId: "c-1", waitMs: 30 }]);
  });

  it("keeps what step and progress say, and shows it as the worker's heartbeat", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    expect(pool.workers).toEqual([
      {
        id: 1,
        state: "idle",
        task: undefined,
        lastStartAt: undefined,
        lastStepAt: undefined,
        lastFinishAt: undefined,
      },
    ]);
    await queue.put(1);
    await settled();
    const { task } = hand.of(1);
    expect(pool.workers[0]).toMatchObject({ state: "processing", task, lastStartAt: 1_000 });
    clock.advance(5);
    task.step("read");
    task.progress(0.5);
    expect(task.currentStep).toBe("read");
    expect(task.currentProgress).toBe(0.5);
    expect(pool.workers[0]).toMatchObject({ lastStepAt: 1_005 });
    clock.advance(5);
    hand.of(1).done();
    await settled();
    expect(pool.workers[0]).toMatchObject({ state: "idle", task: undefined, lastFinishAt: 1_010 });
  });

  it("says nothing of its worker once it is over", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    void pool.workers;
    await queue.putMany([1, 2]);
    await settled();
    const { task } = hand.of(1);
    hand.of(1).done();
    await settled();
    clock.advance(50);
    task.step("too late");
    expect(pool.workers[0]).toMatchObject({ lastStepAt: undefined, state: "processing" });
    expect(hand.of(2).task.currentStep).toBeUndefined();
  });

  it("refuses steps and progress that are none", async () => {
    await queue.put(1);
    new WorkerPool(queue, hand.handler);
    await settled();
    const { task } = hand.of(1);
    const bad = task as unknown as { step(name: unknown): void; progress(ratio: unknown): void };
    expect(() => bad.step(5)).toThrow(expect.objectContaining({ option: "name" }));
    expect(() => bad.progress("half")).toThrow(TypeError);
    for (const ratio of [-0.1, 1.1, Number.NaN]) expect(() => bad.progress(ratio)).toThrow(RangeError);
  });

  it("has a signal that is the same however often it is asked for, and is aborted even when it is asked for late", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    await queue.putMany([1, 2]);
    await settled();
    const early = hand.of(1).task.signal;
    expect(hand.of(1).task.signal).toBe(early);
    expect(early.aborted).toBe(false);
    const stopped = pool.stop({ graceMs: 10 });
    clock.advance(10);
    await stopped;
    expect(early.reason).toMatchObject({ code: "QUEUE_TASK_ABANDONED", operation: "stop", limitMs: 10 });
    const late = hand.of(2).task.signal;
    expect(late.aborted).toBe(true);
    expect(late.reason).toMatchObject({ code: "QUEUE_TASK_ABANDONED" });
  });
});

describe("resize", () => {
  it("takes more at once, and less when what runs is done", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    await queue.putMany([1, 2, 3, 4, 5, 6]);
    await settled();
    pool.resize(3);
    expect(pool.concurrency).toBe(3);
    await settled();
    expect(hand.items).toEqual([1, 2, 3]);
    pool.resize(1);
    expect(pool.running).toBe(3);
    hand.of(2).done();
    await settled();
    expect(hand.items).toEqual([1, 2, 3]);
    hand.of(1).done();
    await settled();
    expect(pool.workers).toHaveLength(1);
    hand.of(3).done();
    await settled();
    expect(hand.items).toEqual([1, 2, 3, 4]);
    expect(pool.running).toBe(1);
  });

  it("to more than are idle leaves the line, and finds it again", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    await queue.put(1);
    await settled();
    pool.resize(1);
    await queue.put(2);
    await settled();
    expect(hand.items).toEqual([1]);
    expect(queue.size).toBe(1);
    pool.resize(2);
    await settled();
    expect(hand.items).toEqual([1, 2]);
  });

  it("does nothing to a pool that rests, but counts when it goes on", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    pool.pause();
    pool.resize(2);
    await queue.putMany([1, 2]);
    await settled();
    expect(hand.items).toEqual([]);
    pool.resume();
    await settled();
    expect(hand.items).toEqual([1, 2]);
  });

  it("by a handler, or by a listener to states, is heeded at once", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 3 });
    pool.on("state", ({ to }) => {
      if (to === "idle" && pool.concurrency === 3) pool.resize(1);
    });
    await queue.putMany([1, 2, 3]);
    await settled();
    for (const call of hand.open) call.done();
    await settled();
    expect(pool.workers).toHaveLength(1);
    await queue.putMany([4, 5]);
    await settled();
    expect([...hand.open].map(({ item }) => item)).toEqual([4]);
  });

  it("of what is no number of workers is an error, and changes nothing", () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null, undefined]) {
      expect(() => pool.resize(bad as number)).toThrow(expect.objectContaining({ option: "concurrency" }));
    }
    expect(pool.concurrency).toBe(2);
  });
});

describe("events", () => {
  it("tell each worker's states, in order", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    const states: string[] = [];
    pool.on("state", ({ worker, from, to }) => states.push(`${worker.id}: ${from} -> ${to}`));
    await queue.putMany([1, 2]);
    await settled();
    hand.of(1).done();
    await settled();
    hand.of(2).done();
    await settled();
    await pool.stop();
    expect(states).toEqual(["1: idle -> processing", "1: processing -> idle", "1: idle -> stopped"]);
  });

  it("tell of a worker what may be seen of it, as it is then", async () => {
    const pool = new WorkerPool(queue, hand.handler, { name: "shipping" });
    const told: WorkerStatus[] = [];
    pool.on("state", ({ worker }) => told.push(worker));
    await queue.put(1, { correlationId: "c-1" });
    await settled();
    hand.of(1).done();
    await settled();
    const times = ["lastStartAt", "lastStepAt", "lastFinishAt"];
    expect(told.map((worker) => Object.keys(worker))).toEqual([
      ["id", "state", "task", ...times],
      ["id", "state", "task", ...times],
    ]);
    expect(told.map(({ state }) => state)).toEqual(["processing", "idle"]);
    const task = { correlationId: "c-1", tier: "default", attempt: 1 };
    expect(JSON.parse(JSON.stringify(told[0]))).toMatchObject({ id: 1, state: "processing", task });
    expect(inspect(told[0])).toContain("task: Task {");
    expect(inspect(told[0])).not.toContain("handler");
    const counts = { done: 1, failed: 0, retried: 0, deadLettered: 0 };
    const shown = { name: "shipping", concurrency: 1, running: 0, isTaking: true, counts };
    expect(JSON.parse(JSON.stringify(pool))).toEqual(shown);
    expect(inspect(pool)).toBe(`WorkerPool ${inspect(shown)}`);
  });

  it("may put from any of them: nothing is stuck", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    let left = 3;
    pool.on("state", ({ to }) => {
      if (to === "idle" && left-- > 0) queue.tryPut(10 + left);
    });
    await queue.put(1);
    for (let i = 0; i < 6; i++) {
      await settled();
      for (const call of hand.open) call.done();
    }
    await settled();
    expect(hand.items).toEqual([1, 12, 11, 10]);
    await queue.join();
  });
});

describe("a listener or handler that throws", () => {
  const warn = vi.spyOn(process, "emitWarning");
  beforeEach(() => void warn.mockReset().mockImplementation(() => {}));
  afterEach(() => void warn.mockReset());

  it("stops nothing, whichever event it listens to", async () => {
    const pool = new WorkerPool(queue, (item) => {
      if (item === 1) throw new Error("the handler's");
    });
    for (const event of ["state", "failed", "stopped"] as const) {
      pool.on(event, () => {
        throw new Error(`mine, on ${event}`);
      });
    }
    await queue.putMany([1, 2]);
    await pool.drain();
    expect(pool.counts).toMatchObject({ done: 1, failed: 1 });
    expect(warn).toHaveBeenCalledOnce();
  });
});

describe("a pool refuses", () => {
  it.each([
    ["queue", [null, () => {}]],
    ["queue", [{ get() {} }, () => {}]],
    ["handler", [new FifoQueue(), undefined]],
    ["handler", [new FifoQueue(), {}]],
    ["options", [new FifoQueue(), () => {}, 5]],
    ["name", [new FifoQueue(), () => {}, { name: 5 }]],
    ["concurrency", [new FifoQueue(), () => {}, { concurrency: 0 }]],
    ["concurrency", [new FifoQueue(), () => {}, { concurrency: "2" }]],
    ["concurrency", [new FifoQueue(), () => {}, { concurrency: Number.POSITIVE_INFINITY }]],
    ["retry", [new FifoQueue(), () => {}, { retry: 3 }]],
    ["retry.attempts", [new FifoQueue(), () => {}, { retry: { attempts: 0 } }]],
    ["retry.attempts", [new FifoQueue(), () => {}, { retry: { attempts: null } }]],
    ["retry.backoff", [new FifoQueue(), () => {}, { retry: { backoff: 100 } }]],
    ["retry.backoff", [new FifoQueue(), () => {}, { retry: { backoff: { initialMs: 5 } } }]],
    ["retry.backoff.initialMs", [new FifoQueue(), () => {}, { retry: { backoff: { initialMs: -1 } } }]],
    ["retry.backoff.maxMs", [new FifoQueue(), () => {}, { retry: { backoff: { maxMs: 5 } } }]],
    ["onFailed", [new FifoQueue(), () => {}, { onFailed: "retry" }]],
    ["deadLetter", [new FifoQueue(), () => {}, { deadLetter: "dead" }]],
    ["deadLetter", [new FifoQueue(), () => {}, { deadLetter: { push() {} } }]],
    ["timeoutMs", [new FifoQueue(), () => {}, { timeoutMs: 0 }]],
    ["timeoutMs", [new FifoQueue(), () => {}, { timeoutMs: "1s" }]],
    ["stalledAfterMs", [new FifoQueue(), () => {}, { stalledAfterMs: -1 }]],
    ["gate", [new FifoQueue(), () => {}, { gate: {} }]],
    ["autoStart", [new FifoQueue(), () => {}, { autoStart: 0 }]],
  ])("a bad %s by its name", (option, args) => {
    expect(
      () => new WorkerPool(...(args as unknown as [FifoQueue<unknown>, (item: unknown, task: Task) => void])),
    ).toThrow(expect.objectContaining({ option, code: expect.stringMatching(/^QUEUE_INVALID_OPTION/) }));
  });

  it("its own queue as dead letter, which would go round for ever", () => {
    expect(() => new WorkerPool(queue, hand.handler, { deadLetter: queue })).toThrow(
      expect.objectContaining({ option: "deadLetter", name: "InvalidOptionRangeError" }),
    );
  });

  it("to leave a place in the line behind when its options are bad", async () => {
    expect(() => new WorkerPool(queue, hand.handler, { concurrency: 0 })).toThrow();
    await queue.put(1);
    expect(await queue.get()).toBe(1);
  });
});
