import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { QueueShutDownError } from "../../src/base/errors.js";
import { type DropReason, OBSERVE, PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { errorOf, isSettled } from "./conformance.js";
import { Recorder } from "./recorder.js";

describe("a callback that throws", () => {
  const warn = vi.spyOn(process, "emitWarning");

  beforeEach(() => {
    warn.mockReset().mockImplementation(() => {});
  });
  afterAll(() => {
    warn.mockRestore();
  });

  it("counts as `false` when it is an evictWhen that promises its answer", async () => {
    const queue = new FifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      evictWhen: (async () => {
        throw new Error("mine");
      }) as unknown as () => boolean,
    });
    await queue.put(1);
    expect(await isSettled(queue.put(2))).toBe(false);
    const text = expect.stringContaining("evictWhen must return true or false");
    expect(warn).toHaveBeenCalledWith(text, "QueuescopeWarning");
  });

  it("never reaches put, get or shutdown, and is warned of once", async () => {
    const queue = new LifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      onDrop: () => {
        throw new Error("mine");
      },
    });
    await queue.put(1);
    await queue.put(2);
    await queue.put(3);
    queue.shutdown({ immediate: true });
    expect(warn.mock.calls).toEqual([[expect.stringContaining("mine"), "QueuescopeWarning"]]);
    expect(await isSettled(queue.join())).toBe(true);
  });

  it("may throw anything at all", async () => {
    for (const thrown of [undefined, null, Symbol("odd"), Object.create(null), 5]) {
      const queue = new LifoQueue<number>({
        capacity: 1,
        whenFull: "evict",
        onDrop: () => {
          throw thrown;
        },
      });
      await queue.putMany([1, 2]);
      expect(queue.tryGet()).toBe(2);
    }
    expect(warn).toHaveBeenCalledTimes(5);
  });

  it("may be async: its rejection is caught as well", async () => {
    const queue = new FifoQueue<number>({
      onDrop: async () => {
        throw new Error("later");
      },
    });
    queue.tryPut(1);
    queue.shutdown({ immediate: true });
    await isSettled(queue.join());
    expect(warn).toHaveBeenCalledOnce();
  });

  it("counts as `false` when it is evictWhen", async () => {
    const queue = new LifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      evictWhen: () => {
        throw new Error("mine");
      },
    });
    queue.tryPut(1);
    const waiting = queue.put(2);
    expect(await isSettled(waiting)).toBe(false);
    expect(await queue.get()).toBe(1);
    await waiting;
    expect(warn).toHaveBeenCalledOnce();
  });

  it("is told to the observer, if there is one, each time", async () => {
    const queue = new LifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      onDrop: () => {
        throw new Error("mine");
      },
    });
    const recorder = new Recorder();
    queue[OBSERVE](recorder);
    await queue.putMany([1, 2, 3]);
    expect(recorder.faults).toBe(2);
    expect(warn).not.toHaveBeenCalled();
  });
});

/** No caller waits for what is there, and the probe's counts are whole. */
function expectSound(queue: FifoQueue<number> | LifoQueue<number> | PriorityQueue<number>): void {
  const { waitingPuts, waitingGets, capacity } = queue[PROBE];
  if (waitingPuts! > 0) expect(queue.size).toBeGreaterThanOrEqual(capacity);
  if (waitingGets! > 0) expect(queue.size).toBe(0);
  expect(waitingPuts).toBeGreaterThanOrEqual(0);
  expect(waitingGets).toBeGreaterThanOrEqual(0);
}

