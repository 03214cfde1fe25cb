import { describe, expect, test } from "vitest";
import { compare, differences } from "../../bench/harness.js";
import { isMiss, json } from "../../bench/report.js";
import { median, quartiles } from "../../bench/statistics.js";

describe("the benchmarks' arithmetic", () => {
  test("a median lies between the two middle values", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quartiles([1, 2, 3, 4, 5])).toEqual([2, 4]);
  });

  test("a ratio is that of the medians, and above 1 when we are better", () => {
    const row = compare({ case: "c", ours: [10, 11, 500], peer: [22, 20, 33], peerName: "p", goal: 2 });
    expect(row.ratio).toBe(2);
    expect(isMiss(row)).toBe(false);
    expect(isMiss({ ...row, goal: 2.1 })).toBe(true);
  });

  test("a limit counts as the peer of every round", () => {
    const ours = differences([110, 160], [60, 60]);
    expect(compare({ case: "c", ours, peer: 150, peerName: "limit" }).ratio).toBe(2);
  });

  test("rows that show the noise stay out of the JSON", () => {
    const samples = { case: "c", ours: [1], peer: [2] };
    const rows = [compare({ ...samples, peerName: "A/A" }), compare({ ...samples, peerName: "p" })];
    expect(JSON.parse(json(new Map([["g", rows]])))).toEqual([
      { group: "g", case: "c", ours: 1, peer: 2, peerName: "p", ratio: 2, goal: null, spread: 0 },
    ]);
  });
});
