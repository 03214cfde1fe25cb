import { deadlineOf } from "../entry-extras.js";
import { Heap } from "./heap.js";
import { type Level, Levels } from "./levels.js";
import { MinMaxHeap } from "./min-max-heap.js";
import { Slab } from "./slab.js";
import type { Entry, Place, Store } from "./store.js";

/** How a {@link Ranked} store orders its entries. */
export interface Ranking {
  /** `priority`: smallest first. `deadline`: earliest first, undated ones last. */
  readonly order: "priority" | "deadline";
  /** Milliseconds of waiting that are worth one priority step; 0 is no aging. */
  readonly agingMs: number;
  /** How many tiers there are; at least 1. */
  readonly tierCount: number;
  /** Will `pop` be called? */
  readonly evicts: boolean;
}

/**
 * The store of a priority queue: levels while there are few different priorities, from then on a heap. With aging the key
 * is `priority * agingMs + at`: all entries age at the same rate, so it never changes.
 */
export class Ranked<T> implements Store<T> {
  size = 0;
  readonly isStack = false;
  /** Defined as long as there are few priorities. */
  private levels: Levels<T> | undefined;
  private heap: Heap | MinMaxHeap;
  private readonly slab: Slab<T>;
  /** The level of the entry given last; undefined where it came from the heap, which then left these facts: */
  private level: Level<T> | undefined = undefined;
  /** Is the key of an entry simply its priority? */
  private readonly keyIsPriority: boolean;
  /** Has somebody asked for the oldest? Then the heap has it at hand from its first entry on. */
  private isAsked = false;
  private slotAt = 0;
  private slotTag: unknown = undefined;
  private slotPriority = 0;
  private slotTier = 0;

  constructor(private readonly ranking: Ranking) {
    const { order, agingMs, tierCount, evicts } = ranking;
    this.levels = order === "priority" ? new Levels(agingMs) : undefined;
    this.heap = evicts ? new MinMaxHeap() : new Heap();
    this.keyIsPriority = order === "priority" && agingMs === 0;
    this.slab = new Slab(tierCount, !this.keyIsPriority);
  }

  get at(): number {
    return this.level !== undefined ? this.level.at : this.slotAt;
  }

  get tag(): unknown {
    return this.level !== undefined ? this.level.tag : this.slotTag;
  }

  get tier(): number {
    return this.level !== undefined ? this.level.tier : this.slotTier;
  }

  get place(): Place {
    return this.level !== undefined ? this.level.place : { priority: this.slotPriority, tier: this.slotTier };
  }

  push(item: T, at: number, tag: unknown, place: Place): void {
    this.size++;
    if (this.levels !== undefined) {
      const level = this.levels.level(place);
      if (level !== undefined) {
        this.levels.push(level, item, at, tag);
        return;
      }
      this.leaveLevels(this.levels);
    }
    this.heap.push(this.key(at, tag, place), this.slab.add(item, at, tag, place));
  }

  shift(): T {
    this.size--;
    if (this.levels !== undefined) {
      this.level = this.levels.first();
      return this.levels.shift(this.level);
    }
    return this.take(this.heap.keys[0]!, this.heap.shift());
  }

  pop(): T {
    this.size--;
    if (this.levels !== undefined) {
      this.level = this.levels.last();
      return this.levels.pop(this.level);
    }
    const heap = this.evictable();
    return this.take(heap.lastKey(), heap.pop());
  }

  front(): T {
    if (this.levels !== undefined) {
      this.level = this.levels.first();
      return this.level.front();
    }
    return this.show(this.heap.keys[0]!, this.heap.first());
  }

  heads(most: number): Entry<T>[] {
    if (this.levels !== undefined) return this.levels.heads(most);
    const { heap, slab } = this;
    return heap.heads(most).map((i) => {
      const slot = heap.slotAt(i);
      const priority = slab.priorityOf(slot) ?? heap.keys[i]!;
      const place = { priority, tier: slab.tierOf(slot) };
      return { item: slab.itemOf(slot), at: slab.atOf(slot), tag: slab.tagOf(slot), place };
    });
  }

  isLast(at: number, tag: unknown, place: Place): boolean {
    if (this.levels === undefined) return this.key(at, tag, place) >= this.evictable().lastKey();
    const last = this.levels.last();
    if (this.ranking.agingMs === 0) return place.priority >= last.priority;
    return this.key(at, tag, place) >= this.key(last.backAt(), undefined, last.place);
  }

  depth(tier: number): number {
    return this.levels !== undefined ? this.levels.depth(tier) : this.slab.depth(tier);
  }

  oldestAt(tier: number): number | undefined {
    this.isAsked = true;
    if (this.levels !== undefined) return this.levels.oldestAt(tier);
    this.slab.follow(() => this.heap.inOrderOfArrival());
    return this.slab.oldestAt(tier);
  }

  track(now: number): void {
    this.levels?.track(now);
    this.slab.track(now);
  }

  private key(at: number, tag: unknown, { priority }: Place): number {
    if (this.keyIsPriority) return priority;
    const { order, agingMs } = this.ranking;
    return order === "priority" ? priority * agingMs + at : Math.min(deadlineOf(tag), Number.MAX_VALUE);
  }

  private take(key: number, slot: number): T {
    const item = this.show(key, slot);
    this.slab.remove(slot);
    return item;
  }

  private show(key: number, slot: number): T {
    const { slab } = this;
    this.level = undefined;
    this.slotPriority = key;
    if (slab.hasColumns) {
      this.slotAt = slab.atOf(slot);
      this.slotTag = slab.tagOf(slot);
      this.slotPriority = slab.priorityOf(slot) ?? key;
      this.slotTier = slab.tierOf(slot);
    }
    return slab.itemOf(slot);
  }

  private evictable(): MinMaxHeap {
    return this.heap as MinMaxHeap;
  }

  /** Too many different priorities: everything moves to the heap, in order of arrival. */
  private leaveLevels(levels: Levels<T>): void {
    if (this.isAsked) this.slab.follow(() => []);
    for (const { item, at, tag, place } of levels.drain()) {
      this.heap.push(this.key(at, tag, place), this.slab.add(item, at, tag, place));
    }
    this.levels = undefined;
    this.level = undefined;
  }
}
