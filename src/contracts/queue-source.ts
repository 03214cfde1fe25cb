import type { Clock } from "../base/clock.js";
import type { Health, QueueHealthOptions } from "./health.js";
import type { TaskFacts } from "./observer.js";
import type { PoolView } from "./pool.js";
import type { Report } from "./report.js";

/** The key under which a queue of ours offers a {@link QueueSource}. */
export const QUEUE_SOURCE: unique symbol = Symbol.for("queuescope.supply") as never;

/** What a worker pool needs of a queue. */
export interface QueueSource<T> {
  readonly clock: Clock;
  /** Does somebody want times? Then deliveries know when they were taken. */
  readonly isTimed: boolean;
  /** Items that wait, and those that wait for a planned delay to pass. */
  readonly size: number;
  readonly delayed: number;
  /** Most items that may wait; `Infinity` when unbounded. */
  readonly capacity: number;
  /** Callers that wait for room. */
  readonly waitingPuts: number;
  /** Shut down, with nothing left to come? */
  readonly isFinished: boolean;
  /**
   * Of so many items that are in the queue, in order of service, and then of those that wait for a planned delay. Items that have
   * no ID yet are left out.
   */
  correlationIds(most: number): string[];
  /** Throws an `InvalidOption…Error` for options that are none. */
  health(options?: QueueHealthOptions): Health;
  /** Takes the next item, if there is one. */
  next(): Work<T> | undefined;
  /** Stands in line like a caller of get: the next item that comes is handed over, and the place in line is gone. */
  stand(consumer: Consumer<T>): void;
  /** Leaves the line. */
  leave(consumer: Consumer<T>): void;
  /** Takes nothing in any more; what is there can still be taken. */
  shutdown(): void;
  /** Shows the pool to whoever looks at the queue. */
  show(pool: PoolView): void;
  /** A callback of the user's has thrown. */
  fault(error: unknown): void;
  /** Why it is late, if somebody watches it. */
  report(): Report | undefined;
}

/** Who stands in line for items. */
export interface Consumer<T> {
  /** Called within somebody's put. */
  take(work: Work<T>): void;
  /** The queue is shut down, and nothing will ever come. */
  ended(): void;
}

/** An item that was taken, and is in flight until it is settled, once. */
export interface Work<T> extends TaskFacts {
  readonly item: T;
  /** When it was taken, in monotonic milliseconds; undefined where nobody wants times. */
  readonly takenAt: number | undefined;
  /** Calls `fn` in the producer's context, inside a `process` span. */
  run<R>(fn: () => R): R;
  done(): void;
  fail(error?: unknown): void;
  retry(options?: { delayMs?: number | undefined; error?: unknown }): void;
  /** It was put aside, and is settled by that. */
  deadLettered(error?: unknown): void;
  /** It waited for a gate; that is no time of processing. */
  gateWaited(gate: string, waitedMs: number): void;
}
