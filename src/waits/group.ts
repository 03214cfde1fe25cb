import { normalised } from "./labels.js";
import type { Wait, WaitKind } from "./wait.js";

/** A task, and what it waits for. */
export interface Waiting {
  /** When it began, in monotonic milliseconds; undefined where unknown. */
  readonly since: number | undefined;
  /** Newest last. */
  readonly waits: readonly Wait[];
}

/** Tasks that wait for the same. */
export interface WaitGroup<W extends Waiting> {
  /** Undefined where it is unknown what they wait for. */
  readonly kind: WaitKind | undefined;
  /** With `:id` in place of numbers and IDs, if these differ between the tasks. */
  readonly label: string | undefined;
  /** How far they have come, most frequent first. */
  readonly states: readonly string[];
  /** When the longest of these waits began; without a wait, the longest task. */
  readonly since: number | undefined;
  /** Oldest first. */
  readonly tasks: readonly W[];
}

/**
 * Tasks by what they wait for: by the newest wait of each, an open span counting only where there is nothing else. Labels are the
 * same that differ in numbers and IDs only. The group with the oldest wait comes first, tasks with an unknown wait last.
 */
export function groupByWait<W extends Waiting>(tasks: readonly W[]): WaitGroup<W>[] {
  const groups = new Map<string, Entry<W>[]>();
  for (const task of tasks) {
    const wait = tellingWait(task.waits);
    const key = wait === undefined ? "" : `${wait.kind} ${normalised(wait.label)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ task, wait }]);
    else group.push({ task, wait });
  }
  const known = (group: WaitGroup<W>) => (group.kind === undefined ? 1 : 0);
  return [...groups.values()]
    .map(groupOf)
    .sort((a, b) => known(a) - known(b) || ascending(a.since, b.since) || b.tasks.length - a.tasks.length);
}

interface Entry<W> {
  readonly task: W;
  readonly wait: Wait | undefined;
}

/** What a task waits for: its newest wait, an open span only where there is nothing else. */
export function tellingWait(waits: readonly Wait[]): Wait | undefined {
  return waits.findLast(({ kind }) => kind !== "span") ?? waits.at(-1);
}

function groupOf<W extends Waiting>(entries: readonly Entry<W>[]): WaitGroup<W> {
  const sorted = [...entries].sort((a, b) => ascending(sinceOf(a), sinceOf(b)));
  const first = sorted[0]!;
  const labels = new Set(entries.flatMap(({ wait }) => wait?.label ?? []));
  return {
    kind: first.wait?.kind,
    label: labels.size > 1 ? normalised(first.wait!.label) : first.wait?.label,
    states: byFrequency(entries.flatMap(({ wait }) => wait?.state ?? [])),
    since: sinceOf(first),
    tasks: sorted.map(({ task }) => task),
  };
}

function sinceOf({ wait, task }: Entry<Waiting>): number | undefined {
  return wait?.since ?? task.since;
}

/** An unknown time comes last. */
function ascending(a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY): number {
  return a === b ? 0 : a - b;
}

function byFrequency(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([text]) => text);
}
