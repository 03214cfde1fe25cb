import type { Clock } from "../base/clock.js";
import { type Positioned, PositionedHeap } from "../base/positioned-heap.js";
import { Wakeup } from "../base/wakeup.js";

/** Something to be told at an instant. */
export interface Due extends Positioned {
  /** Monotonic milliseconds. */
  readonly dueAt: number;
  /** Kept by the alarm: breaks ties in order of setting. */
  order: number;
  ring(): void;
}

/** Any number of instants on one timer. */
export class Alarm {
  private readonly heap = new PositionedHeap<Due>(isBefore);
  private nextOrder = 0;
  private readonly wakeup: Wakeup;

  constructor(private readonly clock: Clock) {
    this.wakeup = new Wakeup(clock, this.wake);
  }

  /** `now` is what the clock says. */
  set(due: Due, now = this.clock.now()): void {
    due.order = this.nextOrder++;
    this.heap.add(due);
    this.arm(now);
  }

  /** Takes it out; does nothing if it isn't set. */
  unset(due: Due): void {
    this.heap.remove(due);
    if (this.heap.size === 0) this.wakeup.clear();
  }

  /** Wakes for the first; an earlier wakeup stays, for most of what is set is unset again. */
  private arm(now: number): void {
    const { wakeup } = this;
    const { first } = this.heap;
    if (first !== undefined && first.dueAt < wakeup.dueAt) wakeup.set(first.dueAt, now);
    else wakeup.check(now);
  }

  private readonly wake = (now: number): void => {
    for (let { first } = this.heap; first !== undefined && first.dueAt <= now; first = this.heap.first) {
      this.unset(first);
      first.ring();
    }
    this.arm(now);
  };
}

function isBefore(a: Due, b: Due): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
