import { describe, expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

const GOOD = { ok: true, reasons: [] };

function fill(queue: FifoQueue<number>, count: number): void {
  for (let i = 0; i < count; i++) expect(queue.tryPut(i)).toBe(true);
}

describe("the health of a queue", () => {
  it("is good while nothing waits, however long", () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock });
    expect(queue.health()).toEqual(GOOD);
    clock.advance(1_000_000);
    expect(queue.health()).toEqual(GOOD);
  });

  it("is bad beyond nine tenths of the capacity, or what is said instead", () => {
    const queue = new FifoQueue<number>({ capacity: 100 });
    fill(queue, 90);
    expect(queue.health()).toEqual(GOOD);
    fill(queue, 1);
    expect(queue.health()).toEqual({
      ok: false,
      reasons: ["91 items wait, more than 90 (capacity 100)"],
    });
    expect(queue.health({ maxDepth: 91 })).toEqual(GOOD);
    expect(queue.health({ maxDepth: Number.POSITIVE_INFINITY })).toEqual(GOOD);
  });

  it("looks at the depth of an unbounded queue only if it is told to, and of a tiny one never by itself", () => {
    const unbounded = new FifoQueue<number>();
    fill(unbounded, 10_000);
    expect(unbounded.health()).toEqual(GOOD);
    expect(unbounded.health({ maxDepth: 0 }).reasons).toEqual(["10000 items wait, more than 0"]);
    const tiny = new FifoQueue<number>({ capacity: 1 });
    fill(tiny, 1);
    expect(tiny.health()).toEqual(GOOD);
    expect(tiny.health({ maxDepth: 0 }).reasons).toEqual(["1 item waits, more than 0 (capacity 1)"]);
  });

  it("is bad when items wait, and none was taken for too long", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock });
    fill(queue, 3);
    expect(queue.health()).toEqual(GOOD); // what was before isn't known
    clock.advance(30_000);
    expect(queue.health()).toEqual(GOOD);
    clock.advance(1);
    expect(queue.health().reasons).toEqual(["nothing was taken for 30 s, while 3 items wait"]);
    expect(queue.health({ noProgressMs: 60_000 })).toEqual(GOOD);
    expect(queue.health({ noProgressMs: Number.POSITIVE_INFINITY })).toEqual(GOOD);
    await queue.get();
    expect(queue.health()).toEqual(GOOD);
  });

  it("counts every way of taking as progress", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock });
    queue.health();
    const takes: (() => unknown)[] = [
      () => queue.get(),
      () => queue.tryGet(),
      () => queue.getMany(2),
      () => queue.receive(),
    ];
    for (const take of takes) {
      fill(queue, 5);
      clock.advance(40_000);
      expect(queue.health().ok).toBe(false);
      await take();
      expect(queue.health()).toEqual(GOOD);
    }
    queue.shutdown({ immediate: true });
  });

  it("starts to wait when the first item comes, and an item that is handed over is progress", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ clock });
    queue.health();
    clock.advance(100_000);
    fill(queue, 1);
    expect(queue.health()).toEqual(GOOD);
    await queue.get();
    clock.advance(20_000);
    const waiting = queue.get();
    fill(queue, 2);
    expect(await waiting).toBe(0);
    clock.advance(25_000);
    expect(queue.health()).toEqual(GOOD);
    clock.advance(6_000);
    expect(queue.health().reasons).toEqual(["nothing was taken for 31 s, while 1 item waits"]);
  });

  it("isn't fooled by newcomers that are served first", () => {
    const clock = new FakeClock();
    const lifo = new LifoQueue<number>({ clock });
    const ranked = new PriorityQueue<number>({ tiers: { high: 0, low: 1 }, clock });
    for (const queue of [lifo, ranked]) queue.health();
    for (let i = 0; i < 35; i++) {
      lifo.tryPut(i);
      ranked.tryPut(i, { tier: i === 0 ? "low" : "high" });
      clock.advance(1_000);
    }
    for (const queue of [lifo, ranked]) {
      expect(queue.health().reasons).toEqual(["nothing was taken for 35 s, while 35 items wait"]);
    }
  });

  it("is bad when the queue is shut down, and names every reason", () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<number>({ capacity: 2, clock });
    fill(queue, 2);
    queue.health();
    queue.shutdown();
    clock.advance(90_000);
    expect(queue.health().reasons).toEqual([
      "the queue is shut down",
      "2 items wait, more than 1 (capacity 2)",
      "nothing was taken for 90 s, while 2 items wait",
    ]);
  });

  it.each([
    [{ maxDepth: -1 }, "maxDepth must be a number from 0, not -1"],
    [{ maxDepth: Number.NaN }, "maxDepth must be a number from 0, not NaN"],
    [{ maxDepth: "10" }, 'maxDepth must be a number from 0, not "10"'],
    [{ maxDepth: null }, "maxDepth must be a number from 0, not null"],
    [{ noProgressMs: 0 }, "noProgressMs must be milliseconds, greater than 0, not 0"],
    [null, "options must be an object, not null"],
  ])("refuses %j", (options, message) => {
    expect(() => new FifoQueue().health(options as unknown as undefined)).toThrow(message);
  });
});