describe("a callback that calls the queue", () => {
  /** An evicting queue with a put that waits because `evictWhen` didn't hold, which it does now. */
  async function tight(onDrop: (queue: LifoQueue<number>, item: number, reason: DropReason) => void) {
    let isTight = false;
    const drops: [number, DropReason][] = [];
    const queue: LifoQueue<number> = new LifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      evictWhen: () => isTight,
      onDrop(item, reason) {
        drops.push([item, reason]);
        onDrop(queue, item, reason);
      },
    });
    queue.tryPut(1);
    const waiting = [queue.put(2), queue.put(3)];
    await isSettled(waiting[0]!);
    isTight = true;
    return { queue, drops, waiting };
  }

  it("may shut it down while waiting puts evict: each put ends once, each item ends up in one place", async () => {
    const { queue, drops, waiting } = await tight((queue) => queue.shutdown());
    const late = queue.put(4);
    const [second, third] = await Promise.allSettled(waiting);
    expect(second).toMatchObject({ status: "fulfilled" });
    expect(third).toMatchObject({ status: "rejected", reason: { code: "QUEUE_SHUT_DOWN", item: 3 } });
    expect(await errorOf(late)).toMatchObject({ code: "QUEUE_SHUT_DOWN", item: 4 });
    expect([drops, queue.tryGet()]).toEqual([[[1, "evicted"]], 2]);
    expectSound(queue);
    expect(() => queue.tryGet()).toThrow(QueueShutDownError);
  });

  it("may shut it down at once while a newcomer evicts: the newcomer has not come in or is dropped", async () => {
    const drops: [number, DropReason][] = [];
    const queue: LifoQueue<number> = new LifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      onDrop(...drop) {
        drops.push(drop);
        queue.shutdown({ immediate: true });
      },
    });
    queue.tryPut(1);
    await queue.put(2);
    expect(drops).toEqual([
      [1, "evicted"],
      [2, "shutdown"],
    ]);
    expect(await isSettled(queue.join())).toBe(true);
  });

  it("may take items while waiting puts evict", async () => {
    const taken: (number | undefined)[] = [];
    const { queue, drops, waiting } = await tight((queue) => taken.push(queue.tryGet()));
    await queue.put(4);
    await Promise.all(waiting);
    const left: (number | undefined)[] = [];
    while (!queue.empty) left.push(queue.tryGet());
    const all = [...drops.map(([item]) => item), ...taken, ...left].filter((item) => item !== undefined);
    expect(all.toSorted()).toEqual([1, 2, 3, 4]);
    expectSound(queue);
  });

  it("may put items while waiting puts evict", async () => {
    let next = 10;
    const { queue, drops, waiting } = await tight((queue) => {
      if (next < 13) queue.tryPut(next++);
    });
    await queue.put(4);
    await Promise.all(waiting);
    const left: number[] = [];
    while (!queue.empty) left.push(queue.tryGet()!);
    const all = [...drops.map(([item]) => item), ...left];
    expect(all.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 10, 11, 12]);
    expectSound(queue);
  });

  it("may change the capacity while waiting puts evict", async () => {
    const { queue, waiting } = await tight((queue) => {
      queue.capacity = 5;
    });
    await queue.put(4);
    await Promise.all(waiting);
    expect(queue.size).toBe(3);
    expectSound(queue);
  });

  it("may put a dropped item into the queue again", async () => {
    const queue: FifoQueue<number> = new FifoQueue<number>({
      clock: new FakeClock(),
      onDrop: (item, reason) => reason === "expired" && item < 5 && queue.tryPut(item + 10),
    });
    queue.tryPut(1, { deadline: 0 });
    const join = queue.join();
    expect(await queue.get()).toBe(11);
    expect(await isSettled(join)).toBe(false);
    queue.taskDone();
    await join;
  });

  it("may shut down while a batch comes in to waiting consumers: the rest of the batch is handed back", async () => {
    const clock = new FakeClock();
    const drops: number[] = [];
    const queue: FifoQueue<number> = new FifoQueue<number>({
      capacity: 2,
      clock,
      onDrop(item) {
        drops.push(item);
        if (item === 2) queue.shutdown();
      },
    });
    const get = queue.get();
    const batch = queue.putMany([1, 2, 3, 4, 5], { deadline: clock.wallNow() - 1 });
    expect(await errorOf(batch)).toMatchObject({ code: "QUEUE_SHUT_DOWN", accepted: 2, items: [3, 4, 5] });
    expect(await errorOf(get)).toBeInstanceOf(QueueShutDownError);
    expect(drops).toEqual([1, 2]);
    expect(await isSettled(queue.join())).toBe(true);
  });

  it("may abort the very get that drops an expired item", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const queue = new FifoQueue<number>({ clock, onDrop: () => controller.abort("from onDrop") });
    queue.tryPut(1, { deadline: clock.wallNow() - 1 });
    const get = queue.get({ signal: controller.signal });
    expect(await isSettled(get)).toBe(true);
    expect(await errorOf(get)).toBe("from onDrop");
    queue.tryPut(2);
    expect(queue.tryGet()).toBe(2);
  });

  it("may abort the very put that is about to wait", async () => {
    const controller = new AbortController();
    const queue = new FifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      evictWhen() {
        controller.abort("from evictWhen");
        return false;
      },
    });
    queue.tryPut(1);
    expect(await errorOf(queue.put(2, { signal: controller.signal }))).toBe("from evictWhen");
    expect([queue[PROBE].waitingPuts, queue.size]).toEqual([0, 1]);
  });

  it("may make room in evictWhen: the put that asked comes in", async () => {
    const queue: FifoQueue<number> = new FifoQueue<number>({
      capacity: 1,
      whenFull: "evict",
      evictWhen() {
        queue.tryGet();
        return false;
      },
    });
    queue.tryPut(1);
    expect(await isSettled(queue.put(2))).toBe(true);
    expect(queue.peek()).toBe(2);
  });

  it("may make room and wait for an item in evictWhen, and put in onDrop: each is served once", async () => {
    const clock = new FakeClock();
    const past = { deadline: clock.wallNow() - 1 };
    let get: Promise<number> | undefined;
    const queue: FifoQueue<number> = new FifoQueue<number>({
      clock,
      capacity: 1,
      whenFull: "evict",
      evictWhen() {
        get = queue.get();
        return false;
      },
      onDrop: (item) => item === 2 && void queue.put(3),
    });
    queue.tryPut(1, past);
    await queue.put(2, past);
    expect(await get).toBe(3);
    expect([queue[PROBE].waitingPuts, queue[PROBE].waitingGets, queue.size]).toEqual([0, 0, 0]);
  });

  it("may put with another priority while a put with a number evicts", async () => {
    let asked = 0;
    const queue: PriorityQueue<string> = new PriorityQueue<string>({
      capacity: 2,
      whenFull: "evict",
      evictWhen() {
        if (asked++ === 0) queue.tryPut("inner", { priority: 9 });
        return true;
      },
    });
    queue.tryPut("a", { priority: 5 });
    queue.tryPut("b", { priority: 6 });
    expect(queue.tryPut("outer", { priority: 1 })).toBe(true);
    expect(await queue.receive()).toMatchObject({ item: "outer", priority: 1 });
  });

  it("may retry, take and put while an immediate shutdown drops", async () => {
    const clock = new FakeClock();
    const drops: number[] = [];
    const queue: FifoQueue<number> = new FifoQueue<number>({
      clock,
      onDrop(item) {
        drops.push(item);
        if (item !== 2) return;
        delivery.retry({ delayMs: 5 });
        queue.put(99).catch(() => {});
        drops.push(queue.tryGet()!);
      },
    });
    await queue.putMany([1, 2, 3, 4]);
    const delivery = await queue.receive();
    queue.shutdown({ immediate: true });
    expect(drops).toEqual([2, 1, 3, 4]);
    expect([queue.size, queue.delayed, clock.pending]).toEqual([0, 0, 0]);
  });
});
