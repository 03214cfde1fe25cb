import { HeapArrays, type Order } from "./heap.js";

/** Even levels of the tree hold minima of what is below them, odd ones maxima. */
function isMinLevel(i: number): boolean {
  return ((31 - Math.clz32(i + 1)) & 1) === 0;
}

/**
 * A heap with two ends: the first and the last entry are both at hand, in O(log n) (Atkinson et al., 1986).
 * Slower than {@link Heap}; only queues that evict use it.
 */
export class MinMaxHeap extends HeapArrays implements Order {
  push(key: number, slot: number): void {
    this.arrive(slot);
    const i = this.size++;
    this.set(i, key, slot);
    this.riseFromBottom(i);
  }

  shift(): number {
    return this.remove(0);
  }

  /** Takes the last slot away. Only when there is one. */
  pop(): number {
    return this.remove(this.lastIndex());
  }

  /** The greatest key. Only when there is one. */
  lastKey(): number {
    return this.keyAt(this.lastIndex());
  }

  /** A maximum has only smaller ones below it, and those are below its parent's grandchildren. */
  protected override below(i: number): readonly (readonly [number, number])[] {
    if (!isMinLevel(i)) return [];
    const child = 2 * i + 1;
    const grandchild = 2 * child + 1;
    return [
      [child, child + 2],
      [grandchild, grandchild + 4],
    ];
  }

  private lastIndex(): number {
    if (this.size < 3) return this.size - 1;
    return this.precedes(1, 2) ? 2 : 1;
  }

  private remove(i: number): number {
    const slot = this.slotAt(i);
    const last = --this.size;
    if (i !== last) {
      this.set(i, this.keyAt(last), this.slotAt(last));
      this.sink(i, isMinLevel(i));
    }
    this.release();
    return slot;
  }

  private riseFromBottom(i: number): void {
    if (i === 0) return;
    const parent = (i - 1) >> 1;
    const onMin = isMinLevel(i);
    if (this.beats(i, parent, !onMin)) {
      this.swap(i, parent);
      this.rise(parent, !onMin);
    } else this.rise(i, onMin);
  }

  private rise(from: number, onMin: boolean): void {
    let i = from;
    while (i > 2) {
      const grandparent = (((i - 1) >> 1) - 1) >> 1;
      if (!this.beats(i, grandparent, onMin)) return;
      this.swap(i, grandparent);
      i = grandparent;
    }
  }

  private sink(from: number, onMin: boolean): void {
    let i = from;
    for (;;) {
      const next = this.bestBelow(i, onMin);
      if (next === -1 || !this.beats(next, i, onMin)) return;
      this.swap(i, next);
      if (next <= 2 * i + 2) return;
      const parent = (next - 1) >> 1;
      if (this.beats(parent, next, onMin)) this.swap(next, parent);
      i = next;
    }
  }

  /** The extreme one among children and grandchildren, or -1. */
  private bestBelow(i: number, onMin: boolean): number {
    const child = 2 * i + 1;
    if (child >= this.size) return -1;
    let best = child;
    if (child + 1 < this.size && this.beats(child + 1, best, onMin)) best = child + 1;
    const grandchild = 2 * child + 1;
    const end = Math.min(grandchild + 4, this.size);
    for (let j = grandchild; j < end; j++) if (this.beats(j, best, onMin)) best = j;
    return best;
  }

  /** Whether `i` is more extreme than `j`: smaller on a minimum level, greater on a maximum level. */
  private beats(i: number, j: number, onMin: boolean): boolean {
    return onMin ? this.precedes(i, j) : this.precedes(j, i);
  }

  private swap(i: number, j: number): void {
    const key = this.keyAt(i);
    const slot = this.slotAt(i);
    this.set(i, this.keyAt(j), this.slotAt(j));
    this.set(j, key, slot);
  }
}
