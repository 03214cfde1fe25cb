import type { Clock } from "../base/clock.js";
import { Wakeup } from "../base/wakeup.js";

/** The position of a {@link Due} that no alarm is set for. */
export const UNSET = -1;

/** Something to be told at an instant. */
export interface Due {
  /** Monotonic milliseconds. */
  readonly dueAt: number;
  /** Kept by the alarm: where it stands in there. */
  position: number;
  /** Kept by the alarm: breaks ties in order of setting. */
  order: number;
  ring(): void;
}

/** Any number of instants on one timer: a binary heap, in which each entry knows its place and can be taken out. */
export class Alarm {
  private readonly heap: Due[] = [];
  private nextOrder = 0;
  private readonly wakeup: Wakeup;

  constructor(private readonly clock: Clock) {
    this.wakeup = new Wakeup(clock, this.wake);
  }

  /** `now` is what the clock says. */
  set(due: Due, now = this.clock.now()): void {
    due.order = this.nextOrder++;
    this.heap.push(due);
    this.rise(this.heap.length - 1, due);
    this.arm(now);
  }

  /** Takes it out; does nothing if it isn't set. */
  unset(due: Due): void {
    const { position } = due;
    if (position === UNSET) return;
    const last = this.heap.pop()!;
    due.position = UNSET;
    if (last !== due) {
      this.rise(position, last);
      this.sink(last.position, last);
    }
    if (this.heap.length === 0) this.wakeup.clear();
  }

  /** Wakes for the first; an earlier wakeup stays, for most of what is set is unset again. */
  private arm(now: number): void {
    const { wakeup } = this;
    const [first] = this.heap;
    if (first !== undefined && first.dueAt < wakeup.dueAt) wakeup.set(first.dueAt, now);
    else wakeup.check(now);
  }

  private readonly wake = (now: number): void => {
    for (let first = this.heap[0]; first !== undefined && first.dueAt <= now; first = this.heap[0]) {
      this.unset(first);
      first.ring();
    }
    this.arm(now);
  };

  private rise(from: number, due: Due): void {
    let i = from;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = this.heap[parent]!;
      if (!isBefore(due, above)) break;
      this.put(i, above);
      i = parent;
    }
    this.put(i, due);
  }

  private sink(from: number, due: Due): void {
    let i = from;
    for (;;) {
      const left = this.heap[2 * i + 1];
      if (left === undefined) break;
      const right = this.heap[2 * i + 2];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, due)) break;
      const { position } = child;
      this.put(i, child);
      i = position;
    }
    this.put(i, due);
  }

  private put(i: number, due: Due): void {
    this.heap[i] = due;
    due.position = i;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
