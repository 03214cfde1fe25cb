/** How an item can end. */
export const ENDS = ["done", "failed", "dead-lettered", "evicted", "expired", "refused"] as const;
export type End = (typeof ENDS)[number];

/** What became of every item. Its size doesn't depend on how many have ended, so that it doesn't look like a leak. */
export class Account {
  private readonly ends: Uint8Array;
  private readonly counts = new Map<End, number>(ENDS.map((end) => [end, 0]));
  /** Items that ended a second time, in words. */
  readonly doubles: string[] = [];

  constructor(items: number) {
    this.ends = new Uint8Array(items);
  }

  end(item: number, end: End): void {
    const before = this.endOf(item);
    if (before !== undefined) {
      if (this.doubles.length < 10) this.doubles.push(`item ${item} is ${end}, after it was ${before}`);
      return;
    }
    this.ends[item] = ENDS.indexOf(end) + 1;
    this.counts.set(end, this.count(end) + 1);
  }

  endOf(item: number): End | undefined {
    return ENDS[this.ends[item]! - 1];
  }

  count(end: End): number {
    return this.counts.get(end)!;
  }

  /** Items among the first so many that have not ended. */
  *open(items: number): Iterable<number> {
    for (let item = 0; item < items; item++) if (this.ends[item] === 0) yield item;
  }
}
