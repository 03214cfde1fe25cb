import type { WaitOptions } from "./options.js";
import type { Outlet } from "./outlet.js";
import type { GetWaiter, Step, Steps, Wanted } from "./waiters.js";

/** An iteration over what a queue gives: `for await` ends it, or `return()`, or `await using`. */
export interface QueueIterator<V> extends AsyncIterableIterator<V, undefined>, AsyncDisposable {
  next(): Promise<IteratorResult<V, undefined>>;
  /** Ends the iteration. A `next` that waits resolves as done, and takes no item. */
  return(value?: unknown): Promise<IteratorResult<V, undefined>>;
  /** Ends the iteration as {@link return} does, and rejects with the error. */
  throw(error?: unknown): Promise<IteratorResult<V, undefined>>;
  [Symbol.asyncIterator](): QueueIterator<V>;
}

const SETTLED = Promise.resolve();

/**
 * Pulls until the end. Hand-written, because an async generator costs twice as much per item, and can't be ended while a `next` waits.
 *
 * An item that was handed to a waiting `next` is its caller's only when that has seen it, a microtask later: if the iteration is left
 * before, as a stream does that is destroyed in the tick of a put, the item goes back.
 */
export class Iteration<T, V> implements QueueIterator<V>, Steps<T> {
  private isOver = false;
  /** The `next` that waits, and the further ones of a caller that doesn't wait for the first. */
  private waiter: GetWaiter<T> | undefined = undefined;
  private others: Set<GetWaiter<T>> | undefined = undefined;
  /** Likewise what was handed over and not seen yet. */
  private step: Step<T> | undefined = undefined;
  private steps: Step<T>[] | undefined = undefined;

  constructor(
    private readonly outlet: Outlet<T>,
    private readonly wanted: Wanted<T>,
    private readonly options: WaitOptions | undefined,
  ) {}

  next(): Promise<IteratorResult<V, undefined>> {
    if (this.isOver) return Promise.resolve(end());
    const signal = this.options?.signal;
    if (signal?.aborted) {
      this.isOver = true;
      return Promise.reject(signal.reason);
    }
    return this.outlet.pull(this.wanted, this.options, 1, this) as Promise<IteratorResult<V, undefined>>;
  }

  return(value?: unknown): Promise<IteratorResult<V, undefined>> {
    this.leave();
    if (value === undefined) return Promise.resolve(end());
    return Promise.resolve(value).then((awaited) => ({ done: true, value: awaited as unknown as undefined }));
  }

  throw(error?: unknown): Promise<IteratorResult<V, undefined>> {
    this.leave();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave();
  }

  /** @internal */
  waits(waiter: GetWaiter<T>): void {
    if (this.waiter === undefined) this.waiter = waiter;
    else {
      this.others ??= new Set();
      this.others.add(waiter);
    }
  }

  /** @internal */
  gone(waiter: GetWaiter<T>): void {
    if (this.waiter === waiter) this.waiter = undefined;
    else this.others?.delete(waiter);
  }

  /** @internal */
  handed(step: Step<T>): void {
    if (this.step === undefined) {
      // Before the promise is resolved, so that it runs before its caller does.
      void SETTLED.then(this.seen);
      this.step = step;
    } else {
      this.steps ??= [];
      this.steps.push(step);
    }
  }

  /** @internal */
  aborted(): void {
    this.isOver = true;
  }

  private leave(): void {
    this.isOver = true;
    const { waiter, others, step, steps } = this;
    if (waiter !== undefined) this.outlet.endStep(waiter);
    if (others !== undefined) for (const other of others) this.outlet.endStep(other);
    this.seen();
    if (step !== undefined) this.outlet.giveBack([step, ...(steps ?? [])]);
  }

  private readonly seen = (): void => {
    this.step = undefined;
    this.steps = undefined;
  };
}

function end(): IteratorReturnResult<undefined> {
  return { done: true, value: undefined };
}
