import { checkNumber } from "../base/checks.js";
import { type Clock, possibleDelay, type Timer } from "../base/clock.js";
import { turn } from "../base/real-time.js";

class FakeTimer implements Timer {
  constructor(
    readonly at: number,
    readonly order: number,
    readonly callback: () => void,
  ) {}

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}

/** Options of a {@link FakeClock}. */
export interface FakeClockOptions {
  /** What `now()` says first, in milliseconds. Default: 1 000. */
  now?: number | undefined;
  /** What `wallNow()` says first, in milliseconds since the Unix epoch. Default: 1 700 000 000 000, in November 2023. */
  wallNow?: number | undefined;
  /** How much time passes with each look at the clock, in milliseconds, as it does in life. Default: 0. */
  tickMs?: number | undefined;
}

/**
 * Time that stands still until a test moves it. It is given to what is to be tested as `clock`, and nothing else in the process notices.
 *
 * @example
 * const clock = new FakeClock();
 * const queue = new FifoQueue<string>({ clock });
 * const item = queue.get({ timeoutMs: 5_000 });
 * clock.advance(5_000);
 * await item.catch((error) => console.log(error instanceof QueueTimeoutError)); // true
 */
export class FakeClock implements Clock {
  private readonly timers = new Set<FakeTimer>();
  private time: number;
  private wallOffset: number;
  private nextOrder = 0;
  private readonly tickMs: number;

  /** Throws an `InvalidOption…Error` for what is no time. */
  constructor({ now = 1_000, wallNow = 1_700_000_000_000, tickMs = 0 }: FakeClockOptions = {}) {
    checkNumber("now", now, "a finite number", Number.isFinite);
    checkNumber("wallNow", wallNow, "a finite number", Number.isFinite);
    checkTime("tickMs", tickMs);
    this.time = now;
    this.tickMs = tickMs;
    this.wallOffset = wallNow - now;
  }

  /** Monotonic milliseconds. */
  now(): number {
    this.time += this.tickMs;
    return this.time;
  }

  /** Milliseconds since the Unix epoch. */
  wallNow(): number {
    return this.time + this.wallOffset;
  }

  /** Calls back when the time has been moved on by `delayMs`. A delay that Node doesn't know turns into the shortest one, as it does there. */
  setTimeout(callback: () => void, delayMs: number): Timer {
    const known = delayMs === possibleDelay(delayMs);
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

  /**
   * Moves time on, by milliseconds from 0; every timer due on the way fires at its own instant, in order. What it resolves is heard of
   * after this returns: to let that happen between the timers, there is {@link advanceAsync}.
   */
  advance(ms: number): void {
    checkTime("ms", ms);
    const end = this.time + ms;
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) this.fire(timer);
    this.time = Math.max(this.time, end);
  }

  /**
   * As {@link advance}, and lets promises have their say before, between and after the timers: each time a whole turn of the event loop,
   * also under fake timers. So a retry that follows on a timeout gets its own timer in time.
   */
  async advanceAsync(ms: number): Promise<void> {
    checkTime("ms", ms);
    const end = this.time + ms;
    await turn();
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) {
      this.fire(timer);
      await turn();
    }
    this.time = Math.max(this.time, end);
    await turn();
  }

  /** Moves time on by milliseconds without firing anything, as a blocked event loop does. */
  block(ms: number): void {
    checkTime("ms", ms);
    this.time += ms;
  }

  /** Sets the wall clock forward or back by milliseconds; monotonic time doesn't notice. */
  jumpWall(ms: number): void {
    checkNumber("ms", ms, "a finite number", Number.isFinite);
    this.wallOffset += ms;
  }

  private fire(timer: FakeTimer): void {
    this.timers.delete(timer);
    this.time = Math.max(this.time, timer.at);
    timer.callback();
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

function checkTime(name: string, value: unknown): void {
  checkNumber(name, value, "milliseconds, from 0", (ms) => ms >= 0 && Number.isFinite(ms));
}
