import { resized } from "./typed-array.js";

const SMALLEST = 64;
/** Children of one parent in the 4-ary heap. */
const GROUP = 4;
/** An entry stands so many places behind its position: so a group of children begins at a multiple of four, and is on one page. */
const OFFSET = GROUP - 1;
/** The children of a place begin at four times that, less so many. */
const LAG = GROUP * (OFFSET - 1);
/**
 * Beyond so many places a heap grows by pages instead of by copies, so that no put stands still, whatever the depth. The first page holds the
 * upper nine levels, where nearly all of the work is; it is reached without a detour.
 */
const SHIFT = 18;
const PAGE = 1 << SHIFT;
const MASK = PAGE - 1;
/** An emptied heap that had grown beyond this many places gives its memory back. */
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
 * The pages that a heap lives in: position by position a key and a slot, and slot by slot when it arrived, which matters only
 * where keys are equal. Slots are dense: none is greater than the most entries that there ever were.
 */
export abstract class HeapArrays {
  size = 0;
  /** Beyond the last entry stands `Infinity`, so that a group of children is always complete. No entry has that key. */
  protected keys = new Float64Array(SMALLEST).fill(Number.POSITIVE_INFINITY);
  protected slots = new Int32Array(SMALLEST);
  /** All pages; the first ones are those above. */
  protected keyPages = [this.keys];
  protected slotPages = [this.slots];
  /** By slot. */
  private arrivals = new Float64Array(SMALLEST);
  private arrivalPages = [this.arrivals];
  private nextArrival = 0;

  first(): number {
    return this.slots[OFFSET]!;
  }

