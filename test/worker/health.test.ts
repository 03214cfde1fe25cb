import { describe, expect, it } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import type { WorkerPoolOptions } from "../../src/worker/options.js";
import { type Handler, WorkerPool } from "../../src/worker/pool.js";
import { settled } from "./by-hand.js";

const GOOD = { ok: true, reasons: [] };

/** A handler's promise never settles by itself, so that the test decides. */
class Ward {
  readonly clock = new FakeClock();
  readonly queue = new FifoQueue<string>({ clock: this.clock, capacity: 10 });
  readonly pool: WorkerPool<string>;
  readonly ends: (() => void)[] = [];

  constructor(options?: WorkerPoolOptions<string>, onStart: Handler<string> = () => {}) {
    this.pool = new WorkerPool(
      this.queue,
      (item, task) => {
        onStart(item, task);
        return new Promise<void>((resolve) => this.ends.push(resolve));
      },
      options,
    );
    expect(this.pool.health().ok).toBe(options?.autoStart !== false);
  }

  async put(...items: string[]): Promise<void> {
    for (const item of items) await this.queue.put(item, { correlationId: `id-${item}` });
    await settled();
  }

  async end(): Promise<void> {
    this.ends.shift()!();
    await settled();
  }
}

describe("the health of a pool", () => {
  it("can be asked for by a listener to drops, though a stalled worker's task has just ended", async () => {
    const clock = new FakeClock();
    const healths: unknown[] = [];
    const queue = new FifoQueue<string>({ clock, onDrop: () => healths.push(pool.health()) });
    let end = () => {};
    const pool = new WorkerPool(queue, () => new Promise<void>((resolve) => (end = resolve)), {
      timeoutMs: 100,
      stalledAfterMs: 100,
      onFailed: () => "drop",
    });
    await queue.put("hung");
    await queue.put("late", { deadline: clock.wallNow() + 150 });
    await settled();
    clock.advance(100);
    clock.block(100);
    clock.advance(0);
    expect(pool.workers[0]!.state).toBe("stalled");
    end();
    await settled();
    expect(healths).toHaveLength(1);
  });

  it("is good while there is nothing to do, or it gets done", async () => {
    const ward = new Ward({ concurrency: 2 });
    ward.clock.advance(1_000_000);
    expect(ward.pool.health()).toEqual(GOOD);
    await ward.put("a", "b", "c");
    ward.clock.advance(20_000);
    await ward.end();
    ward.clock.advance(20_000);
    expect(ward.pool.health()).toEqual(GOOD);
  });

  it("is bad unless the pool takes items", async () => {
    const ward = new Ward({ name: "shipping", autoStart: false });
    expect(ward.pool.health()).toEqual({ ok: false, reasons: ["shipping has not been started"] });
    ward.pool.start();
    expect(ward.pool.health()).toEqual(GOOD);
    ward.pool.pause();
    expect(ward.pool.health().reasons).toEqual(["shipping is paused"]);
    ward.pool.resume();
    expect(ward.pool.health()).toEqual(GOOD);
    await ward.put("a");
    const stopped = ward.pool.stop();
    expect(ward.pool.health().reasons).toEqual(["shipping is stopping"]);
    await ward.end();
    await stopped;
    expect(ward.pool.health().reasons).toEqual(["shipping is stopped"]);
  });

  it("is bad while it drains, and its queue is shut down", async () => {
    const ward = new Ward();
    await ward.put("a");
    const drained = ward.pool.drain();
    expect(ward.pool.health().reasons).toEqual(["pool is draining", "the queue is shut down"]);
    await ward.end();
    await drained;
  });

  it("is bad when a worker is silent, and names the one that has been so for longest", async () => {
    const ward = new Ward({ concurrency: 3 }, (item, task) => {
      if (item === "b") task.step("charge card");
    });
    await ward.put("a");
    ward.clock.advance(10_000);
    await ward.put("b");
    ward.clock.advance(55_000);
    expect(ward.pool.health().reasons).toEqual([
      "1 of 3 workers is silent: nothing was heard of worker 3's task (id-a, attempt 1) for 65 s",
    ]);
    expect(ward.pool.health({ silentAfterMs: 70_000 })).toEqual(GOOD);
    await ward.end();
    ward.clock.advance(6_000);
    expect(ward.pool.health().reasons).toEqual([
      `1 of 3 workers is silent: nothing was heard of worker 2's task at "charge card" (id-b, attempt 1) for 61 s`,
    ]);
    await ward.end();
    expect(ward.pool.health()).toEqual(GOOD);
  });

  it("hears a worker by its steps and its progress", async () => {
    let tell = () => {};
    const ward = new Ward(undefined, (_, task) => {
      tell = () => task.progress(0.5);
    });
    await ward.put("a", "b");
    for (let i = 0; i < 10; i++) {
      ward.clock.advance(29_000);
      tell();
      // Items wait and none is taken, but the work goes on.
      expect(ward.pool.health()).toEqual(GOOD);
    }
    ward.clock.advance(61_000);
    expect(ward.pool.health().reasons).toEqual([
      "1 of 1 worker is silent: nothing was heard of worker 1's task (id-a, attempt 1) for 61 s",
      "nothing was taken for 351 s, while 1 item waits",
    ]);
  });

  it("is bad when a task goes on although it was aborted", async () => {
    const ward = new Ward({ timeoutMs: 5_000, stalledAfterMs: 1_000 });
    await ward.put("a");
    ward.clock.advance(6_001);
    expect(ward.pool.health().reasons).toEqual([
      "1 of 1 worker is stalled: worker 1's task (id-a, attempt 1) goes on although it was aborted",
    ]);
    await ward.end();
    expect(ward.pool.health()).toEqual(GOOD);
  });

  it("doesn't know how long a task has run that began before the first question", async () => {
    const clock = new FakeClock();
    const queue = new FifoQueue<string>({ clock });
    const pool = new WorkerPool(queue, () => new Promise(() => {}));
    queue.tryPut("a");
    await settled();
    clock.advance(100_000);
    expect(pool.health()).toEqual(GOOD);
    clock.advance(61_000);
    expect(pool.health().reasons[0]).toContain("1 of 1 worker is silent");
  });

  it("includes that of the queue", async () => {
    const ward = new Ward();
    await ward.put(..."abcdefghijk");
    expect(ward.pool.health().reasons).toEqual(["10 items wait, more than 9 (capacity 10)"]);
    expect(ward.pool.health({ maxDepth: 10 })).toEqual(GOOD);
    ward.clock.advance(31_000);
    expect(ward.pool.health({ maxDepth: 10 }).reasons).toEqual([
      "nothing was taken for 31 s, while 10 items wait",
    ]);
    expect(ward.pool.health({ maxDepth: 10, noProgressMs: 40_000 })).toEqual(GOOD);
  });

  it.each([
    [{ silentAfterMs: 0 }, "silentAfterMs must be milliseconds, greater than 0, not 0"],
    [{ silentAfterMs: "1" }, 'silentAfterMs must be milliseconds, greater than 0, not "1"'],
    [{ noProgressMs: -1 }, "noProgressMs must be milliseconds, greater than 0, not -1"],
    [{ maxDepth: null }, "maxDepth must be a number from 0, not null"],
    [null, "options must be an object, not null"],
  ])("refuses %j", (options, message) => {
    const ward = new Ward();
    expect(() => ward.pool.health(options as unknown as undefined)).toThrow(message);
  });
});
