/**
 * The version of `ProcessWide`. It rises whenever a field, or the form of what is in one, changes so that the copies that are out there would
 * stumble over it.
 */
export const VERSION = 2;

export const KEY = "queuescope";

/** Where the state of that version is kept, if the first copy that was loaded has another one. */
export function keyOf(version: number): string {
  return `${KEY}@${version}`;
}

/** What is there by that key. */
export function stateAt(key: string): { readonly version?: unknown } | undefined {
  const there: unknown = (globalThis as Record<symbol, unknown>)[Symbol.for(key)];
  return typeof there === "object" && there !== null ? there : undefined;
}

/** The state of this version; undefined where no copy of this library is loaded yet, but for what is no part of it. */
export function stateThere(): object | undefined {
  const first = stateAt(KEY);
  return first?.version === VERSION ? first : stateAt(keyOf(VERSION));
}
