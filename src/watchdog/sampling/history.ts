import type { Probe, TaskView, Watchable } from "../../contracts/index.js";
import type { Backlog, Rates, Turns } from "../situation.js";
import {
  ARRIVED,
  AT,
  CPU_MS,
  DEPTH,
  DEQUEUED,
  ENDED,
  ENQUEUED,
  FAILED,
  FIRST_RETRIED,
  Looks,
  OVERTAKEN,
  PROCESSED_MS,
  RETRIED,
  TAKEN,
  WAITED_MS,
} from "./looks.js";

/**
 * While the event loop is blocked by code the process works for such a share of the time, even where others want the processor, too;
 * with less, there was none for it.
 */
export const BLOCKING_CPU_SHARE = 0.25;

/** Processor time of the process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Between a look and the one before. */
interface Gap {
  readonly at: number;
  readonly ms: number;
  readonly cpuMs: number;
  /** The shortest of all. */
  readonly usual: number;
}

/** How many tasks tell what is usual: so many at least, and about so many of the last ones. */
const MIN_CALM = 5;
const CALM_TASKS = 1_000;
/** How many looks make "recently". */
const RECENT_LOOKS = 5;
/** Items pile up from when on fewer than such a share of them waited, or the oldest for less than such a share of its time. */
const PILE_BEGINS = 0.1;
/** What was held up elsewhere, in sockets or clients, comes in during such a share of the time for which it then waits. */
const PILE_LAGS = 0.5;
/** How many looks at a pile tell how it grew: each half has two intervals at least. */
const MIN_PILE_LOOKS = 5;
/** A look that comes so much later than they usually do, in milliseconds, was held up: timers of a busy machine are late by less. */
const LATE_MS = 100;
/** A look that takes so many times longer to come than usual is one for which the whole process had to wait. */
const HELD_UP = 2;

/** What a queue did lately. One look costs O(tiers). */
export class History {
  private readonly looks = new Looks();
  /** Counts at the last look; before the first one those of the beginning, which tell only what has changed since. */
  private taken: number;
  private ended: number;
  /** Between these looks, once it was asked for: a report does for each task in flight. */
  private gaps: readonly Gap[] | undefined = undefined;
  private beganAt: number | undefined = undefined;
  private lastTakenAt = Number.NEGATIVE_INFINITY;
  private lastEndedAt = Number.NEGATIVE_INFINITY;
  /** What ended while nothing was late: how many, and their time. */
  private readonly calm = { ended: 0, processedMs: 0 };
  /** The task in flight that has been running longest, and for how long when it was looked at. */
  private oldest: { readonly task: TaskView; readonly ms: number } | undefined = undefined;
  /** The longest-running tasks of the looks that are remembered that were over by the next look: how long they had been running, and when. */
  private over: { readonly tier: string; readonly ms: number; readonly at: number }[] = [];
  /** Since when attempts fail and none succeeds, and how many items had been retried before; however long ago that is. */
  private failing: { readonly since: number; readonly retried: number } | undefined = undefined;

  constructor(private readonly queue: Watchable) {
    const { tally } = queue;
    this.taken = this.takenEver;
    this.ended = tally.succeeded + tally.failed + tally.deadLettered + tally.retried;
  }

  /** `cpu`: the processor time of the process so far, in milliseconds. To ask for it takes longer than the look. */
  look(cpu = cpuMs(), now = this.queue.probe.now()): void {
    const { looks } = this;
    looks.add(this.queue, now, cpu);
    this.gaps = undefined;
    this.beganAt ??= now;
    this.lookAtOldest(now);
    if (looks.length > 1) this.lookAtFailures(looks.length - 1);
    const taken = looks.get(looks.length - 1, TAKEN);
    const ended = looks.get(looks.length - 1, ENDED) + looks.get(looks.length - 1, RETRIED);
    if (taken > this.taken) this.lastTakenAt = now;
    if (ended > this.ended) this.lastEndedAt = now;
    this.taken = taken;
    this.ended = ended;
  }

