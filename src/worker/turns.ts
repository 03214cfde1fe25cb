import { nextTurn, realNow } from "../base/real-time.js";

/** So many tasks may begin, or some more, until the event loop is asked for a turn. */
const ASK_AFTER = 256;
/** And so many until the next one has to wait for it. */
const MAX_TASKS = 1_024;

/** So many milliseconds of work until the event loop is asked for a turn, and until the next task has to wait for it. */
const ASK_AFTER_MS = 1;
const MAX_MS = 10;

/** A task that takes so many milliseconds is slow: then each one is measured. While they are fast, one in so many is. */
const SLOW_MS = 1;
const MAX_STRIDE = 16;

/**
 * Sees to it that the event loop has its turn: tasks of nothing but microtasks would hold up timers, signals and I/O for ever, and a few that
 * compute for long would do so for as long as that takes. There is one for all pools, which share the loop. Only one task in a stride is
 * looked at: to the others it is a number that goes down.
 */
class Turns {
  /** Tasks until the next one that {@link look} is called for. */
  left = 1;
  /** Whether it has been too long since the last turn. Then the next task had better begin with {@link nextTurn}. */
  isDue = false;
  /** Whether the handler that is called next is to be measured, until it returns, be it a promise. */
  isMeasuring = false;
  /** Tasks from one look to the next. */
  private stride = 1;
  /** Tasks since the last turn that is known of, but for those of this stride. */
  private begun = 0;
  /** For how long handlers have kept the loop since then, in milliseconds. */
  private workMs = 0;
  private isAsked = false;

  /** A stride is over, with the task that begins now. */
  look(): void {
    this.begun += this.stride;
    this.left = this.stride;
    this.isMeasuring = true;
    this.judge();
  }

  /** Calls a handler whose time is to be measured. */
  measure<R>(handler: () => R): R {
    this.isMeasuring = false;
    const startedAt = realNow();
    try {
      return handler();
    } finally {
      this.worked(realNow() - startedAt);
    }
  }

  /** The event loop has turned. */
  readonly turned = (): void => {
    this.begun = 0;
    this.workMs = 0;
    this.isAsked = false;
    this.isDue = false;
  };

  private worked(tookMs: number): void {
    // Those that were not measured since took as long, presumably.
    this.workMs += tookMs * this.stride;
    this.begun += this.stride - this.left;
    this.stride = tookMs >= SLOW_MS ? 1 : Math.min(2 * this.stride, MAX_STRIDE);
    this.left = this.stride;
    this.judge();
  }

  private judge(): void {
    this.isDue = this.workMs >= MAX_MS || this.begun >= MAX_TASKS;
    if (this.isAsked || (this.workMs < ASK_AFTER_MS && this.begun < ASK_AFTER)) return;
    this.isAsked = true;
    nextTurn(this.turned);
  }
}

export const turns = new Turns();
