import { wallNow } from "../../base/clock.js";
import type { SampledIn } from "../../contracts/index.js";

/** The newest value of a bucket that a sampled span tells of. */
export interface Exemplar extends SampledIn {
  readonly seconds: number;
  /** Unix time, in seconds. */
  readonly at: number;
}

/** One example for each bucket of a histogram. */
export type Exemplars = readonly (Exemplar | undefined)[];

/** The example of a value, in milliseconds. It holds nothing of the span. */
export function exemplarOf(ms: number, { traceId, spanId }: SampledIn): Exemplar {
  return { traceId, spanId, seconds: Math.max(0, ms) / 1000, at: Math.round(wallNow()) / 1000 };
}
