import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it, onTestFinished, vi } from "vitest";
import { realNow } from "../../src/base/real-time.js";
import { sizeOf, weigh } from "../../src/watchdog/values.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What one of many such values takes on the heap, or outside of it. */
function measured(make: (i: number) => unknown): number {
  const count = 20_000;
  const values = new Array<unknown>(count).fill(undefined);
  const bytes = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = bytes();
  for (let i = 0; i < count; i++) values[i] = make(i);
  const size = (bytes() - before) / count;
  expect(values).toHaveLength(count);
  return size;
}

const text = (i: number, length: number) => Buffer.from(`${i}`.padEnd(length, "x")).toString("latin1");

it.each<[string, (i: number) => unknown]>([
  ["an order", (i) => ({ id: i, customer: text(i, 36), total: i + 0.5, note: text(i, 80) })],
  [
    "a nested one",
    (i) => ({ id: text(i, 20), lines: [1, 2, 3].map((n) => ({ sku: text(i, 12), n, price: n + 0.25 })) }),
  ],
  ["a text", (i) => text(i, 1_000)],
  [
    "an array of fractions in objects",
    (i) => ({ points: Array.from({ length: 50 }, (_, n) => ({ x: i + n + 0.1, y: n + 0.2 })) }),
  ],
  ["a buffer", (i) => ({ id: i, body: new Uint8Array(4_096) })],
])("%s is estimated as about what it takes", (_, make) => {
  const ratio = sizeOf(make(1)) / measured(make);
  expect(ratio).toBeGreaterThan(0.6);
  expect(ratio).toBeLessThan(1.6);
});

it("what is very large is estimated by a part of it", () => {
  const one = sizeOf({ a: 1, text: "x".repeat(100) });
  const many = sizeOf(Array.from({ length: 100_000 }, () => ({ a: 1, text: "x".repeat(100) })));
  expect(many / one / 100_000).toBeGreaterThan(0.8);
  expect(many / one / 100_000).toBeLessThan(1.2);
});

it("what two items share is counted once, and what refers to itself ends", () => {
  const shared = { text: "x".repeat(10_000) };
  const seen = new WeakSet<object>();
  expect(sizeOf({ shared }, seen)).toBeGreaterThan(10_000);
  expect(sizeOf({ shared }, seen)).toBeLessThan(100);
  const ring: { self?: unknown } = {};
  ring.self = ring;
  expect(sizeOf(ring)).toBeLessThan(100);
});

it("no getter is called, and nothing throws", () => {
  const trap = {
    get bang() {
      throw new Error("called");
    },
  };
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error("trapped");
      },
    },
  );
  for (const value of [trap, proxy, null, undefined, Symbol("s"), () => {}, 1n])
    expect(sizeOf(value)).toBeGreaterThanOrEqual(0);
});

it.each([
  ["as long as there is time", () => {}],
  ["no longer by a clock that stands still", () => vi.spyOn(performance, "now").mockReturnValue(1)],
])("items are weighed %s, and one in any case", (_, begin) => {
  onTestFinished(() => void vi.restoreAllMocks());
  begin();
  const items = Array.from({ length: 20 }, () => {
    const item: Record<string, number> = {};
    for (let i = 0; i < 30_000; i++) item[`key ${i}`] = i;
    return item;
  });
  const { bytes, sampled } = weigh(items);
  expect(sampled).toBeGreaterThan(0);
  expect(sampled).toBeLessThan(20);
  expect(bytes / sampled).toBeGreaterThan(30_000 * 8);
});

it("after its time no further object is looked into", () => {
  const texts = { text: "x".repeat(10_000) };
  expect(sizeOf([texts, texts], new WeakSet(), realNow() - 1)).toBeLessThan(100);
});
