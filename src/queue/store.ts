/**
 * Where a queue keeps its items, and in which order it gives them out. A plain store keeps items and nothing else;
 * from `track` on it also keeps, for each entry, when it came in and a tag.
 */
export interface Store<T> {
  readonly size: number;
  /** `at`, `tag`, `priority` and `tier` belong to the entry that shift, pop or front gave last. */
  readonly at: number;
  readonly tag: unknown;
  readonly priority: number;
  readonly tier: number;
  /** Is there room for an entry of this priority in this kind of store? If not, `roomier` says where to go. */
  push(item: T, at: number, tag: unknown, priority: number, tier: number): void;
  /** Takes what is served next. Only when there is something. */
  shift(): T;
  /** Takes what is served last. Only when there is something. */
  pop(): T;
  /** What is served next; it stays. Only when there is something. */
  front(): T;
  /** Would a newcomer be served after everything that is here? */
  isLast(at: number, tag: unknown, priority: number): boolean;
  /** How many entries the tier has. */
  depth(tier: number): number;
  /** When the oldest entry of the tier came in; undefined when it has none, or nobody tracked it. */
  oldestAt(tier: number): number | undefined;
  /** From now on entries keep `at` and `tag`; those that are here already get `now` and no tag. */
  track(now: number): void;
}
