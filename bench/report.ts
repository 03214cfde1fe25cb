import type { MachineRow, Row } from "./scenario.js";

/** The peer of a row that compares with a limit. */
export const LIMIT = "limit";
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
  return aligned([HEADS, ...cells], [true, false, false, true, false, false, true, false]);
}

/** The same rows by several Nodes, side by side; what misses its goal has a star. */
export function tableOfNodes(rows: readonly MachineRow[]): string {
  const nodes = [...new Set(rows.map(({ node }) => node))];
  const byRow = new Map<string, Map<string, MachineRow>>();
  for (const row of rows) {
    const key = `${row.group}: ${row.row}${row.unit === "ratio" ? "" : `, ${row.unit}`}`;
    byRow.set(key, (byRow.get(key) ?? new Map()).set(row.node, row));
  }
  const cells = [...byRow].map(([key, byNode]) => {
    const [{ goal, unit }] = byNode.values() as Iterable<MachineRow> as [MachineRow];
    return [
      key,
      goal === null ? "" : `${unit === "ratio" ? ">=" : "<="} ${goal}`,
      ...nodes.map((node) => cellOf(byNode.get(node))),
    ];
  });
  return aligned([["row", "goal", ...nodes], ...cells], [true, false, ...nodes.map(() => false)]);
}

function cellOf(row: MachineRow | undefined): string {
  return row === undefined ? "" : `${significant(row.measured)}${row.met === false ? "*" : " "}`;
}

/** Columns as wide as their widest cell, text to the left and figures to the right. */
function aligned(lines: readonly (readonly string[])[], isText: readonly boolean[]): string {
  const widths = isText.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) =>
      line.map((cell, i) => (isText[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
    )
    .join("\n");
}

/** Whether the row falls short of its goal. */
export function isMiss({ ratio, goal }: Row): boolean {
  return goal !== null && ratio < goal;
}

/** The rows that compare something, as machines read them. */
export function machineRows(groups: ReadonlyMap<string, readonly Row[]>): MachineRow[] {
  return [...groups].flatMap(([group, rows]) =>
    rows.filter(({ isNoise }) => !isNoise).map((row) => machineRow(group, row)),
  );
}

/** Against a limit it is the figure itself that counts, against a peer the ratio. */
function machineRow(group: string, row: Row): MachineRow {
  const { case: name, ours, peer, peerName, ratio, goal, spread, unit } = row;
  const isLimit = peerName === LIMIT;
  return {
    group,
    row: isLimit ? name : `${name} / ${peerName}`,
    node: process.version,
    measured: round(isLimit ? ours : ratio),
    unit: isLimit ? unit : "ratio",
    goal: goal === null ? null : round(isLimit ? peer : goal),
    met: goal === null ? null : !isMiss(row),
    spread: round(spread),
  };
}

function verdict(row: Row): string {
  if (row.isNoise) return "noise";
  if (row.goal === null) return "";
  return isMiss(row) ? "MISS" : "ok";
}

function figure(value: number, unit: Row["unit"]): string {
  return `${significant(value)} ${unit === "bytes" ? "B" : unit}`;
}

function significant(value: number): string {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
