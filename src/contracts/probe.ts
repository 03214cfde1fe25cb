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
  /** Is the first tier served before the other one? Absent where that is as they stand in {@link tiers}. */
  isMoreUrgent?(tier: number, other: number): boolean;
  /** Whether it is paused, and gives out nothing. Undefined where that can't be. */
  readonly isPaused?: boolean | undefined;
  /** Does it give out nothing for now, because so many were given out lately? Undefined where that can't be. */
  readonly isRateLimited?: boolean | undefined;
  /** For which reasons it can drop items, as its options are. Absent where that can be any. */
  readonly dropReasons?: readonly DropReason[] | undefined;
  /** The pools that work on the queue. */
  readonly pools?: Iterable<PoolView> | undefined;
  /** What is in flight, the oldest first, for a report; absent where the queue cannot know. */
  tasks?(): Iterable<TaskView>;
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
