import type { Changed, Changes, ProcessRow, QueueRow, Snapshot } from "../../inspector/protocol.js";

/** Processes by ID and queues by {@link keyOf}: what the stream has told so far. Never changed; a message makes new ones, of which unchanged rows are the same. */
export interface Rows {
  readonly at: number;
  readonly processes: ReadonlyMap<string, ProcessRow>;
  readonly queues: ReadonlyMap<string, QueueRow>;
}

export const NO_ROWS: Rows = { at: 0, processes: new Map(), queues: new Map() };

/** One queue of one process. Names may be anything, so it is no path. */
export function keyOf(process: string, queue: string): string {
  return JSON.stringify([process, queue]);
}

export function ofSnapshot({ at, processes, queues }: Snapshot): Rows {
  return {
    at,
    processes: new Map(processes.map((row) => [row.id, row])),
    queues: new Map(queues.map((row) => [keyOf(row.process, row.name), row])),
  };
}

/** What there is after these changes. */
export function applied(rows: Rows, { at, processes, queues, gone = [] }: Changes): Rows {
  const nextProcesses = new Map(rows.processes);
  for (const change of processes) {
    nextProcesses.set(change.id, merged<ProcessRow, "id">(rows.processes.get(change.id), change));
  }
  const nextQueues = new Map(rows.queues);
  for (const change of queues) {
    const key = keyOf(change.process, change.name);
    nextQueues.set(key, merged<QueueRow, "process" | "name">(rows.queues.get(key), change));
  }
  for (const { process, name } of gone) nextQueues.delete(keyOf(process, name));
  return { at, processes: nextProcesses, queues: nextQueues };
}

/** Without this process and its queues. */
export function without(rows: Rows, process: string): Rows {
  const processes = new Map(rows.processes);
  processes.delete(process);
  return {
    ...rows,
    processes,
    queues: new Map([...rows.queues].filter(([, row]) => row.process !== process)),
  };
}

function merged<Row extends object, Key extends keyof Row>(
  row: Row | undefined,
  change: Changed<Row, Key>,
): Row {
  const next: Record<string, unknown> = { ...row };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return next as Row;
}