  private lookAtFailures(look: number): void {
    const { looks, queue } = this;
    const gained = (column: number) => looks.get(look, column) - looks.get(look - 1, column);
    // What had failed is over where nothing is left.
    if (gained(ENDED) > gained(FAILED) || (this.failing !== undefined && isEmpty(queue.probe)))
      this.failing = undefined;
    else if (this.failing === undefined && gained(FAILED) + gained(RETRIED) > 0) {
      this.failing = { since: looks.get(look - 1, AT), retried: looks.get(look - 1, FIRST_RETRIED) };
    }
  }

  /** For how long, in milliseconds, attempts have failed and none has succeeded, and how many items are retried since then; undefined where one did. */
  outage(now: number): { readonly forMs: number; readonly items: number } | undefined {
    const { failing, looks } = this;
    if (failing === undefined) return undefined;
    return {
      forMs: now - failing.since,
      items: looks.get(looks.length - 1, FIRST_RETRIED) - failing.retried,
    };
  }

  get takenEver(): number {
    const { probe, tally } = this.queue;
    let taken = 0;
    for (let tier = 0; tier < probe.tiers.length; tier++) taken += tally.dequeued(tier);
    return taken;
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
    return this.ratesSince(0);
  }

  /** Over the last few looks. */
  recent(): Rates {
    return this.ratesSince(this.firstRecent);
  }

  /** Of the tier, per second, over the last few looks. */
  tierRates(tier: number): { arrived: number; taken: number; overtaken: number } {
    const { looks, firstRecent: first } = this;
    const last = looks.length - 1;
    if (last < 0) return { arrived: 0, taken: 0, overtaken: 0 };
    const ms = this.since(first, AT);
    const rate = (column: number) =>
      perSecond(looks.ofTier(last, tier, column) - looks.ofTier(first, tier, column), ms);
    return { arrived: rate(ENQUEUED), taken: rate(DEQUEUED), overtaken: rate(OVERTAKEN) };
  }

  /** Since an item of the tier came in. What the others have got since and no longer have, has had its turn. */
  turnsSince(at: number, tier: number): Turns {
    const { looks } = this;
    const last = looks.length - 1;
    let first = 0;
    while (first <= last && !(looks.get(first, AT) >= at)) first++;
    if (first > last) return { taken: 0, overtook: 0 };
    const { probe } = this.queue;
    let overtook = 0;
    for (let other = 0; other < probe.tiers.length; other++) {
      if (other === tier) continue;
      const came = looks.ofTier(last, other, ENQUEUED) - looks.ofTier(first, other, ENQUEUED);
      overtook += Math.max(0, came - probe.depth(other));
    }
    return { taken: this.since(first, TAKEN), overtook };
  }

  /**
   * Mean time of the tasks that ended before an instant; where the looks don't go back so far, of those that ended before all of them.
   * Undefined where none did.
   */
  serviceMsBefore(at: number): number | undefined {
    const { looks } = this;
    if (looks.length === 0) return undefined;
    const before = Math.max(0, looks.lastAtMost(at, AT));
    return this.serviceMs(0, before) ?? this.serviceMs(undefined, before);
  }

  /** The same, but where the looks don't go back so far, of those that ended while nothing was late. */
  usualServiceMs(before: number): number | undefined {
    const { looks, calm } = this;
    const reaches = looks.length > 0 && looks.get(0, AT) < before;
    if (reaches || calm.ended < MIN_CALM) return this.serviceMsBefore(before);
    return calm.processedMs / calm.ended;
  }

  /** The last look found nothing late: what has ended since the one before took as long as is usual. */
  wasCalm(): void {
    const { looks, calm } = this;
    const last = looks.length - 1;
    if (last < 1) return;
    const gained = (column: number) => looks.get(last, column) - looks.get(last - 1, column);
    const ended = gained(ENDED) + gained(RETRIED);
    // The last thousand or so count.
    const kept = 1 - Math.min(1, ended / CALM_TASKS);
    calm.ended = kept * calm.ended + ended;
    calm.processedMs = kept * calm.processedMs + gained(PROCESSED_MS);
  }

