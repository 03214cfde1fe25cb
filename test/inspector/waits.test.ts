import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEAT_SECONDS, Heat, percentile } from "../../src/inspector/hub/waits.js";
import { Histogram } from "../../src/telemetry/metrics/histogram.js";
import { BOUNDS } from "../../src/telemetry/metrics/instruments.js";
import { Labels } from "../../src/telemetry/metrics/labels.js";

function histogram(): Histogram {
  return new Histogram("queue.wait.seconds", new Labels({}), new Map());
}

describe("a percentile", () => {
  it("is between the bounds of its bucket, by how many are in it", () => {
    const waits = histogram();
    for (let i = 0; i < 4; i++) waits.record(30);
    // From 25 to 50 ms.
    expect(percentile(waits.counts, BOUNDS, 0.5)).toBe(37.5);
    expect(percentile(waits.counts, BOUNDS, 1)).toBe(50);
  });

  it("is the last bound for what is beyond all, and nothing where there is nothing", () => {
    const waits = histogram();
    expect(percentile(waits.counts, BOUNDS, 0.5)).toBeUndefined();
    waits.record(10 * 60_000);
    expect(percentile(waits.counts, BOUNDS, 0.5)).toBe(300_000);
  });

  it("never falls from a lower share to a higher one, and is no less than the bucket of the value", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: 0, max: 400_000, noNaN: true }), { minLength: 1 }), (values) => {
        const waits = histogram();
        for (const value of values) waits.record(value);
        const found = [0.01, 0.25, 0.5, 0.9, 1].map((share) => percentile(waits.counts, BOUNDS, share)!);
        expect(found).toEqual([...found].sort((a, b) => a - b));
        expect(found.at(-1)).toBeGreaterThanOrEqual(Math.min(Math.max(...values), 300_000));
      }),
    );
  });
});

describe("a heatmap", () => {
  it("has what was taken since it began, a column for each step", () => {
    const waits = histogram();
    waits.record(1);
    const heat = new Heat(waits, 1, 0);
    waits.record(1);
    waits.record(1);
    heat.look(HEAT_SECONDS, 10_000);
    waits.record(100_000);
    heat.look(1, 11_000);
    const columns = heat.columns();
    expect(columns.map((column) => column.reduce((a, b) => a + b, 0))).toEqual([2, 1]);
    expect(columns[0]![0]).toBe(2);
    expect(heat.lastAt).toBe(20_000);
  });

  it("forgets what is older than a minute in its percentiles, and than ten in its columns", () => {
    const waits = histogram();
    const heat = new Heat(waits, 1, 0);
    waits.record(250_000);
    heat.look(HEAT_SECONDS, 0);
    for (let i = 0; i < 5; i++) {
      waits.record(1);
      heat.look(HEAT_SECONDS, 0);
    }
    expect(heat.recent(1)[0]).toBe(300_000);
    heat.look(HEAT_SECONDS, 0);
    expect(heat.recent(1)[0]).toBe(1);
    for (let i = 0; i < 100; i++) heat.look(HEAT_SECONDS, 0);
    expect(heat.columns()).toHaveLength(61);
    expect(heat.recent(1)[0]).toBeUndefined();
  });

  it("loses nothing when its steps become longer", () => {
    const waits = histogram();
    const heat = new Heat(waits, 1, 0);
    for (let i = 1; i <= 7; i++) {
      for (let n = 0; n < i; n++) waits.record(1);
      heat.look(HEAT_SECONDS, 0);
    }
    const wider = heat.widened(4, 0);
    const sums = wider.columns().map((column) => column.reduce((a, b) => a + b, 0));
    expect(sums.reduce((a, b) => a + b, 0)).toBe(28);
    // The newest four steps are 5, 6, 7 and the one that has just begun.
    expect(sums.at(-1)).toBe(18);
  });
});
