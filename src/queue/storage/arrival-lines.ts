const NONE = -1;
const SHIFT = 13;
const PAGE = 1 << SHIFT;
const MASK = PAGE - 1;

/** The slots of each tier, linked in order of arrival: appended, removed from anywhere and first, each in O(1). */
export class ArrivalLines {
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;
  /** In pages, so that nothing is ever copied: slot by slot the one before and the one after. */
  private readonly links: Int32Array[] = [];

  constructor(tierCount: number) {
    this.heads = new Int32Array(tierCount).fill(NONE);
    this.tails = new Int32Array(tierCount).fill(NONE);
  }

  first(tier: number): number | undefined {
    const slot = this.heads[tier]!;
    return slot === NONE ? undefined : slot;
  }

  append(slot: number, tier: number): void {
    while (slot >>> SHIFT >= this.links.length) this.links.push(new Int32Array(2 * PAGE));
    const last = this.tails[tier]!;
    const page = this.links[slot >>> SHIFT]!;
    page[2 * (slot & MASK)] = last;
    page[2 * (slot & MASK) + 1] = NONE;
    if (last === NONE) this.heads[tier] = slot;
    else this.links[last >>> SHIFT]![2 * (last & MASK) + 1] = slot;
    this.tails[tier] = slot;
  }

  remove(slot: number, tier: number): void {
    const page = this.links[slot >>> SHIFT]!;
    const before = page[2 * (slot & MASK)]!;
    const after = page[2 * (slot & MASK) + 1]!;
    if (before === NONE) this.heads[tier] = after;
    else this.links[before >>> SHIFT]![2 * (before & MASK) + 1] = after;
    if (after === NONE) this.tails[tier] = before;
    else this.links[after >>> SHIFT]![2 * (after & MASK)] = before;
  }

  /** To be called when no slot is in any line. */
  release(): void {
    this.links.length = 0;
  }
}
