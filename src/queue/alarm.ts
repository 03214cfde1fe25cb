import { AsyncResource } from "node:async_hooks";
import { type Clock, LONGEST_DELAY_MS, type Timer } from "../clock.js";

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
  ring(now: number): void;
}

/** Any number of instants on one timer: a binary heap, in which each entry knows its place and can be taken out. */
export class Alarm {
  private readonly heap: Due[] = [];
  private timer: Timer | undefined = undefined;
  private timerAt = Number.POSITIVE_INFINITY;
  private nextOrder = 0;
  /** A timer keeps the async context in which it is set, and one sets the next: that of some request is none of ours. */
  private readonly scope = new AsyncResource("queuescope.alarm", { requireManualDestroy: true });

  constructor(private readonly clock: Clock) {}

  set(due: Due): void {
    due.order = this.nextOrder++;
    this.heap.push(due);
    this.rise(this.heap.length - 1, due);
    this.arm();
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
    if (this.heap.length === 0) this.disarm();
  }

  private arm(): void {
    const first = this.heap[0];
    if (first === undefined || first.dueAt >= this.timerAt) return;
    this.disarm();
    this.timerAt = first.dueAt;
    const delay = Math.ceil(first.dueAt - this.clock.now());
    const delayMs = Math.min(Math.max(delay, 0), LONGEST_DELAY_MS);
    this.timer = this.scope.runInAsyncScope(() => this.clock.setTimeout(this.fire, delayMs));
  }

  private disarm(): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    this.timer = undefined;
    this.timerAt = Number.POSITIVE_INFINITY;
  }

  private readonly fire = (): void => {
    this.disarm();
    const now = this.clock.now();
    for (let first = this.heap[0]; first !== undefined && first.dueAt <= now; first = this.heap[0]) {
      this.unset(first);
      first.ring(now);
    }
    this.arm();
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
