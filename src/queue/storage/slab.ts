import { ArrivalLines } from "./arrival-lines.js";
import type { Place } from "./store.js";
import { resized } from "./typed-array.js";

const SMALLEST = 64;
/** Beyond so many slots a slab grows by pages instead of by copies. */
const SHIFT = 13;
const PAGE = 1 << SHIFT;
const MASK = PAGE - 1;
/** An emptied slab that had grown beyond this many slots gives its memory back. */
const KEEP = 4096;
const NONE = -1;

/** The entries of a heap, by slot, in pages. Columns beyond the item exist only where they are needed. */
export class Slab<T> {
  /** How many slots there is room for, were ever used, and are in use. */
  private length = SMALLEST;
  private used = 0;
  private count = 0;
  /** The item; of a slot that is free again, the free slot after it. */
  private items: unknown[][] = [emptied(SMALLEST)];
  private firstFree = NONE;
  /** Is there a column beside the items? */
  hasColumns: boolean;
  private priorities: Float64Array[] | undefined;
  private tiers: Int32Array[] | undefined;
  private at: Float64Array[] | undefined = undefined;
  private tags: unknown[][] | undefined = undefined;
  private lines: ArrivalLines | undefined = undefined;
  /** How many entries each tier has; kept where there is more than one. */
  private readonly depths: number[];

  /** `keepPriorities`: the heap's key is not the priority itself. */
  constructor(
    private readonly tierCount: number,
    keepPriorities: boolean,
  ) {
    this.hasColumns = keepPriorities || tierCount > 1;
    this.priorities = keepPriorities ? [new Float64Array(SMALLEST)] : undefined;
    this.tiers = tierCount > 1 ? [new Int32Array(SMALLEST)] : undefined;
    this.depths = new Array(tierCount).fill(0);
  }

  get size(): number {
    return this.count;
  }

  add(item: T, at: number, tag: unknown, place: Place): number {
    let slot = this.firstFree;
    if (slot === NONE) {
      slot = this.used++;
      if (slot === this.length) this.grow();
    } else this.firstFree = this.items[slot >>> SHIFT]![slot & MASK] as number;
    this.items[slot >>> SHIFT]![slot & MASK] = item;
    this.count++;
    if (this.hasColumns) this.fill(slot, at, tag, place);
    return slot;
  }

  remove(slot: number): void {
    this.items[slot >>> SHIFT]![slot & MASK] = this.firstFree;
    this.firstFree = slot;
    if (this.hasColumns) this.clear(slot);
    if (--this.count === 0 && this.length > KEEP) this.reset();
  }

  itemOf(slot: number): T {
    return this.items[slot >>> SHIFT]![slot & MASK] as T;
  }

  atOf(slot: number): number {
    return this.at === undefined ? 0 : this.at[slot >>> SHIFT]![slot & MASK]!;
  }

  tagOf(slot: number): unknown {
    return this.tags === undefined ? undefined : this.tags[slot >>> SHIFT]![slot & MASK];
  }

  /** The priority, where the slab keeps it. */
  priorityOf(slot: number): number | undefined {
    return this.priorities === undefined ? undefined : this.priorities[slot >>> SHIFT]![slot & MASK];
  }

  tierOf(slot: number): number {
    return this.tiers === undefined ? 0 : this.tiers[slot >>> SHIFT]![slot & MASK]!;
  }

  depth(tier: number): number {
    return this.tiers === undefined ? this.count : this.depths[tier]!;
  }

  oldestAt(tier: number): number | undefined {
    const slot = this.lines?.first(tier);
    return slot === undefined ? undefined : this.atOf(slot);
  }

  track(now: number): void {
    this.hasColumns = true;
    this.at ??= this.items.map(({ length }) => new Float64Array(length).fill(now));
    this.tags ??= this.items.map(({ length }) => emptied(length));
  }

  /**
   * From now on the oldest entry of each tier is at hand. Called by what asks for it, so that a queue at which nothing looks
   * doesn't pay. `slots` are those in use, in order of arrival.
   */
  follow(slots: () => Iterable<number>): void {
    if (this.lines !== undefined || this.at === undefined) return;
    this.lines = new ArrivalLines(this.tierCount);
    for (const slot of slots()) this.lines.append(slot, this.tierOf(slot));
  }

  private fill(slot: number, at: number, tag: unknown, { priority, tier }: Place): void {
    const page = slot >>> SHIFT;
    const i = slot & MASK;
    if (this.priorities !== undefined) this.priorities[page]![i] = priority;
    if (this.tiers !== undefined) {
      this.tiers[page]![i] = tier;
      this.depths[tier]!++;
    }
    if (this.at !== undefined) {
      this.at[page]![i] = at;
      this.tags![page]![i] = tag;
    }
    if (this.lines !== undefined) this.lines.append(slot, tier);
  }

  private clear(slot: number): void {
    if (this.tiers !== undefined) this.depths[this.tierOf(slot)]!--;
    if (this.tags !== undefined) this.tags[slot >>> SHIFT]![slot & MASK] = undefined;
    if (this.lines !== undefined) this.lines.remove(slot, this.tierOf(slot));
  }

  private reset(): void {
    this.length = SMALLEST;
    this.used = 0;
    this.firstFree = NONE;
    this.items = [emptied(SMALLEST)];
    if (this.priorities !== undefined) this.priorities = [new Float64Array(SMALLEST)];
    if (this.tiers !== undefined) this.tiers = [new Int32Array(SMALLEST)];
    if (this.at !== undefined) {
      this.at = [new Float64Array(SMALLEST)];
      this.tags = [emptied(SMALLEST)];
    }
    this.lines?.release();
  }

  private grow(): void {
    if (this.length < PAGE) {
      const length = this.length * 2;
      this.length = length;
      this.items = [lengthened(this.items[0]!, length)];
      if (this.priorities !== undefined) this.priorities = [resized(this.priorities[0]!, length)];
      if (this.tiers !== undefined) this.tiers = [resized(this.tiers[0]!, length)];
      if (this.at !== undefined) {
        this.at = [resized(this.at[0]!, length)];
        this.tags = [lengthened(this.tags![0]!, length)];
      }
      return;
    }
    this.length += PAGE;
    this.items.push(emptied(PAGE));
    this.priorities?.push(new Float64Array(PAGE));
    this.tiers?.push(new Int32Array(PAGE));
    this.at?.push(new Float64Array(PAGE));
    this.tags?.push(emptied(PAGE));
  }
}

/** Filled, because an array of holes is slow to read. */
function emptied(length: number): unknown[] {
  return new Array(length).fill(undefined);
}

function lengthened(array: readonly unknown[], length: number): unknown[] {
  const longer = emptied(length);
  for (let i = 0; i < array.length; i++) longer[i] = array[i];
  return longer;
}
