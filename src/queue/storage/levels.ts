import { Deque } from "./deque.js";
import type { Entry, Place } from "./store.js";

/** How many different priorities a bitmap of 32 bits tells apart. */
export const MAX_LEVELS = 32;
/** Small integers, the common priorities, find their level by index instead of by hash. */
const DIRECT = 64;

/** All entries of one priority, in order of arrival. */
export class Level<T> extends Deque<T> {
  /** Position among the levels, the most urgent one being 0. */
  rank = 0;

  override readonly place: Place;

  constructor(
    readonly priority: number,
    override readonly tier: number,
  ) {
    super();
    this.place = { priority, tier };
  }
}

/**
 * Up to 32 levels and a bitmap of those that hold something: push and shift are O(1), the order among equals is that
 * of arrival by construction. With aging the levels' heads (and tails) compete, in O(levels).
 */
export class Levels<T> {
  /** Sorted, most urgent first. */
  readonly all: Level<T>[] = [];
  private occupied = 0;
  private tracked = false;
  private readonly direct: (Level<T> | undefined)[] = new Array(DIRECT).fill(undefined);
  private readonly byPriority = new Map<number, Level<T>>();
  /** The levels of each tier, most often one. */
  private readonly byTier: Level<T>[][] = [];

  /** `agingMs`: waiting this long is worth one priority step; 0 is no aging. */
  constructor(private readonly agingMs: number) {}

  /** The level of the priority, made if need be; undefined when there are too many. */
  level({ priority, tier }: Place): Level<T> | undefined {
    const level = isDirect(priority) ? this.direct[priority] : this.byPriority.get(priority);
    return level ?? this.add(priority, tier);
  }

  push(level: Level<T>, item: T, at: number, tag: unknown): void {
    this.occupied |= 1 << level.rank;
    level.push(item, at, tag);
  }

  get isEmpty(): boolean {
    return this.occupied === 0;
  }

  /** The level that is served next. Only when there is something. */
  first(): Level<T> {
    return this.agingMs === 0 ? this.all[lowestBit(this.occupied)]! : this.firstAged();
  }

  /** The level whose newest entry is served last. Only when there is something. */
  last(): Level<T> {
    return this.agingMs === 0 ? this.all[31 - Math.clz32(this.occupied)]! : this.lastAged();
  }

  shift(level: Level<T>): T {
    const item = level.shift();
    if (level.size === 0) this.occupied &= ~(1 << level.rank);
    return item;
  }

  pop(level: Level<T>): T {
    const item = level.pop();
    if (level.size === 0) this.occupied &= ~(1 << level.rank);
    return item;
  }

  depth(tier: number): number {
    const levels = this.byTier[tier];
    if (levels === undefined) return 0;
    let depth = 0;
    for (let i = 0; i < levels.length; i++) depth += levels[i]!.size;
    return depth;
  }

  oldestAt(tier: number): number | undefined {
    const levels = this.byTier[tier];
    if (levels === undefined) return undefined;
    let oldest: number | undefined;
    for (let i = 0; i < levels.length; i++) {
      const at = levels[i]!.oldestAt();
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  track(now: number): void {
    this.tracked = true;
    for (const level of this.all) level.track(now);
  }

  /** The entries that are served next, in order: at most so many. */
  heads(most: number): Entry<T>[] {
    if (this.agingMs > 0) return this.headsAged(most);
    const entries: Entry<T>[] = [];
    for (let left = this.occupied; left !== 0 && entries.length < most; left &= left - 1) {
      for (const entry of this.all[lowestBit(left)]!.heads(most - entries.length)) entries.push(entry);
    }
    return entries;
  }

  private add(priority: number, tier: number): Level<T> | undefined {
    if (this.all.length === MAX_LEVELS) return undefined;
    const level = new Level<T>(priority, tier);
    if (this.tracked) level.track(0);
    while (this.byTier.length <= tier) this.byTier.push([]);
    this.byTier[tier]!.push(level);
    this.all.push(level);
    this.all.sort((a, b) => a.priority - b.priority);
    this.occupied = 0;
    for (const [rank, each] of this.all.entries()) {
      each.rank = rank;
      if (each.size > 0) this.occupied |= 1 << rank;
    }
    if (isDirect(priority)) this.direct[priority] = level;
    else this.byPriority.set(priority, level);
    return level;
  }

  /** Equal keys mean that the one with the smaller instant came first, whatever its level. */
  private firstAged(): Level<T> {
    let best: Level<T> | undefined;
    let bestKey = Number.POSITIVE_INFINITY;
    let bestAt = Number.POSITIVE_INFINITY;
    for (let left = this.occupied; left !== 0; left &= left - 1) {
      const level = this.all[lowestBit(left)]!;
      const at = level.frontAt();
      const key = level.priority * this.agingMs + at;
      if (key < bestKey || (key === bestKey && at < bestAt)) {
        best = level;
        bestKey = key;
        bestAt = at;
      }
    }
    return best!;
  }

  /** The levels' heads compete as in {@link firstAged}. */
  private headsAged(most: number): Entry<T>[] {
    const lines = this.all.filter(({ size }) => size > 0).map((level) => level.heads(most).reverse());
    const entries: Entry<T>[] = [];
    while (entries.length < most) {
      let best: Entry<T>[] | undefined;
      let bestKey = Number.POSITIVE_INFINITY;
      let bestAt = Number.POSITIVE_INFINITY;
      for (const line of lines) {
        const head = line.at(-1);
        if (head === undefined) continue;
        const key = head.place.priority * this.agingMs + head.at;
        if (key < bestKey || (key === bestKey && head.at < bestAt)) {
          best = line;
          bestKey = key;
          bestAt = head.at;
        }
      }
      if (best === undefined) break;
      entries.push(best.pop()!);
    }
    return entries;
  }

  private lastAged(): Level<T> {
    let best: Level<T> | undefined;
    let bestKey = Number.NEGATIVE_INFINITY;
    let bestAt = Number.NEGATIVE_INFINITY;
    for (let left = this.occupied; left !== 0; left &= left - 1) {
      const level = this.all[lowestBit(left)]!;
      const at = level.backAt();
      const key = level.priority * this.agingMs + at;
      if (key > bestKey || (key === bestKey && at > bestAt)) {
        best = level;
        bestKey = key;
        bestAt = at;
      }
    }
    return best!;
  }
}

function isDirect(priority: number): boolean {
  return (priority | 0) === priority && priority >= 0 && priority < DIRECT;
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
