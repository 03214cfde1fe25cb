import type {
  GateView,
  Head,
  PoolView,
  SlaTarget,
  TaskFacts,
  TaskView,
  Watchable,
  WorkerView,
} from "../contracts.js";
import { slaFor } from "../sla.js";
import { depthOf, History } from "./history.js";
import type { PoolNow, Situation, StallNow, TaskGroup, TaskNow, TierNow, WaitNow } from "./situation.js";
import { sizeOf } from "./size-of.js";
import type { Told } from "./told.js";
import { groupByWait } from "./waits/group.js";
import { entryOf } from "./waits/sheet.js";
import type { Frame, Wait } from "./waits/wait.js";

/** How many of the items that are served next a report lists. */
const MOST_HEADS = 10;
/** How many of them are weighed. */
const MOST_WEIGHED = 64;
/** From which age on a task is worth a question at each look: a share of the shortest SLA, and so many milliseconds at most. */
const OLD_SHARE = 0.25;
const OLD_MS = 1_000;
/** How many tasks in flight a report looks at. */
const MOST_TASKS = 1_000;
/** A task that runs so many times longer than the longest of its tier that was seen is stuck, if it also runs for longer than they do on average. */
const LONGER = 1.5;
const SLOWER = 3;
/** And, however short the others are, for such a share of the SLA. */
const SLA_SHARE = 0.5;

/** What others know of tasks and of the process. */
export interface Surroundings {
  /** What the task waits for, the newest last. */
  waitsOf(task: TaskFacts): readonly WaitNow[];
  /** Where its item was put, if that was sampled. */
  putAt(task: TaskFacts): readonly Frame[] | undefined;
  /** Is it proven that nothing can wake it? */
  neverResumes(task: TaskFacts): boolean | undefined;
  stalls(): readonly StallNow[];
  loopUtilization(): number;
}

/** The step that a task named last counts where nothing else is known of it. */
function groupsOf(tasks: readonly TaskNow[], now: number): TaskGroup[] {
  const waiting = tasks.map((task) => {
    const since = task.runningMs === undefined ? undefined : now - task.runningMs;
    const waits = task.waits.map(
      ({ forMs, ...wait }): Wait => ({ ...wait, since: now - forMs, stack: undefined }),
    );
    if (task.step !== undefined && waits.every(({ kind }) => kind === "span")) {
      waits.push({ kind: "step", label: task.step, state: undefined, since: since ?? now, stack: undefined });
    }
    return { task, since, waits };
  });
  return groupByWait(waiting).map(({ kind, label, tasks }) => ({
    kind,
    label,
    tasks: tasks.map(({ task }) => task),
  }));
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
}

/** About what the items that wait take, in bytes. */
export interface MemoryNow {
  readonly bytes: number;
  /** How many items that is concluded from. */
  readonly sampled: number;
}

/** A breach that is over. */
export interface Cleared {
  readonly tier: number;
  readonly lastedMs: number;
}

/** One queue under watch: what it did so far, and what it is like now. A look costs O(tiers), at any depth. */
export class WatchedQueue {
  private history: History;
  /** By tier, since when its SLA is breached, in monotonic milliseconds. */
  private readonly breachedSince = new Map<number, number>();

  constructor(
    readonly queue: Watchable,
    /** What it is called in reports. */
    readonly name: string,
    private readonly slas: ReadonlyMap<string, SlaTarget>,
    readonly told: Told,
  ) {
    this.history = new History(queue);
  }

  /** Nobody looked for a while: what happened meanwhile is not known, and when. */
  begin(): void {
    this.history = new History(this.queue);
  }

  /** The SLA of a tier: what was given to the watchdog, else what was declared for the queue. */
  slaOf(tier: number): SlaTarget | undefined {
    return slaFor(this.slas, this.queue.probe.tiers[tier]!) ?? this.queue.slaOf(tier);
  }

  /** Takes a sample; gives the tiers whose SLA is breached now, and those whose breach is over. */
  look(surroundings: Surroundings): { breached: number[]; cleared: Cleared[] } {
    this.history.look();
    const { probe } = this.queue;
    const now = probe.now();
    this.watchTasks(now, surroundings);
    const breached: number[] = [];
    const cleared: Cleared[] = [];
    for (const tier of probe.tiers.keys()) {
      const sla = this.slaOf(tier);
      if (sla === undefined) continue;
      const since = this.breachedSince.get(tier);
      if (this.waitMs(tier, now) > sla.targetMs) {
        if (since === undefined) this.breachedSince.set(tier, now);
        breached.push(tier);
      } else if (since !== undefined) {
        this.breachedSince.delete(tier);
        cleared.push({ tier, lastedMs: now - since });
      }
    }
    return { breached, cleared };
  }

