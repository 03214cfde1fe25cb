import type { BreachReport, TaskGroupReport } from "./report.js";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What a report's lists may take as JSON, in bytes: together less than a megabyte. */
const HEAD = 150_000;
const TASKS = 350_000;
const WORKERS = 120_000;
const TRANSITIONS = 100_000;
const VERDICTS = 100_000;
const OTHERS = 30_000;

/** What a UTF-16 unit takes in JSON at most, in bytes: a control character is `\u0000`; and what is around a transition's texts. */
const MAX_BYTES = 6;
const MAX_FRAME = 60;

/** Leaves out what a report has too much of. The first of each list stay; how many tasks a group has is still said. */
export function bound(report: BreachReport): void {
  const bounded = report as Writable<BreachReport>;
  let others = 0;
  const few = <T>(list: readonly T[], bytes: number): readonly T[] => {
    const kept = fitting(list, bytes);
    others += list.length - kept.length;
    return kept;
  };
  bounded.head = few(report.head, HEAD);
  bounded.verdicts = few(report.verdicts, VERDICTS);
  bounded.notEnoughEvidence = few(report.notEnoughEvidence, OTHERS);
  bounded.tiers = few(report.tiers, OTHERS);
  bounded.pools = few(report.pools, OTHERS);
  bounded.gates = few(report.gates, OTHERS);
  if (!areShort(report.transitions)) {
    // The latest tell more.
    bounded.transitions = [...few([...report.transitions].reverse(), TRANSITIONS)].reverse();
  }
  bounded.loop = { ...report.loop, stalls: few(report.loop.stalls, OTHERS) };
  const [groups, tasks] = fittingGroups(report.groups);
  bounded.groups = groups;
  let workers = 0;
  let left = WORKERS;
  bounded.workers = report.workers.map((pool) => {
    const kept = fitting(pool.workers, left);
    left -= sizeOf(kept);
    workers += pool.workers.length - kept.length;
    return { ...pool, workers: kept };
  });
  const before = report.leftOut ?? { tasks: 0, workers: 0, others: 0 };
  if (tasks + workers + others === 0) return;
  bounded.leftOut = {
    tasks: before.tasks + tasks,
    workers: before.workers + workers,
    others: before.others + others,
  };
}

/** One task of each group first, then the others, in order. */
function fittingGroups(groups: readonly TaskGroupReport[]): [readonly TaskGroupReport[], number] {
  let left = TASKS;
  const takes = (value: unknown): boolean => {
    left -= sizeOf(value);
    return left >= 0;
  };
  const firsts = groups.map(({ tasks: [first], ...group }) => first !== undefined && takes([group, first]));
  let leftOut = 0;
  const bounded = groups.flatMap((group, i) => {
    const { tasks } = group;
    if (!firsts[i]) {
      leftOut += tasks.length;
      return [];
    }
    let kept = 1;
    while (kept < tasks.length && takes(tasks[kept])) kept++;
    leftOut += tasks.length - kept;
    return kept === tasks.length ? [group] : [{ ...group, count: tasks.length, tasks: tasks.slice(0, kept) }];
  });
  return [bounded, leftOut];
}

/** As many of the first as fit. */
function fitting<T>(list: readonly T[], bytes: number): readonly T[] {
  let left = bytes;
  let kept = 0;
  for (const each of list) {
    left -= sizeOf(each);
    if (left < 0) break;
    kept++;
  }
  return kept === list.length ? list : list.slice(0, kept);
}

/** They are many in every report, so it isn't asked what they take, but what they can take at most. */
function areShort(transitions: BreachReport["transitions"]): boolean {
  let bytes = 0;
  for (const { who, what } of transitions) bytes += MAX_FRAME + MAX_BYTES * (who.length + what.length);
  return bytes <= TRANSITIONS;
}

/** What a number takes at most. */
const NUMBER = 24;
/** What JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** About what plain data takes as JSON, and not less. To count takes a fraction of what it takes to write it. */
function sizeOf(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === "string") {
    return PLAIN.test(value) ? value.length + 2 : Buffer.byteLength(JSON.stringify(value));
  }
  if (typeof value !== "object" || value === null) return NUMBER;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const each of value) bytes += sizeOf(each) + 1;
    return bytes;
  }
  for (const key of Object.keys(value)) {
    const each = (value as Record<string, unknown>)[key];
    if (each !== undefined) bytes += sizeOf(key) + sizeOf(each) + 2;
  }
  return bytes;
}

/** How much of a value is copied, in characters; each value in it counts as one more. */
const MAX_COPIED = 16_384;
const MAX_DEPTH = 16;
/** In place of what is left out. */
const MORE = "…";

/**
 * A copy of a value as plain data, which JSON can show: bounded, and without references to what may change. Maps become pairs, sets arrays,
 * bigints texts; of bytes there is only their number. Throws what a getter or a `toJSON` in it throws.
 */
export function plainCopy(value: unknown): unknown {
  return new Copy().of(value, 0);
}

class Copy {
  private left = MAX_COPIED;
  /** What is being copied: a value within itself ends there. */
  private readonly around = new Set<object>();

  of(value: unknown, depth: number): unknown {
    this.left--;
    if (typeof value === "string") return this.text(value);
    if (typeof value === "bigint") return this.text(String(value));
    if (typeof value === "function" || typeof value === "symbol") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (this.around.has(value)) return "(circular)";
    if (depth >= MAX_DEPTH || this.left <= 0) return MORE;
    this.around.add(value);
    const copy = this.object(value, depth + 1);
    this.around.delete(value);
    return copy;
  }

  private object(value: object, depth: number): unknown {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `(${value.byteLength} bytes)`;
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return this.of(toJSON.call(value, ""), depth);
    if (Array.isArray(value) || value instanceof Set || value instanceof Map) return this.list(value, depth);
    const said = value instanceof Error ? [this.entry("message", value.message, depth)] : [];
    return Object.fromEntries([...said, ...this.properties(value, depth)]);
  }

  private list(values: Iterable<unknown>, depth: number): unknown[] {
    const copies: unknown[] = [];
    for (const value of values) {
      if (this.left <= 0) {
        copies.push(MORE);
        break;
      }
      copies.push(this.of(value, depth));
    }
    return copies;
  }

  private properties(object: object, depth: number): [string, unknown][] {
    const entries: [string, unknown][] = [];
    for (const key of Object.keys(object)) {
      if (this.left <= 0) {
        entries.push([MORE, MORE]);
        break;
      }
      entries.push(this.entry(key, (object as Record<string, unknown>)[key], depth));
    }
    return entries;
  }

  private entry(key: string, value: unknown, depth: number): [string, unknown] {
    return [this.text(key), this.of(value, depth)];
  }

  private text(text: string): string {
    const cut = text.length > this.left ? `${text.slice(0, Math.max(0, this.left))}${MORE}` : text;
    this.left -= cut.length;
    return cut;
  }
}
