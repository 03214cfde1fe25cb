import { HISTORY_SECONDS } from "../protocol.js";

/** What is kept of each second, in this order. */
export const FIELDS = [
  "depth",
  "inFlight",
  "oldestMs",
  "slaUsed",
  "busyWorkers",
  "arrived",
  "taken",
  "ended",
  "failed",
  "dropped",
] as const;

export type Field = (typeof FIELDS)[number];

/** How several seconds become one step: the last value, the highest, or the sum. */
const MERGE: Record<Field, (a: number, b: number) => number> = {
  depth: last,
  inFlight: last,
  busyWorkers: last,
  oldestMs: highest,
  slaUsed: highest,
  arrived: sum,
  taken: sum,
  ended: sum,
  failed: sum,
  dropped: sum,
};

/** Whether it counts what happened, and isn't how things are. */
export function isCount(field: Field): boolean {
  return MERGE[field] === sum;
}

const MERGES = FIELDS.map((field) => MERGE[field]);

/** How far back it goes, in seconds. */
export const SECONDS: number = HISTORY_SECONDS;

/** How many steps of so many seconds that is. */
export function stepsOf(stride: number): number {
  return Math.ceil(SECONDS / stride);
}

/** The bytes of a ring with such steps. */
export function ringBytes(stride: number): number {
  return stepsOf(stride) * FIELDS.length * Float32Array.BYTES_PER_ELEMENT;
}

/** The last ten minutes of a queue: one row of numbers for each step of `stride` seconds. What is NaN is not known. */
export class Ring {
  private readonly rows: Float32Array;
  private readonly steps: number;
  private next = 0;
  private filled = 0;
  /** The step that has begun. */
  private readonly partial = new Float32Array(FIELDS.length).fill(Number.NaN);
  private seconds = 0;
  /** When the last whole step ended, in epoch milliseconds. */
  lastAt = Number.NaN;

  constructor(readonly stride: number) {
    this.steps = stepsOf(stride);
    this.rows = new Float32Array(this.steps * FIELDS.length);
  }

  get length(): number {
    return this.filled;
  }

  /** One second, which ended at that instant. */
  push(second: ArrayLike<number>, at: number): void {
    const { partial } = this;
    for (let i = 0; i < partial.length; i++) {
      const value = second[i]!;
      if (Number.isNaN(value)) continue;
      partial[i] = Number.isNaN(partial[i]!) ? value : MERGES[i]!(partial[i]!, value);
    }
    if (++this.seconds < this.stride) return;
    this.add(partial);
    this.lastAt = at;
    this.seconds = 0;
    partial.fill(Number.NaN);
  }

  /** Of so many seconds nothing is known: the process stood still. */
  skip(seconds: number, at: number): void {
    for (let i = 0; i < Math.min(seconds, SECONDS); i++) this.push(UNKNOWN, at);
  }

  private add(row: ArrayLike<number>): void {
    this.rows.set(row, this.next * FIELDS.length);
    this.next = (this.next + 1) % this.steps;
    this.filled = Math.min(this.filled + 1, this.steps);
  }

  /** The same with longer steps, a multiple of what they were. */
  widened(stride: number): Ring {
    const wider = new Ring(stride);
    const ratio = stride / this.stride;
    // The last step is to be whole: what is too much at the beginning goes.
    const first = this.filled % ratio;
    for (let i = first; i < this.filled; i++) {
      const row = this.row(i);
      const { partial } = wider;
      for (let f = 0; f < partial.length; f++) {
        if (Number.isNaN(row[f]!)) continue;
        partial[f] = Number.isNaN(partial[f]!) ? row[f]! : MERGES[f]!(partial[f]!, row[f]!);
      }
      if ((i - first + 1) % ratio === 0) {
        wider.add(partial);
        partial.fill(Number.NaN);
      }
    }
    wider.lastAt = this.lastAt;
    return wider;
  }

  /** The oldest first. */
  column(field: Field, most = SECONDS): (number | null)[] {
    const index = FIELDS.indexOf(field);
    const count = Math.min(most, this.filled);
    return Array.from({ length: count }, (_, i) => {
      const value = this.row(this.filled - count + i)[index]!;
      return Number.isNaN(value) ? null : rounded(value);
    });
  }

  /** Mean of a field over the steps from one to another, counted back from the newest, which is 0; undefined where nothing is known. */
  mean(field: Field, from: number, to: number): number | undefined {
    const index = FIELDS.indexOf(field);
    let total = 0;
    let known = 0;
    for (let back = Math.max(0, from); back < Math.min(to, this.filled); back++) {
      const value = this.row(this.filled - 1 - back)[index]!;
      if (Number.isNaN(value)) continue;
      total += value;
      known++;
    }
    return known === 0 ? undefined : total / known;
  }

  private row(i: number): Float32Array {
    const at = (this.next - this.filled + i + this.steps) % this.steps;
    return this.rows.subarray(at * FIELDS.length, (at + 1) * FIELDS.length);
  }
}

const UNKNOWN = new Float32Array(FIELDS.length).fill(Number.NaN);

function last(_: number, b: number): number {
  return b;
}

function highest(a: number, b: number): number {
  return Math.max(a, b);
}

function sum(a: number, b: number): number {
  return a + b;
}

/** Three digits behind the point are enough. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
