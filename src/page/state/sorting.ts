import type { HealthName, ProcessRow, QueueRow, Totals } from "../../inspector/protocol.js";

/** Items that have failed for good, whether or not they were put aside. */
export function failedOf({ failed, deadLettered }: Totals): number {
  return failed + deadLettered;
}

type Entry = readonly [key: string, row: QueueRow];

export type ColumnName =
  | "worst"
  | "name"
  | "sla"
  | "oldest"
  | "depth"
  | "spark"
  | "p50"
  | "p99"
  | "in"
  | "out"
  | "flight"
  | "lost"
  | "workers";

interface Column {
  readonly name: ColumnName;
  readonly label: string;
  readonly title?: string;
  readonly isNumber?: boolean;
  readonly sorts: boolean;
}

/** The columns of the overview, in order. */
export const COLUMNS: readonly Column[] = [
  { name: "name", label: "Queue", sorts: true },
  { name: "sla", label: "SLA used", title: "Wait of the oldest item, as a share of its SLA", sorts: true },
  { name: "oldest", label: "Oldest", title: "Wait of the oldest item", isNumber: true, sorts: true },
  { name: "depth", label: "Depth", title: "Items that wait, and the bound", isNumber: true, sorts: true },
  { name: "spark", label: "1 min", sorts: false },
  { name: "p50", label: "Wait p50", title: "Median wait of items taken lately", isNumber: true, sorts: true },
  {
    name: "p99",
    label: "p99",
    title: "Wait of items taken lately: 99 % waited less",
    isNumber: true,
    sorts: true,
  },
  { name: "in", label: "In/s", isNumber: true, sorts: true },
  { name: "out", label: "Out/s", isNumber: true, sorts: true },
  { name: "flight", label: "In flight", title: "Taken and not settled", isNumber: true, sorts: true },
  {
    name: "lost",
    label: "Failed · dropped",
    title: "Since the queue was instrumented",
    isNumber: true,
    sorts: true,
  },
  { name: "workers", label: "Workers", title: "Those that work, of all", sorts: true },
];

const SEVERITY: Readonly<Record<HealthName, number>> = { breach: 3, warning: 2, ok: 1, idle: 0 };

const VALUES: Partial<Record<ColumnName, (row: QueueRow) => number | undefined>> = {
  sla: (row) => row.slaUsed,
  oldest: (row) => row.oldestMs,
  depth: (row) => row.depth,
  p50: (row) => row.waitP50Ms,
  p99: (row) => row.waitP99Ms,
  in: (row) => row.inPerSecond,
  out: (row) => row.outPerSecond,
  flight: (row) => row.inFlight,
  lost: (row) => failedOf(row.totals) + row.totals.dropped,
  workers: (row) =>
    row.workers === undefined
      ? row.consumers
      : row.workers.processing + row.workers.stalled + row.workers.backoff,
};

/** The largest first, names from a on. What is in `held` stays in that order, and what is new comes last. */
export function sorted<E extends Entry>(
  entries: readonly E[],
  by: ColumnName | undefined,
  held: readonly string[],
): E[] {
  if (held.length > 0) {
    const places = new Map(held.map((key, i) => [key, i]));
    return [...entries].sort(([a], [b]) => (places.get(a) ?? held.length) - (places.get(b) ?? held.length));
  }
  const value = by === undefined ? undefined : VALUES[by];
  const compare =
    by === "name"
      ? byName
      : value === undefined
        ? byWorst
        : (a: QueueRow, b: QueueRow) => (value(b) ?? -1) - (value(a) ?? -1) || byName(a, b);
  return [...entries].sort(([, a], [, b]) => compare(a, b));
}

/** Among queues that are on time a tenth of the SLA more or less is no difference: else lines would change places every second. */
function byWorst(a: QueueRow, b: QueueRow): number {
  const severity = SEVERITY[b.health] - SEVERITY[a.health];
  if (severity !== 0) return severity;
  if (a.health === "breach" || a.health === "warning") return b.rank - a.rank || byName(a, b);
  return tenths(b) - tenths(a) || byName(a, b);
}

function tenths({ slaUsed = 0 }: QueueRow): number {
  return Math.floor(slaUsed * 10);
}

function byName(a: QueueRow, b: QueueRow): number {
  return a.name < b.name
    ? -1
    : a.name > b.name
      ? 1
      : a.process < b.process
        ? -1
        : a.process > b.process
          ? 1
          : 0;
}

/** Whether each word of the filter is in the name of the queue or of its process. */
export function matches(row: QueueRow, process: ProcessRow | undefined, filter: string): boolean {
  const text = `${row.name} ${process?.name ?? ""} ${process?.pid ?? ""}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
