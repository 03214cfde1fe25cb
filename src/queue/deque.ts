import type { Store } from "./store.js";

/** Chunks double from the first size to the last, so that a short queue stays small and a long one never copies. */
const FIRST_CHUNK = 32;
const LAST_CHUNK = 1024;

class Chunk {
  readonly items: unknown[];
  at: Float64Array | undefined;
  tags: unknown[] | undefined;
  next: Chunk | undefined = undefined;

  constructor(
    length: number,
    tracked: boolean,
    public previous: Chunk | undefined,
  ) {
    // Filled, because an array of holes turns slow to read.
    this.items = new Array(length).fill(undefined);
    this.at = tracked ? new Float64Array(length) : undefined;
    this.tags = tracked ? new Array(length).fill(undefined) : undefined;
  }
}

/**
 * A double-ended queue of linked chunks, with one chunk to spare: no copying, 8 bytes an item, 24 when tracked.
 * Served from the front it is the store of a FIFO queue.
 */
export class Deque<T> implements Store<T> {
  size = 0;
  at = 0;
  tag: unknown = undefined;
  readonly priority: number = 0;
  readonly tier: number = 0;
  private tracked = false;
  private head = new Chunk(FIRST_CHUNK, false, undefined);
  /** Index of the first entry in the head chunk. */
  private first = 0;
  private tail = this.head;
  /** Index after the last entry in the tail chunk; 0 only when the deque is empty. */
  private end = 0;
  private spare: Chunk | undefined = undefined;

  push(item: T, at: number, tag: unknown): void {
    if (this.end === this.tail.items.length) this.grow();
    const i = this.end++;
    const chunk = this.tail;
    chunk.items[i] = item;
    if (this.tracked) {
      chunk.at![i] = at;
      chunk.tags![i] = tag;
    }
    this.size++;
  }

  shift(): T {
    const chunk = this.head;
    const i = this.first++;
    const item = chunk.items[i] as T;
    chunk.items[i] = undefined;
    if (this.tracked) this.unload(chunk, i);
    if (--this.size === 0) this.rewind();
    else if (this.first === chunk.items.length) this.leaveHead();
    return item;
  }

  pop(): T {
    const chunk = this.tail;
    const i = --this.end;
    const item = chunk.items[i] as T;
    chunk.items[i] = undefined;
    if (this.tracked) this.unload(chunk, i);
    if (--this.size === 0) this.rewind();
    else if (i === 0) this.leaveTail();
    return item;
  }

  front(): T {
    return this.look(this.head, this.first);
  }

  back(): T {
    return this.look(this.tail, this.end - 1);
  }

  isLast(): boolean {
    return true;
  }

  depth(_tier?: number): number {
    return this.size;
  }

  oldestAt(_tier?: number): number | undefined {
    return this.tracked && this.size > 0 ? this.frontAt() : undefined;
  }

  /** When the front entry came in. Only of a tracked deque that isn't empty. */
  frontAt(): number {
    return this.head.at![this.first]!;
  }

  /** When the back entry came in. Only of a tracked deque that isn't empty. */
  backAt(): number {
    return this.tail.at![this.end - 1]!;
  }

  track(now: number): void {
    if (this.tracked) return;
    this.tracked = true;
    this.spare = undefined;
    for (let chunk: Chunk | undefined = this.head; chunk !== undefined; chunk = chunk.next) {
      chunk.at = new Float64Array(chunk.items.length).fill(now);
      chunk.tags = new Array(chunk.items.length).fill(undefined);
    }
  }

  private look(chunk: Chunk, i: number): T {
    if (this.tracked) {
      this.at = chunk.at![i]!;
      this.tag = chunk.tags![i];
    }
    return chunk.items[i] as T;
  }

  private unload(chunk: Chunk, i: number): void {
    this.at = chunk.at![i]!;
    this.tag = chunk.tags![i];
    chunk.tags![i] = undefined;
  }

  private grow(): void {
    const previous = this.tail;
    const chunk =
      this.spare ?? new Chunk(Math.min(previous.items.length * 2, LAST_CHUNK), this.tracked, undefined);
    this.spare = undefined;
    chunk.previous = previous;
    previous.next = chunk;
    this.tail = chunk;
    this.end = 0;
  }

  /** An empty deque starts again at the front of its one chunk, which is warm in the cache. */
  private rewind(): void {
    this.first = 0;
    this.end = 0;
  }

  private leaveHead(): void {
    const left = this.head;
    this.head = left.next!;
    this.head.previous = undefined;
    this.first = 0;
    this.keep(left);
  }

  private leaveTail(): void {
    const left = this.tail;
    this.tail = left.previous!;
    this.tail.next = undefined;
    this.end = this.tail.items.length;
    this.keep(left);
  }

  private keep(chunk: Chunk): void {
    chunk.next = undefined;
    chunk.previous = undefined;
    this.spare = chunk;
  }
}
