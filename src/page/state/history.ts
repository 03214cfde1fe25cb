import type { Column, History, QueueRow } from "../../inspector/protocol.js";

const MAX_STEPS = 600;
const MAX_LATE_STEPS = 3;

/** Instants of a history's columns, in epoch seconds, the oldest first. */
export function timesOf({ depth, lastAt, stepMs }: Pick<History, "depth" | "lastAt" | "stepMs">): number[] {
  return depth.map((_, i) => (lastAt - (depth.length - 1 - i) * stepMs) / 1_000);
}

/** Items that came and items that left, added up. Both begin where the first depth is known: the departures at 0. */
export interface Flow {
  readonly times: readonly number[];
  readonly arrivals: readonly number[];
  readonly departures: readonly number[];
}

/** The cumulative flow since `from`, in epoch seconds: at each instant the distance of the two is the depth. */
export function flowOf(history: History, from: number): Flow {
  const { depth, arrived } = history;
  const all = timesOf(history);
  const times: number[] = [];
  const arrivals: number[] = [];
  const departures: number[] = [];
  let sum = 0;
  let last = 0;
  all.forEach((time, i) => {
    if (time < from || (times.length === 0 && depth[i] == null)) return;
    last = depth[i] ?? last;
    if (times.length === 0) sum = last;
    else sum += arrived[i] ?? 0;
    times.push(time);
    arrivals.push(sum);
    // Nothing that has left comes back, even where a retry has made the queue longer without an arrival.
    departures.push(Math.max(departures.at(-1) ?? 0, sum - last));
  });
  return { times, arrivals, departures };
}

/** How long what came at this place has waited, were all served in order of arrival: `isOver` is false while it still waits. */
export function waitAt(
  { times, arrivals, departures }: Flow,
  place: number,
): { seconds: number; isOver: boolean } | undefined {
  const height = arrivals[place];
  const since = times[place];
  if (height === undefined || since === undefined) return undefined;
  for (let i = place; i < departures.length; i++) {
    if (departures[i]! < height) continue;
    if (i === place) return { seconds: 0, isOver: true };
    const below = departures[i - 1]!;
    const share = departures[i] === below ? 1 : Math.max(0, (height - below) / (departures[i]! - below));
    return { seconds: times[i - 1]! + share * (times[i]! - times[i - 1]!) - since, isOver: true };
  }
  return { seconds: times.at(-1)! - since, isOver: false };
}

/** Without the holes of a look or two that a busy process has missed: there it is taken as it was before. */
export function bridged(history: History): History {
  const over = (column: Column): Column => {
    const values = [...column];
    for (let i = 1; i < values.length; i++) {
      if (values[i] !== null || values[i - 1] === null) continue;
      const next = values.findIndex((value, k) => k > i && value !== null);
      if (next < 0 || next - i > MAX_LATE_STEPS) continue;
      for (; i < next; i++) values[i] = values[i - 1]!;
    }
    return values;
  };
  const { depth, inFlight, oldestMs, slaUsed, busyWorkers } = history;
  return {
    ...history,
    depth: over(depth),
    inFlight: over(inFlight),
    oldestMs: over(oldestMs),
    slaUsed: over(slaUsed),
    busyWorkers: over(busyWorkers),
  };
}

/** One step longer, with what has changed in a row meanwhile. Unchanged while the step isn't over. */
export function extended(history: History, before: QueueRow, now: QueueRow, at: number): History {
  const steps = Math.floor((at - history.lastAt) / history.stepMs);
  if (steps < 1) return history;
  const grow = (column: Column, value: number | undefined): Column => {
    // Messages don't come to the millisecond: a step without one of its own is no hole.
    const filler = steps <= MAX_LATE_STEPS ? (value ?? null) : null;
    const missed = Array<number | null>(Math.min(steps, MAX_STEPS) - 1).fill(filler);
    return [...column, ...missed, value ?? null].slice(-MAX_STEPS);
  };
  const counted = (name: "enqueued" | "dequeued" | "failed" | "dropped") =>
    Math.max(0, now.totals[name] - before.totals[name]);
  const ended = Math.max(
    0,
    now.totals.succeeded + now.totals.failed - before.totals.succeeded - before.totals.failed,
  );
  const { workers } = now;
  const spread = steps <= MAX_LATE_STEPS ? steps : 1;
  return {
    ...history,
    lastAt: history.lastAt + steps * history.stepMs,
    depth: grow(history.depth, now.depth),
    inFlight: grow(history.inFlight, now.inFlight),
    oldestMs: grow(history.oldestMs, now.oldestMs),
    slaUsed: grow(history.slaUsed, now.slaUsed),
    busyWorkers: grow(history.busyWorkers, workers && workers.processing + workers.backoff + workers.stalled),
    arrived: grow(history.arrived, counted("enqueued") / spread),
    taken: grow(history.taken, counted("dequeued") / spread),
    ended: grow(history.ended, ended / spread),
    failed: grow(history.failed, counted("failed") / spread),
    dropped: grow(history.dropped, counted("dropped") / spread),
  };
}
