import { beforeEach, describe, expect, it } from "vitest";
import type { QueueShutDownError } from "../../src/base/errors.js";
import { PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import type { WorkerPoolOptions } from "../../src/worker/options.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { errorOf } from "../queue/conformance.js";
import { ByHand, settled } from "./by-hand.js";

let clock: FakeClock;
let queue: FifoQueue<number>;
let hand: ByHand<number>;

beforeEach(() => {
  clock = new FakeClock();
  queue = new FifoQueue<number>({ clock });
  hand = new ByHand<number>();
});

/** A pool, and these items, of which as many run as it may. */
async function busy(items: number[], options?: WorkerPoolOptions<number>): Promise<WorkerPool<number>> {
  const pool = new WorkerPool(queue, hand.handler, options);
  await queue.putMany(items);
  await settled();
  return pool;
}

/** Ends everything, and what comes after, with success. */
async function finish(): Promise<void> {
  for (let i = 0; i < 20 && hand.open.size > 0; i++) {
    for (const call of hand.open) call.done();
    await settled();
  }
}

/** Nothing is left of the pool: no timer, no place in the line. */
function expectGone(pool: WorkerPool<number>): void {
  expect(pool.workers).toEqual([]);
  expect(pool.running).toBe(0);
  expect(pool.isTaking).toBe(false);
  expect(queue[PROBE].waitingGets).toBe(0);
  expect(clock.pending).toBe(0);
}

describe("pause", () => {
  it("lets finish what runs and takes nothing more, until it is resumed", async () => {
    const pool = await busy([1, 2, 3]);
    pool.pause();
    pool.pause();
    hand.of(1).done();
    await settled();
    expect(hand.items).toEqual([1]);
    expect(queue[PROBE].waitingGets).toBe(0);
    pool.resume();
    pool.resume();
    await settled();
    expect(hand.items).toEqual([1, 2]);
  });

  it("of an idle pool leaves items to others", async () => {
    const pool = await busy([]);
    pool.pause();
    await queue.put(1);
    await settled();
    expect(hand.items).toEqual([]);
    expect(await queue.get()).toBe(1);
    pool.resume();
    await queue.put(2);
    await settled();
    expect(hand.items).toEqual([2]);
  });

  it("right after a put that was handed over keeps that item", async () => {
    const pool = await busy([]);
    queue.tryPut(1);
    pool.pause();
    await settled();
    expect(hand.items).toEqual([1]);
    await finish();
    await queue.join();
  });
});

describe("drain", () => {
  it("finishes what is queued, takes nothing new in, and then is gone", async () => {
    const pool = await busy([1, 2, 3], { concurrency: 2 });
    let stops = 0;
    pool.on("stopped", () => stops++);
    const drained = pool.drain();
    expect((await errorOf(queue.put(4))) as QueueShutDownError).toMatchObject({
      code: "QUEUE_SHUT_DOWN",
      item: 4,
    });
    await settled();
    clock.advance(25);
    await finish();
    const report = await drained;
    expect(report).toMatchObject({
      operation: "drain",
      done: 3,
      failed: 0,
      deadLettered: 0,
      leftOver: { count: 0, correlationIds: [] },
      abandoned: [],
      timedOut: false,
      tookMs: 25,
    });
    expect(String(report)).toBe("drain finished after 25 ms: 3 done meanwhile, 0 left over, 0 abandoned");
    expect(stops).toBe(1);
    expectGone(pool);
  });

  it("waits for retries whose delay isn't over", async () => {
    const pool = await busy([1], { retry: { attempts: 2 } });
    hand.of(1).fail(new Error("once"));
    await settled();
    const drained = pool.drain();
    await settled();
    expect(pool.workers).toHaveLength(1);
    clock.advance(100);
    await settled();
    expect(hand.of(1).task.attempt).toBe(2);
    await finish();
    expect(await drained).toMatchObject({ done: 1, leftOver: { count: 0 } });
    expectGone(pool);
  });

  it("of a paused pool goes on with it", async () => {
    const pool = await busy([1, 2]);
    pool.pause();
    const drained = pool.drain();
    await settled();
    await finish();
    expect(await drained).toMatchObject({ done: 2, leftOver: { count: 0 } });
  });

  it("can't be paused, resumed, resized or started while it goes on", async () => {
    const pool = await busy([1, 2, 3]);
    const drained = pool.drain();
    pool.pause();
    pool.resize(5);
    pool.start();
    pool.resume();
    await settled();
    expect(hand.open.size).toBe(1);
    await finish();
    expect(await drained).toMatchObject({ done: 3, leftOver: { count: 0 } });
    pool.resume();
    pool.resize(2);
    expectGone(pool);
  });

  it("of a pool that was never started handles what is there", async () => {
    const pool = await busy([1, 2], { autoStart: false });
    const drained = pool.drain();
    await settled();
    await finish();
    expect(await drained).toMatchObject({ done: 2, leftOver: { count: 0 } });
    pool.start();
    expectGone(pool);
  });

  it("of a pool with nothing to do resolves at once", async () => {
    for (const autoStart of [true, false]) {
      const empty = new FifoQueue<number>({ clock });
      const report = await new WorkerPool(empty, hand.handler, { autoStart }).drain({ timeoutMs: 50 });
      expect(report).toMatchObject({ done: 0, timedOut: false, tookMs: 0 });
      expect(clock.pending).toBe(0);
    }
  });

  it("aborts what runs when its time is over, and says what is left, by ID", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    await queue.put(1, { correlationId: "c-1" });
    clock.advance(50);
    for (const item of [2, 3, 4]) await queue.put(item, { correlationId: `c-${item}` });
    await settled();
    hand.of(2).task.step("write the file");
    const drained = pool.drain({ timeoutMs: 100 });
    clock.advance(99);
    expect(hand.of(1).task.signal.aborted).toBe(false);
    clock.advance(1);
    const report = await drained;
    expect(report).toMatchObject({
      done: 0,
      leftOver: { count: 2, correlationIds: ["c-3", "c-4"] },
      abandoned: [
        { correlationId: "c-1", tier: "default", attempt: 1, step: undefined, runningMs: 150 },
        { correlationId: "c-2", tier: "default", attempt: 1, step: "write the file", runningMs: 100 },
      ],
      timedOut: true,
      tookMs: 100,
    });
    expect(String(report).split("\n")).toEqual([
      "drain timed out after 100 ms: 0 done meanwhile, 2 left over, 2 abandoned",
      "  abandoned: c-1, attempt 1, running for 150 ms",
      '  abandoned: c-2, attempt 1, running for 100 ms at "write the file"',
      "  left over: c-3, c-4",
    ]);
    expect(hand.of(1).task.signal.reason).toMatchObject({ code: "QUEUE_TASK_ABANDONED", operation: "drain" });
  });

  it("settles an abandoned task when it ends after all, and takes nothing after it", async () => {
    const pool = await busy([1, 2, 3], { concurrency: 2, retry: { attempts: 2, backoff: { initialMs: 0 } } });
    const drained = pool.drain({ timeoutMs: 10 });
    clock.advance(10);
    await drained;
    hand.of(1).done();
    hand.of(2).fail(new Error("aborted"));
    await settled();
    expect(pool.counts).toMatchObject({ done: 1, retried: 1 });
    expect(queue.size).toBe(2);
    expect(queue[PROBE].inFlight).toBe(0);
    expect(hand.calls).toHaveLength(2);
    clock.advance(2_000);
    expectGone(pool);
  });

  it("with no time at all abandons what runs, and what was handed over just now with it", async () => {
    const pool = await busy([1], { concurrency: 2 });
    queue.tryPut(2);
    const report = await pool.drain({ timeoutMs: 0 });
    expect(report.abandoned).toHaveLength(2);
    expect(report).toMatchObject({ timedOut: true, leftOver: { count: 0 } });
    expect(hand.of(2).task.signal.aborted).toBe(true);
  });

  it("has time without end, if need be: longer than Node's timers know", async () => {
    const pool = await busy([1]);
    let isOver = false;
    const drained = pool.drain({ timeoutMs: 2 ** 40 }).then(() => {
      isOver = true;
    });
    clock.advance(2 ** 39);
    await settled();
    expect(isOver).toBe(false);
    expect(clock.pending).toBe(1);
    await finish();
    await drained;
    expect(clock.pending).toBe(0);
  });

  it("twice gives the same report; the second call can bring the end forward, and not put it off", async () => {
    const pool = await busy([1, 2]);
    const first = pool.drain();
    const second = pool.drain({ timeoutMs: 50 });
    const third = pool.drain({ timeoutMs: 5_000 });
    clock.advance(50);
    const report = await second;
    expect(await first).toBe(report);
    expect(await third).toBe(report);
    expect(report).toMatchObject({ timedOut: true, tookMs: 50, leftOver: { count: 1 } });
    expect(await pool.drain()).toBe(report);
  });

  it("of one of two pools on a queue leaves the other to finish its work", async () => {
    const other = new ByHand<number>();
    const pool = await busy([1, 2]);
    const second = new WorkerPool(queue, other.handler, {
      retry: { attempts: 2, backoff: { initialMs: 0 } },
    });
    await settled();
    const drained = pool.drain();
    hand.of(1).done();
    expect(await drained).toMatchObject({ done: 1, leftOver: { count: 0 } });
    other.of(2).fail(new Error("once more"));
    await settled();
    expect(hand.calls).toHaveLength(1);
    other.of(2).done();
    await second.drain();
    expect(second.counts).toMatchObject({ done: 1, retried: 1 });
    await queue.join();
  });

  it("by disposal waits for all of it", async () => {
    const seen: number[] = [];
    await queue.putMany([1, 2, 3]);
    {
      await using pool = new WorkerPool(queue, async (item) => {
        await settled();
        seen.push(item);
      });
      expect(pool.isTaking).toBe(true);
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it("rejects only what is no time", async () => {
    const pool = await busy([1]);
    for (const timeoutMs of [-1, Number.NaN, "5", null]) {
      expect(await errorOf(pool.drain({ timeoutMs: timeoutMs as number }))).toMatchObject({
        option: "timeoutMs",
      });
      expect(await errorOf(pool.stop({ graceMs: timeoutMs as number }))).toMatchObject({ option: "graceMs" });
    }
    expect(await errorOf(pool.drain(5 as never))).toMatchObject({ option: "options" });
    expect(pool.isTaking).toBe(true);
    await queue.put(2);
  });
});

describe("stop", () => {
  it("finishes what runs and leaves to others what is queued", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    for (const item of [1, 2, 3]) await queue.put(item, { correlationId: `c-${item}` });
    await settled();
    const stopped = pool.stop();
    hand.of(1).done();
    expect(await stopped).toMatchObject({
      operation: "stop",
      done: 1,
      leftOver: { count: 2, correlationIds: ["c-2", "c-3"] },
      timedOut: false,
    });
    expectGone(pool);
    await queue.put(4);
    const next = new WorkerPool(queue, hand.handler);
    await settled();
    await finish();
    expect(hand.items).toEqual([1, 2, 3, 4]);
    await next.drain();
  });

  it("aborts what runs when its time is over", async () => {
    const pool = await busy([1, 2]);
    const stopped = pool.stop({ graceMs: 30 });
    clock.advance(30);
    expect(await stopped).toMatchObject({
      timedOut: true,
      abandoned: [{ attempt: 1 }],
      leftOver: { count: 1 },
    });
    expect(hand.of(1).task.signal.aborted).toBe(true);
  });

  it("during a drain ends that too, and both say what is left", async () => {
    const pool = await busy([1, 2, 3]);
    const drained = pool.drain({ timeoutMs: 1_000 });
    const stopped = pool.stop();
    hand.of(1).done();
    for (const report of [await drained, await stopped]) {
      expect(report).toMatchObject({ done: 1, leftOver: { count: 2 }, timedOut: false });
    }
    expectGone(pool);
  });

  it("that runs out of time during a drain tells both reports what was abandoned", async () => {
    const pool = await busy([1, 2]);
    const drained = pool.drain({ timeoutMs: 1_000 });
    const stopped = pool.stop({ graceMs: 10 });
    clock.advance(10);
    const [drain, stop] = [await drained, await stopped];
    expect(stop).toMatchObject({ timedOut: true, leftOver: { count: 1 } });
    expect(drain).toMatchObject({ timedOut: false, leftOver: { count: 1 } });
    expect(stop.abandoned).toHaveLength(1);
    expect(drain.abandoned).toEqual(stop.abandoned);
    await finish();
    clock.advance(2_000);
    expectGone(pool);
  });

  it("before a drain leaves that nothing to do but shut the queue down", async () => {
    const pool = await busy([1, 2]);
    const stopped = pool.stop();
    const drained = pool.drain();
    await finish();
    expect(await stopped).toMatchObject({ done: 1, leftOver: { count: 1 } });
    expect(await drained).toMatchObject({ done: 1, leftOver: { count: 1 } });
    expect(await errorOf(queue.put(3))).toMatchObject({ code: "QUEUE_SHUT_DOWN" });
    expect(await pool.drain({ timeoutMs: 0 })).toBe(await drained);
  });

  it("of a pool that was never started, is paused, or was stopped before, resolves at once", async () => {
    const fresh = new WorkerPool(queue, hand.handler, { autoStart: false });
    await queue.put(1);
    expect(await fresh.stop()).toMatchObject({ leftOver: { count: 1 } });
    fresh.start();
    const paused = new WorkerPool(queue, hand.handler);
    paused.pause();
    await paused.stop();
    expect(await paused.stop()).toMatchObject({ done: 0 });
    paused.resume();
    await settled();
    expect(hand.items).toEqual([]);
    expectGone(paused);
  });

  it("right after a put that was handed over handles that item", async () => {
    const pool = await busy([]);
    queue.tryPut(1);
    const stopped = pool.stop();
    await settled();
    await finish();
    expect(await stopped).toMatchObject({ done: 1, leftOver: { count: 0 } });
  });
});

describe("a handler that ends its own pool", () => {
  it("may ask for it, if it doesn't wait", async () => {
    for (const operation of ["stop", "drain"] as const) {
      const own = new FifoQueue<number>({ clock });
      let report: Promise<unknown> | undefined;
      const pool: WorkerPool<number> = new WorkerPool(own, (item) => {
        if (item === 1) report = pool[operation]();
      });
      await own.putMany([1, 2]);
      await settled();
      expect(await report).toMatchObject(
        operation === "stop" ? { done: 1, leftOver: { count: 1 } } : { done: 2, leftOver: { count: 0 } },
      );
    }
  });

  it("waits for itself until the time is over", async () => {
    let report: { abandoned: readonly unknown[] } | undefined;
    const pool: WorkerPool<number> = new WorkerPool(queue, async () => {
      report = await pool.drain({ timeoutMs: 20 });
    });
    await queue.put(1);
    await settled();
    clock.advance(20);
    await settled();
    expect(report).toMatchObject({ timedOut: true, abandoned: [{ attempt: 1 }] });
    expect(pool.counts.done).toBe(1);
  });
});

describe("when the user shuts the queue down", () => {
  it("the pool finishes what is there, and is gone without being asked", async () => {
    const pool = await busy([1, 2]);
    let stops = 0;
    pool.on("stopped", () => stops++);
    queue.shutdown();
    await finish();
    expect(hand.items).toEqual([1, 2]);
    expect(stops).toBe(1);
    expectGone(pool);
    expect(await pool.drain({ timeoutMs: 10 })).toMatchObject({ timedOut: false, done: 0 });
  });

  it("at once, what runs may finish, and a retry is dropped", async () => {
    const dropped: number[] = [];
    queue = new FifoQueue<number>({ clock, onDrop: (item) => void dropped.push(item) });
    const pool = await busy([1, 2, 3], { concurrency: 2, retry: { attempts: 5 } });
    queue.shutdown({ immediate: true });
    expect(dropped).toEqual([3]);
    hand.of(1).done();
    hand.of(2).fail(new Error("no"));
    await settled();
    expect(dropped).toEqual([3, 2]);
    expectGone(pool);
    await queue.join();
  });

  it("at once during a drain, that ends", async () => {
    const pool = await busy([1, 2, 3], { retry: { attempts: 2 } });
    const drained = pool.drain();
    hand.of(1).fail(new Error("later"));
    await settled();
    expect(queue.delayed).toBe(1);
    queue.shutdown({ immediate: true });
    await finish();
    expect(await drained).toMatchObject({ done: 1, leftOver: { count: 0 } });
    expectGone(pool);
  });

  it("while it is paused, that is noticed when it goes on", async () => {
    const pool = await busy([]);
    pool.pause();
    queue.shutdown();
    await settled();
    pool.resume();
    await settled();
    expectGone(pool);
  });
});
