import { expect, it } from "vitest";
import { plainCopy } from "../../src/watchdog/values.js";

it("is what JSON shows of a value, and what JSON can't show in words", () => {
  const value = {
    text: "a",
    number: 1.5,
    nothing: null,
    big: 10n,
    at: new Date(0),
    pairs: new Map<unknown, unknown>([["a", { b: 1 }]]),
    set: new Set([1, 2]),
    bytes: Buffer.alloc(1_000),
    error: Object.assign(new Error("no address"), { code: "E_ADDRESS" }),
    left: undefined,
    out: () => {},
  };
  expect(plainCopy(value)).toEqual({
    text: "a",
    number: 1.5,
    nothing: null,
    big: "10",
    at: "1970-01-01T00:00:00.000Z",
    pairs: [["a", { b: 1 }]],
    set: [1, 2],
    bytes: "(1000 bytes)",
    error: { message: "no address", code: "E_ADDRESS" },
  });
});

it("ends where a value comes up within itself, but not where it only comes up twice", () => {
  const twice = { a: 1 };
  const ring: Record<string, unknown> = { one: twice, other: twice };
  ring.self = [ring];
  const endless = { toJSON: () => endless };
  expect(plainCopy(ring)).toEqual({ one: { a: 1 }, other: { a: 1 }, self: ["(circular)"] });
  expect(plainCopy(endless)).toBe("(circular)");
});

it("is bounded, in every direction", () => {
  let deep: unknown = "bottom";
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key ${i}`, i]));
  const huge = [deep, wide, "x".repeat(10_000_000), new Array(1e9), new Set(Array(1e6).keys())];
  for (const value of [...huge, huge]) {
    const text = JSON.stringify(plainCopy(value));
    expect(text).toContain("…");
    expect(text.length).toBeLessThan(100_000);
  }
});

it("does not follow what an item's keys are called", () => {
  const copy = plainCopy(JSON.parse('{ "__proto__": { "isAdmin": true } }')) as { isAdmin?: boolean };
  expect(copy.isAdmin).toBeUndefined();
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"isAdmin":true}}');
});

it("throws what a getter throws", () => {
  const bomb = {
    get bang() {
      throw new Error("called");
    },
  };
  expect(() => plainCopy(bomb)).toThrow("called");
});
