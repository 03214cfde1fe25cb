import type { TaskFacts } from "../../src/contracts/index.js";
import type {
  PoolNow,
  ProcessorNow,
  Rates,
  Situation,
  TaskGroup,
  TaskNow,
  TierNow,
} from "../../src/watchdog/situation.js";

/** Situations by hand: a queue of one tier with an SLA of 1 s, breached, with nothing else the matter. */
export function situation(changes: Partial<Situation> = {}): Situation {
  const sla = { targetMs: 1_000, objective: 0.99 };
  const tasks = changes.tasks ?? [];
  return {
    queue: "orders",
    tier: 0,
    tiers: [tier("default")],
    isMoreUrgent: (one, other) => one < other,
    waitMs: 1_200,
    sla,
    sinceHead: { taken: 20, overtook: 0 },
    capacity: Number.POSITIVE_INFINITY,
    depth: 20,
    delayed: 0,
    inFlight: tasks.length,
    isPaused: false,
    isRateLimited: false,
    waitingPuts: 0,
    waitingGets: 0,
    tasks,
    groups: [],
    pools: [],
    gates: [],
    mostAttempts: { attempt: 1, correlationId: undefined, alike: 0 },
    rates: rates(),
    recent: rates(),
    backlog: undefined,
    takenEver: 100,
    watchedMs: 60_000,
    lastTakenMsAgo: 10,
    lastEndedMsAgo: 10,
    usualServiceMs: 50,
    hottest: undefined,
    slowest: undefined,
    failingForMs: undefined,
    stalls: [],
    lateMs: 0,
    starvedMs: 0,
    pile: { forMs: 1_200, lateMs: 0, starvedMs: 0 },
    processor: processor(),
    processorShare: 0.1,
    loopUtilization: 0.1,
    lastFailure: undefined,
    ...changes,
  };
}

export function processor(changes: Partial<ProcessorNow> = {}): ProcessorNow {
  return {
    windowMs: 1_200,
    ranMs: 120,
    queuedMs: 0,
    throttledShare: undefined,
    gcMs: 0,
    heapBytes: 20e6,
    heapLimitBytes: 4e9,
    ...changes,
  };
}

export function tier(name: string, changes: Partial<TierNow> = {}): TierNow {
  return {
    name,
    depth: 1,
    waitMs: 0,
    sla: undefined,
    arrivedPerSecond: 0,
    takenPerSecond: 0,
    overtakenPerSecond: 0,
    ...changes,
  };
}

export function rates(changes: Partial<Rates> = {}): Rates {
  return {
    windowMs: 5_000,
    arrivedPerSecond: 20,
    takenPerSecond: 20,
    endedPerSecond: 20,
    failedPerSecond: 0,
    retriedPerSecond: 0,
    firstRetriedPerSecond: 0,
    serviceMs: 50,
    ...changes,
  };
}

export function task(changes: Partial<TaskNow> = {}): TaskNow {
  const facts: TaskFacts = { tier: "default", attempt: 1, waitMs: 0, correlationId: "id" };
  return {
    facts,
    correlationId: "id",
    traceId: undefined,
    tier: "default",
    attempt: 1,
    runningMs: 20,
    patienceMs: 1_000,
    isOver: undefined,
    failure: undefined,
    step: undefined,
    worker: undefined,
    state: undefined,
    waits: [],
    putAt: undefined,
    neverResumes: undefined,
    ...changes,
  };
}

/** Tasks that wait for the same, each for so long. */
export function group(
  kind: NonNullable<TaskGroup["kind"]>,
  label: string,
  tasks: readonly TaskNow[],
  forMs: number,
  states: readonly string[] = [],
): TaskGroup {
  return { kind, label, states, tasks, forMs: tasks.map(() => forMs) };
}

export function pool(
  workers: Partial<PoolNow["workers"]>,
  notTakingReason?: PoolNow["notTakingReason"],
): PoolNow {
  return {
    name: "packers",
    isTaking: notTakingReason === undefined || notTakingReason === "is draining",
    notTakingReason,
    workers: { idle: 0, processing: 0, backoff: 0, stalled: 0, stopped: 0, ...workers },
  };
}

/** More came in than was served, and in the second half so many. */
export function backlog(later: number, served = 20) {
  return {
    windowMs: 2_000,
    arrivedPerSecond: 40,
    takenPerSecond: served,
    taken: served * 2,
    later: { arrivedPerSecond: later, takenPerSecond: served },
  };
}
