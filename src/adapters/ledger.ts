import type { Carrier } from "../contracts.js";

/** An item on its way through a foreign queue. */
export class Entry {
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  /** The next entry of the very same item, put another time. */
  twin: Entry | undefined = undefined;
  /** Of the first entry of an item: the last one. */
  lastTwin: Entry = this;
  isGone = false;

  constructor(
    readonly item: unknown,
    readonly carrier: Carrier,
    readonly at: number,
  ) {}
}

/**
 * Finds what belongs to an item when it comes out of a queue that carries nothing but items: by identity, and where the same item is
 * in there more than once, in order of arrival. Each step is O(1), amortised.
 */
export class Ledger {
  size = 0;
  /** The entry that has been here longest. */
  oldest: Entry | undefined = undefined;
  private youngest: Entry | undefined = undefined;
  private readonly byItem = new Map<unknown, Entry>();

  add(item: unknown, carrier: Carrier, at: number): Entry {
    const entry = new Entry(item, carrier, at);
    entry.previous = this.youngest;
    if (this.youngest === undefined) this.oldest = entry;
    else this.youngest.next = entry;
    this.youngest = entry;
    this.size++;
    const first = this.byItem.get(item);
    if (first === undefined) this.byItem.set(item, entry);
    else {
      first.lastTwin.twin = entry;
      first.lastTwin = entry;
    }
    return entry;
  }

  /** The entry of the item that came first; it stays. */
  find(item: unknown): Entry | undefined {
    let entry = this.byItem.get(item);
    while (entry?.isGone) entry = this.dropFirst(entry);
    return entry;
  }

  remove(entry: Entry): void {
    if (entry.isGone) return;
    entry.isGone = true;
    this.size--;
    const { previous, next } = entry;
    if (previous === undefined) this.oldest = next;
    else previous.next = next;
    if (next === undefined) this.youngest = previous;
    else next.previous = previous;
    // A later twin that goes before the first one is skipped when its turn comes.
    if (this.byItem.get(entry.item) === entry) this.dropFirst(entry);
  }

  private dropFirst(first: Entry): Entry | undefined {
    const { twin } = first;
    if (twin === undefined) this.byItem.delete(first.item);
    else {
      twin.lastTwin = first.lastTwin;
      this.byItem.set(first.item, twin);
    }
    return twin;
  }
}
