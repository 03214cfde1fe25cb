import { NotInstrumentableError } from "../errors.js";

// biome-ignore lint/suspicious/noExplicitAny: a method of any object, whatever it takes and returns
export type Method = (this: any, ...args: any[]) => unknown;

/** The method of that name, bound to nothing. */
export function methodOf(target: object, name: string): Method {
  const method = (target as Record<string, unknown>)[name];
  if (typeof method === "function") return method as Method;
  throw new NotInstrumentableError(`the object has no method "${name}"`);
}

/**
 * Replaces a method of this one object; returns how to restore it. The replacement is an own property, because a Proxy would break
 * methods that use `#private` fields, and would not see calls that the object makes to itself.
 */
export function patch(target: object, name: string, replace: (original: Method) => Method): () => void {
  const original = methodOf(target, name);
  const own = Object.getOwnPropertyDescriptor(target, name);
  if (own === undefined ? !Object.isExtensible(target) : own.configurable === false) {
    throw new NotInstrumentableError(
      `the object's method "${name}" can't be replaced: it is frozen or sealed`,
    );
  }
  const value = replace(original);
  Object.defineProperty(value, "name", { value: original.name, configurable: true });
  Object.defineProperty(value, "length", { value: original.length, configurable: true });
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
