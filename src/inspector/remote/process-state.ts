import type { Changes, ProcessRow, QueueRow, Snapshot } from "../protocol.js";

const SPARK_LENGTH = 60;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What is known of one process, as its events have told. */
export class ProcessState {
  private processRow: ProcessRow | undefined;
  private readonly rows = new Map<string, Writable<QueueRow>>();

  begin({ processes, queues }: Snapshot): void {
    [this.processRow] = processes;
    this.rows.clear();
    for (const row of queues) this.rows.set(row.name, { ...row });
  }

  apply({ processes, queues, gone }: Changes): void {
    for (const change of processes) {
      this.processRow = merged(this.processRow, change) as ProcessRow;
    }
    for (const change of queues) {
      this.rows.set(change.name, merged(this.rows.get(change.name), change) as Writable<QueueRow>);
    }
    for (const { name } of gone ?? []) this.rows.delete(name);
    for (const row of this.rows.values()) {
      row.spark = [...(row.spark ?? []), row.depth ?? null].slice(-SPARK_LENGTH);
    }
  }

  get process(): ProcessRow | undefined {
    return this.processRow;
  }

  get queues(): QueueRow[] {
    return [...this.rows.values()];
  }
}

/** What is `null` is unknown now. */
function merged(row: object | undefined, change: object): object {
  const known = Object.entries({ ...row, ...change }).filter(([, value]) => value !== null);
  return Object.fromEntries(known);
}
