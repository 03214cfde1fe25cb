import { ArrivalLines } from "./arrival-lines.js";
import type { Place } from "./store.js";
import { resized } from "./typed-array.js";

const SMALLEST = 64;
/** An emptied slab that had grown beyond this many slots gives its memory back. */
const KEEP = 4096;

/** The entries of a heap, by slot. Columns beyond the item exist only where somebody needs them. */
export class Slab<T> {
  private length = SMALLEST;
  private items: unknown[] = [];
  /** Slots that were used and are free again, as a stack. */
  private free = new Int32Array(SMALLEST);
  private freeCount = 0;
  /** Is there a column beside the items? */
  hasColumns: boolean;
  private priorities: Float64Array | undefined;
  private tiers: Int32Array | undefined;
  private at: Float64Array | undefined = undefined;
  private tags: unknown[] | undefined = undefined;
  private lines: ArrivalLines | undefined = undefined;
  /** How many entries each tier has; kept where there is more than one. */
  private readonly depths: number[];

  /** `keepPriorities`: the heap's key is not the priority itself. */
  constructor(
    private readonly tierCount: number,
    keepPriorities: boolean,
  ) {
    this.hasColumns = keepPriorities || tierCount > 1;
    this.priorities = keepPriorities ? new Float64Array(SMALLEST) : undefined;
    this.tiers = tierCount > 1 ? new Int32Array(SMALLEST) : undefined;
    this.depths = new Array(tierCount).fill(0);
  }

  get size(): number {
    return this.items.length - this.freeCount;
  }

  add(item: T, at: number, tag: unknown, place: Place): number {
    const slot = this.freeCount > 0 ? this.free[--this.freeCount]! : this.items.length;
    if (slot === this.length) this.resize(this.length * 2);
    this.items[slot] = item;
    if (this.hasColumns) this.fill(slot, at, tag, place);
    return slot;
  }

  remove(slot: number): void {
    this.items[slot] = undefined;
    if (this.hasColumns) this.clear(slot);
    this.free[this.freeCount++] = slot;
    if (this.freeCount === this.items.length && this.length > KEEP) this.reset();
  }

  itemOf(slot: number): T {
    return this.items[slot] as T;
  }

  atOf(slot: number): number {
    return this.at === undefined ? 0 : this.at[slot]!;
  }

  tagOf(slot: number): unknown {
    return this.tags === undefined ? undefined : this.tags[slot];
  }

  /** The priority, where the slab keeps it. */
  priorityOf(slot: number): number | undefined {
    return this.priorities?.[slot];
  }

  tierOf(slot: number): number {
    return this.tiers === undefined ? 0 : this.tiers[slot]!;
  }

  depth(tier: number): number {
    return this.tiers === undefined ? this.size : this.depths[tier]!;
  }

  oldestAt(tier: number): number | undefined {
    const slot = this.lines?.first(tier);
    return slot === undefined ? undefined : this.atOf(slot);
  }

  track(now: number): void {
    this.hasColumns = true;
    this.at ??= new Float64Array(this.length).fill(now);
    this.tags ??= new Array(this.items.length).fill(undefined);
  }

  /**
   * From now on the oldest entry of each tier is at hand. Called by whoever asks for it, so that a queue nobody looks at
   * doesn't pay. `slots` are those in use, in order of arrival.
   */
  follow(slots: () => Iterable<number>): void {
    if (this.lines !== undefined || this.at === undefined) return;
    this.lines = new ArrivalLines(this.tierCount, this.length);
    for (const slot of slots()) this.lines.append(slot, this.tierOf(slot));
  }

  private fill(slot: number, at: number, tag: unknown, { priority, tier }: Place): void {
    if (this.priorities !== undefined) this.priorities[slot] = priority;
    if (this.tiers !== undefined) {
      this.tiers[slot] = tier;
      this.depths[tier]!++;
    }
    if (this.at !== undefined) {
      this.at[slot] = at;
      this.tags![slot] = tag;
    }
    if (this.lines !== undefined) this.lines.append(slot, tier);
  }

  private clear(slot: number): void {
    if (this.tiers !== undefined) this.depths[this.tiers[slot]!]!--;
    if (this.tags !== undefined) this.tags[slot] = undefined;
    if (this.lines !== undefined) this.lines.remove(slot, this.tierOf(slot));
  }

  private reset(): void {
    this.items = [];
    this.freeCount = 0;
    if (this.tags !== undefined) this.tags = [];
    this.resize(SMALLEST);
  }

  private resize(length: number): void {
    this.length = length;
    this.free = resized(this.free, length);
    if (this.priorities !== undefined) this.priorities = resized(this.priorities, length);
    if (this.tiers !== undefined) this.tiers = resized(this.tiers, length);
    if (this.at !== undefined) this.at = resized(this.at, length);
    if (this.lines !== undefined) this.lines.resize(length);
  }
}
