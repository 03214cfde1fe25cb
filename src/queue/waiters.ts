import type { Abortable, SignalGroup } from "../base/abort-signals.js";
import { PutManyAbortedError, QueueTimeoutError, type Refused } from "../base/errors.js";
import type { Links } from "../base/linked-list.js";
import { type Due, UNSET } from "./alarm.js";
import type { Place } from "./storage/store.js";

/** A promise that is not settled yet, with its place in line. Kept small: there is one for every wait. */
abstract class Waiter<W> implements Links<W>, Abortable {
  previous: W | undefined = undefined;
  next: W | undefined = undefined;
  timeLimit: TimeLimit | undefined = undefined;
  signals: SignalGroup | undefined = undefined;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;
  /** Undefined where there is none. */
  promise: Promise<unknown> | undefined = undefined;

  /** Rejects because of the shutdown: the process shall not end if no one awaits the promise. */
  rejectQuietly(error: unknown): void {
    if (this.promise !== undefined) handled(this.promise);
    this.reject(error);
  }

  /** The time limit has passed. */
  abstract timedOut(timeoutMs: number): void;
  /** The signal was aborted. */
  abstract aborted(reason: unknown): void;
}

/** How long a waiter is ready to wait; for those few that say so. */
export class TimeLimit implements Due {
  position = UNSET;
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

/** What a `get` resolves with. */
export type Wanted = "item" | "delivery" | "items" | "next item" | "next delivery";

/** A `get` that waits for an item. */
export class GetWaiter<T> extends Waiter<GetWaiter<T>> {
  constructor(
    private readonly line: { endGet(waiter: GetWaiter<T>, error: unknown): void },
    readonly wanted: Wanted,
    public startedAt: number,
    /** The observer's own. */
    readonly pull: object | undefined,
    /** Whose `next` it is, if it is one. */
    readonly iteration: Steps<T> | undefined,
  ) {
    super();
  }

  override timedOut(timeoutMs: number): void {
    this.line.endGet(this, new QueueTimeoutError("get", timeoutMs));
  }

  override aborted(reason: unknown): void {
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
    readonly result: { done: boolean; value: unknown },
    readonly item: T,
    readonly at: number,
    readonly tag: unknown,
    readonly place: Place,
  ) {}
}

/** A `put` or `putMany` that waits for room. */
export class PutWaiter<T> extends Waiter<PutWaiter<T>> {
  accepted = 0;

  constructor(
    private readonly line: { endPut(waiter: PutWaiter<T>, error: unknown): void },
    readonly items: readonly T[],
    /** The items came by `putMany`. */
    private readonly many: boolean,
    readonly place: Place,
    readonly tag: unknown,
    public startedAt: number,
  ) {
    super();
  }

  /** Are all items in the queue? */
  get isIn(): boolean {
    return this.accepted === this.items.length;
  }

  /** The items that are not in the queue. */
  rest(): T[] {
    return this.items.slice(this.accepted);
  }

  /** What the caller gets back in an error. */
  refused(): Refused {
    const items = this.rest();
    return this.many ? { item: items[0], items, accepted: this.accepted } : { item: items[0] };
  }

  override timedOut(timeoutMs: number): void {
    this.line.endPut(this, new QueueTimeoutError("put", timeoutMs, this.refused()));
  }

  override aborted(reason: unknown): void {
    this.line.endPut(this, this.many ? new PutManyAbortedError(reason, this.refused()) : reason);
  }
}

/** A `join` that waits until all is done. */
export class JoinWaiter<T> extends Waiter<JoinWaiter<T>> {
  constructor(
    private readonly line: {
      endJoin(waiter: JoinWaiter<T>, error: unknown): void;
      report(): object | undefined;
    },
  ) {
    super();
  }

  override timedOut(timeoutMs: number): void {
    this.line.endJoin(this, new QueueTimeoutError("join", timeoutMs, withReport(this.line.report())));
  }

  override aborted(reason: unknown): void {
    this.line.endJoin(this, reason);
  }
}

/** Only an error that has a report shows one. */
function withReport(report: object | undefined): { report?: object } {
  return report === undefined ? {} : { report };
}

export type AnyWaiter<T> = GetWaiter<T> | PutWaiter<T> | JoinWaiter<T>;

let resolveNext: (value: never) => void;
let rejectNext: (error: unknown) => void;
/** One executor for all promises: a closure for each would cost as much as the promise. */
const capture = (resolve: (value: never) => void, reject: (error: unknown) => void) => {
  resolveNext = resolve;
  rejectNext = reject;
};

/** The promise that the waiter's `resolve` and `reject` settle. */
export function promiseOf<V>(waiter: {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  promise: Promise<unknown> | undefined;
}): Promise<V> {
  const promise = new Promise<V>(capture as never);
  waiter.promise = promise;
  waiter.resolve = resolveNext as (value: unknown) => void;
  waiter.reject = rejectNext;
  return promise;
}

/**
 * The same promise. If it rejects and no one awaits it, that is no unhandled rejection, which would end the process, by default: a shutdown
 * rejects what its caller may have long forgotten. What awaits it gets the error.
 */
export function handled<V>(promise: Promise<V>): Promise<V> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
