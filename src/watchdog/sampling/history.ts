import type { Probe, TaskView, Watchable } from "../../contracts/index.js";
import type { Backlog, Rates, Turns } from "../situation.js";
import { BLOCKING_CPU_SHARE, cpuMs } from "./cpu-time.js";

/** The counts of a queue at one look. The oldest that is remembered is filled anew, so that looks at a thousand queues make no garbage. */
class Sample {
  at = 0;
  /** Processor time of the process so far. */
  cpuMs = 0;
  depth = 0;
  /** By tier, and of all tiers. */
  readonly enqueued: number[] = [];
  readonly dequeued: number[] = [];
  readonly overtaken: number[] = [];
  arrived = 0;
  taken = 0;
  ended = 0;
  failed = 0;
  retried = 0;
  firstRetried = 0;
  processedMs = 0;
  /** The longest-running task of the look before, if it is over: how long it had been running by then. */
  over: { readonly tier: string; readonly ms: number } | undefined = undefined;

  fill({ probe, tally }: Watchable, over: Sample["over"], cpu: number): void {
    const tiers = probe.tiers.length;
    this.at = probe.now();
    this.cpuMs = cpu;
    this.over = over;
    let depth = 0;
    let arrived = 0;
    let taken = 0;
    for (let tier = 0; tier < tiers; tier++) {
      const enqueued = tally.enqueued(tier);
      const dequeued = tally.dequeued(tier);
      depth += probe.depth(tier);
      arrived += enqueued;
      taken += dequeued;
      this.enqueued[tier] = enqueued;
      this.dequeued[tier] = dequeued;
      this.overtaken[tier] = tally.overtaken(tier);
    }
    this.depth = depth;
    this.arrived = arrived;
    this.taken = taken;
    const { succeeded, failed, deadLettered } = tally;
    this.ended = succeeded + failed + deadLettered;
    this.failed = failed + deadLettered;
    this.retried = tally.retried;
    this.firstRetried = tally.firstRetried;
    this.processedMs = tally.processedMs;
  }
}

/** Between a look and the one before. */
interface Gap {
  readonly at: number;
  readonly ms: number;
  readonly cpuMs: number;
  /** The shortest of all. */
  readonly usual: number;
}

/** How many looks are remembered: with one a second, a minute. */
const MOST_SAMPLES = 60;
/** How many looks make "recently". */
const RECENT_SAMPLES = 5;
/** Items pile up from when on fewer than such a share of them waited. */
const PILE_BEGINS = 0.1;
/** How many looks at a pile tell how it grew: each half has two intervals at least. */
const LEAST_PILE_SAMPLES = 5;
/** A look that comes so much later than they usually do, in milliseconds, was held up: timers of a busy machine are late by less. */
const LATE_MS = 100;
/** A look that takes so many times longer to come than usual is one for which the whole process had to wait. */
const HELD_UP = 2;
/** What a queue did lately. One look costs O(tiers). */
export class History {
  private readonly samples: Sample[] = [];
  /** Counts at the last look; before the first one those of the beginning, which tell only what has changed since. */
  private taken: number;
  private ended: number;
  /** Of these samples, once it was asked for: a report does for each task in flight. */
  private gaps: readonly Gap[] | undefined = undefined;
  private beganAt: number | undefined = undefined;
  private lastTakenAt = Number.NEGATIVE_INFINITY;
  private lastEndedAt = Number.NEGATIVE_INFINITY;
  /** The task in flight that has been running longest, and for how long when it was looked at. */
  private oldest: { readonly task: TaskView; readonly ms: number } | undefined = undefined;

  constructor(private readonly queue: Watchable) {
    const { tally } = queue;
    this.taken = this.takenEver;
    this.ended = tally.succeeded + tally.failed + tally.deadLettered + tally.retried;
  }

  /** `cpu`: the processor time of the process so far, in milliseconds. To ask for it takes longer than the look. */
  look(cpu = cpuMs()): void {
    const { samples } = this;
    const sample = samples.length === MOST_SAMPLES ? samples.shift()! : new Sample();
    sample.fill(this.queue, this.lookAtOldest(), cpu);
    samples.push(sample);
    this.gaps = undefined;
    this.beganAt ??= sample.at;
    const ended = sample.ended + sample.retried;
    if (sample.taken > this.taken) this.lastTakenAt = sample.at;
    if (ended > this.ended) this.lastEndedAt = sample.at;
    this.taken = sample.taken;
    this.ended = ended;
  }

  get takenEver(): number {
    const { probe, tally } = this.queue;
    return sum(probe.tiers.map((_, tier) => tally.dequeued(tier)));
  }

