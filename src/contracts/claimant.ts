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
  /** Makes the context in which the caller calls the handler of a task that was claimed, with `args`. */
  open(task: Claimed, args: unknown[]): OpenContext;
  /** The handler has returned. Gives what its caller gets. */
  returned(task: Claimed, result: unknown, opened: OpenContext): unknown;
  /** The handler has thrown. */
  threw(task: Claimed, error: unknown): void;
}
