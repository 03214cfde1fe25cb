import { writeFileSync } from "node:fs";
import { PACE } from "./pace.js";

/** What came of a fault. */
export interface Row {
  readonly fault: string;
  readonly alert: string;
  /** From the fault's begin to the alert's message, in milliseconds. */
  readonly firedAfterMs: number;
  /** From the fault's end to the message that the alert is over. */
  readonly resolvedAfterMs: number;
  /** Other alerts that were told of until then. */
  readonly besides: readonly string[];
  /** Alerts that fired meanwhile, and were not sent to any receiver. */
  readonly inhibited: readonly string[];
}

/** Prints the rows as Markdown, and writes them to the file that LIVE_TABLE names, if it does. */
export function tell(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const lines = [
    "| fault | alert | fired after | resolved after | told besides | inhibited |",
    "|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${cellsOf(row).join(" | ")} |`),
  ];
  console.log(`\n${PACE.said}\n\n${lines.join("\n")}\n`);
  const file = process.env.LIVE_TABLE;
  if (file) writeFileSync(file, `${PACE.said}\n\n${lines.join("\n")}\n`);
}

function cellsOf({ fault, alert, firedAfterMs, resolvedAfterMs, besides, inhibited }: Row): string[] {
  const others = [besides, inhibited].map((alerts) => alerts.join(", ") || "–");
  return [fault, alert, seconds(firedAfterMs), seconds(resolvedAfterMs), ...others];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
