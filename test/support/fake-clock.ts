import type { Clock, Timer } from "../../src/clock.js";

class FakeTimer implements Timer {
  constructor(
    readonly at: number,
    readonly order: number,
    readonly callback: () => void,
  ) {}

  unref(): void {}
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  private readonly timers = new Set<FakeTimer>();
  private time: number;
  private wallOffset: number;
  private nextOrder = 0;
  private readonly tickMs: number;

  /** `tickMs`: how much time passes with each look at the clock, as it does in life. */
  constructor({ now = 1_000, wallNow = 1_700_000_000_000, tickMs = 0 } = {}) {
    this.time = now;
    this.tickMs = tickMs;
    this.wallOffset = wallNow - now;
  }

  now(): number {
    this.time += this.tickMs;
    return this.time;
  }

  wallNow(): number {
    return this.time + this.wallOffset;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    // As in Node, where a delay that it doesn't know turns into the shortest one.
    const known = delayMs >= 0 && delayMs < 2 ** 31;
    const timer = new FakeTimer(this.time + (known ? delayMs : 0), this.nextOrder++, callback);
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.timers.delete(timer as FakeTimer);
  }

  /** How many timers are set and haven't fired. */
  get pending(): number {
    return this.timers.size;
  }

  /** Moves time on; every timer due on the way fires at its own instant, in order. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) {
      this.timers.delete(timer);
      this.time = Math.max(this.time, timer.at);
      timer.callback();
    }
    this.time = Math.max(this.time, end);
  }

  /** Moves time on without firing anything, as a blocked event loop does. */
  block(ms: number): void {
    this.time += ms;
  }

  /** Sets the wall clock forward or back; monotonic time doesn't notice. */
  jumpWall(ms: number): void {
    this.wallOffset += ms;
  }

  private next(end: number): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.timers) {
      if (timer.at > end) continue;
      if (
        first === undefined ||
        timer.at < first.at ||
        (timer.at === first.at && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }
}
