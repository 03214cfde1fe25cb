import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { LinkedList } from "../../src/base/linked-list.js";
import { ArrivalLines } from "../../src/queue/storage/arrival-lines.js";
import { Deque } from "../../src/queue/storage/deque.js";
import { Heap, HeapArrays } from "../../src/queue/storage/heap.js";
import { Levels, MAX_LEVELS } from "../../src/queue/storage/levels.js";
import { MinMaxHeap } from "../../src/queue/storage/min-max-heap.js";
import { Ranked, type Ranking } from "../../src/queue/storage/ranked.js";
import { Slab } from "../../src/queue/storage/slab.js";
import { Stack } from "../../src/queue/storage/stack.js";
import { EntryExtras, type Place, type Store } from "../../src/queue/storage/store.js";
import { RUNS as ALL_RUNS } from "./model-runner.js";

const RUNS = { ...ALL_RUNS, numRuns: ALL_RUNS.numRuns / 5 };

/** Runs of one kind of step: long enough to fill and empty whole chunks. */
const phases = <A extends string>(...kinds: A[]) =>
  fc.array(fc.tuple(fc.constantFrom(...kinds), fc.oneof(fc.integer({ min: 1, max: 5 }), fc.nat(3_000))), {
    maxLength: 12,
  });

/** Keys with many ties and with values close to each other, infinities included. */
const key = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, 0, Number.MAX_VALUE),
);

interface Plain {
  readonly item: number;
  readonly at: number;
  readonly tag: unknown;
}

describe.each([
  ["Deque", () => new Deque<number>(), "first"],
  ["Stack", () => new Stack<number>(), "last"],
] as const)("a %s", (_, make, served) => {
  it(`serves the ${served} and evicts from the other end, tracked or not`, () => {
    fc.assert(
      fc.property(phases("push", "shift", "pop", "takeAny", "track", "peek"), (script) => {
        const store: Store<number> = make();
        let model: Plain[] = [];
        let [next, tracked] = [0, false];
        const front = () => (served === "first" ? model[0] : model.at(-1));
        const check = (item: number, expected: Plain) => {
          expect(item).toBe(expected.item);
          if (tracked) expect([store.at, store.tag]).toEqual([expected.at, expected.tag]);
        };
        for (const [kind, count] of script) {
          if (kind === "track") {
            store.track(next);
            if (!tracked) model = model.map(({ item }) => ({ item, at: next, tag: undefined }));
            tracked = true;
          } else if (kind === "peek") {
            if (model.length > 0) check(store.front(), front()!);
          } else {
            for (let i = 0; i < count; i++) {
              if (kind === "push") {
                const entry = { item: next, at: next, tag: next % 3 === 0 ? {} : undefined };
                store.push(entry.item, entry.at, entry.tag, at(0));
                model.push(entry);
                next++;
              } else if (model.length > 0) {
                const fromFront = (kind !== "pop") === (served === "first");
                const expected = (fromFront ? model.shift() : model.pop())!;
                check(store[kind](), expected);
              }
            }
          }
          expect(store.size).toBe(model.length);
          expect(store.depth(0)).toBe(model.length);
          expect(store.oldestAt(0)).toBe(tracked ? model[0]?.at : undefined);
        }
      }),
      { ...RUNS, numRuns: RUNS.numRuns / 2 },
    );
  });
});

describe.each([
  ["Deque", () => new Deque<number>()],
  ["Stack", () => new Stack<number>()],
  ["Ranked store of few priorities", () => ranked()],
  ["Ranked store of many", () => ranked()],
] as const)("a %s that is long when times begin to be kept", (name, make) => {
  const priorities = name.endsWith("many") ? 1_000 : 1;

  it("touches none of what is in it, and knows the oldest until all of it is gone", () => {
    const store: Store<number> = make();
    const push = (item: number) => store.push(item, item, undefined, at(item % priorities));
    for (let i = 0; i < 100_000; i++) push(i);
    const before = slotsIn(store);
    store.track(100_000);
    expect(slotsIn(store) - before).toBeLessThan(5_000);
    for (let i = 100_001; i < 100_101; i++) push(i);
    expect(store.oldestAt(0)).toBe(100_000);
    const taken = Array.from({ length: 100_100 }, () => ({ item: store.shift(), at: store.at }));
    expect(taken.filter(({ item, at }) => at !== Math.max(item, 100_000))).toEqual([]);
    expect(store.oldestAt(0)).toBeUndefined();
  });
});

