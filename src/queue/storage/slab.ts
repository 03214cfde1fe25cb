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
  /** Whether there is a column beside the items. */
  hasColumns: boolean;
  private priorities: Float64Array[] | undefined;
  private tiers: Int32Array[] | undefined;
  /**
   * When each entry came in, and its tag. Of what was there before times were kept, nothing is noted, so that no page is touched for it however
   * many there are: a page may be missing, and a time be NaN.
   */
  private at: (Float64Array | undefined)[] | undefined = undefined;
  private tags: (unknown[] | undefined)[] | undefined = undefined;
  /** When that began. */
  private trackedAt = 0;
  /** Those that came in since then. */
  private lines: ArrivalLines | undefined = undefined;
  /** How many are left of those from before, in all and by tier. */
  private olderCount = 0;
  private older: number[] = [];
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
    if (this.lines === undefined) return 0;
    return this.isOlder(slot) ? this.trackedAt : this.at![slot >>> SHIFT]![slot & MASK]!;
  }

  tagOf(slot: number): unknown {
    return this.tags?.[slot >>> SHIFT]?.[slot & MASK];
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
    if (this.lines === undefined) return undefined;
    if (this.older[tier]! > 0) return this.trackedAt;
    const slot = this.lines.first(tier);
    return slot === undefined ? undefined : this.atOf(slot);
  }

  track(now: number): void {
    if (this.lines !== undefined) return;
    this.hasColumns = true;
    this.trackedAt = now;
    this.lines = new ArrivalLines(this.tierCount);
    this.olderCount = this.count;
    this.older = this.depths.map((_, tier) => this.depth(tier));
    this.at = this.items.map(() => undefined);
    this.tags = this.items.map(() => undefined);
  }

  private isOlder(slot: number): boolean {
    if (this.olderCount === 0) return false;
    const at = this.at![slot >>> SHIFT]?.[slot & MASK];
    return at === undefined || Number.isNaN(at);
  }

  private fill(slot: number, at: number, tag: unknown, { priority, tier }: Place): void {
    const page = slot >>> SHIFT;
    const i = slot & MASK;
    if (this.priorities !== undefined) this.priorities[page]![i] = priority;
    if (this.tiers !== undefined) {
      this.tiers[page]![i] = tier;
      this.depths[tier]!++;
    }
    if (this.lines === undefined) return;
    if (this.at![page] === undefined) this.addTimes(page);
    this.at![page]![i] = at;
    this.tags![page]![i] = tag;
    this.lines.append(slot, tier);
  }

  private clear(slot: number): void {
    const tier = this.tierOf(slot);
    if (this.tiers !== undefined) this.depths[tier]!--;
    if (this.lines === undefined) return;
    if (this.isOlder(slot)) {
      this.olderCount--;
      this.older[tier]!--;
    } else {
      this.tags![slot >>> SHIFT]![slot & MASK] = undefined;
      this.lines.remove(slot, tier);
    }
  }

  private reset(): void {
    this.length = SMALLEST;
    this.used = 0;
    this.firstFree = NONE;
    this.items = [emptied(SMALLEST)];
    if (this.priorities !== undefined) this.priorities = [new Float64Array(SMALLEST)];
    if (this.tiers !== undefined) this.tiers = [new Int32Array(SMALLEST)];
    if (this.lines === undefined) return;
    this.at = [undefined];
    this.tags = [undefined];
    this.lines.release();
  }

  /** The page has no times yet: what is in it is older than they are. */
  private addTimes(page: number): void {
    const { length } = this.items[page]!;
    this.at![page] = new Float64Array(length).fill(Number.NaN);
    this.tags![page] = emptied(length);
  }

  private grow(): void {
    if (this.length < PAGE) {
      const length = this.length * 2;
      this.length = length;
      this.items = [lengthened(this.items[0]!, length)];
      if (this.priorities !== undefined) this.priorities = [resized(this.priorities[0]!, length)];
      if (this.tiers !== undefined) this.tiers = [resized(this.tiers[0]!, length)];
      if (this.at?.[0] !== undefined) {
        this.at = [resized(this.at[0], length)];
        this.tags = [lengthened(this.tags![0]!, length)];
      }
      return;
    }
    this.length += PAGE;
    this.items.push(emptied(PAGE));
    this.priorities?.push(new Float64Array(PAGE));
    this.tiers?.push(new Int32Array(PAGE));
    this.at?.push(undefined);
    this.tags?.push(undefined);
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
