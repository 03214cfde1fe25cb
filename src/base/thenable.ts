import { AsyncResource } from "node:async_hooks";
import { types } from "node:util";

type Then = (this: unknown, fulfilled?: unknown, rejected?: unknown) => unknown;
type Fulfilled = (value: unknown) => void;
type Rejected = (error: unknown) => void;

const { then: THEN } = Promise.prototype;

/** Whether it is a promise for which `await` calls no `then`. Then it can be listened to unseen, by {@link listen}. */
export function isPlainPromise(value: unknown): value is Promise<unknown> {
  if (!types.isPromise(value)) return false;
  try {
    return value.constructor === Promise;
  } catch {
    return false;
  }
}

/** Listens to a plain promise as `await` does, whatever became of its `then`. */
export function listen(promise: Promise<unknown>, fulfilled: Fulfilled, rejected: Rejected): void {
  THEN.call(promise, fulfilled, rejected);
}

/** Listens as {@link listen} does, if it is a plain promise; false for anything else. Most are of this realm, which is seen at once. */
export function listenIfPlain(value: unknown, fulfilled: Fulfilled, rejected: Rejected): boolean {
  try {
    if (value instanceof Promise && value.constructor === Promise) {
      // The same twice, but the first can be inlined.
      if (value.then === THEN) value.then(fulfilled, rejected);
      else THEN.call(value, fulfilled, rejected);
      return true;
    }
  } catch {
    // It only looks like one.
  }
  if (!isPlainPromise(value)) return false;
  listen(value, fulfilled, rejected);
  return true;
}

/** Whether it looks like a plain promise of this realm: a tenth of what it costs to be sure. */
export function isOfThisRealm(value: unknown): value is Promise<unknown> {
  try {
    return value instanceof Promise && value.constructor === Promise;
  } catch {
    return false;
  }
}

/** Whether `await` would call its `then`. Throws what a getter throws, as `await` does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof (value as Partial<PromiseLike<unknown>>).then === "function";
}

/**
 * What a handler returned, ready to be looked at more than once: the same, unless it is a thenable that may begin its work only at
 * `then`, and again at each, as those of knex and Prisma do. That is awaited here, once: call this in the item's async context.
 * Costs a look at the value's kind; for a lazy thenable, a promise.
 */
export function adopted<R>(value: R): R | Promise<unknown> {
  if (value === undefined || isOfThisRealm(value) || !isObject(value) || isPlainPromise(value)) return value;
  let then: unknown;
  try {
    then = (value as { then?: unknown }).then;
  } catch (error) {
    return Promise.reject(error);
  }
  if (typeof then !== "function" || isEager(value, then as Then)) return value;
  return new Promise((resolve) => {
    // `then` was read already, and a getter may count.
    // biome-ignore lint/suspicious/noThenProperty: it stands for a thenable
    resolve({ then: (...callbacks: [unknown, unknown]) => (then as Then).apply(value, callbacks) });
  });
}

/**
 * The same for what is to stay the object that it is: its `then` runs in the async context in which this is called, the first time. One
 * that can't be changed stays as it is.
 */
export function bound<R>(value: R): R {
  if (!isObject(value) || isPlainPromise(value)) return value;
  try {
    const { then } = value as { then?: unknown };
    if (typeof then !== "function" || isEager(value, then as Then)) return value;
    const here = new AsyncResource("queuescope.thenable");
    const restore = replace(value, "then", function (this: unknown, ...callbacks: unknown[]) {
      restore();
      return here.runInAsyncScope(then as Then, this, ...callbacks);
    });
  } catch {
    // It breaks when it is looked at, or changed. The one who awaits it will see.
  }
  return value;
}

/**
 * Calls back when a promise is settled, and says whether it is one whose end can be learnt so: a native one of any realm, or one
 * that works on its own, as those of bluebird and p-cancelable do. To such a promise it then counts as handled.
 */
export function whenSettled(value: unknown, fulfilled: Fulfilled, rejected: Rejected): boolean {
  if (!isObject(value)) return false;
  try {
    if (listenIfPlain(value, fulfilled, rejected)) return true;
    const { then } = value as { then?: unknown };
    if (typeof then !== "function" || !isEager(value, then as Then)) return false;
    then.call(value, fulfilled, rejected);
    return true;
  } catch {
    // It breaks when it is looked at. The one who awaits it will see.
    return false;
  }
}

/**
 * Has the object itself call back when its outcome reaches the one who awaits it, so that nothing is begun, handled or hidden that
 * would not be without us. False where it can't be: the object is frozen, or no thenable.
 */
export function whenAwaited(value: unknown, fulfilled: Fulfilled, rejected: Rejected): boolean {
  if (!isObject(value)) return false;
  const restores: (() => void)[] = [];
  const restore = () => {
    for (const each of restores.splice(0)) each();
  };
  try {
    const { then } = value as { then?: unknown };
    if (typeof then !== "function") return false;
    // Of those that are lazy, `catch` and `finally` lead to `then`; these have ways of their own, and may be listened to.
    const isOnItsOwn = isEager(value, then as Then);
    let isHeard = false;
    const hear = () => {
      restore();
      const isFirst = !isHeard;
      isHeard = true;
      return isFirst;
    };
    const replacements: Record<string, unknown> = {
      // biome-ignore lint/suspicious/noThenProperty: it takes the place of one
      then(this: unknown, onFulfilled?: unknown, onRejected?: unknown) {
        if (!hear()) return then.call(this, onFulfilled, onRejected);
        return then.call(
          this,
          (result: unknown) => {
            fulfilled(result);
            return typeof onFulfilled === "function" ? onFulfilled(result) : result;
          },
          (error: unknown) => {
            rejected(error);
            if (typeof onRejected === "function") return onRejected(error);
            throw error;
          },
        );
      },
    };
    for (const name of isOnItsOwn ? ["catch", "finally"] : []) {
      const method = (value as Record<string, unknown>)[name];
      if (typeof method !== "function") continue;
      replacements[name] = function (this: unknown, ...args: unknown[]) {
        if (hear()) then.call(this, fulfilled, rejected);
        return method.apply(this, args);
      };
    }
    for (const [name, replacement] of Object.entries(replacements)) {
      restores.push(replace(value, name, replacement));
    }
    return true;
  } catch {
    restore();
    return false;
  }
}

/** Puts a method in the place of the object's, which gets it back by the function that is returned. Throws where that can't be. */
function replace(value: object, name: string, replacement: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(value, name);
  Object.defineProperty(value, name, {
    value: replacement,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    // What was put in its place meanwhile stays.
    if (Object.getOwnPropertyDescriptor(value, name)?.value !== replacement) return;
    if (own === undefined) delete (value as Record<string, unknown>)[name];
    else Object.defineProperty(value, name, own);
  };
}

/** Whether its work goes on even if its `then` isn't called. Known of native promises, of what inherits from them, and of bluebird's. */
function isEager(value: object, then: Then): boolean {
  try {
    if (types.isPromise(value)) return then === usualThen(value);
    return value instanceof Promise || isBluebird(value as Record<string, unknown>);
  } catch {
    return false;
  }
}

/** The `then` of its realm's promises, which is the last of those that it inherits. */
function usualThen(promise: object): unknown {
  let then: unknown;
  for (let each = Object.getPrototypeOf(promise); each !== null; each = Object.getPrototypeOf(each)) {
    if (Object.hasOwn(each, "then")) then = each.then;
  }
  return then;
}

function isBluebird({ isPending, isFulfilled, isRejected }: Record<string, unknown>): boolean {
  return [isPending, isFulfilled, isRejected].every((method) => typeof method === "function");
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
