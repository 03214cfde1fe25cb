import type { Changed, Changes, ProcessRow, QueueRow } from "../protocol.js";

/** What is different between two looks. Rows are compared member by member; what is an object counts as a whole. */
export class Differ {
  private queues = new Map<string, QueueRow>();
  private processRow: ProcessRow | undefined;

  /** From now on it is this that others are compared with. */
  begin(processRow: ProcessRow, queues: readonly QueueRow[]): void {
    this.processRow = processRow;
    this.queues = new Map(queues.map((row) => [row.name, row]));
  }

  changes(at: number, processRow: ProcessRow, queues: readonly QueueRow[]): Changes {
    const before = this.queues;
    const known = this.processRow;
    this.begin(processRow, queues);
    const { id } = processRow;
    const gone = [...before.keys()]
      .filter((name) => !this.queues.has(name))
      .map((name) => ({ process: id, name }));
    const processChange = changed(known, processRow, ["id"]);
    return {
      at,
      processes: processChange === undefined ? [] : [processChange as Changed<ProcessRow, "id">],
      queues: queues.flatMap((row) => {
        const change = changed(before.get(row.name), row, ["process", "name"]);
        return change === undefined ? [] : [change as Changed<QueueRow, "process" | "name">];
      }),
      ...(gone.length > 0 ? { gone } : {}),
    };
  }
}

/** Keys, and the members that differ; undefined where none does. */
function changed<Row extends object>(
  before: Row | undefined,
  now: Row,
  keys: readonly string[],
): object | undefined {
  const change: Record<string, unknown> = {};
  let isOther = before === undefined;
  for (const name of Object.keys(now) as (keyof Row & string)[]) {
    const value = now[name];
    if (keys.includes(name)) {
      change[name] = value;
    } else if (before === undefined) {
      if (value !== undefined) change[name] = value;
    } else if (!isSame(before[name], value)) {
      change[name] = value ?? null;
      isOther = true;
    }
  }
  return isOther ? change : undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}
