import { type Clock, possibleDelay } from "./clock.js";
import { CallbackTimeoutError } from "./errors.js";
import { nextTurn } from "./real-time.js";
import { isThenable } from "./thenable.js";

/*
 * The one door through which we call what is the user's: callbacks, listeners, policies. Whatever a callback does, returns or throws, it
 * neither breaks our work nor ends the process.
 */

/** Is told what a callback has thrown or rejected with; must not throw. */
export type Fault = (error: unknown) => void;

/** Whether it has a `then`. A getter that throws counts as none. */
function hasThen(value: unknown): value is PromiseLike<unknown> {
  try {
    return isThenable(value);
  } catch {
    return false;
  }
}

/**
 * What a callback returned that is not waited for: if it is a promise, or anything else with a `then`, its rejection goes to `fault`. True if
 * it is one.
 */
export function isLeftBehind(result: unknown, fault: Fault): boolean {
  if (!hasThen(result)) return false;
  // Adopted, because a foreign `then` may throw, call back twice or need to be called to begin.
  new Promise((resolve) => resolve(result)).catch(fault);
  return true;
}

/** What a callback returned that can't be waited for. Throws if it is a promise, whose rejection goes to `fault`. */
export function atOnce<R>(name: string, result: R, fault: Fault): R {
  if (isLeftBehind(result, fault))
    throw new TypeError(`${name} must not return a promise: it is not waited for`);
  return result;
}

/** Calls a callback that is only told something. What it throws or rejects with goes to `fault`; it is not waited for. */
export function tell<A extends readonly unknown[]>(
  fault: Fault,
  callback: (...args: A) => unknown,
  ...args: A
): void {
  try {
    isLeftBehind(callback(...args), fault);
  } catch (error) {
    fault(error);
  }
}

/** An emitter of Node's, as far as its listeners are concerned. */
interface Emitter {
  rawListeners(event: string): readonly ((...args: never[]) => unknown)[];
}

/** Tells an event to each listener, whatever another one throws. True if there is one. */
export function emit(emitter: Emitter, event: string, args: readonly unknown[], fault: Fault): boolean {
  const listeners = emitter.rawListeners(event);
  for (const listener of listeners) {
    try {
      isLeftBehind(Reflect.apply(listener, emitter, args), fault);
    } catch (error) {
      fault(error);
    }
  }
  return listeners.length > 0;
}

/**
 * Calls a callback that is waited for, but no longer than `limitMs`. Resolves and rejects as it does, or rejects with
 * {@link CallbackTimeoutError}; what it does later goes to `fault`.
 */
export function within<R>(
  limit: { readonly clock: Clock; readonly limitMs: number; readonly name: string; readonly fault: Fault },
  callback: () => R | PromiseLike<R>,
): Promise<R> {
  const { clock, limitMs, name, fault } = limit;
  return new Promise<R>((resolve, reject) => {
    let isOver = false;
    let late: CallbackTimeoutError | undefined;
    const result = callback();
    if (!hasThen(result)) {
      resolve(result);
      return;
    }
    const timer =
      limitMs === Number.POSITIVE_INFINITY
        ? undefined
        : clock.setTimeout(() => nextTurn(giveUp), possibleDelay(limitMs));
    // A turn later: while the event loop was blocked, it may well have ended.
    const giveUp = () => {
      if (isOver) return;
      late = new CallbackTimeoutError(name, limitMs);
      reject(late);
    };
    const end = () => {
      isOver = true;
      if (timer !== undefined) clock.clearTimeout(timer);
    };
    new Promise<R>((adopt) => adopt(result)).then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        if (late === undefined) reject(error);
        // It may be what it was aborted with.
        else if (error !== late) fault(error);
      },
    );
  });
}
