import type { Place, Store } from "./store.js";

interface Returned<T> {
  readonly item: T;
  readonly at: number;
  readonly tag: unknown;
  readonly place: Place;
}

/**
 * Puts entries back that were taken a moment ago, in their order of arrival: they are older than all that is there. The cost grows with
 * what is there, which is what came in since.
 */
export function restore<T>(store: Store<T>, entries: readonly Returned<T>[], isTracked: boolean): void {
  const younger: Returned<T>[] = [];
  while (store.size > 0) {
    const item = store.shift();
    younger.push({ item, at: store.at, tag: store.tag, place: { ...store.place } });
  }
  // In order of arrival, which only the stack has turned round; of equals, the order of service is that of arrival.
  if (store.isStack) younger.reverse();
  else if (isTracked) younger.sort((a, b) => a.at - b.at);
  for (const { item, at, tag, place } of [...entries, ...younger]) store.push(item, at, tag, place);
}
