import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { OBSERVE, PROBE, QUEUE_SOURCE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { Deque } from "../../src/queue/storage/deque.js";
import { Heap } from "../../src/queue/storage/heap.js";
import { MinMaxHeap } from "../../src/queue/storage/min-max-heap.js";
import { Ranked } from "../../src/queue/storage/ranked.js";
import { Stack } from "../../src/queue/storage/stack.js";
import { type Entry, EntryExtras, type Store } from "../../src/queue/storage/store.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { RUNS as ALL_RUNS } from "./model-runner.js";
import { Recorder } from "./recorder.js";

const RUNS = { ...ALL_RUNS, numRuns: ALL_RUNS.numRuns / 5 };

/** A kind of store, and which priorities its items have. */
interface Kind {
  readonly name: string;
  readonly make: () => Store<number>;
  readonly priorityOf: (n: number) => number;
  readonly tierCount: number;
  readonly evicts: boolean;
  /** Is it tracked from the start? */
  readonly tracked: boolean;
}

const PLAIN = { priorityOf: () => 0, tierCount: 1, evicts: true, tracked: false };
const few = (n: number) => n % 5;
const many = (n: number) => (n % 401) / 4;

const KINDS: Kind[] = [
  { ...PLAIN, name: "Deque", make: () => new Deque<number>() },
  { ...PLAIN, name: "Stack", make: () => new Stack<number>() },
];
for (const priorityOf of [few, many]) {
  for (const evicts of [false, true]) {
    for (const [order, agingMs, tierCount] of [
      ["priority", 0, 1],
      ["priority", 0, 3],
      ["priority", 4, 1],
      ["priority", 4, 3],
      ["deadline", 0, 1],
    ] as const) {
      KINDS.push({
        name: `Ranked by ${order}, aging ${agingMs}, tiers ${tierCount}, ${priorityOf.name} priorities, evicts: ${evicts}`,
        make: () => new Ranked<number>({ order, agingMs, tierCount, evicts }),
        priorityOf,
        tierCount,
        evicts,
        tracked: agingMs > 0,
      });
    }
  }
}

/** Takes everything out, as the entries that came. */
function drain(store: Store<number>): Entry<number>[] {
  const entries: Entry<number>[] = [];
  while (store.size > 0) {
    const item = store.shift();
    entries.push({ item, at: store.at, tag: store.tag, place: { ...store.place } });
  }
  return entries;
}

describe.each(KINDS)("the heads of a store ($name)", ({ make, priorityOf, tierCount, evicts, tracked }) => {
  it("are what it gives out next, in order, and stay", () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          salt: fc.nat(2_000),
          afterMs: fc.nat(3),
          repeat: fc.constantFrom(1, 1, 3, 90),
        }),
      },
      { weight: 3, arbitrary: fc.constantFrom("shift" as const, "pop" as const) },
      { weight: 1, arbitrary: fc.constant("track" as const) },
    );
    const most = fc.oneof(fc.nat(12), fc.constantFrom(100, 5_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), most, (script, wanted) => {
        const [store, copy] = [make(), make()];
        let [now, next, isTracked] = [0, 0, tracked];
        for (const each of [store, copy]) if (tracked) each.track(0);
        for (const each of script) {
          if (each === "track") {
            isTracked = true;
            for (const one of [store, copy]) one.track(now);
          } else if (each === "shift" || each === "pop") {
            if (store.size === 0 || (each === "pop" && !evicts)) continue;
            expect(store[each]()).toBe(copy[each]());
          } else {
            for (let i = 0; i < each.repeat; i++) {
              const salt = each.salt + i * 7;
              const dueAt = salt % 3 === 0 ? Number.POSITIVE_INFINITY : salt;
              const tag = new EntryExtras(dueAt, 1, undefined, undefined, undefined);
              const place = { priority: priorityOf(salt), tier: salt % tierCount };
              for (const one of [store, copy])
                one.push(next, isTracked ? now : Number.NaN, tag, { ...place });
              next++;
              now += each.afterMs;
            }
          }
        }
        const before = [store.at, store.tag, store.size];
        const heads = store.heads(wanted);
        expect([store.at, store.tag, store.size]).toEqual(before);
        const expected = drain(copy);
        const facts = (entry: Entry<number>) => [
          entry.item,
          entry.place.priority,
          entry.place.tier,
          isTracked && [entry.at, entry.tag],
        ];
        expect(heads.map(facts)).toEqual(expected.slice(0, wanted).map(facts));
        // Nothing has changed: neither what comes nor in which order.
        expect(drain(store).map(facts)).toEqual(expected.map(facts));
      }),
      { ...RUNS, numRuns: RUNS.numRuns / 10 },
    );
  });
});