function ranked(): Ranked<number> {
  return new Ranked({ order: "priority", agingMs: 0, tierCount: 1, evicts: false });
}

describe("a Deque", () => {
  it("keeps at most one chunk to spare when a long queue is emptied", () => {
    const deque = new Deque<object>();
    for (let i = 0; i < 100_000; i++) deque.push({}, 0, undefined);
    while (deque.size > 0) deque.shift();
    expect(slotsIn(deque)).toBeLessThanOrEqual(2 * 1024);
  });

  it("holds on to no item that it gave out", () => {
    for (const take of ["shift", "pop"] as const) {
      const deque = new Deque<object>();
      deque.track(0);
      for (let i = 0; i < 5_000; i++) deque.push({}, 0, {});
      while (deque.size > 1) deque[take]();
      expect(objectsIn(deque)).toBe(2);
    }
  });
});

/** A place in a store. */
function at(priority: number, tier = 0): Place {
  return { priority, tier };
}

/** Slots are dense, as a slab hands them out. */
function firstFree(entries: readonly { slot: number }[]): number {
  const taken = new Set(entries.map(({ slot }) => slot));
  let slot = 0;
  while (taken.has(slot)) slot++;
  return slot;
}

describe.each([
  ["Heap", () => new Heap()],
  ["MinMaxHeap", () => new MinMaxHeap()],
] as const)("a %s", (_, make) => {
  it("gives out the smallest key first, and equal keys in order of arrival", () => {
    fc.assert(
      fc.property(fc.array(fc.option(key, { freq: 3 }), { maxLength: 400, size: "max" }), (script) => {
        const heap = make();
        const model: { key: number; slot: number }[] = [];
        for (const each of script) {
          if (each !== null) {
            const slot = firstFree(model);
            heap.push(each, slot);
            model.push({ key: each, slot });
          } else if (model.length > 0) {
            const least = model.reduce((a, b) => (b.key < a.key ? b : a));
            expect(heap.first()).toBe(least.slot);
            expect(heap.firstKey()).toBe(least.key);
            expect(heap.shift()).toBe(least.slot);
            model.splice(model.indexOf(least), 1);
          }
          expect(heap.size).toBe(model.length);
        }
      }),
      RUNS,
    );
  });

  it("keeps the same order on the pages after its first one, and gives back those that it has left", () => {
    const heap = make();
    const count = 2 ** 18 + 2 ** 17;
    const keyOf = (slot: number) => ((slot * 7_919) % count) >>> 2;
    const free = Array.from({ length: count }, (_, i) => count - 1 - i);
    const arrivals = new Map<number, number>();
    let arrived = 0;
    const push = () => {
      const slot = free.pop()!;
      heap.push(keyOf(slot), slot);
      arrivals.set(slot, arrived++);
    };
    let wrong = 0;
    const drain = (count: number) => {
      let [key, arrival] = [-1, -1];
      for (let i = 0; i < count; i++) {
        const slot = heap.shift();
        const isInOrder = keyOf(slot) > key || (keyOf(slot) === key && arrivals.get(slot)! > arrival);
        if (!isInOrder) wrong++;
        key = keyOf(slot);
        arrival = arrivals.get(slot)!;
        free.push(slot);
      }
    };
    for (let i = 0; i < count; i++) push();
    drain(count / 2);
    for (let i = 0; i < count / 2; i++) push();
    drain(count);
    expect(wrong).toBe(0);
    expect(heap.size).toBe(0);
    expect(slotsIn(heap)).toBeLessThan(300);
  });

  it("gives its memory back when it is empty", () => {
    const heap = make();
    for (let i = 0; i < 100_000; i++) heap.push(i, i);
    expect(slotsIn(heap)).toBeGreaterThanOrEqual(300_000);
    while (heap.size > 0) heap.shift();
    expect(slotsIn(heap)).toBeLessThan(300);
    heap.push(1, 1);
    expect(heap.shift()).toBe(1);
  });
});

