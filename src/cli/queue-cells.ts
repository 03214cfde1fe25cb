import { shown } from "../base/shown.js";
import type { ProcessInfo, QueueRow } from "../inspector/protocol.js";
import type { Column } from "./table.js";

/** How much of a name a table shows, in characters. */
const MAX_NAME = 40;

/** One figure of a queue, as tables show it. */
export interface QueueColumn extends Column {
  readonly cell: (row: QueueRow, process: ProcessInfo | undefined) => string;
}

/** What is shown of a queue in one line. What is not known is a dot. */
export const QUEUE_COLUMNS: readonly QueueColumn[] = [
  { head: "STATE", cell: ({ health }) => STATES[health] },
  { head: "QUEUE", cell: ({ name }) => shown(name, MAX_NAME) },
  { head: "PID", align: "right", cell: (_, process) => String(process?.pid ?? UNKNOWN) },
  { head: "PROCESS", cell: (_, process) => shown(process?.name ?? UNKNOWN, MAX_NAME) },
  { head: "SLA", align: "right", cell: ({ slaUsed }) => shareOf(slaUsed) },
  { head: "OLDEST", align: "right", cell: ({ oldestMs }) => time(oldestMs) },
  { head: "DEPTH", align: "right", cell: ({ depth, capacity }) => depthOf(depth, capacity) },
  { head: "P50", align: "right", cell: ({ waitP50Ms }) => time(waitP50Ms) },
  { head: "P99", align: "right", cell: ({ waitP99Ms }) => time(waitP99Ms) },
  { head: "IN/S", align: "right", cell: ({ inPerSecond }) => rate(inPerSecond) },
  { head: "OUT/S", align: "right", cell: ({ outPerSecond }) => rate(outPerSecond) },
  { head: "FAIL/S", align: "right", cell: ({ failedPerSecond }) => rate(failedPerSecond) },
  { head: "FLIGHT", align: "right", cell: ({ inFlight }) => number(inFlight) },
  { head: "WORKERS", cell: ({ workers }) => workersOf(workers) },
];

const STATES = { breach: "BREACH", warning: "warn", ok: "ok", idle: "idle" } as const;
const UNKNOWN = "·";

/** A time in as few characters as tell it: `8ms`, `1.2s`, `3m`, `2h`. */
export function time(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  if (ms < 3_600_000)
    return `${Math.floor(ms / 60_000)}m${String(Math.floor((ms % 60_000) / 1_000)).padStart(2, "0")}`;
  return ms < 360_000_000 ? `${(ms / 3_600_000).toFixed(1)}h` : `${Math.round(ms / 86_400_000)}d`;
}

/** A number in at most five characters or so: `999`, `12.3k`, `4.5M`. */
export function number(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  if (value < 10_000) return String(Math.round(value));
  return value < 1e6 ? `${(value / 1e3).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}

export function rate(value: number): string {
  if (value === 0) return "0";
  return value < 10 ? value.toFixed(1) : number(value);
}

function shareOf(share: number | undefined): string {
  if (share === undefined) return UNKNOWN;
  return share > 99 ? ">99x" : `${Math.round(100 * share)}%`;
}

function depthOf(depth: number | undefined, capacity: number | undefined): string {
  return capacity === undefined ? number(depth) : `${number(depth)}/${number(capacity)}`;
}

/** Those at work, of all that are there; and what is wrong with others. */
function workersOf(workers: QueueRow["workers"]): string {
  if (workers === undefined) return UNKNOWN;
  const { idle, processing, backoff, stalled } = workers;
  const more = [
    ...(backoff > 0 ? [`${backoff} backoff`] : []),
    ...(stalled > 0 ? [`${stalled} stalled`] : []),
  ];
  return `${processing}/${idle + processing + backoff + stalled}${more.length > 0 ? ` (${more.join(", ")})` : ""}`;
}

/** Why a queue is late or about to be, in a sentence; undefined where all is well. */
export function sentenceOf({ why, reasons }: QueueRow): string | undefined {
  if (why !== undefined) return `${shown(why.verdict)}: ${shown(why.sentence, 600)}`;
  return reasons.length === 0 ? undefined : reasons.map((reason) => shown(reason, 600)).join("; ");
}
