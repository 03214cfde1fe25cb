import type { Attributes } from "@opentelemetry/api";
import type { SampledIn } from "../../contracts/index.js";
import { type Exemplar, type Exemplars, exemplarOf } from "./exemplars.js";
import { BOUNDS, type Bounds, type HistogramName } from "./instruments.js";
import type { Labels } from "./labels.js";
import { numbers } from "./numbers.js";

/** Of a histogram without values, of any length. Only read. */
const ZEROS = new Float64Array(64);

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
  /** A count for each bucket, the last one for what is beyond all bounds; and then the sum. */
  private numbers: Float64Array | undefined = undefined;
  /** Made with the first one. */
  private examples: (Exemplar | undefined)[] | undefined = undefined;

  constructor(
    readonly instrument: HistogramName,
    readonly labels: Labels,
    private readonly sinks: HistogramSinks,
    readonly bounds: Bounds = BOUNDS,
  ) {}

  get isEmpty(): boolean {
    return this.numbers === undefined;
  }

  /** How many values fell into each bucket; the last one is beyond all bounds. */
  get counts(): Float64Array {
    return (this.numbers ?? ZEROS).subarray(0, this.bounds.ms.length + 1);
  }

  /** Of all values, in seconds. */
  get sumSeconds(): number {
    return this.numbers === undefined ? 0 : this.numbers[this.bounds.ms.length + 1]! / 1000;
  }

  /** Records that something took no time, while there are no sinks. */
  recordZero(): void {
    this.made()[0]!++;
  }

  /** Takes back a {@link recordZero}; a sink keeps it. */
  takeBackZero(): void {
    this.made()[0]!--;
  }

  /**
   * Records a duration in milliseconds; NaN, which is what a wait that began before the telemetry took, is left out. A sampled span that tells of it
   * makes it the example of its bucket.
   */
  record(ms: number, span?: SampledIn): void {
    if (Number.isNaN(ms)) return;
    const numbers = this.numbers ?? this.made();
    const bucket = this.bucketOf(ms);
    if (ms > 0) numbers[this.bounds.ms.length + 1]! += ms;
    numbers[bucket]!++;
    if (span !== undefined) this.keepExample(bucket, ms, span);
    if (this.sinks.size > 0) this.sinks.get(this.instrument)?.record(ms / 1000, this.labels.attributes);
  }

  /** For each bucket the newest value of those that a sampled span tells of; undefined where there never was one. */
  get exemplars(): Exemplars | undefined {
    return this.examples;
  }

  /** Makes a value that was recorded, in milliseconds, the example of its bucket. */
  exemplify(ms: number, span: SampledIn): void {
    if (!Number.isNaN(ms)) this.keepExample(this.bucketOf(ms), ms, span);
  }

  private bucketOf(ms: number): number {
    const bounds = this.bounds.ms;
    let bucket = 0;
    while (bucket < bounds.length && ms > bounds[bucket]!) bucket++;
    return bucket;
  }

  private keepExample(bucket: number, ms: number, span: SampledIn): void {
    this.examples ??= new Array<undefined>(this.bounds.ms.length + 1).fill(undefined);
    this.examples[bucket] = exemplarOf(ms, span);
  }

  private made(): Float64Array {
    this.numbers ??= numbers(this.bounds.ms.length + 2);
    return this.numbers;
  }
}
