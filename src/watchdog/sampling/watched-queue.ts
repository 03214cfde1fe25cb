import { realNow } from "../../base/real-time.js";
import { slaFor } from "../../base/sla.js";
import type { GateView, Head, PoolView, SlaTarget, Watchable, WorkerView } from "../../contracts/index.js";
import type { SharedHead } from "../../stall-monitor/shared-heads.js";
import type { PoolNow, ProcessorNow, Rates, Situation, StallNow, TierNow } from "../situation.js";
import { weigh } from "../values.js";
import { depthOf, History } from "./history.js";
import { TaskSamples } from "./task-samples.js";
import { groupsOf, mostAttemptsOf, type TaskKnowledge, Tasks } from "./tasks.js";
import { TierBreach } from "./tier-breach.js";

/** How many of the items that are served next a report lists. */
const MAX_HEADS = 10;
/** How many of them are weighed, at most. */
const MAX_WEIGHED = 64;
/** Items are weighed in 2 ms, unless one has very many keys, which can only be listed all at once. Then it isn't done again. */
const MAX_WEIGHING_MS = 100;
/** While the oldest item has waited for less than this share of its SLA, all is as usual. */
const CALM_SHARE = 0.5;
/** An item that takes the workers' time has done so for longer than others wait: so many times as long is looked back further. */
const HOT_WAITS = 2;
/**
 * Where nothing was promised about completion, items are late all the same once no attempt has succeeded for so many times as long as an item may
 * wait. Fewer items that fail than these are at fault themselves.
 */
const OUTAGE_WAITS = 3;
const MIN_FAILING = 4;
/** What an item's place in the queue takes, in bytes: reference, time and tag. */
const PLACE = 24;

/** Facts on tasks and on the process. */
export interface ProcessFacts extends TaskKnowledge {
  /** Of now, or of an instant of monotonic time. */
  stalls(at?: number): readonly StallNow[];
  loopUtilization(): number;
  /** The processor over about so many milliseconds, until now. */
  processor(overMs: number): ProcessorNow;
  /** Processor time of the process so far, in milliseconds. Asked for anew where it is absent. */
  cpuMs?(): number;
}

/** An item that waits, in a report. */
export interface HeadNow {
  readonly waitMs: number | undefined;
  readonly tier: string;
  readonly attempt: number;
  readonly correlationId: string | undefined;
  readonly traceId: string | undefined;
  /** What the option `payload` makes of it; nothing without that. */
  readonly payload?: unknown;
  /** Why there is none, where that failed. */
  readonly payloadLeftOut?: string | undefined;
}

/** About what the items that wait take, with their places in the queue, in bytes. */
export interface MemoryNow {
  readonly bytes: number;
  /** How many items that is concluded from. */
  readonly sampled: number;
}

/** A breach that has ended. */
export interface Cleared {
  readonly tier: number;
  readonly lastedMs: number;
  /** Items that missed the SLA meanwhile; undefined where that is not counted. */
  readonly missed: number | undefined;
  /** What the queue does now. */
  readonly recent: Rates;
}

/** What a sample has found. */
export interface Changes {
  /** Tiers whose SLA is breached now, and how long an item has waited that is gone already, if it is one that shows it. */
  readonly breached: { readonly tier: number; readonly waitMs: number | undefined }[];
  readonly cleared: Cleared[];
}

/** One queue under watch: what it did so far, and what it is like now. A look costs O(tiers), at any depth. */
export class WatchedQueue {
  private history: History;
  private readonly tasks: Tasks;
  private readonly samples: TaskSamples;
  private readonly breaches: TierBreach[] = [];
  /** By tier, of those that have an SLA. */
  private readonly sharedHeads: (SharedHead | undefined)[] = [];
  private slas: ReadonlyMap<string, SlaTarget> = new Map();
  private givenName: string | undefined = undefined;
  /** Whether it took too long to weigh its items. */
  private isHeavy = false;

  constructor(
    readonly queue: Watchable,
    private readonly minReportIntervalMs: number,
    /** Where the stall monitor's thread sees the head of a tier; absent where stalls are not watched. */
    private readonly thread?: { head(queue: string, tier: string): SharedHead },
  ) {
    this.history = new History(queue);
    this.samples = new TaskSamples(queue.probe);
    this.tasks = new Tasks(queue, (tier) => this.slaOf(tier));
  }

  /** What it is called in reports. */
  get name(): string {
    return this.givenName ?? this.queue.name;
  }

