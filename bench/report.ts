import { writeFileSync } from "node:fs";
import type { Row } from "./scenario.js";

const HEADS = ["case", "ours", "peer", "", "ratio", "goal", "", "spread"] as const;

/** A table for people: what was measured, whether the goal is met, and how sure that is. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.case,
    figure(row.ours, row.unit),
    figure(row.peer, row.unit),
    row.peerName,
    significant(row.ratio),
    row.goal === null ? "" : String(round(row.goal)),
    verdict(row),
    `${(row.spread * 100).toFixed(0)} %`,
  ]);
  const lines = [[...HEADS] as string[], ...cells];
  const widths = HEADS.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const isText = [true, false, false, true, false, false, true, false];
  return lines
    .map((line) =>
      line.map((cell, i) => (isText[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
    )
    .join("\n");
}

/** Does the row fall short of its goal? */
export function isMiss({ ratio, goal }: Row): boolean {
  return goal !== null && ratio < goal;
}

/** The rows that compare something, as machines read them. */
export function json(groups: ReadonlyMap<string, readonly Row[]>): string {
  const rows = [...groups].flatMap(([group, found]) =>
    found
      .filter((row) => !row.isNoise)
      .map(({ case: name, ours, peer, peerName, ratio, goal, spread }) => ({
        group,
        case: name,
        ours: round(ours),
        peer: round(peer),
        peerName,
        ratio: round(ratio),
        goal,
        spread: round(spread),
      })),
  );
  return `${JSON.stringify(rows, null, 2)}\n`;
}

export function writeJson(file: string, groups: ReadonlyMap<string, readonly Row[]>): void {
  writeFileSync(file, json(groups));
}

function verdict(row: Row): string {
  if (row.isNoise) return "noise";
  if (row.goal === null) return "";
  return isMiss(row) ? "MISS" : "ok";
}

function figure(value: number, unit: Row["unit"]): string {
  return `${significant(value)} ${unit === "bytes" ? "B" : "ns"}`;
}

function significant(value: number): string {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
