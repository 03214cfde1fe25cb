import type { Clock, Timer } from "../../src/base/clock.js";

interface OwnTimer extends Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time by hand, of the walk's own: the library's way is not to lead through a clock for tests. */
export class WalkClock implements Clock {
  private time = 1_000;
  private readonly timers = new Set<OwnTimer>();

  now(): number {
    return this.time;
  }

  wallNow(): number {
    return this.time;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer: OwnTimer = { at: this.time + delayMs, callback, ref: () => timer, unref: () => timer };
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.timers.delete(timer as OwnTimer);
  }

  /** Moves time on by milliseconds, then fires what is due. */
  advance(ms: number): void {
    this.time += ms;
    for (const timer of [...this.timers]) {
      if (timer.at > this.time || !this.timers.delete(timer)) continue;
      timer.callback();
    }
  }
}