  /** For how long attempts have been failing, since there were ends without failures; undefined where there are none in what is remembered. */
  failingForMs(now: number): number | undefined {
    const { looks } = this;
    let since: number | undefined;
    for (let look = looks.length - 1; look > 0; look--) {
      const gained = (column: number) => looks.get(look, column) - looks.get(look - 1, column);
      const failed = gained(FAILED) + gained(RETRIED);
      if (failed > 0) since = looks.get(look - 1, AT);
      else if (since !== undefined && gained(ENDED) > 0) return now - since;
    }
    return undefined;
  }

  /** The longest time for which a task of the tier was seen to run that is over; 0 where such tasks were too short to be seen. */
  longestMs(tier: string, index: number, inFlight: number): number | undefined {
    const { looks } = this;
    let longest: number | undefined;
    for (const over of this.over) if (over.tier === tier) longest = Math.max(longest ?? 0, over.ms);
    const taken = looks.length === 0 || index < 0 ? 0 : looks.ofTier(looks.length - 1, index, DEQUEUED);
    return longest ?? (taken > inFlight ? 0 : undefined);
  }

  /**
   * When what the head of the tier waits behind began to pile up: what held up the process since then made it late, even if it came in
   * afterwards. What ended shortly before counts, too: what it had held up comes in then.
   */
  pileBeganAt(tier: number, waitMs: number, now: number): number {
    const { looks } = this;
    let look = looks.length - 1;
    while (look > 0 && looks.ofTier(look, tier, WAITED_MS) > PILE_BEGINS * waitMs) look--;
    if (look < 0) return now - waitMs;
    const headAt = looks.get(look, AT) - looks.ofTier(look, tier, WAITED_MS);
    const gapMs = look === 0 ? 0 : looks.get(look, AT) - looks.get(look - 1, AT);
    return Math.min(headAt - Math.max(gapMs, PILE_LAGS * waitMs), now - waitMs);
  }

  /** For how long looks were late, in all, of which a part at least was after an instant: at work, and without a processor. */
  delaysSince(since: number): { readonly lateMs: number; readonly starvedMs: number } {
    const whole = (isLate: (gap: Gap) => boolean) => this.lateSince(since, isLate, "whole");
    return { lateMs: whole(wasAtWork), starvedMs: whole(wasStarved) };
  }

  /** By how much looks were late since then, for whatever reason: so long nothing in the process got on. */
  heldUpMs(since: number): number {
    return this.lateSince(since, ({ ms, usual }) => ms > HELD_UP * usual);
  }

  /** By how much looks were late since then because the process was at work, in milliseconds. */
  lateMs(since: number): number {
    return this.lateSince(since, wasAtWork);
  }

  /** By how much looks were late since then though the process hardly worked, in milliseconds. */
  starvedMs(since: number): number {
    return this.lateSince(since, wasStarved);
  }

  /** How much of a processor the process used since then. */
  processorShare(since: number): number {
    const first = Math.max(0, this.looks.lastAtMost(since, AT));
    return first >= this.looks.length - 1 ? 0 : this.since(first, CPU_MS) / this.since(first, AT);
  }

  /** How the items that wait came to be so many. */
  backlog(): Backlog | undefined {
    const { looks } = this;
    const last = looks.length - 1;
    if (last < 0) return undefined;
    const first = Math.max(0, looks.lastAtMost(PILE_BEGINS * looks.get(last, DEPTH), DEPTH));
    if (looks.length - first < MIN_PILE_LOOKS) return undefined;
    const halfway = (looks.get(first, AT) + looks.get(last, AT)) / 2;
    const middle = looks.lastAtMost(halfway, AT, last);
    return {
      windowMs: this.since(first, AT),
      taken: Math.max(0, this.since(first, TAKEN) - this.since(first, RETRIED)),
      ...this.flow(first),
      later: this.flow(middle < 0 ? first : middle),
    };
  }

  /** By how much looks that are late were so, as far as that was after the instant. */
  private lateSince(since: number, isLate: (gap: Gap) => boolean, what: "part" | "whole" = "part"): number {
    this.gaps ??= gapsOf(this.looks);
    return this.gaps
      .filter((gap) => gap.at > since && isLate(gap))
      .reduce((sum, { at, ms, usual }) => {
        const lateMs = ms - usual;
        return sum + (what === "whole" ? lateMs : Math.min(lateMs, at - since));
      }, 0);
  }

