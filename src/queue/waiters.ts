import type { Abortable, SignalGroup } from "../base/abort-signals.js";
import { PutManyAbortedError, QueueTimeoutError, type Refused } from "../base/errors.js";
import type { Links } from "../base/linked-list.js";
import { NOWHERE } from "../base/positioned-heap.js";
import type { Consumer, WorkClass } from "../contracts/index.js";
import type { Due } from "./alarm.js";
import { ONLY_PLACE, type Place } from "./storage/store.js";

/** How long a waiter is ready to wait; for those few that say so. */
export class TimeLimit implements Due {
  position = NOWHERE;
  order = 0;

  constructor(
    private readonly waiter: { timedOut(timeoutMs: number): void },
    private readonly timeoutMs: number,
    readonly dueAt: number,
  ) {}

  ring(): void {
    this.waiter.timedOut(this.timeoutMs);
  }
}

/**
 * What a `get` resolves with: an item, to be closed by `taskDone`, an array of such, or what this class stands for, which is in flight until
 * it is settled. An iteration gets it as a step's value.
 */
export type Wanted<T> = "item" | "items" | WorkClass<T>;

/*
 * Waiters are promises that are not settled yet, with their place in line. They are kept small and flat, for there is one for every wait,
 * and made by constructors that can be inlined: hence no class above them, and fields that are declared, for one that is defined is
 * written twice.
 */

/** A `get` that waits for an item. */
export class GetWaiter<T> implements Links<GetWaiter<T>>, Abortable, Settleable {
  declare previous: GetWaiter<T> | undefined;
  declare next: GetWaiter<T> | undefined;
  declare timeLimit: TimeLimit | undefined;
  declare signals: SignalGroup | undefined;
  declare resolve: (value: unknown) => void;
  declare reject: (error: unknown) => void;
  declare promise: Promise<unknown> | undefined;

  declare private readonly line: { endGet(waiter: GetWaiter<T>, error: unknown): void };
  declare readonly wanted: Wanted<T>;
  /** Means nothing where no times are kept. */
  declare startedAt: number;
  /** The observer's own. */
  declare readonly pull: object | undefined;
  /** Whose `next` it is, if it is one. */
  declare readonly iteration: Steps<T> | undefined;
  /** What stands in line as long as it likes, without a promise for each wait. */
  declare readonly consumer: Consumer<T> | undefined;

  constructor(
    line: { endGet(waiter: GetWaiter<T>, error: unknown): void },
    wanted: Wanted<T>,
    startedAt: number,
    pull: object | undefined,
    iteration: Steps<T> | undefined,
    consumer?: Consumer<T>,
  ) {
    this.line = line;
    this.consumer = consumer;
    this.wanted = wanted;
    this.startedAt = startedAt;
    this.pull = pull;
    this.iteration = iteration;
    this.previous = undefined;
    this.next = undefined;
    this.timeLimit = undefined;
    this.signals = undefined;
    this.resolve = ignore;
    this.reject = ignore;
    this.promise = undefined;
  }

  timedOut(timeoutMs: number): void {
    this.line.endGet(this, new QueueTimeoutError("get", timeoutMs));
  }

  aborted(reason: unknown): void {
    this.line.endGet(this, reason);
    this.iteration?.aborted();
  }
}

/** What is told to an iteration whose `next` waits. */
export interface Steps<T> {
  /** A `next` waits. */
  waits(waiter: GetWaiter<T>): void;
  /** It waits no longer. */
  gone(waiter: GetWaiter<T>): void;
  /** A `next` that waited got an item, and its caller doesn't know yet. */
  handed(step: Step<T>): void;
  /** The signal was aborted while a `next` waited. */
  aborted(): void;
}

/** An item that a `next` got: the result that its caller will see, and what it takes to put it back. */
export class Step<T> {
  constructor(
    readonly wanted: Wanted<T>,
    readonly result: { done: boolean; value: unknown },
    readonly item: T,
    readonly at: number,
    readonly tag: unknown,
    readonly place: Place,
  ) {}
}

/** A `put` or `putMany` that waits for room. */
export class PutWaiter<T> implements Links<PutWaiter<T>>, Abortable, Settleable {
  declare previous: PutWaiter<T> | undefined;
  declare next: PutWaiter<T> | undefined;
  declare timeLimit: TimeLimit | undefined;
  declare signals: SignalGroup | undefined;
  declare resolve: (value: unknown) => void;
  declare reject: (error: unknown) => void;
  declare promise: Promise<unknown> | undefined;
  /** How many of its items are in the queue. */
  declare accepted: number;
  /** That it is a wait of a task, while those are monitored. */
  declare seen: { end(): void } | undefined;