  /** Nobody watches it any more: gives the breaches that end with that. */
  clear(): Cleared[] {
    const now = this.queue.probe.now();
    const cleared = [...this.breachedSince].map(([tier, since]) => ({ tier, lastedMs: now - since }));
    this.breachedSince.clear();
    return cleared;
  }

  /** Everything that the checks go by. The tier's SLA must be known; `waited` is for an item that is gone already. */
  situation(tier: number, sla: SlaTarget, surroundings: Surroundings, waited?: number): Situation {
    const { probe, tally } = this.queue;
    const now = probe.now();
    const tasks = this.tasks(now, sla, surroundings);
    const waitMs = waited ?? this.waitMs(tier, now);
    return {
      queue: this.name,
      tier,
      tiers: probe.tiers.map((name, i) => this.tierNow(name, i, now)),
      isMoreUrgent: (one, other) => probe.isMoreUrgent?.(one, other) ?? one < other,
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
      mostAttempts: this.mostAttempts(tasks),
      rates: this.history.rates(),
      recent: this.history.recent(),
      backlog: this.history.backlog(),
      takenEver: this.history.takenEver,
      watchedMs: this.history.watchedMs(now),
      lastTakenMsAgo: this.history.lastTakenMsAgo(now),
      lastEndedMsAgo: this.history.lastEndedMsAgo(now),
      usualServiceMs: this.history.serviceMsBefore(now - waitMs),
      stalls: surroundings.stalls(),
      lateMs: this.history.lateMs(now - waitMs),
      processorShare: this.history.processorShare(now - waitMs),
      loopUtilization: surroundings.loopUtilization(),
      lastFailure: tally.lastFailure,
    };
  }

  /** Of each tier that has an SLA: how long its oldest item has waited, if there is one, and may wait, in milliseconds. */
  *promises(): Iterable<{ tier: number; name: string; waitMs: number | undefined; targetMs: number }> {
    const { probe } = this.queue;
    const now = probe.now();
    for (const [tier, name] of probe.tiers.entries()) {
      const sla = this.slaOf(tier);
      if (sla === undefined) continue;
      const since = probe.oldestAt(tier);
      yield { tier, name, waitMs: since === undefined ? undefined : now - since, targetMs: sla.targetMs };
    }
  }

  /** What the items that wait take, judged by those at the head; undefined where the queue doesn't show them. */
  memory(): MemoryNow | undefined {
    const { probe } = this.queue;
    const heads = (probe.heads?.(MOST_WEIGHED) ?? []).filter(({ item }) => item !== undefined);
    if (heads.length === 0) return undefined;
    const seen = new WeakSet<object>();
    const bytes = heads.reduce((sum, { item }) => sum + sizeOf(item, seen), 0);
    return { bytes: Math.round((bytes / heads.length) * depthOf(probe)), sampled: heads.length };
  }

  /** The items that are served next. */
  heads(payload?: (item: unknown) => unknown): HeadNow[] {
    const { probe } = this.queue;
    const now = probe.now();
    return (probe.heads?.(MOST_HEADS) ?? []).map((head) => ({
      ...this.headNow(head, now),
      ...(payload === undefined ? {} : { payload: payload(head.item) }),
    }));
  }

  /** Each worker's state and heartbeat, by pool. */
  workers(): { pool: string; workers: readonly WorkerView[] }[] {
    return this.pools().map((pool) => ({ pool: pool.name, workers: pool.statuses() }));
  }

  /** The tier whose oldest item has waited longest for its SLA; 0 where there are no SLAs. */
  worstTier(): number {
    const { probe } = this.queue;
    const now = probe.now();
    const share = (tier: number) =>
      this.waitMs(tier, now) / (this.slaOf(tier)?.targetMs ?? Number.POSITIVE_INFINITY);
    return [...probe.tiers.keys()].reduce((worst, tier) => (share(tier) > share(worst) ? tier : worst), 0);
  }

