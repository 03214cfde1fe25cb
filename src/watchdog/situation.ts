import type {
  BrokerView,
  GateView,
  NotTakingReason,
  SlaTarget,
  TaskFacts,
  WorkerState,
} from "../contracts/index.js";
import type { AwaitBranch, CallSite, ResourceUse, WaitKind } from "../waits/wait.js";

/** One tier of a queue, at the moment of a sample. */
export interface TierNow {
  readonly name: string;
  readonly depth: number;
  /** How long its oldest item has waited, in milliseconds; 0 when it is empty. */
  readonly waitMs: number;
  readonly sla: SlaTarget | undefined;
  readonly arrivedPerSecond: number;
  readonly takenPerSecond: number;
  /** Items served after a younger one. */
  readonly overtakenPerSecond: number;
}

/** Something that a task waits for. */
export interface WaitNow {
  readonly kind: WaitKind;
  readonly label: string;
  readonly state: string | undefined;
  readonly forMs: number;
  /** Where in the code it began, innermost first, if that was sampled. */
  readonly stack?: readonly CallSite[] | undefined;
  /** How much of it is taken, where it is limited: a pool's connections, a gate, a queue's room. */
  readonly use?: ResourceUse | undefined;
  /** The tasks that have it, as far as they are known, and for how long, in milliseconds; the longest first, at most three. */
  readonly holders?: readonly { readonly correlationId: string; readonly forMs: number }[] | undefined;
}

/** A task in flight. */
export interface TaskNow {
  /** What is in the correlation store while its handler runs. */
  readonly facts: TaskFacts;
  readonly correlationId: string;
  readonly traceId: string | undefined;
  readonly tier: string;
  readonly attempt: number;
  /** Undefined where the time is unknown. */
  readonly runningMs: number | undefined;
  /** How long it may run before it counts as stuck: by others of its tier, else by its tier's SLA; undefined where unknown. */
  readonly patienceMs: number | undefined;
  /** Whether its handler has ended without the task being settled. Undefined: not known. */
  readonly isOver: boolean | undefined;
  /** What its handler failed with, in words, if that is known. */
  readonly failure: string | undefined;
  /** What it said it was doing. */
  readonly step: string | undefined;
  /** Name of its pool and number of its worker. */
  readonly worker: string | undefined;
  readonly state: WorkerState | undefined;
  /** What it waits for, the newest last. */
  readonly waits: readonly WaitNow[];
  /** Where its async functions stand, the oldest branch first; undefined or empty where that is not known. */
  readonly branches?: readonly AwaitBranch[] | undefined;
  /** Where in the code its item was put, innermost first, if that was sampled. */
  readonly putAt: readonly CallSite[] | undefined;
  /** True: nothing can ever resume it, as proven. Undefined: not known. */
  readonly neverResumes: boolean | undefined;
}

/** Tasks that wait for the same thing. */
export interface TaskGroup {
  /** What they wait for: a wait's kind and label, else a step; undefined where unknown. */
  readonly kind: WaitKind | undefined;
  readonly label: string | undefined;
  /** How far they have come with it, the most frequent first. */
  readonly states: readonly string[];
  readonly tasks: readonly TaskNow[];
  /** How long each of them has waited for that, in milliseconds, in the same order; where unknown, how long it has been running. */
  readonly forMs: readonly (number | undefined)[];
}

export interface PoolNow {
  readonly name: string;
  readonly isTaking: boolean;
  /** Why it takes nothing, or soon won't; undefined while it takes items, with no end in sight. */
  readonly notTakingReason: NotTakingReason | undefined;
  readonly workers: Readonly<Record<WorkerState, number>>;
}

/** A stall: the event loop was blocked. */
export interface StallNow {
  /** How long ago it ended, in milliseconds. */
  readonly endedMsAgo: number;
  readonly durationMs: number;
  /** Where, in words: function and file; undefined where unknown. */
  readonly where: string | undefined;
  readonly isNative: boolean;
  readonly correlationId: string | undefined;
}

