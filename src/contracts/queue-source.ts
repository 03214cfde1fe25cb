import type { AsyncResource } from "node:async_hooks";
import type { Clock } from "../base/clock.js";
import type { Settling } from "../base/errors.js";
import { randomId } from "../base/random-id.js";
import type { Health, QueueHealthOptions } from "./health.js";
import type { SampledIn, TaskFacts } from "./observer.js";
import type { PoolView } from "./pool.js";
import type { Report } from "./report.js";

/** The key under which a queue of ours offers a {@link QueueSource}. */
export const QUEUE_SOURCE: unique symbol = Symbol.for("queuescope.source") as never;

/** What consumers that settle their items need of a queue. */
export interface QueueSource<T> {
  readonly clock: Clock;
  /** Names of the tiers, most urgent first. */
  readonly tiers: readonly string[];
  /** Whether times are kept: then works know when they were taken. */
  readonly isTimed: boolean;
  /** Whether handlers are to be called by {@link run}. */
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
  /**
   * Stands in line like a caller of get: the next item that comes is handed over, and the place in line is gone. `now` is the time, where the
   * caller knows it.
   */
  stand(consumer: Consumer<T>, now?: number): void;
  /** Leaves the line. */
  leave(consumer: Consumer<T>): void;
  /** Calls `fn` in the producer's context, inside a `process` span. `scope` is the pool's, where this is called. */
  run<R>(work: Work<T>, fn: () => R, scope?: AsyncResource): R;
  /** The work is done. `now` is the time, where the caller knows it: monotonic milliseconds. */
  done(work: Work<T>, now?: number): void;
  /** The work failed for good. */
  fail(work: Work<T>, error: unknown): void;
  /** The item comes back after so many milliseconds, as a new arrival. */
  retry(work: Work<T>, delayMs: number, error: unknown): void;
  /** It was put aside, and is settled by that. */
  deadLettered(work: Work<T>, error: unknown): void;
  /** It waited for a gate; that is no time of processing. */
  gateWaited(work: Work<T>, gate: string, waitedMs: number): void;
  /** The correlation ID that travels with the work, if it has one already. */
  correlationIdOf(work: Work<T>): string | undefined;
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
  /** Kept by the queue: its place in line, made once, and whether it stands there. */
  place: object | undefined;
  isInLine: boolean;
  /** Called within the put that brings the item. */
  take(work: Work<T>): void;
  /** The queue is shut down, and nothing will ever come. */
  ended(): void;
}

/** Where an item stands among the others. */
interface Rank {
  readonly priority: number;
  /** Index of its tier. */
  readonly tier: number;
}

/** What most items never need on their way: it would make all of them larger. */
class Extras {
  /** The correlation ID, once it was asked for. */
  id: string | undefined = undefined;
  /** Milliseconds that it waited for gates. */
  gatedMs = 0;
  /** Of a pool's task: what its handler said that it does, and how much of it is done. */
  step: string | undefined = undefined;
  progress: number | undefined = undefined;
  controller: AbortController | undefined = undefined;
  isAborted = false;
  reason: unknown = undefined;
}

/**
 * An item that was taken, and is in flight until it is settled, once. There is one such object for an item: a queue adds it to what is in
 * flight, and a consumer's own class adds what it needs.
 */
export class Work<T> implements TaskFacts {
  // Fields are declared, and written once, by the constructor: a field that is defined is written twice.
  /** @internal */
  declare readonly queue: QueueSource<T>;
  declare readonly item: T;
  /** @internal */
  declare readonly place: Rank;
  /** 1 for the first delivery, one more for each retry. */
  declare readonly attempt: number;
  /** When the item came in, in monotonic milliseconds; undefined where that is not known. */
  declare readonly enqueuedAt: number | undefined;
  /** When the item was taken, in monotonic milliseconds; undefined where the queue reads no clock. */
  declare readonly takenAt: number | undefined;
  /** @internal */
  declare tag: unknown;
  /** @internal */
  declare previous: Work<T> | undefined;
  /** @internal */
  declare next: Work<T> | undefined;
  /** Whether its handler was called in the producer's context. @internal */
  declare hasRun: boolean;
  /** @internal */
  declare settledBy: Settling | undefined;
  /** @internal */
  declare sampledIn: SampledIn | undefined;
  /** For the consumer's own class. @internal */
  declare worker: object | undefined;
  /** Made when it is needed. @internal */
  declare extras: Extras | undefined;

  /** @internal */
  constructor(
    queue: QueueSource<T>,
    item: T,
    place: Rank,
    attempt: number,
    enqueuedAt: number | undefined,
    takenAt: number | undefined,
    tag: unknown,
  ) {
    this.queue = queue;
    this.item = item;
    this.place = place;
    this.attempt = attempt;
    this.enqueuedAt = enqueuedAt;
    this.takenAt = takenAt;
    this.tag = tag;
    this.previous = undefined;
    this.next = undefined;
    this.hasRun = false;
    this.settledBy = undefined;
    this.sampledIn = undefined;
    this.worker = undefined;
    this.extras = undefined;
  }

  /** Name of the item's tier; `default` where the queue has none. */
  get tier(): string {
    return this.queue.tiers[this.place.tier]!;
  }

  /** 0 where the queue has no priorities. */
  get priority(): number {
    return this.place.priority;
  }

  /** Milliseconds between put and get, planned delays excluded; undefined where that is not known, as where the queue reads no clock. */
  get waitMs(): number | undefined {
    const { takenAt, enqueuedAt } = this;
    return takenAt === undefined || enqueuedAt === undefined ? undefined : takenAt - enqueuedAt;
  }

  /** The producer's correlation ID; if it had none, one is made now and kept. */
  get correlationId(): string {
    const extras = this.needExtras();
    extras.id ??= this.queue.correlationIdOf(this) ?? randomId();
    return extras.id;
  }

  /** Keeps only this of what travelled with it. @internal */
  release(carrier: unknown): void {
    const extras = this.needExtras();
    extras.id ??= this.queue.correlationIdOf(this);
    this.tag = carrier;
  }

  /** @internal */
  needExtras(): Extras {
    this.extras ??= new Extras();
    return this.extras;
  }
}

/** The class of what a consumer is given for an item. */
export type WorkClass<T, W extends Work<T> = Work<T>> = new (
  ...given: ConstructorParameters<typeof Work<T>>
) => W;
