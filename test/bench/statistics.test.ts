import { describe, expect, test } from "vitest";
import { compare, differences } from "../../bench/harness.js";
import { isMiss, machineRows, tableOfNodes } from "../../bench/report.js";
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

  test("rows that show the noise are not for machines", () => {
    const samples = { case: "c", ours: [1], peer: [2] };
    const rows = [compare({ ...samples, peerName: "A/A" }), compare({ ...samples, peerName: "p" })];
    expect(machineRows(new Map([["g", rows]]))).toEqual([
      {
        group: "g",
        row: "c / p",
        node: process.version,
        measured: 2,
        unit: "ratio",
        goal: null,
        met: null,
        spread: 0,
      },
    ]);
  });

  test("against a limit machines read the figure itself, and the limit as its goal", () => {
    const row = compare({ case: "c", ours: [900], peer: 800, peerName: "limit", goal: 1 });
    expect(machineRows(new Map([["g", [row]]]))).toMatchObject([
      { row: "c", measured: 900, unit: "ns", goal: 800, met: false },
    ]);
  });

  test("what several Nodes measured stands side by side, and a miss has a star", () => {
    const row = { group: "g", row: "r", unit: "ratio", goal: 2, spread: 0 } as const;
    const rows = [
      { ...row, node: "v20.0.0", measured: 3, met: true },
      { ...row, node: "v24.0.0", measured: 1, met: false },
    ];
    expect(
      tableOfNodes(rows)
        .split("\n")
        .map((line) => line.split(/\s{2,}/)),
    ).toEqual([
      ["row", "goal", "v20.0.0", "v24.0.0"],
      ["g: r", ">= 2", "3.00", "1.00*"],
    ]);
  });
});
