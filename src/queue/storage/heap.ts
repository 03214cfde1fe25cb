import { resized } from "./typed-array.js";

const SMALLEST = 64;
/** Children of one parent in the 4-ary heap. */
const GROUP = 4;
/** An emptied heap that had grown beyond this many entries gives its memory back. */
const KEEP = 4096;

/** An order of slots by key; among equal keys, by arrival. Ascending: the smallest key is first. */
export interface Order {
  readonly size: number;
  push(key: number, slot: number): void;
  /** Takes the first slot away. Only when there is one. */
  shift(): number;
  /** The first slot. Only when there is one. */
  first(): number;
}

/**
 * The arrays that a heap lives in: position by position a key and a slot, and slot by slot when it arrived, which matters only
 * where keys are equal. Slots are dense: none is greater than the most entries that there ever were.
 */
export abstract class HeapArrays {
  size = 0;
  /** Beyond the last entry stands `Infinity`, so that a group of children is always complete. No entry has that key. */
  keys = new Float64Array(SMALLEST + GROUP).fill(Number.POSITIVE_INFINITY);
  protected slots = new Int32Array(SMALLEST);
  protected arrivals = new Float64Array(SMALLEST);
  private nextArrival = 0;

  first(): number {
    return this.slots[0]!;
  }

  /** The slots in order of arrival. */
  inOrderOfArrival(): Int32Array {
    return this.slots.slice(0, this.size).sort((i, j) => this.arrivals[i]! - this.arrivals[j]!);
  }

  /** The positions of the entries that come first, in order: at most so many. Looks at those only, and at what is right below them. */
  heads(most: number): number[] {
    const heads: number[] = [];
    const count = Math.min(most, this.size);
    const frontier = new Frontier((i, j) => this.precedes(i, j));
    if (count > 0) frontier.push(0);
    while (heads.length < count) {
      const i = frontier.shift();
      heads.push(i);
      for (const [start, end] of this.below(i)) {
        for (let j = start; j < Math.min(end, this.size); j++) frontier.push(j);
      }
    }
    return heads;
  }

  /** The slot of the entry at `i`. */
  slotAt(i: number): number {
    return this.slots[i]!;
  }

  /**
   * Who may be next once the entry at `i` is gone, as ranges of positions: whatever else is below it comes after one of those, or after
   * one that was named before.
   */
  protected abstract below(i: number): readonly (readonly [start: number, end: number])[];

  /** Makes room for one more entry, and notes when it arrived. */
  protected arrive(slot: number): void {
    if (this.size === this.slots.length) this.resize(this.size * 2);
    this.arrivals[slot] = this.nextArrival++;
  }

  /** To be called when the last entry is gone. */
  protected release(): void {
    if (this.slots.length > KEEP) this.resize(SMALLEST);
  }

  protected set(i: number, key: number, slot: number): void {
    this.keys[i] = key;
    this.slots[i] = slot;
  }

  /** Does the entry at `i` come before the one at `j`? */
  protected precedes(i: number, j: number): boolean {
    const a = this.keys[i]!;
    const b = this.keys[j]!;
    return a < b || (a === b && this.isEarlier(i, j));
  }

  /** Did the entry at `i` arrive before the one at `j`? */
  protected isEarlier(i: number, j: number): boolean {
    return this.arrivals[this.slots[i]!]! < this.arrivals[this.slots[j]!]!;
  }

  private resize(length: number): void {
    this.keys = resized(this.keys, length + GROUP).fill(Number.POSITIVE_INFINITY, this.size);
    this.slots = resized(this.slots, length);
    this.arrivals = resized(this.arrivals, length);
  }
}

/** Positions in a heap, the one whose entry comes first on top: a binary heap of its own. */
class Frontier {
  private readonly positions: number[] = [];

  constructor(private readonly precedes: (i: number, j: number) => boolean) {}

  push(position: number): void {
    const { positions, precedes } = this;
    let i = positions.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!precedes(position, positions[parent]!)) break;
      positions[i] = positions[parent]!;
      i = parent;
    }
    positions[i] = position;
  }

  /** Only when there is one. */
  shift(): number {
    const { positions, precedes } = this;
    const first = positions[0]!;
    const last = positions.pop()!;
    const { length } = positions;
    let i = 0;
    for (let child = 1; child < length; child = 2 * i + 1) {
      if (child + 1 < length && precedes(positions[child + 1]!, positions[child]!)) child++;
      if (!precedes(positions[child]!, last)) break;
      positions[i] = positions[child]!;
      i = child;
    }
    if (length > 0) positions[i] = last;
    return first;
  }
}

/** A 4-ary heap: half the depth of a binary one, and the four children share a cache line. */
export class Heap extends HeapArrays implements Order {
  push(key: number, slot: number): void {
    this.arrive(slot);
    this.rise(this.size++, key, slot);
  }

  shift(): number {
    const { keys, slots } = this;
    const top = slots[0]!;
    const last = --this.size;
    const key = keys[last]!;
    keys[last] = Number.POSITIVE_INFINITY;
    // The hole sinks to the bottom, where the last entry nearly always belongs.
    if (last > 0) this.rise(this.sink(last), key, slots[last]!);
    else this.release();
    return top;
  }

  protected override below(i: number): readonly (readonly [number, number])[] {
    return [[GROUP * i + 1, GROUP * i + 1 + GROUP]];
  }

  /** Moves the smallest child into the hole at the root, and so on down; returns where the hole ends. */
  private sink(size: number): number {
    const { keys, slots } = this;
    let hole = 0;
    for (let child = 1; child < size; child = 4 * hole + 1) {
      // Which key is smaller is a coin toss, so it is computed instead of branched on. That two are equal is rare.
      const k0 = keys[child]!;
      const k1 = keys[child + 1]!;
      const k2 = keys[child + 2]!;
      const k3 = keys[child + 3]!;
      const a = child + Number(k1 < k0);
      const b = child + 2 + Number(k3 < k2);
      const ka = keys[a]!;
      const kb = keys[b]!;
      let least = a + (b - a) * Number(kb < ka);
      if (k0 === k1 || k2 === k3 || ka === kb) least = this.firstOf(child);
      keys[hole] = keys[least]!;
      slots[hole] = slots[least]!;
      hole = least;
    }
    return hole;
  }

  /** Of a group of children, the one that comes first; arrival decides among equal keys. */
  private firstOf(child: number): number {
    let first = child;
    for (let i = child + 1; i < child + GROUP && i < this.size; i++) if (this.precedes(i, first)) first = i;
    return first;
  }

  /** Lets the entry rise from the hole to where it belongs. */
  private rise(hole: number, key: number, slot: number): void {
    const { keys, slots, arrivals } = this;
    let i = hole;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      const parentKey = keys[parent]!;
      if (parentKey < key || (parentKey === key && arrivals[slots[parent]!]! < arrivals[slot]!)) break;
      keys[i] = parentKey;
      slots[i] = slots[parent]!;
      i = parent;
    }
    keys[i] = key;
    slots[i] = slot;
  }
}
