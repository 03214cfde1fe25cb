import { Deque } from "./deque.js";
import { type Entry, ONLY_PLACE, type Store } from "./store.js";

/** The store of a LIFO queue: a deque that is served from the back and evicts from the front. */
export class Stack<T> implements Store<T> {
  size = 0;
  readonly isStack = true;
  readonly tier = 0;
  readonly place = ONLY_PLACE;
  private readonly deque = new Deque<T>();

  get at(): number {
    return this.deque.at;
  }

  get tag(): unknown {
    return this.deque.tag;
  }

  push(item: T, at: number, tag: unknown): void {
    this.size++;
    this.deque.push(item, at, tag);
  }

  shift(): T {
    this.size--;
    return this.deque.pop();
  }

  pop(): T {
    this.size--;
    return this.deque.shift();
  }

  takeAny(): T {
    return this.shift();
  }

  front(): T {
    return this.deque.back();
  }

  heads(most: number): Entry<T>[] {
    return this.deque.tails(most);
  }

  isLast(): boolean {
    return this.deque.size === 0;
  }

  depth(): number {
    return this.deque.size;
  }

  oldestAt(): number | undefined {
    return this.deque.oldestAt();
  }

  track(now: number): void {
    this.deque.track(now);
  }
}
