import type { TaskGroupReport } from "./groups.js";
import type { BreachReport } from "./report.js";

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

/** Members whose texts come from the user; all others are names of ours and numbers. */
const THEIRS = new Set([
  "correlationId",
  "correlationIds",
  "tenant",
  "label",
  "step",
  "sentence",
  "failure",
  "lastFailure",
  "where",
  "traceId",
  "payload",
  "evidence",
]);

/** The members of these have names of the user's, too. */
const KEYS = new Set(["payload"]);

/** The same report with every text of the user's put through `redact`. */
export function redacted(report: BreachReport, redact: (text: string) => string): BreachReport {
  const walk = (value: unknown, isTheirs: boolean, areKeys: boolean): unknown => {
    if (typeof value === "string") return isTheirs ? redact(value) : value;
    if (Array.isArray(value)) return value.map((each) => walk(each, isTheirs, areKeys));
    if (typeof value !== "object" || value === null) return value;
    const entries: [string, unknown][] = [];
    const taken = new Set<string>();
    for (const [key, each] of Object.entries(value)) {
      const name = areKeys ? unlike(taken, redact(key)) : key;
      taken.add(name);
      entries.push([name, walk(each, isTheirs || THEIRS.has(key), areKeys || KEYS.has(key))]);
    }
    return Object.fromEntries(entries);
  };
  return Object.assign(
    Object.create(Object.getPrototypeOf(report)) as BreachReport,
    walk({ ...report }, false, false),
  );
}

/** Several keys may have become the same, and none is to be lost. */
function unlike(taken: ReadonlySet<string>, key: string): string {
  let name = key;
  for (let i = 2; taken.has(name); i++) name = `${key} (${i})`;
  return name;
}
