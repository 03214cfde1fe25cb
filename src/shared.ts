/**
 * What all copies of this library in one process have in common, by name: two copies, from two dependencies or from ESM and a
 * bundle, must know of each other's work. What is in there must keep its form from version to version.
 */
export function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(`queuescope.${name}`);
  const store = globalThis as unknown as Record<symbol, T | undefined>;
  store[key] ??= make();
  return store[key];
}
