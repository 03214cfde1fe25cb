import type { Side } from "./sides.js";

// biome-ignore lint/suspicious/noExplicitAny: the methods and workers of any library
export type Method = (this: any, ...args: any[]) => any;

/** A side on which a method of the queue does something else, and looks the same. */
export function method(name: string, replace: (original: Method) => Method): Partial<Side> {
  return {
    queue(queue) {
      const original = (queue as Record<string, Method>)[name]!;
      const { enumerable = false } = Object.getOwnPropertyDescriptor(queue, name) ?? {};
      const value = like(original, replace(original));
      return Object.defineProperty(queue, name, { value, enumerable, writable: true, configurable: true });
    },
  };
}

/** A side on which what the method returns becomes something else. */
export function result(name: string, change: (result: never) => unknown): Partial<Side> {
  return method(name, (original) => {
    return function (this: unknown, ...args) {
      return change(original.apply(this, args) as never);
    };
  });
}

/** A side on which functions that the method gets become others. */
export function given(name: string, change: (fn: Method) => unknown): Partial<Side> {
  return method(name, (original) => {
    return function (this: unknown, first, ...more) {
      return original.call(this, typeof first === "function" ? change(first) : first, ...more);
    };
  });
}

/** A side on which other code follows the promises of `add`, too. */
export function forked(follow: (promise: Promise<unknown>) => unknown): Partial<Side> {
  return result("add", (promise) => {
    follow(promise);
    return promise;
  });
}

/** A side on which the worker does something else, and looks the same. */
export function worker(replace: (original: Method) => Method): Partial<Side> {
  return { worker: (original) => like(original, replace(original)) as never };
}

/** A side on which something happens to the queue at the beginning. */
export function queue(change: (queue: { on: Method }) => unknown): Partial<Side> {
  return {
    queue(queue) {
      change(queue as never);
      return queue;
    },
  };
}

export function withMore(fn: Method): Method {
  return (...args) => fn(...args, "more");
}

export function withoutThis(fn: Method): Method {
  return (...args) => fn(...args);
}

export function withCopies(fn: Method): Method {
  const copy = (value: unknown) => (typeof value === "object" && value !== null ? { ...value } : value);
  return (...args) => fn(...args.map(copy));
}

export function onAnother(fn: Method): Method {
  return (...args) => fn.apply({}, args);
}

export function asPromise(fn: Method): Method {
  return async (...args) => fn(...args);
}

export function rethrowing(fn: Method): Method {
  return (...args) => {
    try {
      return fn(...args);
    } catch (error) {
      throw new TypeError((error as Error).message);
    }
  };
}

export function swallowing(fn: Method): Method {
  return (...args) => {
    try {
      return fn(...args);
    } catch {
      return undefined;
    }
  };
}

export function callingBackLater(work: Method): Method {
  return (item, done) => work(item, (...args: unknown[]) => queueMicrotask(() => done(...args)));
}

export function callingBackWithLess(work: Method): Method {
  return (item, done) => work(item, (error: unknown) => done(error));
}

function like<F extends object>(original: F, replacement: Method): F {
  const { name, length } = original as unknown as Method;
  Object.setPrototypeOf(replacement, Object.getPrototypeOf(original));
  return Object.defineProperties(replacement, { name: { value: name }, length: { value: length } }) as never;
}