  declare private readonly line: { endPut(waiter: PutWaiter<T>, error: unknown): void };
  declare private readonly item: T;
  /** Of a `putMany`, all its items. */
  declare readonly batch: readonly T[] | undefined;
  declare readonly place: Place;
  declare readonly tag: unknown;
  /** Means nothing where no times are kept. */
  declare startedAt: number;

  constructor(
    line: { endPut(waiter: PutWaiter<T>, error: unknown): void },
    item: T,
    batch: readonly T[] | undefined,
    place: Place,
    tag: unknown,
    startedAt: number,
  ) {
    this.line = line;
    this.item = item;
    this.batch = batch;
    this.place = place;
    this.tag = tag;
    this.startedAt = startedAt;
    this.previous = undefined;
    this.next = undefined;
    this.timeLimit = undefined;
    this.signals = undefined;
    this.resolve = ignore;
    this.reject = ignore;
    this.promise = undefined;
    this.accepted = 0;
    this.seen = undefined;
  }

  get count(): number {
    return this.batch === undefined ? 1 : this.batch.length;
  }

  /** Whether all items are in the queue. */
  get isIn(): boolean {
    return this.accepted === this.count;
  }

  /** The item that goes in next; from then on it counts as accepted. */
  nextItem(): T {
    const i = this.accepted++;
    return this.batch === undefined ? this.item : this.batch[i]!;
  }

  /** The items that are not in the queue. */
  rest(): T[] {
    return (this.batch ?? [this.item]).slice(this.accepted);
  }

  /** What the caller gets back in an error. */
  refused(): Refused {
    const items = this.rest();
    return this.batch === undefined ? { item: items[0] } : { item: items[0], items, accepted: this.accepted };
  }

  timedOut(timeoutMs: number): void {
    this.line.endPut(this, new QueueTimeoutError("put", timeoutMs, this.refused()));
  }

  aborted(reason: unknown): void {
    const error = this.batch === undefined ? reason : new PutManyAbortedError(reason, this.refused());
    this.line.endPut(this, error);
  }
}

/** A `join` that waits until all is done. */
export class JoinWaiter<T> implements Links<JoinWaiter<T>>, Abortable, Settleable {
  previous: JoinWaiter<T> | undefined = undefined;
  next: JoinWaiter<T> | undefined = undefined;
  timeLimit: TimeLimit | undefined = undefined;
  signals: SignalGroup | undefined = undefined;
  resolve: (value: unknown) => void = ignore;
  reject: (error: unknown) => void = ignore;
  promise: Promise<unknown> | undefined = undefined;

  constructor(
    private readonly line: {
      endJoin(waiter: JoinWaiter<T>, error: unknown): void;
      report(): object | undefined;
    },
  ) {}

  timedOut(timeoutMs: number): void {
    this.line.endJoin(this, new QueueTimeoutError("join", timeoutMs, withReport(this.line.report())));
  }

  aborted(reason: unknown): void {
    this.line.endJoin(this, reason);
  }
}

/** Only an error that has a report shows one. */
function withReport(report: object | undefined): { report?: object } {
  return report === undefined ? {} : { report };
}

export type AnyWaiter<T> = GetWaiter<T> | PutWaiter<T> | JoinWaiter<T>;

/** Whose promise is made. */
let settled: Settleable;
/** One executor for all promises: a closure for each would cost as much as the promise. */
const capture = (resolve: (value: never) => void, reject: (error: unknown) => void) => {
  settled.resolve = resolve as (value: unknown) => void;
  settled.reject = reject;
};

/** What settles a promise. */
interface Settleable {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  /** Undefined where there is none. */
  promise: Promise<unknown> | undefined;
}

/** The promise that the waiter's `resolve` and `reject` settle. */
export function promiseOf<V>(waiter: Settleable): Promise<V> {
  settled = waiter;
  const promise = new Promise<V>(capture as never);
  waiter.promise = promise;
  return promise;
}

/** Rejects because of a shutdown, for which see {@link handled}. */
export function rejectQuietly(waiter: Settleable, error: unknown): void {
  if (waiter.promise !== undefined) handled(waiter.promise);
  waiter.reject(error);
}

/**
 * The same promise. If it rejects and no one awaits it, that is no unhandled rejection, which would end the process, by default: a shutdown
 * rejects what its caller may have long forgotten. What awaits it gets the error.
 */
export function handled<V>(promise: Promise<V>): Promise<V> {
  promise.catch(ignore);
  return promise;
}

/** The place as it stays: the one that a put comes with may change with the next put. */
export function kept(place: Place): Place {
  return place === ONLY_PLACE ? place : { priority: place.priority, tier: place.tier };
}

function ignore(): void {}
