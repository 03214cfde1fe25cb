import { checkDuration, checkObject } from "../base/checks.js";
import { AlreadySettledError, type Settling } from "../base/errors.js";
import { Work } from "../contracts/index.js";

/** An item on its way through a consumer. It is in flight until `done`, `fail`, `retry` or `deadLettered` settles it, once. */
export class Delivery<T> extends Work<T> {
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
    this.queue.done(this);
  }

  /** The work failed for good. Throws {@link AlreadySettledError} on a delivery that is settled. */
  fail(error?: unknown): void {
    this.settle("fail");
    this.queue.fail(this, error);
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
    this.queue.deadLettered(this, error);
  }

  /** Work on it waited for a gate, so many milliseconds: that is no time of processing. */
  gateWaited(gate: string, waitedMs: number): void {
    this.queue.gateWaited(this, gate, waitedMs);
  }

  private settle(operation: Settling): void {
    if (this.settledBy !== undefined) throw new AlreadySettledError(operation, this.settledBy);
    this.settledBy = operation;
  }
}
