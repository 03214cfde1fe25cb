import { beforeEach, describe, expect, it, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { ByHand, settled } from "./by-hand.js";

let clock: FakeClock;
let queue: FifoQueue<number>;
let hand: ByHand<number>;

beforeEach(() => {
  clock = new FakeClock();
  queue = new FifoQueue<number>({ clock });
  hand = new ByHand<number>();
});

describe("a task's time limit", () => {
  it("aborts its signal, each task's at its own time", async () => {
    new WorkerPool(queue, hand.handler, { concurrency: 2, timeoutMs: 100 });
    await queue.put(1);
    await settled();
    clock.advance(40);
    await queue.put(2);
    await settled();
    const [first, second] = hand.calls.map(({ task }) => task.signal);
    clock.advance(59);
    expect(first!.aborted).toBe(false);
    clock.advance(1);
    expect(first!.reason).toMatchObject({ code: "QUEUE_TASK_TIMEOUT", timeoutMs: 100 });
    expect(second!.aborted).toBe(false);
    clock.advance(40);
    expect(second!.aborted).toBe(true);
  });

  it("makes a failure of a handler that heeds it, and nothing of one that succeeds all the same", async () => {
    const pool = new WorkerPool(queue, hand.handler, { timeoutMs: 100 });
    const errors: unknown[] = [];
    pool.on("failed", ({ error }) => errors.push(error));
    await queue.putMany([1, 2]);
    await settled();
    const first = hand.of(1);
    first.task.signal.addEventListener("abort", () => first.fail(first.task.signal.reason));
    clock.advance(100);
    await settled();
    expect(errors).toEqual([expect.objectContaining({ name: "TaskTimeoutError" })]);
    clock.advance(100);
    hand.of(2).done();
    await settled();
    expect(pool.counts).toMatchObject({ done: 1, failed: 1 });
  });

  it("leaves no timer behind, and begins anew with each attempt", async () => {
    new WorkerPool(queue, hand.handler, {
      timeoutMs: 100,
      retry: { attempts: 2, backoff: { initialMs: 0 } },
    });
    await queue.put(1);
    await settled();
    clock.advance(90);
    hand.of(1).fail(new Error("once more"));
    await settled();
    clock.advance(90);
    expect(hand.of(1).task.signal.aborted).toBe(false);
    hand.of(1).done();
    await settled();
    expect(clock.pending).toBe(0);
  });

  it("that is longer than Node's timers know is not over at once", async () => {
    new WorkerPool(queue, hand.handler, { timeoutMs: 2 ** 33 });
    await queue.put(1);
    await settled();
    const { signal } = hand.of(1).task;
    clock.advance(2 ** 32);
    expect(signal.aborted).toBe(false);
    clock.advance(2 ** 32);
    expect(signal.aborted).toBe(true);
  });

  it("does not end a task that has been over for long", async () => {
    new WorkerPool(queue, hand.handler, { timeoutMs: 100 });
    await queue.putMany([1, 2]);
    await settled();
    const { signal } = hand.of(1).task;
    hand.of(1).done();
    await settled();
    clock.advance(100);
    expect(signal.aborted).toBe(false);
    expect(hand.of(2).task.signal.aborted).toBe(true);
  });

  it("is not over sooner because a listener of another task's signal does something else", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 3, timeoutMs: 100 });
    await queue.putMany([1, 2, 3]);
    await settled();
    for (const { task } of hand.calls) {
      task.signal.addEventListener("abort", () => {
        pool.resize(1);
        queue.tryPut(9);
        void pool.stop();
      });
    }
    clock.advance(100);
    for (const call of hand.open) call.done();
    await settled();
    expect(pool.counts.done).toBe(3);
    expect(queue.size).toBe(3);
    clock.advance(5_000);
    expect(clock.pending).toBe(0);
  });
});

describe("a worker whose task ignores that it was aborted", () => {
  it("is stalled after a while, and works again when the task is over after all", async () => {
    const pool = new WorkerPool(queue, hand.handler, { timeoutMs: 100, stalledAfterMs: 50 });
    const states: string[] = [];
    pool.on("state", ({ to }) => states.push(to));
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(149);
    expect(pool.workers[0]).toMatchObject({ state: "processing" });
    clock.advance(1);
    expect(pool.workers[0]).toMatchObject({ state: "stalled" });
    expect(clock.pending).toBe(0);
    hand.of(1).done();
    await settled();
    expect(hand.items).toEqual([1, 2]);
    expect(states).toEqual(["processing", "stalled", "processing"]);
    expect(pool.counts.done).toBe(1);
  });

  it("isn't stalled while something is heard of it", async () => {
    const pool = new WorkerPool(queue, hand.handler, { timeoutMs: 100, stalledAfterMs: 0 });
    await queue.put(1);
    await settled();
    clock.advance(100);
    expect(pool.workers[0]).toMatchObject({ state: "stalled" });
    hand.of(1).task.step("clean up");
    expect(pool.workers[0]).toMatchObject({ state: "processing" });
  });

  it("is stalled after a drain's end, too, and stopped when its task is over", async () => {
    const pool = new WorkerPool(queue, hand.handler);
    await queue.put(1);
    await settled();
    const drained = pool.drain({ timeoutMs: 10 });
    clock.advance(10);
    await drained;
    clock.advance(1_000);
    expect(pool.workers).toMatchObject([{ state: "stalled" }]);
    hand.of(1).done();
    await settled();
    expect(pool.workers).toEqual([]);
    expect(pool.counts.done).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("is not taken for stalled when the abort of a signal ends it at once", async () => {
    const changed = vi.fn();
    const pool = new WorkerPool(queue, hand.handler, { timeoutMs: 100, stalledAfterMs: 1 });
    pool.on("state", ({ to }) => changed(to));
    pool.on("failed", () => {});
    await queue.put(1);
    await settled();
    const call = hand.of(1);
    call.task.signal.addEventListener("abort", () => call.fail(call.task.signal.reason));
    clock.advance(100);
    await settled();
    clock.advance(1_000);
    expect(pool.counts.failed).toBe(1);
    expect(changed.mock.calls).toEqual([["processing"], ["idle"]]);
    expect(clock.pending).toBe(0);
  });
});