describe("a MinMaxHeap", () => {
  it("gives out from both ends; of equal keys the last arrival is the last", () => {
    const step = fc.oneof({ weight: 3, arbitrary: key }, fc.constantFrom("shift" as const, "pop" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: "max" }), (script) => {
        const heap = new MinMaxHeap();
        const model: { key: number; slot: number }[] = [];
        for (const each of script) {
          if (typeof each === "number") {
            const slot = firstFree(model);
            heap.push(each, slot);
            model.push({ key: each, slot });
          } else if (model.length > 0) {
            const least = model.reduce((a, b) => (b.key < a.key ? b : a));
            const most = model.reduce((a, b) => (b.key >= a.key ? b : a));
            expect(heap.first()).toBe(least.slot);
            expect(heap.lastKey()).toBe(most.key);
            const expected = each === "shift" ? least : most;
            expect(heap[each]()).toBe(expected.slot);
            model.splice(model.indexOf(expected), 1);
          }
          expect(heap.size).toBe(model.length);
        }
      }),
      RUNS,
    );
  });

  it("needs a number of steps that grows with the logarithm, from either end", () => {
    const heap = new MinMaxHeap();
    for (let i = 0; i < 2 ** 16; i++) heap.push((i * 7919) % 65_536, i);
    const reading = vi.spyOn(HeapArrays.prototype, "keyAt");
    heap.pop();
    heap.shift();
    expect(reading.mock.calls.length).toBeLessThan(16 * 40);
    reading.mockRestore();
  });
});

describe("Levels", () => {
  it("take no more than 32 different priorities", () => {
    const levels = new Levels<string>(0);
    for (let priority = 0; priority < MAX_LEVELS; priority++) {
      expect(levels.level(at(priority * 10 - 100))).toBeDefined();
    }
    expect(levels.level(at(1))).toBeUndefined();
    expect(levels.level(at(-100))).toBe(levels.all[0]);
  });

  it("treat -0 as 0", () => {
    const levels = new Levels<string>(0);
    expect(levels.level(at(-0))).toBe(levels.level(at(0)));
  });

  it("find the first and the last among all 32, in whatever order they came", () => {
    const priorities = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), {
      minLength: 1,
      maxLength: MAX_LEVELS,
      size: "max",
    });
    fc.assert(
      fc.property(priorities, fc.constantFrom(0, 5), (all, agingMs) => {
        const levels = new Levels<number>(agingMs);
        levels.track(0);
        for (const priority of all) levels.push(levels.level(at(priority))!, priority, 0, undefined);
        const ascending = all.toSorted((a, b) => a - b);
        while (ascending.length > 0) {
          expect(levels.last().priority).toBe(ascending.at(-1));
          expect(levels.first().priority).toBe(ascending[0]);
          expect(levels.shift(levels.first())).toBe(ascending.shift());
          if (ascending.length > 0) expect(levels.pop(levels.last())).toBe(ascending.pop());
        }
      }),
      RUNS,
    );
  });
});

