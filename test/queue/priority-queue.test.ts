import { describe, expect, it } from "vitest";
import { PROBE } from "../../src/contracts/index.js";
import { PriorityQueue, type PriorityQueueOptions } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { errorOf } from "./conformance.js";

const tiers = { regular: 10, vip: 0, bulk: 20 };

function drain<T>(queue: PriorityQueue<T>): T[] {
  const items: T[] = [];
  while (!queue.empty) items.push(queue.tryGet()!);
  return items;
}

describe("priorities", () => {
  it("serve the smallest first, equal ones in order of arrival", () => {
    const queue = new PriorityQueue<string>();
    for (const [item, priority] of [
      ["b1", 2],
      ["a1", -1.5],
      ["b2", 2],
      ["c", 1e9],
      ["a2", -1.5],
    ] as const) {
      queue.tryPut(item, { priority });
    }
    expect(drain(queue)).toEqual(["a1", "a2", "b1", "b2", "c"]);
  });

  it("default to 0", () => {
    const queue = new PriorityQueue<string>();
    queue.tryPut("later", { priority: 1 });
    queue.tryPut("usual");
    queue.tryPut("first", { priority: -1 });
    expect(drain(queue)).toEqual(["first", "usual", "later"]);
  });

  it("take -0 for 0", async () => {
    const queue = new PriorityQueue<string>();
    queue.tryPut("a", { priority: -0 });
    queue.tryPut("b", { priority: 0 });
    const deliveries = [await queue.receive(), await queue.receive()];
    expect(deliveries.map(({ item, priority }) => [item, priority])).toEqual([
      ["a", 0],
      ["b", 0],
    ]);
  });

  it("keep the order when there come to be many of them", () => {
    const queue = new PriorityQueue<string>();
    for (let i = 0; i < 3; i++) queue.tryPut(`old ${i}`, { priority: 50 });
    for (let priority = 99; priority >= 0; priority--) queue.tryPut(`p${priority}`, { priority });
    queue.tryPut("new", { priority: 50 });
    const items = drain(queue);
    expect(items.slice(49, 56)).toEqual(["p49", "old 0", "old 1", "old 2", "p50", "new", "p51"]);
    expect(items).toHaveLength(104);
  });

  it("come along in a retry", async () => {
    const queue = new PriorityQueue<string>();
    queue.tryPut("urgent", { priority: -5 });
    (await queue.receive()).retry();
    queue.tryPut("usual");
    expect(await queue.receive()).toMatchObject({ item: "urgent", priority: -5, attempt: 2 });
  });

  it("put a retried item behind its equals, as the new arrival that it is", async () => {
    const queue = new PriorityQueue<string>();
    queue.tryPut("a");
    queue.tryPut("b");
    (await queue.receive()).retry();
    expect(drain(queue)).toEqual(["b", "a"]);
  });

  it("have to be finite numbers", async () => {
    const queue = new PriorityQueue<number>();
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, "1", null, 1n]) {
      const error = await errorOf(queue.put(1, { priority: bad as number }));
      expect(error).toMatchObject({ option: "priority", value: bad });
      expect(error).toBeInstanceOf(typeof bad === "number" ? RangeError : TypeError);
      expect(() => queue.tryPut(1, { priority: bad as number })).toThrow(/^priority must be a finite number/);
      expect(await errorOf(queue.putMany([1], { priority: bad as number }))).toBeInstanceOf(Error);
    }
    expect(queue.size).toBe(0);
  });

  it("of a batch are those of its own put, even when its iterator puts something in itself", async () => {
    const queue = new PriorityQueue<string>();
    function* items() {
      yield "a";
      queue.tryPut("other", { priority: 9 });
      yield "b";
    }
    await queue.putMany(items(), { priority: 5 });
    expect(drain(queue)).toEqual(["a", "b", "other"]);
  });
});

describe("tiers", () => {
  it("are served by urgency, however they were written down", () => {
    const queue = new PriorityQueue<string>({ tiers });
    for (const tier of ["bulk", "vip", "regular"]) queue.tryPut(tier, { tier });
    expect(drain(queue)).toEqual(["vip", "regular", "bulk"]);
    expect(queue[PROBE].tiers).toEqual(["vip", "regular", "bulk"]);
  });

  it("default to the least urgent one", async () => {
    const queue = new PriorityQueue<string>({ tiers });
    queue.tryPut("some");
    expect(await queue.receive()).toMatchObject({ tier: "bulk", priority: 20 });
  });

  it("take numbers too: one between two tiers belongs to the more urgent, one beyond the ends to the end", async () => {
    const queue = new PriorityQueue<string>({ tiers });
    for (const priority of [-1, 0, 9, 10, 19.5, 99]) queue.tryPut("some", { priority });
    const names: string[] = [];
    for await (const { tier } of queue.deliveries()) if (names.push(tier) === 6) break;
    expect(names).toEqual(["vip", "vip", "vip", "regular", "regular", "bulk"]);
  });

  it("are labelled `default` where there are none", async () => {
    const queue = new PriorityQueue<string>();
    queue.tryPut("some", { priority: 7 });
    expect((await queue.receive()).tier).toBe("default");
    expect(queue[PROBE].tiers).toEqual(["default"]);
  });

  it("have to be known, and named alone", async () => {
    const queue = new PriorityQueue<number>({ tiers });
    const error = await errorOf(queue.put(1, { tier: "VIP" }));
    expect(error).toMatchObject({ option: "tier", value: "VIP", name: "InvalidOptionRangeError" });
    expect(error).toHaveProperty("message", 'tier must be one of "vip", "regular", "bulk", not "VIP"');
    expect(() => queue.tryPut(1, { tier: null as never })).toThrow(TypeError);
    expect(() => queue.tryPut(1, { tier: "toString" })).toThrow(RangeError);
    expect(() => queue.tryPut(1, { tier: "vip", priority: 0 })).toThrow(/^priority must be left out/);
    expect(() => new PriorityQueue<number>().tryPut(1, { tier: "vip" })).toThrow(/no tiers/);
  });

  it.each([
    [null, TypeError],
    ["vip", TypeError],
    [["vip"], TypeError],
    [{}, RangeError],
    [{ vip: Number.NaN }, RangeError],
    [{ vip: "0" }, TypeError],
    [{ vip: null }, TypeError],
    [{ vip: 1, other: 1 }, RangeError],
    [{ vip: 0, other: -0 }, RangeError],
  ])("are refused at construction when they are %j", (bad, type) => {
    expect(() => new PriorityQueue({ tiers: bad as never })).toThrow(type);
    expect(() => new PriorityQueue({ tiers: bad as never })).toThrow(/^tiers/);
  });
});

