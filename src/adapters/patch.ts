import { NotInstrumentableError } from "../base/errors.js";

// biome-ignore lint/suspicious/noExplicitAny: a method of any object, whatever it takes and returns
export type Method = (this: any, ...args: any[]) => any;

/** What becomes of a method: gets the original, gives what takes its place. */
export type Replace = (original: Method) => Method;

/** The method of that name, bound to nothing. */
export function methodOf(target: object, name: string): Method {
  const method = (target as Record<string, unknown>)[name];
  if (typeof method === "function") return method as Method;
  throw new NotInstrumentableError(`the object has no method "${name}"`);
}

/**
 * Replaces methods of this one object: all of them, or none if one of them can't be. Returns how to restore them.
 *
 * @example
 * const queue = { push: (item: string) => console.log(item) };
 * const restore = patch(queue, {
 *   push: (original) =>
 *     function (this: unknown, item: string) {
 *       console.log("put");
 *       return original.call(this, item);
 *     },
 * });
 * queue.push("cat.png");
 * restore();
 */
export function patch(target: object, methods: Readonly<Record<string, Replace>>): () => void {
  const restores: (() => void)[] = [];
  const restore = () => {
    for (const each of restores.splice(0).reverse()) each();
  };
  try {
    for (const [name, replace] of Object.entries(methods)) restores.push(patchOne(target, name, replace));
  } catch (error) {
    restore();
    throw error;
  }
  return restore;
}

/** Makes the one function look like the other: its name, and how many arguments it takes. */
export function resemble<F extends Method>(replacement: F, original: Method): F {
  Object.defineProperty(replacement, "name", { value: original.name, configurable: true });
  Object.defineProperty(replacement, "length", { value: original.length, configurable: true });
  return replacement;
}

/**
 * The replacement is an own property, because a Proxy would break methods that use `#private` fields, and would not see calls
 * that the object makes to itself.
 */
function patchOne(target: object, name: string, replace: Replace): () => void {
  const original = methodOf(target, name);
  const own = Object.getOwnPropertyDescriptor(target, name);
  if (own === undefined ? !Object.isExtensible(target) : own.configurable === false) {
    throw new NotInstrumentableError(
      `the object's method "${name}" can't be replaced: it is frozen or sealed`,
    );
  }
  const value = resemble(replace(original), original);
  Object.defineProperty(target, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    // Who has wrapped the method after us keeps that.
    if (Object.getOwnPropertyDescriptor(target, name)?.value !== value) return;
    if (own === undefined) delete (target as Record<string, unknown>)[name];
    else Object.defineProperty(target, name, own);
  };
}