describe("a Slab", () => {
  const slabs = fc.record({ tiers: fc.integer({ min: 1, max: 3 }), keeps: fc.boolean() });

  it("gives back what was put into each slot, counts tiers, and knows the oldest", () => {
    fc.assert(
      fc.property(slabs, phases("add", "remove", "track"), fc.nat(), ({ tiers, keeps }, script, salt) => {
        const slab = new Slab<number>(tiers, keeps);
        let model: { slot: number; item: number; at: number; priority: number; tier: number }[] = [];
        let [next, tracked] = [0, false];
        for (const [kind, count] of script) {
          if (kind === "track") {
            slab.track(next);
            if (!tracked) model = model.map((entry) => ({ ...entry, at: next }));
            tracked = true;
          } else {
            for (let i = 0; i < count; i++) {
              if (kind === "add") {
                const entry = { item: next, at: next, priority: -next, tier: next % tiers };
                const slot = slab.add(entry.item, entry.at, entry, entry);
                model.push({ slot, ...entry });
                next++;
              } else if (model.length > 0) {
                const index = (i % 2 === 0 ? 0 : salt) % model.length;
                const [entry] = model.splice(index, 1);
                expect(slab.itemOf(entry!.slot)).toBe(entry!.item);
                expect(slab.tierOf(entry!.slot)).toBe(entry!.tier);
                expect(slab.priorityOf(entry!.slot)).toBe(keeps ? entry!.priority : undefined);
                if (tracked) expect(slab.atOf(entry!.slot)).toBe(entry!.at);
                slab.remove(entry!.slot);
              }
            }
          }
          for (let tier = 0; tier < tiers; tier++) {
            const ours = model.filter((entry) => entry.tier === tier);
            expect(slab.depth(tier)).toBe(ours.length);
            expect(slab.oldestAt(tier)).toBe(tracked ? ours[0]?.at : undefined);
          }
        }
      }),
      { ...RUNS, numRuns: RUNS.numRuns / 2 },
    );
  });

  it("gives its memory back when it is empty, and works on", () => {
    const slab = new Slab<number>(2, true);
    slab.track(0);
    const slots = Array.from({ length: 20_000 }, (_, i) => slab.add(i, i, undefined, at(i, i % 2)));
    for (const slot of slots) slab.remove(slot);
    expect(slotsIn(slab)).toBeLessThan(1_000);
    const slot = slab.add(7, 8, undefined, at(9, 1));
    expect([slab.itemOf(slot), slab.oldestAt(0), slab.oldestAt(1)]).toEqual([7, undefined, 8]);
  });

  it("holds on to no item that was removed", () => {
    const slab = new Slab<object>(1, false);
    slab.track(0);
    const slots = Array.from({ length: 100 }, () => slab.add({}, 0, {}, at(0)));
    for (const slot of slots.slice(1)) slab.remove(slot);
    expect(objectsIn(slab)).toBe(2);
  });
});

describe("a Ranked store", () => {
  const rankings = fc.record({
    order: fc.constantFrom("priority" as const, "deadline" as const),
    agingMs: fc.constantFrom(0, 1, 8),
    tierCount: fc.constant(1),
    evicts: fc.boolean(),
  });
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        priority: fc.integer({ min: -40, max: 40 }).map((n) => n / 4),
        deadline: fc.option(fc.integer({ min: 0, max: 50 }), { nil: Number.POSITIVE_INFINITY }),
        afterMs: fc.nat(3),
      }),
    },
    { weight: 3, arbitrary: fc.constantFrom("shift" as const, "pop" as const) },
    { weight: 1, arbitrary: fc.constantFrom("look" as const, "takeAny" as const) },
  );

  it("keeps one order through its move from levels to a heap, at both ends", () => {
    fc.assert(
      fc.property(rankings, fc.array(step, { maxLength: 250, size: "max" }), (given, script) => {
        const ranking: Ranking = { ...given, agingMs: given.order === "deadline" ? 0 : given.agingMs };
        const store = new Ranked<number>(ranking);
        store.track(0);
        const keyOf = ({ priority, at, tag }: { priority: number; at: number; tag: EntryExtras }) =>
          ranking.order === "deadline"
            ? tag.deadline
            : ranking.agingMs === 0
              ? priority
              : priority * ranking.agingMs + at;
        const model: { item: number; at: number; tag: EntryExtras; priority: number }[] = [];
        let now = 0;
        for (const [item, each] of script.entries()) {
          if (typeof each === "object") {
            now += each.afterMs;
            const tag = new EntryExtras(each.deadline, 1, undefined, undefined, undefined);
            const entry = { item, at: now, tag, priority: each.priority };
            if (ranking.evicts && model.length > 0) {
              const most = Math.max(...model.map(keyOf));
              expect(store.isLast(now, tag, at(each.priority))).toBe(keyOf(entry) >= most);
            }
            store.push(item, now, tag, at(each.priority));
            model.push(entry);
          } else if (model.length > 0 && (each !== "pop" || ranking.evicts)) {
            const least = model.reduce((a, b) => (keyOf(b) < keyOf(a) ? b : a));
            const most = model.reduce((a, b) => (keyOf(b) >= keyOf(a) ? b : a));
            const given = each === "look" ? store.front() : store[each]();
            const expected =
              each === "takeAny"
                ? model.find((entry) => entry.item === given)!
                : each === "pop"
                  ? most
                  : least;
            expect(given).toBe(expected.item);
            expect([store.at, store.tag, store.place.priority, store.tier]).toEqual([
              expected.at,
              expected.tag,
              expected.priority,
              0,
            ]);
            if (each !== "look") model.splice(model.indexOf(expected), 1);
          }
          expect(store.size).toBe(model.length);
          expect(store.depth(0)).toBe(model.length);
          if (item % 7 === 0) expect(store.oldestAt(0)).toBe(model[0]?.at);
        }
      }),
      RUNS,
    );
  });

  it("keeps untracked entries in order of arrival when it moves to a heap", () => {
    const store = new Ranked<string>({ order: "priority", agingMs: 0, tierCount: 1, evicts: false });
    for (let i = 0; i < 3; i++) store.push(`b${i}`, Number.NaN, undefined, at(1));
    for (let i = 0; i < 3; i++) store.push(`a${i}`, Number.NaN, undefined, at(0));
    for (let i = 2; i < 50; i++) store.push("filler", Number.NaN, undefined, at(i));
    const first = Array.from({ length: 6 }, () => store.shift());
    expect(first).toEqual(["a0", "a1", "a2", "b0", "b1", "b2"]);
  });
});

