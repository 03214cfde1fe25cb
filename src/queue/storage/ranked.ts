import { Heap } from "./heap.js";
import { type Level, Levels } from "./levels.js";
import { MinMaxHeap } from "./min-max-heap.js";
import { Slab } from "./slab.js";
import { deadlineOf, type Entry, type Place, type Store } from "./store.js";

/** How a {@link Ranked} store orders its entries. */
export interface Ranking {
  /** `priority`: smallest first. `deadline`: earliest first, undated ones last. */
  readonly order: "priority" | "deadline";
  /** Milliseconds of waiting that are worth one priority step; 0 is no aging. */
  readonly agingMs: number;
  /** How many tiers there are; at least 1. */
  readonly tierCount: number;
  /** Whether `pop` will be called. */
  readonly evicts: boolean;
}

/**
 * The store of a priority queue: levels while there are few different priorities; from then on what comes in goes to a heap, and what is in
 * the levels is served from there, before what is equal to it in the heap: it is older. With aging the key is `priority * agingMs + at`: all
 * entries age at the same rate, so it never changes.
 */
export class Ranked<T> implements Store<T> {
  size = 0;
  readonly isStack = false;
  /** Undefined from when on a heap is there and they are empty. */
  private levels: Levels<T> | undefined;
  /** Undefined as long as there are few priorities. */
  private heap: Heap | MinMaxHeap | undefined = undefined;
  private slab: Slab<T> | undefined = undefined;
  /** The level of the entry given last; undefined where it came from the heap, which then left these facts: */
  private level: Level<T> | undefined = undefined;
  /** Whether the key of an entry is simply its priority. */
  private readonly keyIsPriority: boolean;
  private isTracked = false;
  private slotAt = 0;
  private slotTag: unknown = undefined;
  private slotPriority = 0;
  private slotTier = 0;

  constructor(private readonly ranking: Ranking) {
    const { order, agingMs } = ranking;
    this.keyIsPriority = order === "priority" && agingMs === 0;
    this.levels = order === "priority" ? new Levels(agingMs) : undefined;
    if (this.levels === undefined) this.useHeap();
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
    if (this.heap === undefined) {
      const levels = this.levels!;
      const level = levels.level(place);
      if (level !== undefined) {
        levels.push(level, item, at, tag);
        return;
      }
      this.useHeap();
    }
    this.heap!.push(this.key(at, tag, place), this.slab!.add(item, at, tag, place));
  }

  shift(): T {
    this.size--;
    const level = this.firstLevel();
    return level === undefined
      ? this.take(this.heap!.firstKey(), this.heap!.shift())
      : this.shiftLevel(level);
  }

  pop(): T {
    this.size--;
    const level = this.lastLevel();
    if (level === undefined) {
      const heap = this.evictable();
      return this.take(heap.lastKey(), heap.pop());
    }
    this.level = level;
    const item = this.levels!.pop(level);
    if (this.heap !== undefined) this.leaveEmptyLevels();
    return item;
  }

  takeAny(): T {
    this.size--;
    if (this.levels !== undefined) return this.shiftLevel(this.levels.first());
    const heap = this.heap!;
    return this.take(heap.keyAt(heap.size - 1), heap.takeAny());
  }

  front(): T {
    const level = this.firstLevel();
    if (level === undefined) return this.show(this.heap!.firstKey(), this.heap!.first());
    this.level = level;
    return level.front();
  }

  heads(most: number): Entry<T>[] {
    const old = this.levels?.heads(most) ?? [];
    const { heap, slab } = this;
    if (heap === undefined || slab === undefined) return old;
    const young = heap.heads(most).map((i) => {
      const slot = heap.slotAt(i);
      const priority = slab.priorityOf(slot) ?? heap.keyAt(i);
      const place = { priority, tier: slab.tierOf(slot) };
      return { item: slab.itemOf(slot), at: slab.atOf(slot), tag: slab.tagOf(slot), place };
    });
    if (old.length === 0) return young;
    const keyOf = ({ at, tag, place }: Entry<T>) => this.key(at, tag, place);
    // The sort is stable, so that of equals the older ones stay before the younger ones.
    return [...old, ...young].sort((a, b) => keyOf(a) - keyOf(b)).slice(0, most);
  }

  isLast(at: number, tag: unknown, place: Place): boolean {
    const level = this.lastLevel();
    const key = this.key(at, tag, place);
    return key >= (level === undefined ? this.evictable().lastKey() : this.lastKeyOf(level));
  }

  depth(tier: number): number {
    return (this.levels?.depth(tier) ?? 0) + (this.slab?.depth(tier) ?? 0);
  }

  oldestAt(tier: number): number | undefined {
    return this.levels?.oldestAt(tier) ?? this.slab?.oldestAt(tier);
  }

  track(now: number): void {
    this.isTracked = true;
    this.levels?.track(now);
    this.slab?.track(now);
  }

  private key(at: number, tag: unknown, { priority }: Place): number {
    if (this.keyIsPriority) return priority;
    const { order, agingMs } = this.ranking;
    return order === "priority" ? priority * agingMs + at : Math.min(deadlineOf(tag), Number.MAX_VALUE);
  }

  private shiftLevel(level: Level<T>): T {
    this.level = level;
    const item = this.levels!.shift(level);
    if (this.heap !== undefined) this.leaveEmptyLevels();
    return item;
  }

  private take(key: number, slot: number): T {
    const item = this.show(key, slot);
    this.slab!.remove(slot);
    return item;
  }

  private show(key: number, slot: number): T {
    const slab = this.slab!;
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

  /** The level that is served next; undefined where that is the heap. */
  private firstLevel(): Level<T> | undefined {
    const { levels, heap } = this;
    if (levels === undefined) return undefined;
    const level = levels.first();
    return heap === undefined || heap.size === 0 || this.firstKeyOf(level) <= heap.firstKey()
      ? level
      : undefined;
  }

  /** The level that is served last; undefined where that is the heap. */
  private lastLevel(): Level<T> | undefined {
    const { levels, heap } = this;
    if (levels === undefined) return undefined;
    const level = levels.last();
    return heap === undefined || heap.size === 0 || this.lastKeyOf(level) > this.evictable().lastKey()
      ? level
      : undefined;
  }

  private firstKeyOf(level: Level<T>): number {
    return this.keyIsPriority ? level.priority : this.key(level.frontAt(), undefined, level.place);
  }

  private lastKeyOf(level: Level<T>): number {
    return this.keyIsPriority ? level.priority : this.key(level.backAt(), undefined, level.place);
  }

  private evictable(): MinMaxHeap {
    return this.heap as MinMaxHeap;
  }

  /** There are too many different priorities for levels. What is in them stays: to move millions of entries, one put would stand still. */
  private useHeap(): void {
    const { tierCount, evicts } = this.ranking;
    this.heap = evicts ? new MinMaxHeap() : new Heap();
    this.slab = new Slab(tierCount, !this.keyIsPriority);
    if (this.isTracked) this.slab.track(0);
    if (this.levels !== undefined) this.leaveEmptyLevels();
  }

  private leaveEmptyLevels(): void {
    if (this.levels!.isEmpty) this.levels = undefined;
  }
}
