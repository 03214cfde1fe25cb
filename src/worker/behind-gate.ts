import { type Abortable, signals } from "../base/abort-signals.js";
import { turns } from "./turns.js";
import type { PoolTask } from "./worker.js";

/** What is called for a task that has passed its gate. */
interface Behind<T> {
  readonly handler: (item: T, task: PoolTask<T>) => unknown;
  /** The handler is about to be called. */
  readonly called: () => void;
  /** The policy has made a mistake. */
  readonly fault: (error: unknown) => void;
}

/**
 * What a gate is to call for a task, as often as its policy likes. It is of this task, not of the worker's: a policy may call a second time
 * when that has the next item already.
 */
export function behindGate<T>(
  task: PoolTask<T>,
  { handler, called, fault }: Behind<T>,
): (context: { readonly signal?: unknown }) => Promise<unknown> {
  const handle = () => handler(task.item, task);
  const call = () => (turns.isMeasuring ? turns.measure(handle) : handle());
  return async ({ signal }) => {
    // The signal is of the policy: one for each call, or one for all of them.
    const follower: Abortable = { signals: undefined, aborted: (reason) => task.abort(reason) };
    called();
    if (signal !== undefined && signal !== null) follow(signal, follower, fault);
    try {
      return await task.queue.run(task, call);
    } finally {
      signals.leave(follower);
    }
  };
}

/** A policy's signal aborts the task; one that is none is a mistake of the policy's, and costs the signal. */
function follow(signal: unknown, follower: Abortable, fault: (error: unknown) => void): void {
  try {
    signals.check("signal", signal);
    if (signal.aborted) follower.aborted(signal.reason);
    else signals.join(signal, follower);
  } catch (error) {
    fault(error);
  }
}