describe("aging", () => {
  const aged = (options?: PriorityQueueOptions<string>) => {
    const clock = new FakeClock();
    return { clock, queue: new PriorityQueue<string>({ agingMs: 100, clock, ...options }) };
  };

  it("is worth one priority step for each agingMs of waiting", () => {
    const { clock, queue } = aged();
    queue.tryPut("old and dull", { priority: 3 });
    clock.advance(299);
    queue.tryPut("young and urgent", { priority: 0 });
    expect(queue.tryGet()).toBe("young and urgent");
    clock.advance(1);
    queue.tryPut("a moment too late", { priority: 0 });
    expect(drain(queue)).toEqual(["old and dull", "a moment too late"]);
  });

  it("never changes the order of what is in the queue already", () => {
    const { clock, queue } = aged();
    queue.tryPut("b", { priority: 1 });
    queue.tryPut("a", { priority: 0 });
    clock.advance(1_000_000);
    expect(drain(queue)).toEqual(["a", "b"]);
  });

  it("serves no tier for ever: the least urgent one gets its turn under a flood", () => {
    const { clock, queue } = aged({ tiers });
    queue.tryPut("patient", { tier: "bulk" });
    let served = 0;
    for (;;) {
      queue.tryPut("flood", { tier: "vip" });
      queue.tryPut("flood", { tier: "vip" });
      if (queue.tryGet() === "patient") break;
      served++;
      clock.advance(10);
    }
    expect(served * 10).toBeGreaterThanOrEqual(2_000);
    expect(served * 10).toBeLessThan(4_500);
  });

  it("starts anew for a retried item, whose planned delay is no wait", async () => {
    const { clock, queue } = aged();
    queue.tryPut("again", { priority: 1 });
    clock.advance(500);
    (await queue.receive()).retry({ delayMs: 50 });
    clock.advance(50);
    queue.tryPut("urgent", { priority: 0 });
    expect(drain(queue)).toEqual(["urgent", "again"]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "100", null])(
    "refuses %s milliseconds",
    (agingMs) => {
      expect(() => new PriorityQueue({ agingMs: agingMs as number })).toThrow(
        expect.objectContaining({ option: "agingMs", value: agingMs }),
      );
    },
  );

  it("refuses priorities so great that the key would lose precision", async () => {
    const { queue } = aged();
    expect(await errorOf(queue.put("x", { priority: 2 ** 43 / 100 }))).toBeInstanceOf(RangeError);
    expect(queue.tryPut("x", { priority: 2 ** 43 / 100 - 1 })).toBe(true);
    expect(() => aged({ tiers: { far: -(2 ** 43) } })).toThrow(RangeError);
    expect(new PriorityQueue<string>().tryPut("x", { priority: 2 ** 50 })).toBe(true);
  });
});

describe('order: "deadline"', () => {
  const dated = (options?: PriorityQueueOptions<string>) => {
    const clock = new FakeClock();
    const queue = new PriorityQueue<string>({ order: "deadline", clock, ...options });
    return { clock, queue, at: (ms: number) => ({ deadline: clock.wallNow() + ms }) };
  };

  it("serves the earliest deadline first, equal ones in order of arrival, undated items last", () => {
    const { queue, at } = dated();
    queue.tryPut("never 1");
    queue.tryPut("20 a", at(20));
    queue.tryPut("10", at(10));
    queue.tryPut("20 b", at(20));
    queue.tryPut("never 2");
    expect(drain(queue)).toEqual(["10", "20 a", "20 b", "never 1", "never 2"]);
  });

  it("drops what is past its deadline and serves the next", async () => {
    const drops: unknown[] = [];
    const { clock, queue, at } = dated({ onDrop: (...drop) => drops.push(drop) });
    queue.tryPut("missed", at(5));
    queue.tryPut("in time", at(50));
    clock.advance(6);
    expect(await queue.get()).toBe("in time");
    expect(drops).toEqual([["missed", "expired"]]);
  });

  it("knows no aging, and no other order", () => {
    expect(() => new PriorityQueue({ order: "deadline", agingMs: 5 })).toThrow(/^agingMs must be left out/);
    expect(() => new PriorityQueue({ order: "random" as never })).toThrow(RangeError);
    expect(() => new PriorityQueue({ order: null as never })).toThrow(TypeError);
  });

  it("keeps tiers as labels", async () => {
    const { queue, at } = dated({ tiers });
    queue.tryPut("late", { tier: "vip", ...at(20) });
    queue.tryPut("soon", { tier: "bulk", ...at(10) });
    expect(await queue.receive()).toMatchObject({ item: "soon", tier: "bulk", priority: 20 });
  });
});
