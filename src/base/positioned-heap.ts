/** The position of an entry that is in no heap. */
export const NOWHERE = -1;

const SHIFT = 13;
const MASK = (1 << SHIFT) - 1;

export interface Positioned {
  /** Kept by its heap: where it stands in there; at first {@link NOWHERE}. */
  position: number;
}

/**
 * A binary heap in which each entry knows its place, so that it can be taken out. It is kept in pages: an array that grows copies all that is in
 * it, and with millions of entries one `add` would stand still.
 */
export class PositionedHeap<T extends Positioned> {
  size = 0;
  private readonly pages: T[][] = [[]];

  constructor(private readonly isBefore: (a: T, b: T) => boolean) {}

  get first(): T | undefined {
    return this.pages[0]![0];
  }

  add(entry: T): void {
    const i = this.size++;
    if (i >>> SHIFT === this.pages.length) this.pages.push([]);
    this.rise(i, entry);
  }

  /** Does nothing if it isn't in here. */
  remove(entry: T): void {
    const { position } = entry;
    if (position === NOWHERE) return;
    const page = this.pages.at(-1)!;
    const last = page.pop()!;
    if (page.length === 0 && this.pages.length > 1) this.pages.pop();
    this.size--;
    entry.position = NOWHERE;
    if (last === entry) return;
    this.rise(position, last);
    this.sink(last.position, last);
  }

  private rise(from: number, entry: T): void {
    let i = from;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = this.at(parent);
      if (!this.isBefore(entry, above)) break;
      this.put(i, above);
      i = parent;
    }
    this.put(i, entry);
  }

  private sink(from: number, entry: T): void {
    let i = from;
    for (let left = 2 * i + 1; left < this.size; left = 2 * i + 1) {
      let child = this.at(left);
      if (left + 1 < this.size) {
        const right = this.at(left + 1);
        if (this.isBefore(right, child)) child = right;
      }
      if (!this.isBefore(child, entry)) break;
      const { position } = child;
      this.put(i, child);
      i = position;
    }
    this.put(i, entry);
  }

  private at(i: number): T {
    return this.pages[i >>> SHIFT]![i & MASK]!;
  }

  private put(i: number, entry: T): void {
    this.pages[i >>> SHIFT]![i & MASK] = entry;
    entry.position = i;
  }
}