  /** What was said before of what is undefined holds. */
  amend(name: string | undefined, slas: ReadonlyMap<string, SlaTarget> | undefined): void {
    this.givenName = name ?? this.givenName;
    this.slas = slas ?? this.slas;
    // The thread gets name and SLA anew.
    this.hideHeads();
  }

  /** Starts anew: what happened while it was not sampled is unknown. */
  begin(): void {
    this.history = new History(this.queue);
  }

  /** The SLA of a tier: what was given to the watchdog, else what was declared for the queue. */
  slaOf(tier: number): SlaTarget | undefined {
    const given = this.slas.size === 0 ? undefined : slaFor(this.slas, this.queue.probe.tiers[tier]!);
    return given ?? this.queue.slaOf(tier);
  }

  /** Takes a sample, and shows the heads to the stall monitor's thread. Undefined: nothing is beyond its SLA, and nothing was. */
  sample(processFacts: ProcessFacts): Changes | undefined {
    const { probe } = this.queue;
    const now = probe.now();
    this.history.look(processFacts.cpuMs?.(), now);
    this.tasks.watch(now, processFacts);
    this.samples.look(now, depthOf(probe) > 0, processFacts);
    let isCalm = true;
    let changes: Changes | undefined;
    for (let tier = 0; tier < probe.tiers.length; tier++) {
      const since = probe.oldestAt(tier);
      const sla = this.showHead(tier, since === undefined ? undefined : now - since);
      if (since !== undefined && now - since > CALM_SHARE * this.targetOf(tier, sla)) isCalm = false;
      const isOver = sla !== undefined && since !== undefined && now - since > sla.targetMs;
      // Where the age of what waits is not known, or was asked for some time ago, what is taken shows it.
      const takenMs = probe.longestTake?.(tier);
      const isTakenLate = !isOver && takenMs !== undefined && takenMs > this.targetOf(tier, sla);
      const completion = this.completionShare(tier, now, sla);
      const isOutage = !isOver && this.isOutage(tier, now, sla);
      if (completion > CALM_SHARE || isOutage) isCalm = false;
      const isBreached = isOver || isTakenLate || completion > 1 || isOutage;
      const breach = isBreached ? this.breachOf(tier) : this.breaches[tier];
      if (breach === undefined) continue;
      changes ??= { breached: [], cleared: [] };
      const seen = breach.observe(isBreached, now, this.queue.tally.missed?.(tier));
      if (isBreached) changes.breached.push({ tier, waitMs: isTakenLate ? takenMs : undefined });
      else if (seen === "ended") changes.cleared.push(this.clearedOf(breach, tier));
    }
    if (isCalm) this.history.wasCalm();
    return changes;
  }