  private lookAtOldest(now: number): void {
    const { probe } = this.queue;
    const before = this.oldest;
    const { over } = this;
    while (over.length > 0 && over[0]!.at < this.looks.get(0, AT)) over.shift();
    // Most queues have nothing in flight, and then there is nothing to walk through.
    if (probe.inFlight === 0 && before === undefined) return;
    const [task] = probe.inFlight === 0 ? [] : (probe.tasks?.() ?? []);
    const takenAt = task?.takenAt;
    this.oldest = task === undefined || takenAt === undefined ? undefined : { task, ms: now - takenAt };
    if (before === undefined || before.task.facts === task?.facts) return;
    over.push({ tier: before.task.facts.tier, ms: before.ms, at: now });
  }

  private get firstRecent(): number {
    return Math.max(0, this.looks.length - 1 - RECENT_LOOKS);
  }

  /** What a column has gained since a look. */
  private since(first: number, column: number): number {
    const { looks } = this;
    return looks.get(looks.length - 1, column) - looks.get(first, column);
  }

  private perSecond(first: number, column: number): number {
    return perSecond(this.since(first, column), this.since(first, AT));
  }

  /** Without retries. */
  private flow(first: number): { arrivedPerSecond: number; takenPerSecond: number } {
    const retried = this.perSecond(first, RETRIED);
    const without = (column: number) => Math.max(0, this.perSecond(first, column) - retried);
    return { arrivedPerSecond: without(ARRIVED), takenPerSecond: without(TAKEN) };
  }

  /** Mean time of the tasks that ended between two looks, or since the beginning; undefined where none did. */
  private serviceMs(first: number | undefined, last: number): number | undefined {
    const { looks } = this;
    const between = (column: number) =>
      looks.get(last, column) - (first === undefined ? 0 : looks.get(first, column));
    const ended = between(ENDED) + between(RETRIED);
    return ended === 0 ? undefined : between(PROCESSED_MS) / ended;
  }

  private ratesSince(first: number): Rates {
    const last = this.looks.length - 1;
    if (last < 0) return { ...NO_RATES };
    return {
      windowMs: this.since(first, AT),
      arrivedPerSecond: this.flow(first).arrivedPerSecond,
      takenPerSecond: this.perSecond(first, TAKEN),
      endedPerSecond: this.perSecond(first, ENDED),
      failedPerSecond: this.perSecond(first, FAILED),
      retriedPerSecond: this.perSecond(first, RETRIED),
      firstRetriedPerSecond: this.perSecond(first, FIRST_RETRIED),
      serviceMs: this.serviceMs(first, last),
    };
  }
}

function wasAtWork({ ms, usual, cpuMs }: Gap): boolean {
  return ms > usual + LATE_MS && cpuMs > BLOCKING_CPU_SHARE * ms;
}

function wasStarved({ ms, usual, cpuMs }: Gap): boolean {
  return ms > usual + LATE_MS && cpuMs <= BLOCKING_CPU_SHARE * ms;
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

/** Items that wait, in all tiers. */
export function depthOf(probe: Probe): number {
  let depth = 0;
  for (let tier = 0; tier < probe.tiers.length; tier++) depth += probe.depth(tier);
  return depth;
}

/** All but the first look, with what is between it and the one before. */
function gapsOf(looks: Looks): Gap[] {
  const gaps = Array.from({ length: Math.max(0, looks.length - 1) }, (_, before) => {
    const at = looks.get(before + 1, AT);
    const cpuMs = looks.get(before + 1, CPU_MS) - looks.get(before, CPU_MS);
    return { at, ms: at - looks.get(before, AT), cpuMs };
  });
  const usual = Math.min(...gaps.map(({ ms }) => ms));
  return gaps.map((gap) => ({ ...gap, usual }));
}

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : (count / ms) * 1_000;
}

/** Whether no item waits, is in flight, or is to come back. */
function isEmpty(probe: Probe): boolean {
  return depthOf(probe) + (probe.delayed ?? 0) + (probe.inFlight ?? 0) === 0;
}
