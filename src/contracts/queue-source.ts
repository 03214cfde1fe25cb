import type { Clock } from "../base/clock.js";
import type { Work, WorkClass } from "../base/work.js";
import type { Health, QueueHealthOptions } from "./health.js";
import type { PoolView } from "./pool.js";
import type { Report } from "./report.js";

/** The key under which a queue of ours offers a {@link QueueSource}. */
export const QUEUE_SOURCE: unique symbol = Symbol.for("queuescope.source") as never;

/** What a worker pool needs of a queue. What it takes is settled by {@link Work.queue}. */
export interface QueueSource<T> {
  readonly clock: Clock;
  /** Whether times are kept: then works know when they were taken. */
  readonly isTimed: boolean;
  /** Whether handlers are to be called by {@link Settler.run}. */
  readonly isObserved: boolean;
  /** Items that wait, and those that wait for a planned delay to pass. */
  readonly size: number;
  readonly delayed: number;
  /** Most items that may wait; `Infinity` when unbounded. */
  readonly capacity: number;
  /** Callers that wait for room. */
  readonly waitingPuts: number;
  /** Whether it is shut down, with nothing left to come. */
  readonly isFinished: boolean;
  /**
   * Of so many items that are in the queue, in order of service, and then of those that wait for a planned delay. Items that have
   * no ID yet are left out.
   */
  correlationIds(most: number): string[];
  /** Throws an `InvalidOption…Error` for options that are none. */
  health(options?: QueueHealthOptions): Health;
  /** Takes the next item, if there is one. `now` is the time, where the caller knows it: monotonic milliseconds. */
  next<W extends Work<T>>(works: WorkClass<T, W>, now?: number): W | undefined;
  /** Stands in line like a caller of get: the next item that comes is handed over, and the place in line is gone. */
  stand(consumer: Consumer<T>): void;
  /** Leaves the line. */
  leave(consumer: Consumer<T>): void;
  /** Takes nothing in any more; what is there can still be taken. */
  shutdown(): void;
  /** From now on probes of the queue show the pool. */
  show(pool: PoolView): void;
  /** A callback of the user's has thrown. */
  fault(error: unknown): void;
  /** Why it is late, if a watchdog knows. */
  report(): Report | undefined;
}

/** What stands in line for items. */
export interface Consumer<T> {
  /** What it wants for an item. */
  readonly works: WorkClass<T>;
  /** Called within the put that brings the item. */
  take(work: Work<T>): void;
  /** The queue is shut down, and nothing will ever come. */
  ended(): void;
}
