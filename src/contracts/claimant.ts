import type { AsyncResource } from "node:async_hooks";
import type { OpenContext } from "./observer.js";

/** A task on its way to a wrapped worker. */
export interface Claimed {
  /** Where the worker was wrapped: there it runs, unless the task brings its producer's async context. */
  scope: AsyncResource | undefined;
}

/** A queue that hands its tasks to a worker which was fixed at its construction. */
export interface Claimant {
  /**
   * The task that the queue hands out at this moment, if it is for the item. `surely` asks only for what can't be another queue's.
   * It is claimed once.
   */
  claim(item: unknown, surely: boolean): Claimed | undefined;
  /** Calls the handler of a task that was claimed, in the context of its put. */
  run(task: Claimed, handler: () => unknown, args: unknown[]): unknown;
  /**
   * The same in steps, so that nothing is on the stack but the handler: makes the context in which the caller calls it, with `args`.
   * Undefined where that can't be, because what the handler returns must be looked at.
   */
  open?(task: Claimed, args: unknown[]): OpenContext | undefined;
  /** A handler that was called in {@link open} has thrown. */
  threw?(task: Claimed, error: unknown): void;
}