  /** Since the first look. */
  watchedMs(now: number): number {
    return now - (this.beganAt ?? now);
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

  /** Since an item of the tier came in. What the others have got since and no longer have, has had its turn. */
  turnsSince(at: number, tier: number): Turns {
    const last = this.samples.at(-1);
    const first = this.samples.find((sample) => sample.at >= at);
    if (first === undefined || last === undefined) return { taken: 0, overtook: 0 };
    const { probe } = this.queue;
    const overtook = probe.tiers.map((_, other) => {
      if (other === tier) return 0;
      const came = (last.enqueued[other] ?? 0) - (first.enqueued[other] ?? 0);
      return Math.max(0, came - probe.depth(other));
    });
    return { taken: last.taken - first.taken, overtook: sum(overtook) };
  }

  /**
   * Mean time of the tasks that ended longer ago than so many milliseconds; where the looks don't go back so far, of those that ended before
   * all of them. Undefined where none did.
   */
  serviceMsBefore(at: number): number | undefined {
    const [first] = this.samples;
    if (first === undefined) return undefined;
    const before = this.samples.findLast((sample) => sample.at <= at) ?? first;
    return serviceMs(first, before) ?? serviceMs(NOTHING, before);
  }

  /** The longest time for which a task of the tier was seen to run that is over; 0 where such tasks were too short to be seen. */
  longestMs(tier: string, index: number, inFlight: number): number | undefined {
    let longest: number | undefined;
    for (const { over } of this.samples) {
      if (over?.tier === tier) longest = Math.max(longest ?? 0, over.ms);
    }
    const taken = this.samples.at(-1)?.dequeued[index] ?? 0;
    return longest ?? (taken > inFlight ? 0 : undefined);
  }

  /** By how much looks were late since then, for whatever reason: so long nothing in the process got on. */
  heldUpMs(since: number): number {
    return this.lateSince(since, ({ ms, usual }) => ms > HELD_UP * usual);
  }

  /** By how much looks were late since then because the process was at work, in milliseconds. */
  lateMs(since: number): number {
    return this.lateSince(
      since,
      ({ ms, usual, cpuMs }) => ms > usual + LATE_MS && cpuMs > BLOCKING_CPU_SHARE * ms,
    );
  }

  /** By how much looks were late since then though the process hardly worked, in milliseconds. */
  starvedMs(since: number): number {
    return this.lateSince(
      since,
      ({ ms, usual, cpuMs }) => ms > usual + LATE_MS && cpuMs <= BLOCKING_CPU_SHARE * ms,
    );
  }

  /** How much of a processor the process used since then. */
  processorShare(since: number): number {
    const last = this.samples.at(-1);
    const first = this.samples.findLast(({ at }) => at <= since) ?? this.samples[0];
    return last === undefined || first === undefined || first === last
      ? 0
      : (last.cpuMs - first.cpuMs) / (last.at - first.at);
  }

  /** How the items that wait came to be so many. */
  backlog(): Backlog | undefined {
    const { samples } = this;
    const last = samples.at(-1);
    if (last === undefined) return undefined;
    const from = Math.max(
      0,
      samples.findLastIndex(({ depth }) => depth <= PILE_BEGINS * last.depth),
    );
    if (samples.length - from < LEAST_PILE_SAMPLES) return undefined;
    const first = samples[from]!;
    const halfway = (first.at + last.at) / 2;
    const middle = samples.slice(0, -1).findLast(({ at }) => at <= halfway) ?? first;
    return {
      windowMs: last.at - first.at,
      taken: last.taken - first.taken,
      ...flow(first, last),
      later: flow(middle, last),
    };
  }

  /** By how much looks that are late were so, as far as that was after the instant. */
  private lateSince(since: number, isLate: (gap: Gap) => boolean): number {
    this.gaps ??= gapsOf(this.samples);
    return this.gaps
      .filter((gap) => gap.at > since && isLate(gap))
      .reduce((sum, { at, ms, usual }) => sum + Math.min(ms - usual, at - since), 0);
  }

  private lookAtOldest(): Sample["over"] {
    const { probe } = this.queue;
    const before = this.oldest;
    // Most queues have nothing in flight, and then there is nothing to walk through.
    const [task] = probe.inFlight === 0 ? [] : (probe.tasks?.() ?? []);
    const takenAt = task?.takenAt;
    this.oldest =
      task === undefined || takenAt === undefined ? undefined : { task, ms: probe.now() - takenAt };
    if (before === undefined || before.task.facts === task?.facts) return undefined;
    return { tier: before.task.facts.tier, ms: before.ms };
  }

  private between(from: number): Rates {
    const first = this.samples[Math.max(0, from)];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined) return { ...NO_RATES };
    const ms = last.at - first.at;
    return {
      windowMs: ms,
      ...flow(first, last),
      endedPerSecond: perSecond(last.ended - first.ended, ms),
      failedPerSecond: perSecond(last.failed - first.failed, ms),
      retriedPerSecond: perSecond(last.retried - first.retried, ms),
      firstRetriedPerSecond: perSecond(last.firstRetried - first.firstRetried, ms),
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
  firstRetriedPerSecond: 0,
  serviceMs: undefined,
};

const NOTHING = { ended: 0, retried: 0, processedMs: 0 };

/** Items that wait, in all tiers. */
export function depthOf(probe: Probe): number {
  let depth = 0;
  for (let tier = 0; tier < probe.tiers.length; tier++) depth += probe.depth(tier);
  return depth;
}

/** All but the first look, with what is between it and the one before. */
function gapsOf(samples: readonly Sample[]): Gap[] {
  const gaps = samples.slice(1).map((sample, i) => {
    const before = samples[i]!;
    return { at: sample.at, ms: sample.at - before.at, cpuMs: sample.cpuMs - before.cpuMs };
  });
  const usual = Math.min(...gaps.map(({ ms }) => ms));
  return gaps.map((gap) => ({ ...gap, usual }));
}

function serviceMs(
  first: Pick<Sample, "ended" | "retried" | "processedMs">,
  last: Pick<Sample, "ended" | "retried" | "processedMs">,
): number | undefined {
  const ended = last.ended + last.retried - first.ended - first.retried;
  return ended === 0 ? undefined : (last.processedMs - first.processedMs) / ended;
}

function flow(first: Sample, last: Sample): { arrivedPerSecond: number; takenPerSecond: number } {
  const ms = last.at - first.at;
  return {
    arrivedPerSecond: perSecond(last.arrived - first.arrived, ms),
    takenPerSecond: perSecond(last.taken - first.taken, ms),
  };
}

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : (count / ms) * 1_000;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}
