import type { Attributes } from "@opentelemetry/api";
import { BOUNDS, type HistogramName } from "./instruments.js";

const BOUNDS_MS = Float64Array.from(BOUNDS, (seconds) => seconds * 1000);
const BUCKETS = BOUNDS_MS.length + 1;

/** Takes values one by one; an OpenTelemetry histogram is one. */
export interface HistogramSink {
  record(seconds: number, attributes: Attributes): void;
}

/** Where values also go while they are exported by the plain API. Empty while the metric producer exports. */
export type HistogramSinks = ReadonlyMap<HistogramName, HistogramSink>;

export const NO_SINKS: HistogramSinks = new Map();

/** One series of a histogram: a count for each bucket, and the sum. Recording costs about 10 ns and allocates nothing. */
export class Histogram {
  /** How many values fell into each bucket; the last one is beyond all bounds. */
  readonly counts = new Float64Array(BUCKETS);
  private readonly sum = new Float64Array(1);

  constructor(
    readonly instrument: HistogramName,
    readonly attributes: Attributes,
    private readonly sinks: HistogramSinks,
  ) {}

  /** Of all values, in seconds. */
  get sumSeconds(): number {
    return this.sum[0]! / 1000;
  }

  /** Records that something took no time, while there are no sinks. */
  recordZero(): void {
    this.counts[0]!++;
  }

  /** Takes back a {@link recordZero}; a sink keeps it. */
  takeBackZero(): void {
    this.counts[0]!--;
  }

  /** Records a duration in milliseconds; NaN, which is what a wait that began before the telemetry took, is left out. */
  record(ms: number): void {
    if (Number.isNaN(ms)) return;
    let bucket = 0;
    if (ms > 0) {
      while (bucket < BOUNDS_MS.length && ms > BOUNDS_MS[bucket]!) bucket++;
      this.sum[0]! += ms;
    }
    this.counts[bucket]!++;
    if (this.sinks.size > 0) this.sinks.get(this.instrument)?.record(ms / 1000, this.attributes);
  }
}
