import { resized } from "./typed-array.js";

const SMALLEST = 64;
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

/** The arrays that a heap lives in: position by position a key, an arrival number and a slot. */
export abstract class HeapArrays {
  size = 0;
  keys = new Float64Array(SMALLEST);
  protected arrivals = new Float64Array(SMALLEST);
  protected slots = new Int32Array(SMALLEST);
  protected nextArrival = 0;

  first(): number {
    return this.slots[0]!;
  }

  protected grow(): void {
    this.resize(this.keys.length * 2);
  }

  /** To be called when the last entry is gone. */
  protected release(): void {
    if (this.keys.length > KEEP) this.resize(SMALLEST);
  }

  /** The slots in order of arrival. */
  inOrderOfArrival(): number[] {
    const positions = Array.from({ length: this.size }, (_, i) => i);
    positions.sort((i, j) => this.arrivals[i]! - this.arrivals[j]!);
    return positions.map((i) => this.slots[i]!);
  }

  protected set(i: number, key: number, arrival: number, slot: number): void {
    this.keys[i] = key;
    this.arrivals[i] = arrival;
    this.slots[i] = slot;
  }

  protected copy(from: number, to: number): void {
    this.keys[to] = this.keys[from]!;
    this.arrivals[to] = this.arrivals[from]!;
    this.slots[to] = this.slots[from]!;
  }

  private resize(length: number): void {
    this.keys = resized(this.keys, length);
    this.arrivals = resized(this.arrivals, length);
    this.slots = resized(this.slots, length);
  }
}

/** A 4-ary heap: half the depth of a binary one, and the four children share a cache line. */
export class Heap extends HeapArrays implements Order {
  push(key: number, slot: number): void {
    if (this.size === this.keys.length) this.grow();
    this.rise(this.size++, 0, key, this.nextArrival++, slot);
  }

  shift(): number {
    const top = this.slots[0]!;
    const last = --this.size;
    if (last === 0) this.release();
    else {
      // The hole sinks to the bottom, where the last entry nearly always belongs.
      const hole = this.sink(last);
      this.rise(hole, 0, this.keys[last]!, this.arrivals[last]!, this.slots[last]!);
    }
    return top;
  }

  /** Moves the smallest child into the hole at the root, and so on down; returns where the hole ends. */
  private sink(size: number): number {
    const { keys, arrivals, slots } = this;
    let hole = 0;
    for (;;) {
      const child = 4 * hole + 1;
      let least: number;
      if (child + 3 < size) {
        const left = child + Number(keys[child + 1]! < keys[child]!);
        const right = child + 2 + Number(keys[child + 3]! < keys[child + 2]!);
        const a = this.earlierTwin(child, left);
        const b = this.earlierTwin(child + 2, right);
        const ka = keys[a]!;
        const kb = keys[b]!;
        least = kb < ka || (kb === ka && arrivals[b]! < arrivals[a]!) ? b : a;
      } else if (child < size) {
        least = child;
        for (let i = child + 1; i < size; i++) if (this.precedes(i, least)) least = i;
      } else return hole;
      keys[hole] = keys[least]!;
      arrivals[hole] = arrivals[least]!;
      slots[hole] = slots[least]!;
      hole = least;
    }
  }

  /** Of the pair that starts at `i`, `chosen` has the smaller key; where the keys are equal, arrival decides. */
  private earlierTwin(i: number, chosen: number): number {
    if (this.keys[i]! !== this.keys[i + 1]!) return chosen;
    return this.arrivals[i]! < this.arrivals[i + 1]! ? i : i + 1;
  }

  private precedes(i: number, j: number): boolean {
    const a = this.keys[i]!;
    const b = this.keys[j]!;
    return a < b || (a === b && this.arrivals[i]! < this.arrivals[j]!);
  }

  private rise(from: number, top: number, key: number, arrival: number, slot: number): void {
    const { keys, arrivals, slots } = this;
    let i = from;
    while (i > top) {
      const parent = (i - 1) >> 2;
      const parentKey = keys[parent]!;
      if (parentKey < key || (parentKey === key && arrivals[parent]! < arrival)) break;
      keys[i] = parentKey;
      arrivals[i] = arrivals[parent]!;
      slots[i] = slots[parent]!;
      i = parent;
    }
    keys[i] = key;
    arrivals[i] = arrival;
    slots[i] = slot;
  }
}