  /** The smallest key. Only when there is one. */
  firstKey(): number {
    return this.keys[OFFSET]!;
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

  /** Takes away the slot that nothing must move for. Only when there is one. */
  takeAny(): number {
    const i = --this.size;
    const slot = this.slotAt(i);
    this.set(i, Number.POSITIVE_INFINITY, 0);
    this.release();
    return slot;
  }

  /** The slot of the entry at position `i`. */
  slotAt(i: number): number {
    const place = i + OFFSET;
    return place < PAGE ? this.slots[place]! : this.slotPages[place >>> SHIFT]![place & MASK]!;
  }

  /** And its key. */
  keyAt(i: number): number {
    const place = i + OFFSET;
    return place < PAGE ? this.keys[place]! : this.keyPages[place >>> SHIFT]![place & MASK]!;
  }

  /**
   * What may be next once the entry at `i` is gone, as ranges of positions: whatever else is below it comes after one of those, or after
   * one that was named before.
   */
  protected abstract below(i: number): readonly (readonly [start: number, end: number])[];

  /** Makes room for one more entry, and notes when it arrived. */
  protected arrive(slot: number): void {
    const place = this.size + OFFSET;
    if (place === this.keys.length || (place & MASK) === 0) this.grow(place);
    if (slot < this.arrivals.length) this.arrivals[slot] = this.nextArrival++;
    else this.arriveDeep(slot);
  }

  /** To be called when the last page may have been left: pages are given back, but for one that may be needed again soon. */
  protected release(): void {
    const place = this.size + OFFSET;
    if (this.size > 0) {
      if ((place & MASK) === 0 && place >>> SHIFT < this.keyPages.length - 1) {
        this.keyPages.pop();
        this.slotPages.pop();
      }
    } else if (this.keys.length > KEEP || this.arrivals.length > KEEP) {
      this.useFirst(new Float64Array(SMALLEST).fill(Number.POSITIVE_INFINITY), new Int32Array(SMALLEST));
      this.arrivals = new Float64Array(SMALLEST);
      this.arrivalPages = [this.arrivals];
    }
  }

  protected set(i: number, key: number, slot: number): void {
    const place = i + OFFSET;
    if (place < PAGE) {
      this.keys[place] = key;
      this.slots[place] = slot;
    } else {
      this.keyPages[place >>> SHIFT]![place & MASK] = key;
      this.slotPages[place >>> SHIFT]![place & MASK] = slot;
    }
  }

  /** Whether the entry at `i` comes before the one at `j`. */
  protected precedes(i: number, j: number): boolean {
    const a = this.keyAt(i);
    const b = this.keyAt(j);
    return a < b || (a === b && this.isEarlier(i, j));
  }

  /** Whether the entry at `i` arrived before the one at `j`. */
  protected isEarlier(i: number, j: number): boolean {
    return this.arrivalOf(this.slotAt(i)) < this.arrivalOf(this.slotAt(j));
  }

  protected arrivalOf(slot: number): number {
    return slot < PAGE ? this.arrivals[slot]! : this.arrivalPages[slot >>> SHIFT]![slot & MASK]!;
  }

  /** Makes the place, where it is missing. */
  private grow(place: number): void {
    const { length } = this.keys;
    if (place < PAGE) {
      this.useFirst(
        resized(this.keys, length * 2).fill(Number.POSITIVE_INFINITY, length),
        resized(this.slots, length * 2),
      );
    } else if (place >>> SHIFT === this.keyPages.length) {
      this.keyPages.push(new Float64Array(PAGE).fill(Number.POSITIVE_INFINITY));
      this.slotPages.push(new Int32Array(PAGE));
    }
  }

  private useFirst(keys: Float64Array<ArrayBuffer>, slots: Int32Array<ArrayBuffer>): void {
    this.keys = keys;
    this.slots = slots;
    this.keyPages = [keys];
    this.slotPages = [slots];
  }

  private arriveDeep(slot: number): void {
    const { length } = this.arrivals;
    if (length < PAGE) {
      this.arrivals = resized(this.arrivals, length * 2);
      this.arrivalPages[0] = this.arrivals;
    } else if (slot >>> SHIFT === this.arrivalPages.length) this.arrivalPages.push(new Float64Array(PAGE));
    this.arrivalPages[slot >>> SHIFT]![slot & MASK] = this.nextArrival++;
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
    this.rise(OFFSET + this.size++, key, slot);
  }

  shift(): number {
    const top = this.slots[OFFSET]!;
    const last = OFFSET + --this.size;
    const isDeep = last >= PAGE;
    const keys = isDeep ? this.keyPages[last >>> SHIFT]! : this.keys;
    const slots = isDeep ? this.slotPages[last >>> SHIFT]! : this.slots;
    const key = keys[last & MASK]!;
    const slot = slots[last & MASK]!;
    keys[last & MASK] = Number.POSITIVE_INFINITY;
    // The hole sinks to the bottom, where the last entry nearly always belongs.
    if (last > OFFSET) this.rise(this.sink(last), key, slot);
    if ((last & MASK) === 0 || last === OFFSET) this.release();
    return top;
  }

  protected override below(i: number): readonly (readonly [number, number])[] {
    return [[GROUP * i + 1, GROUP * i + 1 + GROUP]];
  }

  /** Moves the smallest child into the hole at the root, and so on down; returns where the hole ends. All in places, up to `end`. */
  private sink(end: number): number {
    const { keys, slots } = this;
    const endOfPage = end < PAGE ? end : PAGE;
    let hole = OFFSET;
    for (let child = GROUP; child < endOfPage; child = GROUP * hole - LAG) {
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
    return end > PAGE ? this.sinkDeep(hole, end) : hole;
  }

  /** Goes on with {@link sink} on the pages after the first one. */
  private sinkDeep(from: number, end: number): number {
    const { keyPages, slotPages } = this;
    let { keys: holeKeys, slots: holeSlots } = this;
    let hole = from;
    for (let group = GROUP * hole - LAG; group < end; group = GROUP * hole - LAG) {
      const keys = keyPages[group >>> SHIFT]!;
      const slots = slotPages[group >>> SHIFT]!;
      const child = group & MASK;
      const k0 = keys[child]!;
      const k1 = keys[child + 1]!;
      const k2 = keys[child + 2]!;
      const k3 = keys[child + 3]!;
      const a = child + Number(k1 < k0);
      const b = child + 2 + Number(k3 < k2);
      const ka = keys[a]!;
      const kb = keys[b]!;
      let least = a + (b - a) * Number(kb < ka);
      if (k0 === k1 || k2 === k3 || ka === kb) least = this.firstOf(group) & MASK;
      holeKeys[hole & MASK] = keys[least]!;
      holeSlots[hole & MASK] = slots[least]!;
      holeKeys = keys;
      holeSlots = slots;
      hole = group - child + least;
    }
    return hole;
  }

  /** Of a group of children, the place of the one that comes first; arrival decides among equal keys. */
  private firstOf(group: number): number {
    let first = group - OFFSET;
    for (let i = first + 1; i < group - OFFSET + GROUP && i < this.size; i++) {
      if (this.precedes(i, first)) first = i;
    }
    return first + OFFSET;
  }

  /** Lets the entry rise from the hole, a place, to where it belongs. */
  private rise(from: number, key: number, slot: number): void {
    const { keys, slots } = this;
    let hole = from < PAGE ? from : this.riseDeep(from, key, slot);
    // It has found its place in the depth.
    if (hole >= PAGE) return;
    while (hole > OFFSET) {
      const parent = (hole >> 2) + OFFSET - 1;
      const parentKey = keys[parent]!;
      if (parentKey < key || (parentKey === key && this.arrivalOf(slots[parent]!) < this.arrivalOf(slot)))
        break;
      keys[hole] = parentKey;
      slots[hole] = slots[parent]!;
      hole = parent;
    }
    keys[hole] = key;
    slots[hole] = slot;
  }

  /** Begins {@link rise} on the pages after the first one; returns where the hole is then. */
  private riseDeep(from: number, key: number, slot: number): number {
    let hole = from;
    while (hole >= PAGE) {
      const parent = (hole >> 2) + OFFSET - 1;
      const parentKey = this.keyAt(parent - OFFSET);
      const parentSlot = this.slotAt(parent - OFFSET);
      if (parentKey < key || (parentKey === key && this.arrivalOf(parentSlot) < this.arrivalOf(slot))) {
        this.set(hole - OFFSET, key, slot);
        break;
      }
      this.set(hole - OFFSET, parentKey, parentSlot);
      hole = parent;
    }
    return hole;
  }
}
