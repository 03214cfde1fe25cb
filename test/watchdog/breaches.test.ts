import { beforeEach, expect, it } from "vitest";
import { Breaches } from "../../src/watchdog/breaches.js";

let breaches: Breaches;
beforeEach(() => {
  breaches = new Breaches();
});

it("lasts from the look that saw it first to the one that sees it no more", () => {
  expect(breaches.look(0, false, 10)).toBeUndefined();
  expect(breaches.look(0, true, 20)).toBeUndefined();
  expect(breaches.look(0, true, 30)).toBeUndefined();
  expect(breaches.look(1, false, 30)).toBeUndefined();
  expect(breaches.look(0, false, 40)).toEqual({ tier: 0, lastedMs: 20 });
  expect(breaches.look(0, false, 50)).toBeUndefined();
});

it("that somebody else has seen ends with the next look that doesn't see it", () => {
  expect(breaches.note(0, 15, 20)).toBe(true);
  expect(breaches.look(0, false, 40)).toEqual({ tier: 0, lastedMs: 25 });
});

it("that somebody else has seen, too, is the same one", () => {
  breaches.look(0, true, 20);
  expect(breaches.note(0, 15, 30)).toBe(true);
  expect(breaches.look(0, false, 40)).toEqual({ tier: 0, lastedMs: 20 });
});

it("that is known to be over doesn't begin again when somebody tells of it late", () => {
  breaches.look(0, true, 20);
  breaches.look(0, false, 40);
  expect(breaches.note(0, 15, 30)).toBe(false);
  expect(breaches.look(0, false, 50)).toBeUndefined();
  expect(breaches.note(0, 55, 60)).toBe(true);
});

it("ends with the watching", () => {
  breaches.look(0, true, 20);
  breaches.look(2, true, 30);
  expect(breaches.clear(40)).toEqual([
    { tier: 0, lastedMs: 20 },
    { tier: 2, lastedMs: 10 },
  ]);
  expect(breaches.clear(50)).toEqual([]);
});
