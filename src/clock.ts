import { performance } from "node:perf_hooks";

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

/** The process's own clock: `performance.now()`, `Date.now()` and Node's timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
