// biome-ignore lint/suspicious/noExplicitAny: a method of any object, whatever it takes and returns
export type AnyMethod = (this: any, ...args: any[]) => any;

/**
 * Puts a method in the place of another one; what it throws itself must not reach the caller. Returns the way back, or undefined where there
 * is no such method, or none that can be replaced.
 */
export function replace(
  target: object,
  name: string,
  make: (original: AnyMethod) => AnyMethod,
): (() => void) | undefined {
  try {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const original = (target as Record<string, unknown>)[name];
    if (typeof original !== "function") return undefined;
    if (own === undefined ? !Object.isExtensible(target) : !own.configurable) return undefined;
    const value = make(original as AnyMethod);
    Object.defineProperty(value, "name", { value: original.name, configurable: true });
    Object.defineProperty(value, "length", { value: original.length, configurable: true });
    Object.defineProperty(target, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: own?.enumerable ?? false,
    });
    return () => {
      // What was put around it since then stays.
      if (Object.getOwnPropertyDescriptor(target, name)?.value !== value) return;
      if (own === undefined) delete (target as Record<string, unknown>)[name];
      else Object.defineProperty(target, name, own);
    };
  } catch {
    return undefined;
  }
}
