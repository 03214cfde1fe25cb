import { listen } from "../base/thenable.js";

/**
 * A policy of cockatiel's, such as a circuit breaker, or anything else that calls a function or refuses to.
 *
 * One that rejects, or throws, without a call refuses: it is asked again. One that resolves without a call, as a fallback does, has
 * answered itself: `gate.run` gives that answer, but the task of a pool with that gate has not been done, and fails with
 * `HandlerNotCalledError`, as any attempt can. It may call several times, as a retry does. One that resolves without having looked at the
 * promise of its last call has not judged it: that is waited for, and if it rejects, so does the call. A call after the policy has settled,
 * or after the wait for it was aborted, is refused with `LateCallError`. What it does not say in time is waited for, until the wait is aborted.
 */
export interface Policy {
  execute<R>(fn: (context: { readonly signal?: AbortSignal }) => R | Promise<R>): Promise<R>;
}

/** What goes through a gate; with a policy, in the context that it gives. */
export type Call<R> = (context: { readonly signal?: AbortSignal }) => R | Promise<R>;

/** What a policy is given for a call. Never an unhandled rejection: what the policy does not look at, the gate does. */
export class CallResult<R> extends Promise<R> {
  static override readonly [Symbol.species] = Promise;

  static of<R>(result: PromiseLike<R>): CallResult<R> {
    const promise = new CallResult<R>((resolve) => resolve(result));
    listen(promise, ignore, ignore);
    return promise;
  }

  /** Whether the policy has looked at it. */
  isHeard = false;

  // biome-ignore lint/suspicious/noThenProperty: `await` calls it, as this is no plain promise
  override then<A = R, B = never>(
    fulfilled?: ((value: R) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isHeard = true;
    return super.then(fulfilled, rejected);
  }
}

/** Rejected, and no unhandled rejection: a policy may call from anywhere, a timer say, where no one hears of it. */
export function refused(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}

/** Whether a bulkhead of cockatiel's refused. It says so on its errors, whichever copy they are of. */
export function isFull(error: unknown): boolean {
  try {
    return (
      (error as { isBulkheadRejectedError?: unknown } | null | undefined)?.isBulkheadRejectedError === true
    );
  } catch {
    return false;
  }
}
