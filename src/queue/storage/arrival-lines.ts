import { resized } from "./typed-array.js";

const NONE = -1;

/** The slots of each tier, linked in order of arrival: appended, removed from anywhere and first, each in O(1). */
export class ArrivalLines {
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;
  private next: Int32Array;
  private previous: Int32Array;

  constructor(tierCount: number, length: number) {
    this.heads = new Int32Array(tierCount).fill(NONE);
    this.tails = new Int32Array(tierCount).fill(NONE);
    this.next = new Int32Array(length);
    this.previous = new Int32Array(length);
  }

  first(tier: number): number | undefined {
    const slot = this.heads[tier]!;
    return slot === NONE ? undefined : slot;
  }

  append(slot: number, tier: number): void {
    const last = this.tails[tier]!;
    this.previous[slot] = last;
    this.next[slot] = NONE;
    if (last === NONE) this.heads[tier] = slot;
    else this.next[last] = slot;
    this.tails[tier] = slot;
  }

  remove(slot: number, tier: number): void {
    const before = this.previous[slot]!;
    const after = this.next[slot]!;
    if (before === NONE) this.heads[tier] = after;
    else this.next[before] = after;
    if (after === NONE) this.tails[tier] = before;
    else this.previous[after] = before;
  }

  resize(length: number): void {
    this.next = resized(this.next, length);
    this.previous = resized(this.previous, length);
  }
}
