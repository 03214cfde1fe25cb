import type { History, QueueRow } from "../../inspector/protocol.js";

/** How far back one may look. */
export const PAST_SECONDS = 600;

/** Messages don't come to the millisecond: so many seconds without one are no hole. */
const MAX_LATE_SECONDS = 2;

const FIGURES = [
  "depth",
  "oldestMs",
  "slaUsed",
  "inFlight",
  "inPerSecond",
  "outPerSecond",
  "endedPerSecond",
  "failedPerSecond",
  "droppedPerSecond",
  "waitP50Ms",
  "waitP99Ms",
] as const satisfies readonly (keyof QueueRow)[];

type Figure = (typeof FIGURES)[number];

/** What is no number, and changes rarely. */
type Words = Pick<
  QueueRow,
  "health" | "reasons" | "why" | "workers" | "paused" | "openBreakers" | "totals" | "tiers" | "rank"
>;

/**
 * The last ten minutes of each queue, by seconds: numbers in typed arrays, some 30 kB a queue. What the page has not seen itself is filled in from
 * histories, which have figures only.
 */
export class Past {
  private readonly queues = new Map<string, QueuePast>();

  /** Keeps what is known of a queue at this instant. */
  record(key: string, at: number, row: QueueRow): void {
    let past = this.queues.get(key);
    if (past === undefined) {
      past = new QueuePast();
      this.queues.set(key, past);
      // The snapshot's: a second apart, the last one now.
      row.spark?.forEach((depth, i, all) => {
        if (depth !== null) past?.set("depth", secondOf(at) - (all.length - 1 - i), depth);
      });
    }
    past.record(secondOf(at), row);
  }

  /** Forgets queues that are no longer there. */
  keepOnly(keys: { has(key: string): boolean }): void {
    for (const key of this.queues.keys()) if (!keys.has(key)) this.queues.delete(key);
  }

  /** The depths of so many seconds up to this instant, the oldest first; `null` where unknown. */
  depths(key: string, at: number, seconds: number): (number | null)[] {
    const past = this.queues.get(key);
    const last = secondOf(at);
    const depths: (number | null)[] = [];
    let known: number | undefined;
    let knownAt = Number.NEGATIVE_INFINITY;
    for (let second = last - seconds + 1 - MAX_LATE_SECONDS; second <= last; second++) {
      const depth = past?.get("depth", second);
      if (depth !== undefined) [known, knownAt] = [depth, second];
      if (second > last - seconds) depths.push(second - knownAt <= MAX_LATE_SECONDS ? (known ?? null) : null);
    }
    return depths;
  }

  /** The row as it was then; undefined where nothing is known of that time. */
  rowAt(key: string, at: number, now: QueueRow): QueueRow | undefined {
    return this.queues.get(key)?.rowAt(secondOf(at), now);
  }

  /** Whether this instant was seen, by the page or by a history. */
  knows(key: string, at: number): boolean {
    return this.queues.get(key)?.knows(secondOf(at)) ?? false;
  }

  /** Fills in what is not known yet. */
  backfill(key: string, history: History): void {
    const past = this.queues.get(key) ?? new QueuePast();
    this.queues.set(key, past);
    const { depth, oldestMs, slaUsed, inFlight, arrived, taken, ended, failed, dropped, stepMs, lastAt } =
      history;
    const perSecond = 1_000 / stepMs;
    const columns = { depth, oldestMs, slaUsed, inFlight } as const;
    const counts = {
      inPerSecond: arrived,
      outPerSecond: taken,
      endedPerSecond: ended,
      failedPerSecond: failed,
      droppedPerSecond: dropped,
    } as const;
    for (let i = 0; i < depth.length; i++) {
      const end = lastAt - (depth.length - 1 - i) * stepMs;
      for (let at = end - stepMs + 1_000; at <= end; at += 1_000) {
        const second = secondOf(at);
        if (past.knows(second)) continue;
        for (const [name, column] of Object.entries(columns))
          past.set(name as Figure, second, column[i] ?? undefined);
        for (const [name, column] of Object.entries(counts)) {
          const n = column[i];
          past.set(name as Figure, second, typeof n === "number" ? n * perSecond : undefined);
        }
      }
    }
  }
}

class QueuePast {
  /** Which second is in which place. */
  private readonly seconds = new Float64Array(PAST_SECONDS).fill(-1);
  private readonly figures = new Map<Figure, Float32Array>();
  private readonly words: (Words | undefined)[] = new Array(PAST_SECONDS);

  record(second: number, row: QueueRow): void {
    for (const name of FIGURES) this.set(name, second, row[name]);
    const { health, reasons, why, workers, paused, openBreakers, totals, tiers, rank } = row;
    this.words[second % PAST_SECONDS] = {
      health,
      reasons,
      why,
      workers,
      paused,
      openBreakers,
      totals,
      tiers,
      rank,
    };
  }

  set(name: Figure, second: number, value: number | undefined): void {
    const place = second % PAST_SECONDS;
    if (this.seconds[place] !== second) {
      if (this.seconds[place]! > second) return;
      this.seconds[place] = second;
      this.words[place] = undefined;
      for (const column of this.figures.values()) column[place] = Number.NaN;
    }
    let column = this.figures.get(name);
    if (column === undefined) {
      if (value === undefined) return;
      column = new Float32Array(PAST_SECONDS).fill(Number.NaN);
      this.figures.set(name, column);
    }
    column[place] = value ?? Number.NaN;
  }

  get(name: Figure, second: number): number | undefined {
    const place = second % PAST_SECONDS;
    if (this.seconds[place] !== second) return undefined;
    const value = this.figures.get(name)?.[place];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  knows(second: number): boolean {
    return this.words[second % PAST_SECONDS] !== undefined || this.get("oldestMs", second) !== undefined;
  }

  rowAt(second: number, now: QueueRow): QueueRow | undefined {
    // A message may come late by a second.
    const found = [second, second - 1, second - 2].find(
      (each) => this.knows(each) && this.seconds[each % PAST_SECONDS] === each,
    );
    if (found === undefined) return undefined;
    const figures = Object.fromEntries(FIGURES.map((name) => [name, this.get(name, found)]));
    const words = this.words[found % PAST_SECONDS];
    const slaUsed = figures.slaUsed ?? 0;
    // Of a history only the figures are known: health follows from them, reasons don't.
    const inferred: Partial<QueueRow> = {
      health: slaUsed > 1 ? "breach" : (figures.depth ?? 0) + (figures.inFlight ?? 0) > 0 ? "ok" : "idle",
      rank: slaUsed,
      reasons: [],
      why: undefined,
      workers: undefined,
      paused: undefined,
      openBreakers: undefined,
      tiers: [],
    };
    return { ...now, ...(words ?? inferred), ...figures } as QueueRow;
  }
}

function secondOf(at: number): number {
  return Math.floor(at / 1_000);
}
