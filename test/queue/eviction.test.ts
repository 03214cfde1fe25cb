import { describe, expect, it } from "vitest";
import { QueueFullError } from "../../src/base/errors.js";
import type { DropReason } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import type { QueueOptions } from "../../src/queue/options.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { errorOf, isSettled } from "./conformance.js";

function evicting(options?: QueueOptions<string>) {
  const drops: [string, DropReason][] = [];
  const onDrop = (...drop: [string, DropReason]) => drops.push(drop);
  return { drops, options: { capacity: 2, whenFull: "evict" as const, onDrop, ...options } };
}

describe("eviction", () => {
  it("in a FifoQueue refuses the newcomer, which would be served last", async () => {
    const { drops, options } = evicting();
    const queue = new FifoQueue<string>(options);
    await queue.putMany(["a", "b"]);
    const error = await errorOf(queue.put("c"));
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ item: "c", capacity: 2 });
    expect(drops).toEqual([["c", "evicted"]]);
    expect([queue.tryGet(), queue.tryGet()]).toEqual(["a", "b"]);
  });

  it("in a LifoQueue drops the oldest item", async () => {
    const { drops, options } = evicting();
    const queue = new LifoQueue<string>(options);
    await queue.putMany(["a", "b", "c"]);
    expect(drops).toEqual([["a", "evicted"]]);
    expect([queue.tryGet(), queue.tryGet()]).toEqual(["c", "b"]);
  });

  it("in a PriorityQueue drops the least urgent item; among equals the newest, the newcomer first", async () => {
    const { drops, options } = evicting();
    const queue = new PriorityQueue<string>(options);
    await queue.put("dull 1", { priority: 5 });
    await queue.put("dull 2", { priority: 5 });
    await errorOf(queue.put("dull 3", { priority: 5 }));
    await errorOf(queue.put("duller", { priority: 6 }));
    await queue.put("urgent", { priority: 1 });
    expect(drops.map(([item]) => item)).toEqual(["dull 3", "duller", "dull 2"]);
    expect([queue.tryGet(), queue.tryGet()]).toEqual(["urgent", "dull 1"]);
  });

  it("with aging drops what would be served last: a young item may lose against an old one of lower priority", async () => {
    const { drops, options } = evicting();
    const clock = new FakeClock();
    const queue = new PriorityQueue<string>({ ...options, agingMs: 100, clock });
    await queue.put("old, 3", { priority: 3 });
    clock.advance(200);
    await queue.put("young, 2", { priority: 2 });
    await queue.put("now, 0", { priority: 0 });
    expect(drops).toEqual([["young, 2", "evicted"]]);
  });

  it('with order: "deadline" drops an undated item first, then the latest deadline', async () => {
    const { drops, options } = evicting();
    const clock = new FakeClock();
    const queue = new PriorityQueue<string>({ ...options, order: "deadline", clock });
    const at = (ms: number) => ({ deadline: clock.wallNow() + ms });
    await queue.put("undated");
    await queue.put("late", at(100));
    await queue.put("soon", at(50));
    await queue.put("sooner", at(10));
    expect(drops.map(([item]) => item)).toEqual(["undated", "late"]);
  });

  it("finds its victim after the queue has come to hold many priorities", async () => {
    const { drops, options } = evicting({ capacity: 100 });
    const queue = new PriorityQueue<string>(options);
    for (let priority = 0; priority < 100; priority++) await queue.put(`p${priority}`, { priority });
    await queue.put("in", { priority: 50 });
    expect(drops).toEqual([["p99", "evicted"]]);
  });

  it("by tryPut works as by put: true with a victim, false for a newcomer that loses and is told of", () => {
    const { drops, options } = evicting({ capacity: 1 });
    const queue = new PriorityQueue<string>(options);
    queue.tryPut("dull", { priority: 5 });
    expect(queue.tryPut("urgent", { priority: 1 })).toBe(true);
    expect(queue.tryPut("dull again", { priority: 5 })).toBe(false);
    expect(drops).toEqual([
      ["dull", "evicted"],
      ["dull again", "evicted"],
    ]);
  });

  it("of a batch's rest names what came in and what didn't", async () => {
    const { drops, options } = evicting();
    const queue = new FifoQueue<string>(options);
    const error = await errorOf(queue.putMany(["a", "b", "c", "d"]));
    expect(error).toMatchObject({ accepted: 2, item: "c", items: ["c", "d"] });
    expect(drops).toEqual([
      ["c", "evicted"],
      ["d", "evicted"],
    ]);
  });

  it("counts the victim as over for join, not the newcomer that came in", async () => {
    const { options } = evicting({ capacity: 1 });
    const queue = new LifoQueue<string>(options);
    await queue.put("a");
    const join = queue.join();
    await queue.put("b");
    expect(await isSettled(join)).toBe(false);
    await queue.get();
    queue.taskDone();
    expect(await isSettled(join)).toBe(true);
  });

  it("brings a queue whose capacity was lowered down to it", async () => {
    const { drops, options } = evicting({ capacity: 4 });
    const queue = new LifoQueue<string>(options);
    await queue.putMany(["a", "b", "c", "d"]);
    queue.capacity = 2;
    expect(drops).toEqual([]);
    await queue.put("e");
    expect(drops.map(([item]) => item)).toEqual(["a", "b", "c"]);
    expect(queue.size).toBe(2);
  });
});

describe("evictWhen", () => {
  it("makes puts wait while it doesn't hold", async () => {
    let isTight = false;
    const { drops, options } = evicting({ capacity: 1, evictWhen: () => isTight });
    const queue = new LifoQueue<string>(options);
    await queue.put("a");
    const waiting = queue.put("b");
    expect([await isSettled(waiting), queue.tryPut("c"), drops]).toEqual([false, false, []]);
    isTight = true;
    await queue.put("d");
    expect(await isSettled(waiting)).toBe(true);
    expect(drops.map(([item]) => item)).toEqual(["a", "b"]);
  });

  it("lets those who have waited evict, or lose, before the newcomer does", async () => {
    let isTight = false;
    const { drops, options } = evicting({ capacity: 1, evictWhen: () => isTight });
    const queue = new PriorityQueue<string>(options);
    await queue.put("a", { priority: 5 });
    const loses = queue.put("b", { priority: 9 });
    const wins = queue.put("c", { priority: 3 });
    const outcomes = Promise.allSettled([loses, wins]);
    isTight = true;
    expect(queue.tryPut("d", { priority: 1 })).toBe(true);
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(await errorOf(loses)).toMatchObject({ item: "b" });
    expect(drops.map(([item]) => item)).toEqual(["b", "a", "c"]);
    expect(queue.tryGet()).toBe("d");
  });

  it("is not asked while there is room, nor by a queue that doesn't evict", async () => {
    let asked = 0;
    const evictWhen = () => {
      asked++;
      return true;
    };
    const queue = new LifoQueue<string>(evicting({ evictWhen }).options);
    await queue.putMany(["a", "b"]);
    expect(asked).toBe(0);
    await queue.put("c");
    expect(asked).toBe(1);
    const patient = new LifoQueue<string>({ capacity: 1, whenFull: "wait", evictWhen });
    patient.tryPut("a");
    patient.tryPut("b");
    expect(asked).toBe(1);
  });
});
