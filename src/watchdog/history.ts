import type { Watchable } from "../contracts.js";
import type { Rates } from "./situation.js";

/** The counts of a queue at one look. */
interface Sample {
  readonly at: number;
  readonly enqueued: readonly number[];
  readonly dequeued: readonly number[];
  readonly overtaken: readonly number[];
  readonly ended: number;
  readonly failed: number;
  readonly retried: number;
  readonly processedMs: number;
}

/** How many looks are remembered: with one a second, a minute. */
const MOST_SAMPLES = 60;
/** How many looks make "recently". */
const RECENT_SAMPLES = 5;

/** What a queue did lately. One look costs O(tiers). */
export class History {
  private readonly samples: Sample[] = [];
  private lastTakenAt = Number.NEGATIVE_INFINITY;
  private lastEndedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly queue: Watchable) {}

  look(): void {
    const sample = sampleOf(this.queue);
    const before = this.samples.at(-1);
    if (before !== undefined) {
      if (sum(sample.dequeued) > sum(before.dequeued)) this.lastTakenAt = sample.at;
      if (sample.ended + sample.retried > before.ended + before.retried) this.lastEndedAt = sample.at;
    }
    this.samples.push(sample);
    if (this.samples.length > MOST_SAMPLES) this.samples.shift();
  }

  get takenEver(): number {
    return sum(this.samples.at(-1)?.dequeued ?? []);
  }

  lastTakenMsAgo(now: number): number {
    return now - this.lastTakenAt;
  }

  lastEndedMsAgo(now: number): number {
    return now - this.lastEndedAt;
  }

  /** Over everything that is remembered. */
  rates(): Rates {
    return this.between(0);
  }

  /** Over the last few looks. */
  recent(): Rates {
    return this.between(this.samples.length - 1 - RECENT_SAMPLES);
  }

  /** Of the tier, per second, over the last few looks. */
  tierRates(tier: number): { arrived: number; taken: number; overtaken: number } {
    const first = this.samples[Math.max(0, this.samples.length - 1 - RECENT_SAMPLES)];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined) return { arrived: 0, taken: 0, overtaken: 0 };
    const rate = (of: (sample: Sample) => readonly number[]) =>
      perSecond((of(last)[tier] ?? 0) - (of(first)[tier] ?? 0), last.at - first.at);
    return {
      arrived: rate(({ enqueued }) => enqueued),
      taken: rate(({ dequeued }) => dequeued),
      overtaken: rate(({ overtaken }) => overtaken),
    };
  }

  /** Mean time of the tasks that ended longer ago than so many milliseconds; undefined where none did. */
  serviceMsBefore(at: number): number | undefined {
    const [first] = this.samples;
    const before = this.samples.findLast((sample) => sample.at <= at);
    if (first === undefined || before === undefined) return undefined;
    return serviceMs(first, before) ?? serviceMs(NOTHING, before);
  }

  private between(from: number): Rates {
    const first = this.samples[Math.max(0, from)];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined) return { ...NO_RATES };
    const ms = last.at - first.at;
    return {
      windowMs: ms,
      arrivedPerSecond: perSecond(sum(last.enqueued) - sum(first.enqueued), ms),
      takenPerSecond: perSecond(sum(last.dequeued) - sum(first.dequeued), ms),
      endedPerSecond: perSecond(last.ended - first.ended, ms),
      failedPerSecond: perSecond(last.failed - first.failed, ms),
      retriedPerSecond: perSecond(last.retried - first.retried, ms),
      serviceMs: serviceMs(first, last),
    };
  }
}

const NO_RATES: Rates = {
  windowMs: 0,
  arrivedPerSecond: 0,
  takenPerSecond: 0,
  endedPerSecond: 0,
  failedPerSecond: 0,
  retriedPerSecond: 0,
  serviceMs: undefined,
};

const NOTHING = { ended: 0, retried: 0, processedMs: 0 };

function sampleOf({ probe, tally }: Watchable): Sample {
  const tiers = probe.tiers.map((_, tier) => tier);
  return {
    at: probe.now(),
    enqueued: tiers.map((tier) => tally.enqueued(tier)),
    dequeued: tiers.map((tier) => tally.dequeued(tier)),
    overtaken: tiers.map((tier) => tally.overtaken(tier)),
    ended: tally.succeeded + tally.failed + tally.deadLettered,
    failed: tally.failed + tally.deadLettered,
    retried: tally.retried,
    processedMs: tally.processedMs,
  };
}

function serviceMs(
  first: Pick<Sample, "ended" | "retried" | "processedMs">,
  last: Pick<Sample, "ended" | "retried" | "processedMs">,
): number | undefined {
  const ended = last.ended + last.retried - first.ended - first.retried;
  return ended === 0 ? undefined : (last.processedMs - first.processedMs) / ended;
}

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : (count / ms) * 1_000;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}