describe("ArrivalLines", () => {
  it("remove from anywhere", () => {
    const lines = new ArrivalLines(1);
    for (const slot of [3, 1, 4]) lines.append(slot, 0);
    lines.remove(1, 0);
    expect(lines.first(0)).toBe(3);
    lines.remove(3, 0);
    expect(lines.first(0)).toBe(4);
    lines.remove(4, 0);
    expect(lines.first(0)).toBeUndefined();
    lines.append(0, 0);
    expect(lines.first(0)).toBe(0);
  });
});

describe("a LinkedList", () => {
  it("removes first, middle, last and only nodes", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(30), { freq: 2 })), (script) => {
        type Node = { id: number; previous: Node | undefined; next: Node | undefined };
        const list = new LinkedList<Node>();
        const model: Node[] = [];
        for (const [id, which] of script.entries()) {
          if (which === null) {
            const node = { id, previous: undefined, next: undefined };
            list.append(node);
            model.push(node);
          } else if (model.length > 0) {
            const [node] = model.splice(which % model.length, 1);
            list.remove(node!);
            expect([node!.previous, node!.next]).toEqual([undefined, undefined]);
          }
          const ids: number[] = [];
          for (let node = list.first; node !== undefined; node = node.next) ids.push(node.id);
          expect(ids).toEqual(model.map((node) => node.id));
          expect([list.size, list.last?.id]).toEqual([model.length, model.at(-1)?.id]);
        }
      }),
      RUNS,
    );
  });
});

/** All arrays that an object keeps, however deep. */
function arraysIn(object: object, seen = new Set<object>()): ArrayLike<unknown>[] {
  if (seen.has(object)) return [];
  seen.add(object);
  if (ArrayBuffer.isView(object)) return [object as unknown as ArrayLike<unknown>];
  const below = Object.values(object)
    .filter((value) => typeof value === "object" && value !== null)
    .flatMap((value) => arraysIn(value, seen));
  return Array.isArray(object) ? [object, ...below] : below;
}

function slotsIn(object: object): number {
  return arraysIn(object).reduce((sum, { length }) => sum + length, 0);
}

function isPage(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function objectsIn(object: object): number {
  return arraysIn(object).reduce(
    (sum, array) =>
      sum + Array.from(array).filter((value) => typeof value === "object" && !isPage(value)).length,
    0,
  );
}