  private waitMs(tier: number, now: number): number {
    const since = this.queue.probe.oldestAt(tier);
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

  private tasks(now: number, sla: SlaTarget, surroundings: Surroundings): TaskNow[] {
    const workers = new Map<TaskFacts, { pool: PoolView; worker: WorkerView }>();
    for (const pool of this.pools()) {
      for (const worker of pool.statuses())
        if (worker.work !== undefined) workers.set(worker.work, { pool, worker });
    }
    const views: TaskView[] = [];
    for (const view of this.queue.probe.tasks?.() ?? []) {
      if (views.push(view) === MOST_TASKS) break;
    }
    const patience = this.patience(views, sla, this.history.rates().serviceMs);
    return views.map(({ facts, takenAt, carrier }) => {
      const { pool, worker } = workers.get(facts) ?? {};
      return {
        facts,
        correlationId: facts.correlationId,
        traceId: this.queue.traceOf(carrier),
        tier: facts.tier,
        attempt: facts.attempt,
        runningMs: takenAt === undefined ? undefined : now - takenAt,
        patienceMs: addHeldUp(patience.get(facts.tier), this.history.heldUpMs(takenAt ?? now)),
        isOver: entryOf(facts)?.sheet.isSettled,
        step: worker?.step,
        worker: worker === undefined ? undefined : `${pool?.name} ${worker.id}`,
        state: worker?.state,
        waits: waitsOf(facts, worker, surroundings, now),
        putAt: surroundings.putAt(facts),
        neverResumes: surroundings.neverResumes(facts),
      };
    });
  }

  /** By tier, how long a task may run before it counts as stuck. */
  private patience(
    views: readonly TaskView[],
    { targetMs }: SlaTarget,
    serviceMs: number | undefined,
  ): Map<string, number | undefined> {
    const inFlight = new Map<string, number>();
    for (const { facts } of views) inFlight.set(facts.tier, (inFlight.get(facts.tier) ?? 0) + 1);
    const { tiers } = this.queue.probe;
    return new Map(
      [...inFlight].map(([tier, count]) => {
        const index = tiers.indexOf(tier);
        const longest = this.history.longestMs(tier, index, count);
        // Of tasks of several tiers the mean says nothing about those of one.
        const usual = tiers.length === 1 ? SLOWER * (serviceMs ?? 0) : 0;
        if (longest !== undefined) return [tier, Math.max(SLA_SHARE * targetMs, LONGER * longest, usual)];
        return [tier, index === -1 ? undefined : this.slaOf(index)?.targetMs];
      }),
    );
  }

  /** Whether a task can never resume is found out only from the first question on. */
  private watchTasks(now: number, surroundings: Surroundings): void {
    const shortest = Math.min(...this.queue.probe.tiers.map((_, i) => this.slaOf(i)?.targetMs ?? OLD_MS));
    const oldMs = Math.min(OLD_MS, OLD_SHARE * shortest);
    let asked = 0;
    for (const { facts, takenAt } of this.queue.probe.tasks?.() ?? []) {
      // The oldest come first.
      if (takenAt === undefined || now - takenAt < oldMs || ++asked > MOST_TASKS) return;
      surroundings.neverResumes(facts);
    }
  }

  private mostAttempts(tasks: readonly TaskNow[]): Situation["mostAttempts"] {
    let most: Situation["mostAttempts"] = { attempt: 0, correlationId: undefined };
    for (const { attempt, correlationId } of [...tasks, ...(this.queue.probe.heads?.(MOST_HEADS) ?? [])]) {
      if (attempt > most.attempt) most = { attempt, correlationId };
    }
    return most;
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
  return { name: pool.name, isTaking: pool.isTaking, workers };
}

/** While nothing in the process got on, a task didn't either. */
function addHeldUp(patienceMs: number | undefined, heldUpMs: number): number | undefined {
  return patienceMs === undefined ? undefined : patienceMs + heldUpMs;
}

/** A task that waits for its gate has not begun, and waits for nothing else. */
function waitsOf(
  facts: TaskFacts,
  worker: WorkerView | undefined,
  surroundings: Surroundings,
  now: number,
): readonly WaitNow[] {
  if (worker?.gate === undefined) return surroundings.waitsOf(facts);
  const forMs = worker.lastStartAt === undefined ? 0 : now - worker.lastStartAt;
  return [
    {
      kind: "gate",
      label: worker.gate,
      state: worker.state === "backoff" ? "breaker open" : undefined,
      forMs,
    },
  ];
}
