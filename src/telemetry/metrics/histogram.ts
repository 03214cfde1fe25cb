import type { Attributes } from "@opentelemetry/api";
import { BOUNDS, type HistogramName } from "./instruments.js";
import type { Labels } from "./labels.js";
import { numbers } from "./numbers.js";

const BOUNDS_MS = Float64Array.from(BOUNDS, (seconds) => seconds * 1000);
const BUCKETS = BOUNDS_MS.length + 1;
/** Where the sum stands, behind the counts. */
const SUM = BUCKETS;
/** Of a histogram without values. Only read. */
const ZEROS = new Float64Array(BUCKETS);

/** Takes values one by one; an OpenTelemetry histogram is one. */
export interface HistogramSink {
  record(seconds: number, attributes: Attributes): void;
}

/** Where values also go while they are exported by the plain API. Empty while the metric producer exports. */
export type HistogramSinks = ReadonlyMap<HistogramName, HistogramSink>;

export const NO_SINKS: HistogramSinks = new Map();

/**
 * One series of a histogram: a count for each bucket, and the sum. Recording costs about 10 ns and allocates nothing but, with the first
 * value, the buckets: of a thousand queues most histograms stay empty.
 */
export class Histogram {
  private numbers: Float64Array | undefined = undefined;

  constructor(
    readonly instrument: HistogramName,
    readonly labels: Labels,
    private readonly sinks: HistogramSinks,
  ) {}

  get isEmpty(): boolean {
    return this.numbers === undefined;
  }

  /** How many values fell into each bucket; the last one is beyond all bounds. */
  get counts(): Float64Array {
    return this.numbers?.subarray(0, BUCKETS) ?? ZEROS;
  }

  /** Of all values, in seconds. */
  get sumSeconds(): number {
    return this.numbers === undefined ? 0 : this.numbers[SUM]! / 1000;
  }

  /** Records that something took no time, while there are no sinks. */
  recordZero(): void {
    this.made()[0]!++;
  }

  /** Takes back a {@link recordZero}; a sink keeps it. */
  takeBackZero(): void {
    this.made()[0]!--;
  }

  /** Records a duration in milliseconds; NaN, which is what a wait that began before the telemetry took, is left out. */
  record(ms: number): void {
    if (Number.isNaN(ms)) return;
    const numbers = this.numbers ?? this.made();
    let bucket = 0;
    if (ms > 0) {
      while (bucket < BOUNDS_MS.length && ms > BOUNDS_MS[bucket]!) bucket++;
      numbers[SUM]! += ms;
    }
    numbers[bucket]!++;
    if (this.sinks.size > 0) this.sinks.get(this.instrument)?.record(ms / 1000, this.labels.attributes);
  }

  private made(): Float64Array {
    this.numbers ??= numbers(BUCKETS + 1);
    return this.numbers;
  }
}
