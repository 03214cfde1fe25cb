import type { Carrier } from "../contracts.js";
import { PutManyAbortedError, QueueTimeoutError, type Refused } from "../errors.js";
import { type Due, UNSET } from "./alarm.js";
import type { Links } from "./linked-list.js";
import type { Abortable, SignalGroup } from "./signals.js";

/** A promise that is not settled yet, with its place in line, its time limit and its signal. */
abstract class Waiter<W> implements Links<W>, Due, Abortable {
  previous: W | undefined = undefined;
  next: W | undefined = undefined;
  dueAt = 0;
  place = UNSET;
  order = 0;
  timeoutMs = 0;
  signals: SignalGroup | undefined = undefined;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;

  /** The time limit has passed. */
  abstract ring(): void;
  /** The signal was aborted. */
  abstract aborted(reason: unknown): void;
}

/** What a `get` resolves with. */
export type Wanted = "item" | "delivery" | "items" | "next item" | "next delivery";

/** A `get` that waits for an item. */
export class GetWaiter extends Waiter<GetWaiter> {
  constructor(
    private readonly giveUp: (waiter: GetWaiter, error: unknown) => void,
    readonly wanted: Wanted,
    readonly startedAt: number,
    /** The observer's own. */
    readonly pull: object | undefined,
  ) {
    super();
  }

  ring(): void {
    this.giveUp(this, new QueueTimeoutError("get", this.timeoutMs));
  }

  aborted(reason: unknown): void {
    this.giveUp(this, reason);
  }
}

/** A `put` or `putMany` that waits for room. */
export class PutWaiter<T> extends Waiter<PutWaiter<T>> {
  accepted = 0;

  constructor(
    private readonly giveUp: (waiter: PutWaiter<T>, error: unknown) => void,
    readonly items: readonly T[],
    /** The items came by `putMany`. */
    readonly many: boolean,
    readonly priority: number,
    readonly tier: number,
    readonly tag: unknown,
    readonly carrier: Carrier,
    readonly startedAt: number,
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

  ring(): void {
    this.giveUp(this, new QueueTimeoutError("put", this.timeoutMs, this.refused()));
  }

  aborted(reason: unknown): void {
    this.giveUp(this, this.many ? new PutManyAbortedError(reason, this.refused()) : reason);
  }
}

/** A `join` that waits until all is done. */
export class JoinWaiter extends Waiter<JoinWaiter> {
  constructor(private readonly giveUp: (waiter: JoinWaiter, error: unknown) => void) {
    super();
  }

  ring(): void {
    this.giveUp(this, new QueueTimeoutError("join", this.timeoutMs));
  }

  aborted(reason: unknown): void {
    this.giveUp(this, reason);
  }
}

let resolveNext: (value: never) => void;
let rejectNext: (error: unknown) => void;
/** One executor for all promises: a closure for each would cost as much as the promise. */
const capture = (resolve: (value: never) => void, reject: (error: unknown) => void) => {
  resolveNext = resolve;
  rejectNext = reject;
};

/** The promise that the waiter's `resolve` and `reject` settle. */
export function promiseOf<V>(waiter: Pick<Waiter<never>, "resolve" | "reject">): Promise<V> {
  const promise = new Promise<V>(capture as never);
  waiter.resolve = resolveNext as (value: unknown) => void;
  waiter.reject = rejectNext;
  return promise;
}