/** What is known when the SLA of a queue is breached: all that the checks go by. */
export interface Situation {
  readonly queue: string;
  /** The tier whose SLA is breached: an index into `tiers`. */
  readonly tier: number;
  readonly tiers: readonly TierNow[];
  /** Whether the first tier is served before the other one. */
  readonly isMoreUrgent: (tier: number, other: number) => boolean;
  /**
   * Which promise of it that is. `completion`: no item has waited too long, but one has taken too long since it first came in, and is not settled:
   * it is delayed by retries, or in flight. Then that is what `waitMs` and the target of `sla` are about. Without an SLA on completion, no attempt has
   * succeeded for a multiple of what items may wait. Default: `wait`.
   */
  readonly promise?: "wait" | "completion" | undefined;
  /** How long the oldest item of that tier has waited, and may wait, in milliseconds. */
  readonly waitMs: number;
  readonly sla: SlaTarget;
  readonly sinceHead: Turns;
  /** `Infinity` when unbounded. */
  readonly capacity: number;
  readonly depth: number;
  readonly delayed: number;
  /** Undefined where the queue can't know. */
  readonly inFlight: number | undefined;
  readonly isPaused: boolean;
  readonly isRateLimited: boolean;
  readonly waitingPuts: number | undefined;
  readonly waitingGets: number | undefined;
  /** Those in flight, the oldest first; where there are more than a thousand, that many of the oldest, and the youngest. */
  readonly tasks: readonly TaskNow[];
  readonly groups: readonly TaskGroup[];
  readonly pools: readonly PoolNow[];
  readonly gates: readonly GateView[];
  readonly mostAttempts: MostAttempts;
  /** Over the last `windowMs`, which is how far back the samples go. */
  readonly rates: Rates;
  /** The same over the last few samples only. */
  readonly recent: Rates;
  /** Since items began to pile up; undefined where there are too few samples of that. */
  readonly backlog: Backlog | undefined;
  /** Since the queue was instrumented. */
  readonly takenEver: number;
  /** How long the queue has been watched, in milliseconds. */
  readonly watchedMs: number;
  /** How long ago an item was taken, and a task ended; `Infinity` if that has not been seen. */
  readonly lastTakenMsAgo: number;
  readonly lastEndedMsAgo: number;
  /** Mean time of a task before items piled up, in milliseconds; undefined where none has ended. */
  readonly usualServiceMs: number | undefined;
  /** What took most of the workers' time since then; undefined where that isn't known. */
  readonly hottest: HottestItem | undefined;
  readonly slowest: SlowestWait | undefined;
  /** For how long attempts have been failing, in milliseconds; undefined where that was always so, as far as is known. */
  readonly failingForMs: number | undefined;
  readonly stalls: readonly StallNow[];
  /** By how much the watchdog's own ticks were late while the oldest item waited, in milliseconds. */
  readonly lateMs: number;
  /** The same for ticks before which the process hardly ran: it had no CPU, or was suspended. */
  readonly starvedMs: number;
  /** Since what the oldest item waits behind began to pile up: what held up the process then has made it late, even if it came later. */
  readonly pile: Pile;
  /** How the process shared the processor, and what its garbage took, in that time. */
  readonly processor: ProcessorNow;
  /** How much of a CPU the process used meanwhile; more than 1 where it has threads. */
  readonly processorShare: number;
  /** Share of the time that the event loop was busy lately, from 0 to 1. */
  readonly loopUtilization: number;
  readonly lastFailure: string | undefined;
  /** The queue in its broker; undefined where all of it is in this process. */
  readonly broker?: BrokerView | undefined;
}

/** The most deliveries of one item, among those in flight and at the head. */
export interface MostAttempts {
  readonly attempt: number;
  readonly correlationId: string | undefined;
  /** How many of them, this one included, were retried and have had at least half as many deliveries. */
  readonly alike: number;
}

/** What the workers' time goes into, by samples of what was in flight: a correlation ID. */
export interface HottestItem {
  readonly correlationId: string;
  /** Of the samples, from 0 to 1: of the workers' time, so. */
  readonly share: number;
  /** How many deliveries of it were met, the most attempts of one, and how many at the same time. */
  readonly deliveries: number;
  readonly attempt: number;
  readonly atOnce: number;
}

/** The same of what tasks wait for: a label. */
export interface SlowestWait {
  readonly label: string;
  readonly share: number;
  /** Before items piled up; undefined where too little is known of that. */
  readonly usualShare: number | undefined;
  /** How many tasks were met there at the same time at most, and at how many looks. */
  readonly atOnce: number;
  readonly looks: number;
}

/** What was served since the oldest item of the tier arrived, as far back as samples go. */
export interface Turns {
  /** Items taken, of all tiers. */
  readonly taken: number;
  /** Those of other tiers among them that arrived later. */
  readonly overtook: number;
}

export interface Rates {
  readonly windowMs: number;
  /** Without those that come back to be retried. */
  readonly arrivedPerSecond: number;
  readonly takenPerSecond: number;
  readonly endedPerSecond: number;
  readonly failedPerSecond: number;
  readonly retriedPerSecond: number;
  /** Items among them that were retried for the first time. */
  readonly firstRetriedPerSecond: number;
  /** Mean time of a task, in milliseconds; undefined where none ended. */
  readonly serviceMs: number | undefined;
}

/** What held up the process since what the oldest item waits behind began to pile up. */
export interface Pile {
  /** How long ago that was, in milliseconds: at least as long as the item has waited. */
  readonly forMs: number;
  /** By how much the watchdog's ticks were late in all, as `lateMs` and `starvedMs` of the situation. */
  readonly lateMs: number;
  readonly starvedMs: number;
}

/** The processor, as the thread of the event loop had it. */
export interface ProcessorNow {
  /** Over how many milliseconds the following was seen. */
  readonly windowMs: number;
  /** For how long the thread ran, and was ready to run without a processor; undefined where the system doesn't tell. */
  readonly ranMs: number | undefined;
  readonly queuedMs: number | undefined;
  /** In which share of the periods of its CPU quota the process was throttled; undefined where there is none. */
  readonly throttledShare: number | undefined;
  /** For how long garbage was collected, in milliseconds. */
  readonly gcMs: number;
  /** What V8's heap uses, and may use, in bytes. */
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
}

/** How items piled up: over all of the time that it took, and over its second half. Retries are neither arrivals nor taken. */
export interface Backlog {
  readonly windowMs: number;
  readonly arrivedPerSecond: number;
  readonly takenPerSecond: number;
  /** How many were taken in all. */
  readonly taken: number;
  readonly later: { readonly arrivedPerSecond: number; readonly takenPerSecond: number };
}

/** A cause that a check has found. */
export interface Verdict {
  readonly name: string;
  /** From 0 to 1. */
  readonly confidence: number;
  /** With the numbers in it. */
  readonly sentence: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** The verdict of a breach while no check names its cause. */
export const UNKNOWN = "unknown";

/** Looks for one cause. */
export interface Check {
  readonly name: string;
  /** Of which queues it looks for the cause: only of those in a broker, or of those that are in this process as a whole. Default: of all. */
  readonly scope?: "broker" | "process" | undefined;
  /** The verdict, where this is the cause; undefined where it isn't; words where it is too early to say. */
  look(situation: Situation): Verdict | undefined | "not enough evidence yet";
}
