import type { Histogram } from "../../telemetry/metrics/histogram.js";
import type { Bounds } from "../../telemetry/metrics/instruments.js";
import { SECONDS } from "./ring.js";

/** How many seconds a step of a heatmap has at least. */
export const HEAT_SECONDS = 10;
/** Over how many seconds percentiles are, or over the step that has begun and the one before. */
const RECENT_SECONDS = 60;
/** The most buckets that a histogram of waits has. */
const MAX_BUCKETS = 21;

function stepsOf(stride: number): number {
  return Math.ceil(SECONDS / (HEAT_SECONDS * stride)) + 1;
}

/** The bytes of what is kept of one tier, at most. */
export function heatBytes(stride: number): number {
  return MAX_BUCKETS * (stepsOf(stride) * Uint32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT);
}

/** How long items waited of one tier, over the last ten minutes: what its histogram got in each step of some seconds. */
export class Heat {
  private readonly steps: number;
  private readonly buckets: number;
  private readonly rows: Uint32Array;
  /** What the histogram had at the last look. */
  private readonly seen: Float64Array;
  private current = 0;
  private filled = 1;
  private seconds = 0;
  /** When the step that has begun did, in epoch milliseconds. */
  private beganAt: number;

  constructor(
    private readonly histogram: Histogram,
    readonly stride: number,
    at: number,
  ) {
    this.beganAt = at;
    this.steps = stepsOf(stride);
    this.buckets = this.bounds.ms.length + 1;
    this.rows = new Uint32Array(this.steps * this.buckets);
    this.seen = Float64Array.from(histogram.counts);
  }

  get bounds(): Bounds {
    return this.histogram.bounds;
  }

  get stepMs(): number {
    return 1000 * HEAT_SECONDS * this.stride;
  }

  /** So many seconds have passed. */
  look(seconds: number, at: number): void {
    const { counts } = this.histogram;
    const { seen, rows, buckets } = this;
    const from = this.current * buckets;
    for (let i = 0; i < buckets; i++) {
      const added = counts[i]! - seen[i]!;
      if (added > 0) rows[from + i]! += added;
      seen[i] = counts[i]!;
    }
    this.seconds += seconds;
    for (; this.seconds >= HEAT_SECONDS * this.stride; this.seconds -= HEAT_SECONDS * this.stride) {
      this.current = (this.current + 1) % this.steps;
      this.filled = Math.min(this.filled + 1, this.steps);
      rows.fill(0, this.current * buckets, (this.current + 1) * buckets);
      this.beganAt = at;
    }
  }

  /** The same with longer steps: what is in them is joined. */
  widened(stride: number, at: number): Heat {
    const wider = new Heat(this.histogram, stride, at);
    const ratio = stride / this.stride;
    const recent = this.recentRows(this.filled);
    // Each step of the wider one ends with the newest of the others.
    const count = Math.min(wider.steps, Math.ceil(recent.length / ratio));
    wider.filled = count;
    wider.current = count - 1;
    for (const [back, row] of recent.entries()) {
      const step = count - 1 - Math.floor(back / ratio);
      if (step < 0) break;
      for (let i = 0; i < row.length; i++) wider.rows[step * wider.buckets + i]! += row[i]!;
    }
    wider.beganAt = this.beganAt;
    return wider;
  }

  /** Percentiles of the last minute or so, in milliseconds; undefined where nothing was taken. */
  recent(...shares: readonly number[]): (number | undefined)[] {
    const steps = Math.max(2, 1 + Math.ceil(RECENT_SECONDS / (HEAT_SECONDS * this.stride)));
    const counts = new Float64Array(this.buckets);
    for (const row of this.recentRows(steps)) for (let i = 0; i < row.length; i++) counts[i]! += row[i]!;
    return shares.map((share) => percentile(counts, this.bounds, share));
  }

  /** How many items there were in the last minute or so, for each bucket. */
  addTo(counts: Float64Array): void {
    const steps = Math.max(2, 1 + Math.ceil(RECENT_SECONDS / (HEAT_SECONDS * this.stride)));
    for (const row of this.recentRows(steps)) {
      for (let i = 0; i < Math.min(row.length, counts.length); i++) counts[i]! += row[i]!;
    }
  }

  /** The oldest first; the last one is of the step that has begun. */
  columns(): number[][] {
    return this.recentRows(this.filled)
      .map((row) => [...row])
      .reverse();
  }

  /** When the last of the {@link columns} ends, in epoch milliseconds. */
  get lastAt(): number {
    return this.beganAt + this.stepMs;
  }

  /** The newest first. */
  private recentRows(most: number): Uint32Array[] {
    return Array.from({ length: Math.min(most, this.filled) }, (_, back) => {
      const step = (this.current - back + this.steps) % this.steps;
      return this.rows.subarray(step * this.buckets, (step + 1) * this.buckets);
    });
  }
}

/** As `histogram_quantile` of Prometheus has it, in milliseconds: what is beyond all bounds counts as the last one. */
export function percentile(counts: ArrayLike<number>, { ms }: Bounds, share: number): number | undefined {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  if (total === 0) return undefined;
  let rank = share * total;
  for (let i = 0; i < ms.length; i++) {
    const count = counts[i]!;
    if (rank <= count && count > 0) {
      const from = i === 0 ? 0 : ms[i - 1]!;
      return from + ((ms[i]! - from) * rank) / count;
    }
    rank -= count;
  }
  return ms.at(-1);
}
