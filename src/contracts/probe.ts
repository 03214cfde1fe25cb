import type { Carrier, DropReason, TaskFacts } from "./observer.js";
import type { PoolView } from "./pool.js";

/** Read-only sight of a queue, for gauges and the watchdog. Each member is O(1) or O(tiers), and never throws. */
export interface Probe {
  /**
   * Names of the tiers, in order of urgency; `["default"]` where there are none. Where every new priority makes a tier, it
   * grows, and the order is that of their coming up.
   */
  readonly tiers: readonly string[];
  /** Monotonic milliseconds, to compare the instants below with. */
  now(): number;
  /** Items waiting in the tier. */
  depth(tier: number): number;
  /** When the oldest item of the tier came in; undefined when there is none. */
  oldestAt(tier: number): number | undefined;
  /**
   * The same in the midst of what the queue does: only reads, calls nothing, and may be behind. Absent where
   * `oldestAt` is like that.
   */
  glimpseAt?(tier: number): number | undefined;
  /**
   * When the oldest item of the tier first came in that is not settled: it waits, is delayed by a retry, or in flight. Undefined when there is
   * none. Costs as much as there is in flight. Absent where the queue cannot know.
   */
  unsettledAt?(tier: number): number | undefined;
  /** Tells the observer of items whose time to be settled has passed. Absent where nothing is told of that. */
  judgeLate?(): void;
  /** When the item that is served next came in; undefined when there is none, or it is not known which. */
  headAt(): number | undefined;
  /**
   * The items that are served next, in order: at most so many, for a report. They stay. Costs O(most log most), whatever the depth;
   * absent where the queue cannot know. Items past their deadline that have not been dropped yet are among them.
   */
  heads?(most: number): readonly Head[];
  /** Most items that may wait; `Infinity` when unbounded. */
  readonly capacity: number;
  /** Items that wait for a planned delay to pass; undefined where the queue cannot know. */
  readonly delayed: number | undefined;
  /** Deliveries taken and not yet settled; undefined where the queue cannot know. */
  readonly inFlight: number | undefined;
  /** When the oldest of them was taken; undefined when there is none. */
  readonly inFlightOldestAt: number | undefined;
  /** Callers blocked in put, for lack of room. */
  readonly waitingPuts: number | undefined;
  /** Callers blocked in get, for lack of items. */
  readonly waitingGets: number | undefined;
  /** Whether the first tier is served before the other one. Absent where that is as they stand in {@link tiers}. */
  isMoreUrgent?(tier: number, other: number): boolean;
  /** Whether it is paused, and gives out nothing. Undefined where that can't be. */
  readonly isPaused?: boolean | undefined;
  /** Whether it gives out nothing for now, because so many were given out lately. Undefined where that can't be. */
  readonly isRateLimited?: boolean | undefined;
  /**
   * Figures that a broker tells, which are those of all processes together: then depth, ages and delayed items are, too. Absent where all of
   * the queue is in this process.
   */
  readonly shared?: SharedFigures | undefined;
  /** The longest wait of what was taken since the last call, in milliseconds; undefined where nothing was. For the one that asks. */
  longestTake?(tier: number): number | undefined;
  /** All that is known of the queue in its broker. Absent where all of the queue is in this process. */
  broker?(): BrokerView;
  /** Whether that is known at present. Absent where it always is; where it is not, {@link depth} is 0 and {@link oldestAt} undefined. */
  knows?(what: "depth" | "age"): boolean;
  /** For which reasons it can drop items, as its options are. Absent where that can be any. */
  readonly dropReasons?: readonly DropReason[] | undefined;
  /** The pools that work on the queue. */
  readonly pools?: Iterable<PoolView> | undefined;
  /** What is in flight, the oldest first, for a report; absent where the queue cannot know. */
  tasks?(): Iterable<TaskView>;
}

/** What a broker tells of all processes together. What is undefined is unknown. */
export interface SharedFigures {
  readonly inFlight: number | undefined;
  readonly consumers: number | undefined;
  /** This process's clock minus the broker's, in milliseconds. */
  readonly skewMs: number | undefined;
}

/** That a broker does not answer. */
export interface Outage {
  /** For how long, in milliseconds. */
  readonly forMs: number;
  /** How long ago that ended, in milliseconds; undefined while it lasts. */
  readonly endedMsAgo: number | undefined;
  /** What the last question failed with. */
  readonly reason: string;
}

/** A queue of a broker, for the checks of a watchdog. What is undefined is unknown. */
export interface BrokerView extends SharedFigures {
  readonly system: string;
  readonly depth: number | undefined;
  /** How much its depth grew a second over the last few answers, and over how many milliseconds; undefined where there are too few. */
  readonly growth: { readonly perSecond: number; readonly overMs: number } | undefined;
  /** Most messages that may be in flight at a time, over all consumers. */
  readonly maxInFlight: number | undefined;
  readonly isPaused: boolean | undefined;
  readonly rateLimitedMs: number | undefined;
  /** Why the broker takes no messages. */
  readonly blockedReason: string | undefined;
  /** That it does not answer, or did not within the last minute. */
  readonly outage: Outage | undefined;
  /** Messages whose planned delay has passed, and which can't be taken yet. */
  readonly overdue: number | undefined;
  /** For how long a scheduler's next message has been overdue, in milliseconds. */
  readonly schedulerOverdueMs: number | undefined;
  /** How long ago the broker has cancelled a consumer of this process, in milliseconds. */
  readonly cancelledMsAgo: number | undefined;
  /** What this process has had of it lately. */
  readonly recent: {
    readonly windowMs: number;
    readonly taken: number;
    readonly redelivered: number;
    /** Acknowledgements of deliveries whose channel or lock was gone, and how many of those were locks. */
    readonly stale: number;
    readonly lockLost: number;
    /** Messages with three attempts and more. */
    readonly repeated: number;
    readonly mostAttempts: number;
    /** Of the message with the most attempts. */
    readonly correlationId: string | undefined;
  };
}

/** What is known of an item that is in flight. */
export interface TaskView {
  /** The task itself: what is in the correlation store while its handler runs. */
  readonly facts: TaskFacts;
  /** When it was taken, in monotonic milliseconds; undefined where the time was not kept. */
  readonly takenAt: number | undefined;
  readonly carrier: Carrier;
}

/** What is known of an item that waits. */
export interface Head {
  /** When it came in, in monotonic milliseconds; undefined where the time was not kept. */
  readonly at: number | undefined;
  /** Index into {@link Probe.tiers}. */
  readonly tier: number;
  /** Which delivery it waits for; 1 is the first. */
  readonly attempt: number;
  /** Undefined where it has none yet: a look makes none. */
  readonly correlationId?: string | undefined;
  /** What the queue's observer lets travel with it. */
  readonly carrier?: Carrier;
  /** The item itself; undefined where the queue doesn't give it away. */
  readonly item?: unknown;
}
