import { realNow, realSetTimeout, realWallNow } from "./real-time.js";

/** What a {@link Clock} hands out for a timer; in Node, a `Timeout`. */
export interface Timer {
  /** Lets the process end while the timer is pending. A clock whose timers never hold a process may lack it. */
  unref?(): unknown;
  /** Takes that back. */
  ref?(): unknown;
}

/** Where the library gets time from. Tests hand in one that stands still until it is told to move. */
export interface Clock {
  /** Milliseconds since any fixed instant; never goes back. */
  now(): number;
  /** Milliseconds since the Unix epoch; may jump. */
  wallNow(): number;
  /** Calls `callback` once, after `delayMs` milliseconds or a little later. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer): void;
}

/** The longest delay that Node's timers know, in milliseconds; beyond it they fire at once. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** A delay that every timer knows: never negative, and no longer than {@link LONGEST_DELAY_MS}. */
export function possibleDelay(ms: number): number {
  return ms > 0 ? Math.min(ms, LONGEST_DELAY_MS) : 0;
}

/** `Date.now()`, as it is when this is asked, so that fakes are followed; of one that throws or tells no number the real one instead. */
export function wallNow(): number {
  try {
    const now = Date.now();
    if (Number.isFinite(now)) return now;
  } catch {
    // A mock that fails.
  }
  return realWallNow();
}

/** Node's timers may be so many milliseconds early; what is earlier was moved on by a replacement. */
const EARLY_MS = 2;

/** How often timers that were set with a replaced `setTimeout` are looked after, in milliseconds of real time. */
const LOOK_AFTER_MS = 20;

/** Where in {@link SystemClock.time}. An array, because a number in a field that changes is made anew each time. */
const LAST = 0;
const OFFSET = 1;

/** Those that are there when the module is loaded. */
const usualSetTimeout = globalThis.setTimeout;

/**
 * The process's own clock: `performance.now()`, `Date.now()` and timers, each as it is when it is asked, so that fake timers are followed.
 *
 * Those may come and go, and may replace only some of the three. Hence: `now` goes on from where it was when its source changes; a timer that
 * fires is right about the time, even if `performance` was not moved on with it; and one that was set with a `setTimeout` which is gone,
 * and would never fire, is set anew. A source that throws, or tells no number, as a mock without an implementation does, is passed over
 * until another one is there: the real clock stands in for it.
 */
class SystemClock implements Clock {
  private readonly time = new Float64Array(2);
  private performance = globalThis.performance;
  private read: unknown = globalThis.performance?.now;
  private setter = globalThis.setTimeout;
  /** What says the time if `performance` doesn't: fake timers that don't move it, or the real clock. */
  private fake: (() => number) | undefined = undefined;
  /** Counts the changes of what time comes from. */
  private era = 0;
  /** Timers of a `setTimeout` that was not there when we were loaded. */
  private readonly borrowed = new Set<SystemTimer>();
  private look: NodeJS.Timeout | undefined = undefined;

  constructor() {
    this.notice();
  }

  now(): number {
    // Spelled out, as each part of it costs as much as all the rest.
    const { time } = this;
    const { performance, setTimeout } = globalThis;
    let now: number;
    try {
      if (
        performance === this.performance &&
        setTimeout === this.setter &&
        performance.now === this.read &&
        this.fake === undefined
      ) {
        now = performance.now() + time[OFFSET]!;
      } else {
        if (this.hasChanged()) this.notice();
        now = this.source() + time[OFFSET]!;
      }
    } catch {
      now = Number.NaN;
    }
    if (!(now >= time[LAST]! && now < Number.POSITIVE_INFINITY)) {
      if (!Number.isFinite(now)) now = this.standIn();
      const backMs = Math.max(0, Math.ceil(time[LAST]! - now));
      time[OFFSET]! += backMs;
      now += backMs;
    }
    time[LAST] = now;
    return now;
  }

  /** The source has failed: from now on the real clock is it. */
  private standIn(): number {
    this.fake = realNow;
    this.era++;
    return realNow() + this.time[OFFSET]!;
  }

  wallNow(): number {
    return wallNow();
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const delay = possibleDelay(delayMs);
    const isBorrowed = globalThis.setTimeout !== usualSetTimeout;
    // The last time that was read will do, as it is the caller's, if not an earlier one; then it is no early timer that fires later.
    if (isBorrowed || this.hasChanged()) this.now();
    const dueAt = this.time[LAST]! + delay;
    const timer = new SystemTimer(this, callback, dueAt, this.era);
    timer.arm(delay);
    if (isBorrowed) {
      timer.realDueAt = realNow() + delay;
      this.borrowed.add(timer);
      this.look ??= realSetTimeout(this.lookAfter, LOOK_AFTER_MS);
    }
    return timer;
  }

  clearTimeout(timer: Timer): void {
    if (!(timer instanceof SystemTimer)) return;
    timer.clear();
    this.borrowed.delete(timer);
  }

