const { apply } = Reflect;

/** A method of an iterator, with something around each call: one line more in a stack. */
type Method = (...args: unknown[]) => unknown;
export type Wrapped = (method: Method, iterator: unknown) => Method;

/**
 * The same iterable, with its iterator's methods wrapped. With a complaint it throws the
 * `TypeError` that the loop would throw for what can't be iterated.
 */
export function iterableFor<T>(iterable: T, complaint: string | undefined, wrapped: Wrapped): T {
  const source = iterable as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown };
  let key: typeof Symbol.asyncIterator | typeof Symbol.iterator = Symbol.asyncIterator;
  let method = source[key];
  if (method === undefined || method === null) {
    key = Symbol.iterator;
    method = source[key];
  }
  if (typeof method === "function") {
    return { [key]: () => iteratorFor(apply(method, iterable, []), wrapped) } as T;
  }
  if (complaint === undefined) return iterable;
  const error = new TypeError(complaint);
  Error.captureStackTrace(error, iterableFor);
  throw error;
}

function iteratorFor(iterator: unknown, wrapped: Wrapped): unknown {
  if ((typeof iterator !== "object" && typeof iterator !== "function") || iterator === null) return iterator;
  const source = iterator as Record<"next" | "return" | "throw", unknown>;
  const ours = (method: unknown) =>
    typeof method === "function" ? wrapped(method as Method, iterator) : method;
  return {
    next: ours(source.next),
    get return() {
      return ours(source.return);
    },
    get throw() {
      return ours(source.throw);
    },
  };
}
