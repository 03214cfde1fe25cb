import type { Work } from "../base/work.js";

/** What is in flight, in order of taking. A list of its own: code that sees several kinds of nodes is slow for each of them. */
export class InFlight<T> {
  first: Work<T> | undefined = undefined;
  size = 0;
  private last: Work<T> | undefined = undefined;

  add(work: Work<T>): void {
    const { last } = this;
    if (last === undefined) this.first = work;
    else {
      work.previous = last;
      last.next = work;
    }
    this.last = work;
    this.size++;
  }

  /** The work must be in this list. */
  remove(work: Work<T>): void {
    const { previous, next } = work;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    work.previous = undefined;
    work.next = undefined;
    this.size--;
  }
}
