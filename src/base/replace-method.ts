// biome-ignore lint/suspicious/noExplicitAny: a method of any object, whatever it takes and returns
export type Method = (this: any, ...args: any[]) => any;

/** Makes the one function look like the other: its name, and how many arguments it takes. */
export function resemble<F extends Method>(replacement: F, original: Method): F {
  Object.defineProperty(replacement, "name", { value: original.name, configurable: true });
  Object.defineProperty(replacement, "length", { value: original.length, configurable: true });
  return replacement;
}

/**
 * Puts what `make` makes of a method in its place, as an own property: a Proxy would break methods that use `#private` fields, and would not see
 * calls that the object makes to itself. Returns the way back, or undefined where the method is frozen or sealed.
 */
export function replaceMethod(
  target: object,
  name: string,
  original: Method,
  make: (original: Method) => Method,
): (() => void) | undefined {
  const own = Object.getOwnPropertyDescriptor(target, name);
  if (own === undefined ? !Object.isExtensible(target) : own.configurable === false) return undefined;
  const value = resemble(make(original), original);
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
