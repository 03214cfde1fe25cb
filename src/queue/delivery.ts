import { checkDuration, checkObject } from "../base/checks.js";
import { AlreadySettledError, type Settling } from "../base/errors.js";
import { randomId } from "../base/random-id.js";
import type { Outcome, Work } from "../contracts/index.js";
import type { Place } from "./storage/store.js";

/** What a delivery asks of the queue that it came from. */
export interface Settler<T> {
  run<R>(delivery: Delivery<T>, fn: () => R): R;
  correlationIdOf(delivery: Delivery<T>): string | undefined;
  settle(delivery: Delivery<T>, outcome: Outcome, error?: unknown): void;
  putAside(delivery: Delivery<T>, error: unknown): void;
  gateWaited(gate: string, waitedMs: number): void;
  retry(delivery: Delivery<T>, delayMs: number, error: unknown): void;
}

/** An item on its way through a consumer. It is in flight until `done`, `fail`, `retry` or `deadLettered` settles it, once. */
export class Delivery<T> implements Work<T> {
  /** @internal */
  previous: Delivery<T> | undefined = undefined;
  /** @internal */
  next: Delivery<T> | undefined = undefined;
  /** Milliseconds that it waited for gates. @internal */
  gatedMs = 0;
  /** Was its handler called? @internal */
  hasRun = false;
  private settledBy: Settling | undefined = undefined;
  private id: string | undefined = undefined;

  /** @internal */
  constructor(
    private readonly queue: Settler<T>,
    readonly item: T,
    /** Name of the item's tier; `default` where the queue has none. */
    readonly tier: string,
    /** @internal */
    readonly place: Place,
    /** 1 for the first delivery, one more for each retry. */
    readonly attempt: number,
    private readonly cameIn: number,
    private readonly taken: number,
    /** @internal */
    public tag: unknown,
  ) {}

  /** @internal */
  get isSettled(): boolean {
    return this.settledBy !== undefined;
  }

  /** 0 where the queue has no priorities. */
  get priority(): number {
    return this.place.priority;
  }

  /** When the item came in, in monotonic milliseconds; undefined where the queue reads no clock. */
  get enqueuedAt(): number | undefined {
    return Number.isNaN(this.taken) ? undefined : this.cameIn;
  }

  /** When the item was taken, in monotonic milliseconds; undefined where the queue reads no clock. */
  get takenAt(): number | undefined {
    return Number.isNaN(this.taken) ? undefined : this.taken;
  }

  /** Milliseconds between put and get, planned delays excluded; undefined where the queue reads no clock. */
  get waitMs(): number | undefined {
    return Number.isNaN(this.taken) ? undefined : this.taken - this.cameIn;
  }

  /** The producer's correlation ID; if it had none, one is made now and kept. */
  get correlationId(): string {
    this.id ??= this.queue.correlationIdOf(this) ?? randomId();
    return this.id;
  }

  /**
   * Calls `fn` in the producer's trace context and correlation ID, inside a `process` span, if the queue is instrumented.
   * Returns what `fn` returns; a thenable that begins its work only when it is awaited, such as a query of knex or Prisma, is awaited there,
   * once, and a promise comes back. Never settles the delivery.
   * A promise is the very one that `fn` returned. The span ends with it, so while traces are made it counts as handled: Node doesn't report
   * its rejection if you leave it alone. Await it, or `catch` it.
   *
   * @example
   * const delivery = await queue.receive();
   * try {
   *   await delivery.run(() => ship(delivery.item));
   *   delivery.done();
   * } catch (error) {
   *   delivery.fail(error);
   * }
   */
  run<R>(fn: () => R): R {
    return this.queue.run(this, fn);
  }

  /** The work is done. Throws {@link AlreadySettledError} on a delivery that is settled. */
  done(): void {
    this.settle("done");
    this.queue.settle(this, "success");
  }

  /** The work failed for good. Throws {@link AlreadySettledError} on a delivery that is settled. */
  fail(error?: unknown): void {
    this.settle("fail");
    this.queue.settle(this, "failure", error);
  }

  /**
   * Gives the item back: after `delayMs` milliseconds (default 0) it is a new arrival with the next attempt's number.
   * It needs no room. `error` is what it failed with, for reports. Throws {@link AlreadySettledError} on a delivery that is settled.
   */
  retry(options?: { delayMs?: number | undefined; error?: unknown }): void {
    checkObject("options", options);
    const delayMs = options?.delayMs;
    if (delayMs !== undefined) checkDuration("delayMs", delayMs);
    this.settle("retry");
    this.queue.retry(this, delayMs ?? 0, options?.error);
  }

  /** It was put aside, into a dead-letter queue say. Throws {@link AlreadySettledError} on a delivery that is settled. */
  deadLettered(error?: unknown): void {
    this.settle("deadLettered");
    this.queue.putAside(this, error);
  }

  /** Work on it waited for a gate, so many milliseconds: that is no time of processing. */
  gateWaited(gate: string, waitedMs: number): void {
    this.gatedMs += waitedMs;
    this.queue.gateWaited(gate, waitedMs);
  }

  /** Keeps only this of what travelled with it. @internal */
  release(carrier: unknown): void {
    this.id ??= this.queue.correlationIdOf(this);
    this.tag = carrier;
  }

  private settle(operation: Settling): void {
    if (this.settledBy !== undefined) throw new AlreadySettledError(operation, this.settledBy);
    this.settledBy = operation;
  }
}
