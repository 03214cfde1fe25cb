import { NotInstrumentableError } from "../base/errors.js";
import { type Method, replaceMethod, resemble } from "../base/replace-method.js";

export { type Method, resemble };

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

function patchOne(target: object, name: string, replace: Replace): () => void {
  const restore = replaceMethod(target, name, methodOf(target, name), replace);
  if (restore !== undefined) return restore;
  throw new NotInstrumentableError(`the object's method "${name}" can't be replaced: it is frozen or sealed`);
}