  private hasChanged(): boolean {
    return (
      globalThis.performance !== this.performance ||
      this.performance?.now !== this.read ||
      globalThis.setTimeout !== this.setter
    );
  }

  private source(): number {
    return this.fake === undefined ? (this.read as () => number).call(this.performance) : this.fake();
  }

  /** NaN if the source tells none. */
  private told(): number {
    try {
      const now = this.source();
      return Number.isFinite(now) ? now : Number.NaN;
    } catch {
      return Number.NaN;
    }
  }

  /** Time comes from elsewhere now, and goes on from where it was. */
  private notice(): void {
    const { time } = this;
    const before = this.told() + time[OFFSET]!;
    const now = before > time[LAST]! ? before : time[LAST]!;
    this.performance = globalThis.performance;
    this.read = this.performance?.now;
    this.setter = globalThis.setTimeout;
    this.fake = undefined;
    const isFake = this.setter !== usualSetTimeout;
    if (Number.isNaN(this.told())) this.fake = (isFake ? timeOf(this.setter) : undefined) ?? realNow;
    else if (isFake && !Object.hasOwn(this.performance, "now")) this.fake = timeOf(this.setter);
    if (Number.isNaN(this.told())) this.fake = realNow;
    // A whole number: times of fakes stay what they are, and differences exact.
    time[OFFSET] = Math.ceil(now - this.told());
    this.era++;
  }

  /** Is told by the timer. */
  fired(timer: SystemTimer): void {
    this.borrowed.delete(timer);
    const earlyMs = timer.dueAt - this.now();
    // Of a timer that was set before the change, nothing follows for the time after it.
    if (earlyMs > EARLY_MS && timer.era === this.era) this.time[OFFSET]! += Math.ceil(earlyMs);
  }

  /** Sets timers anew whose `setTimeout` is gone: they would never fire. */
  private readonly lookAfter = (): void => {
    this.look = undefined;
    const now = this.now();
    let holds = false;
    for (const timer of this.borrowed) {
      if (timer.setter !== globalThis.setTimeout) {
        timer.arm(possibleDelay(timer.dueAt - now));
        if (timer.setter === usualSetTimeout) this.borrowed.delete(timer);
      }
      holds ||= timer.holds;
    }
    if (this.borrowed.size === 0) return;
    this.look = realSetTimeout(this.lookAfter, LOOK_AFTER_MS);
    if (!holds) this.look.unref();
  };
}

/**
 * How to ask fake timers what time it is: undefined if they aren't, or don't say. Those of sinon, which vitest and Jest use, have a
 * clock. Those of `node:test` tell of each timer when it will fire.
 */
function timeOf(set: typeof globalThis.setTimeout): (() => number) | undefined {
  const { clock } = set as { clock?: { hrtime?: () => readonly [number, number] } };
  if (typeof clock?.hrtime === "function") {
    return () => {
      const [seconds, nanoseconds] = clock.hrtime!();
      return 1e3 * seconds + nanoseconds / 1e6;
    };
  }
  const clear = globalThis.clearTimeout;
  const ask = () => {
    const timer = set(ignore, 1) as { runAt?: unknown };
    clear(timer as NodeJS.Timeout);
    return timer.runAt;
  };
  return typeof ask() === "number" ? (ask as () => number) : undefined;
}

function ignore(): void {}

class SystemTimer implements Timer {
  /** Which `setTimeout` it was set with. */
  setter = globalThis.setTimeout;
  private clearer = globalThis.clearTimeout;
  private handle: NodeJS.Timeout | undefined = undefined;
  private isOver = false;
  private isRef = true;
  /** When a timer of Node's would have fired; of a borrowed one only. */
  realDueAt = 0;

  constructor(
    private readonly clock: SystemClock,
    private readonly callback: () => void,
    readonly dueAt: number,
    /** When it was set, as {@link SystemClock} counts. */
    readonly era: number,
  ) {}

  /** Whether the process is held for it. A timer of Node's would hold it no longer than this. */
  get holds(): boolean {
    return this.isRef && realNow() < this.realDueAt + LOOK_AFTER_MS;
  }

  arm(delayMs: number): void {
    this.setter = globalThis.setTimeout;
    this.clearer = globalThis.clearTimeout;
    this.handle = this.setter(fire, delayMs, this);
    if (!this.isRef) this.handle?.unref?.();
  }

  clear(): void {
    this.isOver = true;
    try {
      this.clearer(this.handle);
    } catch {
      // Of a fake that is gone; ours is over all the same.
    }
  }

  unref(): this {
    this.isRef = false;
    this.handle?.unref?.();
    return this;
  }

  ref(): this {
    this.isRef = true;
    this.handle?.ref?.();
    return this;
  }

  fire(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.clock.fired(this);
    this.callback();
  }
}

/** One for all: a closure for each timer would cost as much as the timer. */
function fire(timer: SystemTimer): void {
  timer.fire();
}

/** The process's own clock. */
export const systemClock: Clock = new SystemClock();
