import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FIELDS, type Field, Ring, SECONDS } from "../../src/inspector/hub/ring.js";

const NOTHING = FIELDS.map(() => Number.NaN);

function second(values: Partial<Record<Field, number>>): number[] {
  return FIELDS.map((field) => values[field] ?? Number.NaN);
}

describe("a ring", () => {
  it("has the last ten minutes, the oldest first", () => {
    const ring = new Ring(1);
    for (let i = 0; i < SECONDS + 5; i++) ring.push(second({ depth: i }), 1_000 * i);
    const depth = ring.column("depth");
    expect(depth).toHaveLength(SECONDS);
    expect(depth[0]).toBe(5);
    expect(depth.at(-1)).toBe(SECONDS + 4);
    expect(ring.lastAt).toBe(1_000 * (SECONDS + 4));
    expect(ring.column("depth", 2)).toEqual([SECONDS + 3, SECONDS + 4]);
  });

  it("has null for what is not known, and for the time in which the process stood still", () => {
    const ring = new Ring(1);
    ring.push(second({ depth: 3 }), 1_000);
    ring.skip(2, 3_000);
    ring.push(second({ depth: 4 }), 4_000);
    expect(ring.column("depth")).toEqual([3, null, null, 4]);
    expect(ring.column("inFlight")).toEqual([null, null, null, null]);
  });

  it("joins the seconds of a step: counts are added, ages are the highest, depths the last", () => {
    const ring = new Ring(2);
    ring.push(second({ depth: 9, oldestMs: 70, arrived: 3 }), 1_000);
    ring.push(second({ depth: 4, oldestMs: 20, arrived: 5 }), 2_000);
    ring.push(second({ depth: 1 }), 3_000);
    expect(ring.column("depth")).toEqual([4]);
    expect(ring.column("oldestMs")).toEqual([70]);
    expect(ring.column("arrived")).toEqual([8]);
  });

  it("loses no arrivals but those of the oldest step when steps become longer", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 300 }), fc.constantFrom(2, 4, 8), (counts, stride) => {
        const ring = new Ring(1);
        for (const [i, arrived] of counts.entries()) ring.push(second({ arrived }), i);
        const kept = counts.slice(counts.length % stride);
        const sums = Array.from({ length: kept.length / stride }, (_, i) =>
          kept.slice(i * stride, (i + 1) * stride).reduce((a, b) => a + b, 0),
        );
        expect(ring.widened(stride).column("arrived")).toEqual(sums);
      }),
    );
  });

  it("means what is known", () => {
    const ring = new Ring(1);
    for (const arrived of [2, 4, 6]) ring.push(second({ arrived }), 0);
    ring.push(NOTHING, 0);
    expect(ring.mean("arrived", 0, 2)).toBe(6);
    expect(ring.mean("arrived", 0, 100)).toBe(4);
    expect(ring.mean("arrived", 0, 1)).toBeUndefined();
  });
});
