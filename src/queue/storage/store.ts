import type { Unsettled } from "../../base/unsettled.js";
import type { Carrier } from "../../contracts/index.js";

/** Where an item goes among the others. */
export interface Place {
  priority: number;
  /** Index of its tier; 0 where there are none. */
  tier: number;
}

/** Of every item, where there are no priorities. */
export const ONLY_PLACE: Place = { priority: 0, tier: 0 };

/** One of a store's items, and what is known of it. */
export interface Entry<T> {
  readonly item: T;
  /** When it came in; means nothing where it is not tracked. */
  readonly at: number;
  readonly tag: unknown;
  readonly place: Readonly<Place>;
}

/**
 * Where a queue keeps its items, and in which order it gives them out. A plain store keeps items and nothing else;
 * from `track` on it also keeps, for each entry, when it came in and a tag.
 */
export interface Store<T> {
  readonly size: number;
  /** Whether what came last is served first. */
  readonly isStack: boolean;
  /** `at`, `tag`, `tier` and `place` belong to the entry that shift, pop or front gave last. */
  readonly at: number;
  readonly tag: unknown;
  readonly tier: number;
  readonly place: Place;
  /** `place` is only read, and not kept. It is an object so that a fraction in it isn't boxed at every call on the way. */
  push(item: T, at: number, tag: unknown, place: Place): void;
  /** Takes what is served next. Only when there is something. */
  shift(): T;
  /** Takes what is served last. Only when there is something. */
  pop(): T;
  /** Takes any, at the least cost. Only when there is something. */
  takeAny(): T;
  /** What is served next; it stays. Only when there is something. */
  front(): T;
  /**
   * The entries that are served next, in order: at most so many. They stay, and nothing else changes. Its cost grows with `most`,
   * and not with how many there are.
   */
  heads(most: number): Entry<T>[];
  /** Whether a newcomer would be served after everything that is here. */
  isLast(at: number, tag: unknown, place: Place): boolean;
  /** How many entries the tier has. */
  depth(tier: number): number;
  /** When the oldest entry of the tier came in; undefined when it has none, or it was not tracked. */
  oldestAt(tier: number): number | undefined;
  /** From now on entries keep `at` and `tag`; those that are here already get `now` and no tag. */
  track(now: number): void;
}

/** What only some entries have. Travels as the tag of an entry; all others have their carrier as tag, or nothing. */
export class EntryExtras {
  constructor(
    /** Monotonic milliseconds; `Infinity` where there is no deadline. */
    readonly deadline: number,
    /** 1 for the first delivery. */
    readonly attempt: number,
    /** Known only where no observer keeps it. */
    readonly correlationId: string | undefined,
    readonly carrier: Carrier,
    /** Known of what was retried, and of all where their completion is promised. */
    readonly unsettled: Unsettled | undefined,
  ) {}
}

/** The carrier in a tag. */
export function carrierOf(tag: unknown): Carrier {
  return tag instanceof EntryExtras ? tag.carrier : (tag as Carrier);
}

/** The deadline in a tag; `Infinity` where there is none. */
export function deadlineOf(tag: unknown): number {
  return tag instanceof EntryExtras ? tag.deadline : Number.POSITIVE_INFINITY;
}

/** When the entry with this tag first came in, if that is kept. */
export function unsettledOf(tag: unknown): Unsettled | undefined {
  return tag instanceof EntryExtras ? tag.unsettled : undefined;
}

/** The attempt's number in a tag. */
export function attemptOf(tag: unknown): number {
  return tag instanceof EntryExtras ? tag.attempt : 1;
}
