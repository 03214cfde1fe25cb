import { QueueShutDownError, QueueTimeoutError } from "../../base/errors.js";
import type { Consumer, WorkClass } from "../../contracts/index.js";
import { Delivery } from "../../queue/delivery.js";
import type { QueueIterator } from "../../queue/iteration.js";
import { checkWait, type IterateOptions, type WaitOptions } from "../../queue/options.js";

/** A caller that waits for one delivery, in line with pools. */
export class Getter<T> implements Consumer<T> {
  readonly works: WorkClass<T, Delivery<T>> = Delivery<T>;
  place: object | undefined = undefined;
  isInLine = false;
  readonly promise: Promise<Delivery<T>>;
  private resolve!: (delivery: Delivery<T>) => void;
  private reject!: (error: unknown) => void;
  private timer: NodeJS.Timeout | undefined = undefined;
  private readonly aborted = () => this.end(this.options?.signal?.reason);

  /** Throws an `InvalidOption…Error`, or the reason of a signal that is aborted already. */
  constructor(
    private readonly options: WaitOptions | undefined,
    /** It waits no longer. */
    private readonly left: (getter: Getter<T>) => void,
  ) {
    checkWait(options);
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    options?.signal?.addEventListener("abort", this.aborted, { once: true });
    const timeoutMs = options?.timeoutMs ?? Number.POSITIVE_INFINITY;
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => this.end(new QueueTimeoutError("get", timeoutMs)), timeoutMs);
  }

  take(work: Delivery<T>): void {
    this.stopWaiting();
    this.resolve(work);
  }

  ended(): void {
    this.end(new QueueShutDownError("get"));
  }

  /** Gives up. */
  end(error: unknown): void {
    this.stopWaiting();
    this.left(this);
    this.reject(error);
  }

  private stopWaiting(): void {
    clearTimeout(this.timer);
    this.options?.signal?.removeEventListener("abort", this.aborted);
  }
}

/** Deliveries until the queue is closed, one `next` after the other or several at a time. */
export class Deliveries<T> implements QueueIterator<Delivery<T>> {
  private isOver = false;
  private readonly waiting = new Set<Getter<T>>();

  constructor(
    private readonly options: IterateOptions | undefined,
    private readonly wait: (options: WaitOptions | undefined) => Getter<T>,
  ) {}

  async next(): Promise<IteratorResult<Delivery<T>, undefined>> {
    if (this.isOver) return END;
    let getter: Getter<T> | undefined;
    try {
      getter = this.wait(this.options);
      this.waiting.add(getter);
      return { done: false, value: await getter.promise };
    } catch (error) {
      const wasOver = this.isOver;
      this.isOver = true;
      // That the queue has ended is no failure.
      if (wasOver || error instanceof QueueShutDownError) return END;
      throw error;
    } finally {
      if (getter !== undefined) this.waiting.delete(getter);
    }
  }

  async return(value?: unknown): Promise<IteratorResult<Delivery<T>, undefined>> {
    this.leave();
    return { done: true, value: (await value) as undefined };
  }

  async throw(error?: unknown): Promise<IteratorResult<Delivery<T>, undefined>> {
    this.leave();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave();
  }

  private leave(): void {
    this.isOver = true;
    for (const getter of this.waiting) getter.end(undefined);
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