describe.each([
  ["Heap", () => new Heap()],
  ["MinMaxHeap", () => new MinMaxHeap()],
] as const)("the heads of a %s", (_, make) => {
  it("need a number of steps that depends on how many are wanted, and not on the size", () => {
    const stepsFor = (size: number) => {
      const heap = make();
      for (let i = 0; i < size; i++) heap.push((i * 7919) % size, i);
      const reading = vi.spyOn(heap, "keyAt");
      expect(heap.heads(10).map((i) => heap.slotAt(i))).toHaveLength(10);
      return reading.mock.calls.length;
    };
    expect(stepsFor(2 ** 17)).toBeLessThan(10 * 6 * 2 * 10);
  });
});

describe("what a probe says of the head", () => {
  it("is when each item came in, its tier, attempt and known ID, and makes none", async () => {
    const clock = new FakeClock({ now: 1_000 });
    const queue = new PriorityQueue<string>({ tiers: { vip: 0, regular: 10 }, clock });
    await queue.put("a", { tier: "regular", correlationId: "id-a" });
    clock.advance(5);
    await queue.put("b", { tier: "vip" });
    (await queue.receive()).retry();
    clock.advance(5);
    await queue.put("c", { tier: "regular" });
    const [b, a, c] = queue[PROBE].heads!(10);
    expect(a).toMatchObject({ at: 1_000, tier: 1, attempt: 1, correlationId: "id-a" });
    expect(b).toMatchObject({ at: 1_005, tier: 0, attempt: 2 });
    expect(b!.correlationId).toMatch(/-/); // a retry keeps the one that its delivery had
    expect(c).toMatchObject({ at: 1_010, tier: 1, attempt: 1, correlationId: undefined });
    expect(queue[PROBE].heads!(1)).toEqual([b]);
    expect(queue.size).toBe(3);
  });

  it("has no instants where time is not kept", () => {
    for (const queue of [new FifoQueue(), new LifoQueue(), new PriorityQueue()]) {
      queue.tryPut("item");
      expect(queue[PROBE].heads!(3)).toEqual([
        { at: undefined, tier: 0, attempt: 1, correlationId: undefined, carrier: undefined, item: "item" },
      ]);
    }
  });

  it("has what the observer lets travel with the item", () => {
    const queue = new FifoQueue<string>();
    queue.tryPut("before");
    queue[OBSERVE](new Recorder());
    queue.tryPut("after", { correlationId: "id" });
    const [before, after] = queue[PROBE].heads!(2);
    expect(before!.carrier).toBeUndefined();
    expect(after!.carrier).toMatchObject({ correlationId: "id" });
  });
});

describe("the correlation IDs of what is left", () => {
  it("come in order of service, then those of delayed items, of so many items, none made up", async () => {
    const clock = new FakeClock();
    const queue = new LifoQueue<number>({ clock });
    for (const id of ["delayed", "first", "second"]) {
      await queue.put(0, { correlationId: id });
      if (id === "delayed") (await queue.receive()).retry({ delayMs: 1_000 });
    }
    await queue.put(0);
    expect(queue[QUEUE_SOURCE].correlationIds(100)).toEqual(["second", "first", "delayed"]);
    expect(queue[QUEUE_SOURCE].correlationIds(3)).toEqual(["second", "first"]);
    expect(queue[QUEUE_SOURCE].correlationIds(1)).toEqual([]);
  });
});