  /** In milliseconds. `shown` is the SLA, where that is known. */
  private targetOf(tier: number, shown: SlaTarget | undefined): number {
    return (shown ?? this.slaOf(tier))?.targetMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * For how much of the time that it may take the oldest item has not been settled; 0 where nothing was promised about that. `shown` is the SLA,
   * where that is known.
   */
  private completionShare(tier: number, now: number, shown = this.slaOf(tier)): number {
    if (shown?.completeMs === undefined) return 0;
    return this.unsettledMs(tier, now) / shown.completeMs;
  }

  /** Whether nothing gets done, though no item waits for long: all are tried again and again, and back off in between. */
  private isOutage(tier: number, now: number, shown = this.slaOf(tier)): boolean {
    const outage = this.history.outage(now);
    if (outage === undefined || shown === undefined || shown.completeMs !== undefined) return false;
    const { probe, tally } = this.queue;
    // Without an error they are put off, which is as it should be.
    if (tally.lastFailure === undefined) return false;
    const limitMs = OUTAGE_WAITS * shown.targetMs;
    // While it lasts all may be at their next attempt at once; without it that are tasks that are only long.
    const areMany = (probe.delayed ?? 0) >= MIN_FAILING || this.breaches[tier]?.reportedAs !== undefined;
    return (
      areMany &&
      outage.items >= MIN_FAILING &&
      outage.forMs > limitMs &&
      this.unsettledMs(tier, now) > limitMs
    );
  }

  /** Shows the heads anew to the stall monitor's thread, in the midst of what the queue does: they are only read. */
  showHeads(): void {
    const { probe } = this.queue;
    const now = probe.now();
    for (let tier = 0; tier < probe.tiers.length; tier++) {
      const since = probe.glimpseAt === undefined ? probe.oldestAt(tier) : probe.glimpseAt(tier);
      this.showHead(tier, since === undefined ? undefined : now - since);
    }
  }

  /** Until the next sample the thread sees none of them. */
  hideHeads(): void {
    for (const head of this.sharedHeads.splice(0)) head?.release();
  }

  /** The tier whose head the thread knows by this index. */
  tierOfHead(index: number): number | undefined {
    const tier = this.sharedHeads.findIndex((head) => head?.index === index);
    return tier === -1 ? undefined : tier;
  }

  /** Returns the SLA; undefined where there is none, and perhaps where no item waits. */
  private showHead(tier: number, waitMs: number | undefined): SlaTarget | undefined {
    const { thread } = this;
    let head = this.sharedHeads[tier];
    if (waitMs === undefined && (head !== undefined || thread === undefined)) {
      head?.publish(undefined, 0);
      return undefined;
    }
    const sla = this.slaOf(tier);
    if (sla === undefined || thread === undefined) return sla;
    head ??= this.sharedHeads[tier] = thread.head(this.name, this.queue.probe.tiers[tier]!);
    head.publish(waitMs, sla.targetMs);
    return sla;
  }

  /**
   * The stall monitor saw, `seenMsAgo`, that a tier had been beyond its SLA for `overMs`. False: a sample has seen since then that this
   * has ended.
   */
  noteBreach(tier: number, overMs: number, seenMsAgo: number): boolean {
    const seenAt = this.queue.probe.now() - seenMsAgo;
    return this.breachOf(tier).observeFromOutside(seenAt - overMs, seenAt);
  }

  /** Ends the watch: returns the breaches that end with it. */
  clear(): Cleared[] {
    this.hideHeads();
    const now = this.queue.probe.now();
    const cleared: Cleared[] = [];
    this.breaches.forEach((breach, tier) => {
      if (breach.observe(false, now) === "ended") cleared.push(this.clearedOf(breach, tier));
    });
    return cleared;
  }

  private clearedOf({ lastedMs, missedBefore }: TierBreach, tier: number): Cleared {
    const missed = this.queue.tally.missed?.(tier);
    return {
      tier,
      lastedMs,
      missed: missed === undefined || missedBefore === undefined ? undefined : missed - missedBefore,
      recent: this.history.recent(),
    };
  }

  breachOf(tier: number): TierBreach {
    this.breaches[tier] ??= new TierBreach(this.minReportIntervalMs);
    return this.breaches[tier];
  }

  /** Everything that the checks go by. The tier's SLA must be known; `waited` is for an item that is gone already. */
  situation(tier: number, declared: SlaTarget, processFacts: ProcessFacts, waited?: number): Situation {
    const { probe, tally } = this.queue;
    const now = probe.now();
    const headMs = waited ?? this.waitMs(tier, now);
    const isIncomplete =
      headMs <= declared.targetMs &&
      (this.completionShare(tier, now, declared) > 1 || this.isOutage(tier, now, declared));
    const waitMs = isIncomplete ? this.unsettledMs(tier, now) : headMs;
    const sla = isIncomplete ? { ...declared, targetMs: declared.completeMs ?? declared.targetMs } : declared;
    const tasks = this.tasks.now(now, sla, this.history, processFacts);
    const pileBeganAt = this.history.pileBeganAt(tier, waitMs, now);
    return {
      queue: this.name,
      tier,
      tiers: probe.tiers.map((name, i) => this.tierNow(name, i, now)),
      isMoreUrgent: (one, other) => probe.isMoreUrgent?.(one, other) ?? one < other,
      promise: isIncomplete ? "completion" : "wait",
      waitMs,
      sla,
      sinceHead: this.history.turnsSince(now - waitMs, tier),
      capacity: probe.capacity,
      depth: depthOf(probe),
      delayed: probe.delayed ?? 0,
      inFlight: probe.inFlight,
      isPaused: probe.isPaused ?? false,
      isRateLimited: probe.isRateLimited ?? false,
      waitingPuts: probe.waitingPuts,
      waitingGets: probe.waitingGets,
      tasks,
      groups: groupsOf(tasks, now),
      pools: this.pools().map(poolNow),
      gates: this.gates(),
      mostAttempts: mostAttemptsOf([...tasks, ...this.next(MAX_HEADS)]),
      rates: this.history.rates(),
      recent: this.history.recent(),
      backlog: this.history.backlog(),
      takenEver: this.history.takenEver,
      watchedMs: this.history.watchedMs(now),
      lastTakenMsAgo: this.history.lastTakenMsAgo(now),
      lastEndedMsAgo: this.history.lastEndedMsAgo(now),
      usualServiceMs: this.history.usualServiceMs(pileBeganAt),
      hottest: this.samples.hottest(pileBeganAt - HOT_WAITS * waitMs),
      slowest: this.samples.slowest(pileBeganAt),
      failingForMs: this.history.failingForMs(now),
      stalls: processFacts.stalls(),
      lateMs: this.history.lateMs(now - waitMs),
      starvedMs: this.history.starvedMs(now - waitMs),
      pile: { forMs: now - pileBeganAt, ...this.history.delaysSince(pileBeganAt) },
      processor: processFacts.processor(now - pileBeganAt),
      processorShare: this.history.processorShare(now - waitMs),
      loopUtilization: processFacts.loopUtilization(),
      lastFailure: tally.lastFailure,
      broker: probe.broker?.(),
    };
  }

  /** What the items that wait take, judged by those at the head; undefined where the queue doesn't show them. */
  memory(): MemoryNow | undefined {
    if (this.isHeavy) return undefined;
    const { probe } = this.queue;
    const heads = this.next(MAX_WEIGHED).filter(({ item }) => item !== undefined);
    if (heads.length === 0) return undefined;
    const startedAt = realNow();
    const { bytes, sampled } = weigh(heads.map(({ item }) => item));
    this.isHeavy = realNow() - startedAt > MAX_WEIGHING_MS;
    return { bytes: Math.round((bytes / sampled + PLACE) * depthOf(probe)), sampled };
  }

  /** The items that are served next. */
  heads(payload?: (item: unknown) => Pick<HeadNow, "payload" | "payloadLeftOut">): HeadNow[] {
    const now = this.queue.probe.now();
    return this.next(MAX_HEADS).map((head) => ({
      ...this.headNow(head, now),
      ...payload?.(head.item),
    }));
  }

  /** So many of the items that are served next, as the probe gives them. */
  next(most: number): readonly Head[] {
    return this.queue.probe.heads?.(most) ?? [];
  }

  /** Each worker's state and heartbeat, by pool, and when that was seen, in monotonic milliseconds. */
  workers(): { pool: string; workers: readonly WorkerView[]; seenAt: number }[] {
    const seenAt = this.queue.probe.now();
    return this.pools().map((pool) => ({ pool: pool.name, workers: pool.statuses(), seenAt }));
  }

  /** The tier whose oldest item has waited longest for its SLA; 0 where there are no SLAs. */
  worstTier(): number {
    const { probe } = this.queue;
    const now = probe.now();
    const share = (tier: number) =>
      Math.max(this.waitMs(tier, now) / this.targetOf(tier, undefined), this.completionShare(tier, now));
    return [...probe.tiers.keys()].reduce((worst, tier) => (share(tier) > share(worst) ? tier : worst), 0);
  }

  private waitMs(tier: number, now: number): number {
    const since = this.queue.probe.oldestAt(tier);
    return since === undefined ? 0 : Math.max(0, now - since);
  }

  private unsettledMs(tier: number, now: number): number {
    const since = this.queue.probe.unsettledAt?.(tier);
    return since === undefined ? 0 : Math.max(0, now - since);
  }

  private tierNow(name: string, tier: number, now: number): TierNow {
    const { arrived, taken, overtaken } = this.history.tierRates(tier);
    return {
      name,
      depth: this.queue.probe.depth(tier),
      waitMs: this.waitMs(tier, now),
      sla: this.slaOf(tier),
      arrivedPerSecond: arrived,
      takenPerSecond: taken,
      overtakenPerSecond: overtaken,
    };
  }

  private headNow({ at, tier, attempt, correlationId, carrier }: Head, now: number): HeadNow {
    return {
      waitMs: at === undefined ? undefined : now - at,
      tier: this.queue.probe.tiers[tier]!,
      attempt,
      correlationId,
      traceId: this.queue.traceOf(carrier),
    };
  }

  private pools(): PoolView[] {
    return [...(this.queue.probe.pools ?? [])];
  }

  private gates(): GateView[] {
    return [...new Set(this.pools().flatMap(({ gates }) => [...gates]))];
  }
}

function poolNow(pool: PoolView): PoolNow {
  const workers = {
    idle: pool.count("idle"),
    processing: pool.count("processing"),
    backoff: pool.count("backoff"),
    stalled: pool.count("stalled"),
    stopped: pool.count("stopped"),
  };
  return { name: pool.name, isTaking: pool.isTaking, notTakingReason: pool.notTakingReason, workers };
}
