import { Deque } from "./deque.js";
import type { Store } from "./store.js";

/** The store of a LIFO queue: a deque that is served from the back and evicts from the front. */
export class Stack<T> implements Store<T> {
  readonly priority = 0;
  readonly tier = 0;
  private readonly deque = new Deque<T>();

  get size(): number {
    return this.deque.size;
  }

  get at(): number {
    return this.deque.at;
  }

  get tag(): unknown {
    return this.deque.tag;
  }

  push(item: T, at: number, tag: unknown): void {
    this.deque.push(item, at, tag);
  }

  shift(): T {
    return this.deque.pop();
  }

  pop(): T {
    return this.deque.shift();
  }

  front(): T {
    return this.deque.back();
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
