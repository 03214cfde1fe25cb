import {
  BrokenCircuitError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  fallback,
  handleAll,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Gate, type GateOptions } from "../../src/worker/gate.js";
import type { Policy } from "../../src/worker/policy.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { errorOf, isSettled } from "../queue/conformance.js";
import { ByHand, settled } from "./by-hand.js";

let clock: FakeClock;
let hand: ByHand<number>;

beforeEach(() => {
  clock = new FakeClock();
  hand = new ByHand<number>();
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
});

afterEach(() => void vi.useRealTimers());

/** Our time and that of policies moves on. */
async function advance(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  clock.advance(ms);
  await settled();
}

function gateOf(options: Partial<GateOptions> = {}): Gate {
  return new Gate({ name: "downstream", clock, ...options });
}

/** Breaks at the first failure, for 1 s. */
function breakerOf() {
  return circuitBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(1) });
}

/** A call through the gate, which ends when the test says so. */
function pass(gate: Gate, item: number, options: { signal?: AbortSignal } = {}): Promise<unknown> {
  return gate.run(() => hand.handler(item, undefined as never), options);
}

const fail = () => {
  throw new Error("503");
};

describe("a gate", () => {
  it("lets through as many as it may, and hands permits on in order of arrival", async () => {
    const gate = gateOf({ concurrency: 2 });
    const passes = [1, 2, 3, 4].map((item) => pass(gate, item));
    await settled();
    expect(hand.items).toEqual([1, 2]);
    expect(gate).toMatchObject({ inFlight: 2, waiting: 2, limit: 2, isOpen: undefined });
    hand.of(2).done("two");
    const late = pass(gate, 5);
    await settled();
    expect(hand.items).toEqual([1, 2, 3]);
    expect(await passes[1]).toBe("two");
    for (const item of [1, 3, 4, 5]) {
      await settled();
      hand.of(item).done();
    }
    await Promise.all([...passes, late]);
    expect(hand.items).toEqual([1, 2, 3, 4, 5]);
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it("gives the permit back whichever way the call ends", async () => {
    const gate = gateOf({ concurrency: 1 });
    const ways = [fail, async () => fail(), () => Promise.reject(undefined), () => "fine"];
    const ends = await Promise.allSettled(ways.map((way) => gate.run<unknown>(way)));
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
    expect(gate.inFlight).toBe(0);
  });

  it("without a limit only counts", async () => {
    const gate = gateOf({ concurrency: Number.POSITIVE_INFINITY });
    const passes = [1, 2, 3].map((item) => pass(gate, item));
    expect(gate).toMatchObject({ inFlight: 3, limit: Number.POSITIVE_INFINITY });
    for (const call of hand.open) call.done();
    await Promise.all(passes);
  });

  it("lets go of who waits when its signal is aborted, and passes no permit to it", async () => {
    const gate = gateOf({ concurrency: 1 });
    const controller = new AbortController();
    const first = pass(gate, 1);
    const second = pass(gate, 2, { signal: controller.signal });
    const third = pass(gate, 3);
    controller.abort(new Error("enough"));
    expect(await errorOf(second)).toMatchObject({ message: "enough" });
    expect(gate.waiting).toBe(1);
    hand.of(1).done();
    await settled();
    expect(hand.items).toEqual([1, 3]);
    hand.of(3).done();
    await Promise.all([first, third]);
    expect(await errorOf(pass(gate, 4, { signal: controller.signal }))).toMatchObject({ message: "enough" });
    expect(gate.inFlight).toBe(0);
  });

  it("does not call who is aborted between getting the permit and using it", async () => {
    const gate = gateOf({ concurrency: 1 });
    const controller = new AbortController();
    const first = pass(gate, 1);
    const second = pass(gate, 2, { signal: controller.signal });
    const third = pass(gate, 3);
    await settled();
    hand.of(1).done();
    // After the permit was handed on, before its new owner goes on.
    queueMicrotask(() => controller.abort(new Error("just now")));
    expect(await errorOf(second)).toMatchObject({ message: "just now" });
    await first;
    await settled();
    expect(hand.items).toEqual([1, 3]);
    hand.of(3).done();
    await third;
  });

  it.each<[string, unknown]>([
    ["options", 5],
    ["name", {}],
    ["name", { name: "" }],
    ["concurrency", { name: "a", concurrency: 0 }],
    ["concurrency", { name: "a", concurrency: 1.5 }],
    ["concurrency", { name: "a", concurrency: null }],
    ["policy", { name: "a", policy: 5 }],
    ["policy.execute", { name: "a", policy: {} }],
    ["clock", { name: "a", concurrency: 1, clock: {} }],
    ["concurrency", { name: "a" }],
  ])("refuses a bad %s by its name", (option, options) => {
    expect(() => new Gate(options as GateOptions)).toThrow(expect.objectContaining({ option }));
  });

  it("refuses calls that are none", async () => {
    const gate = gateOf({ concurrency: 1 });
    expect(await errorOf(gate.run(undefined as never))).toMatchObject({ option: "fn" });
    expect(await errorOf(gate.run(() => 1, 5 as never))).toMatchObject({ option: "options" });
    expect(await errorOf(gate.run(() => 1, { signal: {} as never }))).toMatchObject({ option: "signal" });
    expect(await gate.run(() => 1)).toBe(1);
  });
});

describe("a gate with cockatiel's circuit breaker", () => {
  it("lets callers wait while it is open, and asks again when it may have closed", async () => {
    const gate = gateOf({ policy: breakerOf() });
    expect(gate.isOpen).toBe(false);
    expect(await errorOf(gate.run(fail))).toMatchObject({ message: "503" });
    const second = pass(gate, 2);
    const third = pass(gate, 3);
    await settled();
    expect(gate).toMatchObject({ isOpen: true, inFlight: 0, waiting: 2 });
    expect(hand.items).toEqual([]);
    await advance(900);
    expect(hand.items).toEqual([]);
    // The pauses between two questions double up to a second.
    for (let i = 0; i < 4 && hand.items.length === 0; i++) await advance(500);
    // One call is the trial, and the policy lets the other wait for its outcome.
    expect(hand.items).toHaveLength(1);
    expect(gate.isOpen).toBe(false);
    while (hand.open.size > 0) {
      for (const call of hand.open) call.done();
      await settled();
    }
    await Promise.all([second, third]);
    expect([...hand.items].sort()).toEqual([2, 3]);
    expect(clock.pending).toBe(0);
  });

  it("waits on when the trial fails, and its own caller gets that error", async () => {
    const policy = breakerOf();
    const gate = gateOf({ policy });
    await errorOf(gate.run(fail));
    const trial = pass(gate, 1);
    const other = pass(gate, 2);
    for (let i = 0; i < 4 && hand.items.length === 0; i++) await advance(1_000);
    hand.of(1).fail(new Error("still 503"));
    expect(await errorOf(trial)).toMatchObject({ message: "still 503" });
    await settled();
    expect(policy.state).toBe(CircuitState.Open);
    expect(gate).toMatchObject({ isOpen: true, waiting: 1 });
    for (let i = 0; i < 4 && hand.items.length === 1; i++) await advance(1_000);
    hand.of(2).done();
    await other;
    expect(gate).toMatchObject({ isOpen: false, inFlight: 0, waiting: 0 });
  });

  it("lets go of who waits for it when its signal is aborted, and leaves no timer behind", async () => {
    const gate = gateOf({ policy: breakerOf() });
    await errorOf(gate.run(fail));
    const controller = new AbortController();
    const waiting = pass(gate, 1, { signal: controller.signal });
    await settled();
    expect(clock.pending).toBe(1);
    controller.abort(new Error("enough"));
    expect(await errorOf(waiting)).toMatchObject({ message: "enough" });
    expect(clock.pending).toBe(0);
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it("stays open for 30 s after the last refusal when it is asked no more, and as long as it is", async () => {
    const policy = breakerOf();
    const isolation = policy.isolate();
    const gate = gateOf({ policy });
    const controller = new AbortController();
    const waiting = pass(gate, 1, { signal: controller.signal });
    for (let i = 0; i < 60; i++) await advance(1_000);
    expect(gate.isOpen).toBe(true);
    controller.abort(new Error("enough"));
    await errorOf(waiting);
    // It was asked a second ago at most.
    clock.advance(28_999);
    expect(gate.isOpen).toBe(true);
    clock.advance(1_001);
    expect(gate.isOpen).toBe(false);
    isolation.dispose();
  });

  it("keeps asking when the one whose turn it was is gone", async () => {
    const gate = gateOf({ policy: breakerOf() });
    await errorOf(gate.run(fail));
    const controller = new AbortController();
    const first = pass(gate, 1, { signal: controller.signal });
    const second = pass(gate, 2);
    await settled();
    // It is woken, and aborted before it can ask.
    clock.advance(25);
    controller.abort(new Error("gone"));
    expect(await errorOf(first)).toMatchObject({ message: "gone" });
    for (let i = 0; i < 4 && hand.items.length === 0; i++) await advance(1_000);
    expect(hand.items).toEqual([2]);
    hand.of(2).done();
    await second;
  });

  it("holds an isolated circuit's callers until it is let go", async () => {
    const policy = breakerOf();
    const gate = gateOf({ policy, concurrency: 2 });
    const isolation = policy.isolate();
    const passes = [1, 2, 3].map((item) => pass(gate, item));
    await settled();
    expect(gate).toMatchObject({ isOpen: true, inFlight: 0, waiting: 3 });
    isolation.dispose();
    await advance(1_000);
    for (const item of [1, 2, 3]) {
      await settled();
      hand.of(item).done();
    }
    await Promise.all(passes);
  });
});

describe("a gate with other policies of cockatiel's", () => {
  it("waits for a bulkhead's room, and is not open meanwhile", async () => {
    const gate = gateOf({ policy: bulkhead(1) });
    const first = pass(gate, 1);
    const second = pass(gate, 2);
    await settled();
    expect(gate).toMatchObject({ isOpen: false, waiting: 1, inFlight: 1 });
    hand.of(1).done();
    await first;
    await advance(1_000);
    expect(hand.items).toEqual([1, 2]);
    hand.of(2).done();
    await second;
    expect(clock.pending).toBe(0);
  });

  it("calls as often as a retry policy wants", async () => {
    vi.useRealTimers();
    let calls = 0;
    const gate = gateOf({ policy: retry(handleAll, { maxAttempts: 3 }) });
    const policy = vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void) => {
      queueMicrotask(run);
      return { unref() {} };
    }) as never);
    try {
      expect(await gate.run(() => (++calls < 3 ? fail() : "third time"))).toBe("third time");
    } finally {
      policy.mockRestore();
    }
    expect(calls).toBe(3);
    expect(gate.inFlight).toBe(0);
  });

  it("takes a fallback's answer for that of the call", async () => {
    const policy = breakerOf();
    const gate = gateOf({ policy: wrap(fallback(handleAll, "instead"), policy) as Policy });
    expect(await gate.run(fail)).toBe("instead");
    expect(await gate.run(() => "never called")).toBe("instead");
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it("asks again whatever the policy refuses with, as long as it has made no call", async () => {
    let refusals = 3;
    const policy: Policy = {
      execute: async (fn) => {
        if (refusals-- > 0) throw refusals === 1 ? undefined : new BrokenCircuitError();
        return fn({});
      },
    };
    const gate = gateOf({ policy });
    const answer = gate.run(() => "at last");
    for (let i = 0; i < 4; i++) {
      await settled();
      clock.advance(1_000);
    }
    expect(await answer).toBe("at last");
  });
});

describe("a pool with a gate", () => {
  let queue: FifoQueue<number>;

  beforeEach(() => {
    queue = new FifoQueue<number>({ clock });
  });

  it("shares its permits with other pools", async () => {
    const gate = gateOf({ concurrency: 3 });
    const others = new FifoQueue<number>();
    const pools = [queue, others].map((each) => new WorkerPool(each, hand.handler, { concurrency: 2, gate }));
    await queue.putMany([1, 2, 3]);
    await others.putMany([11, 12, 13]);
    await settled();
    expect(hand.open.size).toBe(3);
    while (hand.open.size > 0) {
      for (const call of hand.open) call.done();
      await settled();
    }
    expect(hand.most).toBe(3);
    expect(pools.map(({ counts }) => counts.done)).toEqual([3, 3]);
    await Promise.all(pools.map((pool) => pool.drain()));
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it("burns no attempts while the breaker is open: its workers wait, in a state of their own", async () => {
    const policy = breakerOf();
    const gate = gateOf({ policy });
    const pool = new WorkerPool(queue, hand.handler, {
      concurrency: 2,
      gate,
      retry: { attempts: 2, backoff: { initialMs: 0 } },
    });
    await queue.put(1);
    await settled();
    hand.of(1).fail(new Error("503"));
    await settled();
    await queue.put(2);
    await settled();
    expect(pool.workers.map(({ state }) => state)).toEqual(["backoff", "backoff"]);
    expect(pool.counts).toMatchObject({ retried: 1, failed: 0 });
    for (let i = 0; i < 4 && hand.open.size === 0; i++) await advance(1_000);
    expect(hand.open.size).toBe(1);
    while (hand.open.size > 0) {
      for (const call of hand.open) call.done();
      await settled();
    }
    expect(pool.counts).toEqual({ done: 2, failed: 0, retried: 1, deadLettered: 0 });
    expect(pool.workers.map(({ state }) => state)).toEqual(["idle", "idle"]);
    expect(clock.pending).toBe(0);
  });

  it("starts a task's time when it is through", async () => {
    const gate = gateOf({ concurrency: 1 });
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2, gate, timeoutMs: 100 });
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(90);
    hand.of(1).done();
    await settled();
    clock.advance(90);
    expect(hand.of(2).task.signal.aborted).toBe(false);
    clock.advance(10);
    expect(hand.of(2).task.signal.reason).toMatchObject({ code: "QUEUE_TASK_TIMEOUT" });
    hand.of(2).done();
    await settled();
    expect(pool.counts.done).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it("starts a task's time once, however often the policy calls", async () => {
    const twice: Policy = {
      execute: async (fn) => {
        await fn({});
        return fn({});
      },
    };
    const pool = new WorkerPool(queue, hand.handler, { gate: gateOf({ policy: twice }), timeoutMs: 100 });
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(60);
    hand.of(1).done();
    await settled();
    hand.of(1).done();
    await settled();
    clock.advance(60);
    expect(hand.of(2).task.signal.aborted).toBe(false);
    hand.of(2).done();
    await settled();
    hand.of(2).done();
    await settled();
    expect(pool.counts.done).toBe(2);
    expect(clock.pending).toBe(0);
    await queue.put(3);
    await settled();
    clock.advance(60);
    hand.of(3).done();
    await settled();
    const { signal } = hand.of(3).task;
    clock.advance(40);
    expect(signal.aborted).toBe(true);
  });

  it("aborts a task's signal when its policy's time is over", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const policy = timeout(50, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false });
    const pool = new WorkerPool(queue, hand.handler, { gate: gateOf({ policy }) });
    pool.on("failed", () => {});
    await queue.put(1);
    await settled();
    const { task } = hand.of(1);
    task.signal.addEventListener("abort", () => hand.of(1).fail(task.signal.reason));
    vi.advanceTimersByTime(50);
    await settled();
    expect(task.signal.aborted).toBe(true);
    expect(pool.counts.failed).toBe(1);
  });

  it("leaves over what never got through when a drain's time is over, untried", async () => {
    const policy = breakerOf();
    const gate = gateOf({ policy, concurrency: 1 });
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2, gate });
    const isolation = policy.isolate();
    await queue.putMany([1, 2, 3]);
    await settled();
    expect(gate.waiting).toBe(2);
    const drained = pool.drain({ timeoutMs: 100 });
    await advance(100);
    expect(await drained).toMatchObject({ timedOut: true, leftOver: { count: 1 }, abandoned: [{}, {}] });
    expect(queue.size).toBe(3);
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
    expect(pool.counts).toMatchObject({ done: 0, failed: 0 });
    isolation.dispose();
    await advance(5_000);
    expect(hand.items).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(pool.workers).toEqual([]);
  });

  it("lets handlers go through gates of their own, whose waits end with the task", async () => {
    const gate = gateOf({ concurrency: 1 });
    const pool = new WorkerPool(queue, (item, task) => gate.run(() => hand.handler(item, task), { task }), {
      concurrency: 2,
      timeoutMs: 100,
    });
    const errors: unknown[] = [];
    pool.on("failed", ({ error }) => errors.push(error));
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(100);
    await settled();
    expect(errors).toEqual([expect.objectContaining({ code: "QUEUE_TASK_TIMEOUT" })]);
    expect(await isSettled(pool.drain())).toBe(false);
    hand.of(1).done();
    await settled();
    expect(pool.counts).toMatchObject({ done: 1, failed: 1 });
  });
});

describe("a policy that misbehaves", () => {
  /** A pool whose one item goes through a gate with that policy. */
  async function poolWith(execute: (fn: (context?: never) => unknown) => unknown, options: object = {}) {
    const queue = new FifoQueue<number>({ clock });
    const gate = gateOf({ policy: { execute } as unknown as Policy });
    const errors: unknown[] = [];
    const seen: number[] = [];
    const pool = new WorkerPool(queue, (item) => void seen.push(item), { gate, ...options });
    pool.on("failed", ({ error }) => errors.push(error));
    await queue.put(1);
    await settled();
    return { queue, gate, pool, errors, seen };
  }

  it.each([
    ["resolves", async () => "instead"],
    ["returns", () => "instead"],
    [
      "has a fallback",
      (fn: () => unknown) => wrap(fallback(handleAll, "instead"), isolated()).execute(fn as never),
    ],
  ])("and %s without having called has not done the task: it fails, by its attempts", async (_, execute) => {
    const retry = { attempts: 2, backoff: { initialMs: 0 } };
    const { pool, gate, errors, seen } = await poolWith(execute as never, { retry });
    await pool.drain();
    expect(seen).toEqual([]);
    expect(pool.counts).toMatchObject({ done: 0, retried: 1, failed: 1 });
    expect(errors).toEqual([
      expect.objectContaining({ code: "QUEUE_HANDLER_NOT_CALLED", gate: "downstream" }),
      expect.objectContaining({ code: "QUEUE_HANDLER_NOT_CALLED" }),
    ]);
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it.each([undefined, null, 1, "context", { signal: 1 }, { signal: { aborted: false } }])(
    "and calls with %o calls all the same",
    async (context) => {
      vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const { pool, seen } = await poolWith(async (fn) => fn(context as never));
      await pool.drain();
      expect(seen).toEqual([1]);
      expect(pool.counts).toMatchObject({ done: 1, failed: 0, retried: 0 });
      vi.restoreAllMocks();
    },
  );

  it("and never calls keeps its worker, until a drain gives it up, and makes no call then", async () => {
    let late: (() => unknown) | undefined;
    const { queue, pool, gate, seen } = await poolWith((fn) => {
      late = fn;
      return new Promise(() => {});
    });
    expect(gate.inFlight).toBe(1);
    const drained = pool.drain({ timeoutMs: 100 });
    await advance(100);
    expect(await drained).toMatchObject({ done: 0, timedOut: true });
    await settled();
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
    await expect(late!()).rejects.toMatchObject({ code: "QUEUE_LATE_CALL" });
    expect(seen).toEqual([]);
    expect(queue.size).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("and calls again when it has settled is refused, and the next item is not handled twice", async () => {
    const calls: (() => unknown)[] = [];
    const { queue, pool, seen } = await poolWith(async (fn) => {
      calls.push(fn);
      await fn();
    });
    await queue.put(2);
    await settled();
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "QUEUE_LATE_CALL" });
    expect(seen).toEqual([1, 2]);
    await pool.drain();
    expect(pool.counts.done).toBe(2);
  });

  it("and refuses, but calls while it is asked again, calls once", async () => {
    const calls: (() => unknown)[] = [];
    const { pool, seen } = await poolWith(async (fn) => {
      calls.push(fn);
      if (calls.length === 1) throw new Error("refused");
      return fn();
    });
    await expect(calls[0]!()).rejects.toMatchObject({ code: "QUEUE_LATE_CALL" });
    await advance(1_000);
    expect(seen).toEqual([1]);
    await pool.drain();
  });

  describe("and ignores the promise of its call", () => {
    const ignoring = {
      "answers at once": (fn: () => unknown) => void fn(),
      "answers later": async (fn: () => unknown) => {
        fn();
        await settled();
      },
    };
    const unhandled: unknown[] = [];
    const hear = (reason: unknown) => void unhandled.push(reason);
    beforeEach(() => void process.on("unhandledRejection", hear));
    afterEach(() => {
      process.off("unhandledRejection", hear);
      expect(unhandled.splice(0)).toEqual([]);
    });

    it.each(Object.entries(ignoring))(
      "%s: the attempt fails with what the handler failed with",
      async (_, execute) => {
        const queue = new FifoQueue<number>({ clock });
        const gate = gateOf({ policy: { execute } as unknown as Policy });
        const pool = new WorkerPool(queue, async () => fail(), { gate });
        const errors: unknown[] = [];
        pool.on("failed", ({ error }) => errors.push(error));
        await queue.put(1);
        await pool.drain();
        expect(pool.counts).toMatchObject({ done: 0, failed: 1 });
        expect(errors).toEqual([expect.objectContaining({ message: "503" })]);
        expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
      },
    );

    it.each(Object.entries(ignoring))(
      "%s: the task keeps its permit until its handler is over",
      async (_, execute) => {
        const queue = new FifoQueue<number>({ clock });
        const gate = gateOf({ concurrency: 1, policy: { execute } as unknown as Policy });
        const pool = new WorkerPool(queue, hand.handler, { concurrency: 2, gate });
        await queue.putMany([1, 2]);
        await settled();
        expect(pool.counts.done).toBe(0);
        expect(hand.items).toEqual([1]);
        hand.of(1).done();
        await settled();
        expect(hand.items).toEqual([1, 2]);
        hand.of(2).done();
        await pool.drain();
        expect(pool.counts.done).toBe(2);
      },
    );

    it.each(Object.entries(ignoring))(
      "%s: a direct call rejects as its function does",
      async (_, execute) => {
        const gate = gateOf({ policy: { execute } as unknown as Policy });
        expect(await errorOf(gate.run(async () => fail()))).toMatchObject({ message: "503" });
        expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
      },
    );

    it("and refuses: its own error counts", async () => {
      const execute = async (fn: () => unknown) => {
        fn();
        throw new Error("too slow");
      };
      const gate = gateOf({ policy: { execute } as unknown as Policy });
      expect(await errorOf(gate.run(async () => fail()))).toMatchObject({ message: "too slow" });
      await settled();
    });

    it("of all calls but the last one: what it makes of that one counts", async () => {
      const execute = async (fn: () => unknown) => {
        fn();
        return fn();
      };
      const gate = gateOf({ policy: { execute } as unknown as Policy });
      let calls = 0;
      expect(await gate.run(async () => (++calls === 1 ? fail() : "second"))).toBe("second");
      await settled();
    });
  });

  it("and looks at the promise of its call has the last word, even before that is settled", async () => {
    const execute = (fn: () => Promise<unknown>) => Promise.race([fn(), settled().then(() => "instead")]);
    const gate = gateOf({ policy: { execute } as unknown as Policy });
    expect(await gate.run(() => new Promise(() => {}))).toBe("instead");
  });

  it("gives its answer to a direct call", async () => {
    const gate = gateOf({ policy: { execute: async () => "instead" } as unknown as Policy });
    expect(await gate.run(() => "never called")).toBe("instead");
  });
});

/** Refuses every call. */
function isolated() {
  const breaker = breakerOf();
  breaker.isolate();
  return breaker;
}
