import { nextTurn, realNow } from "../base/real-time.js";

/** So many tasks may begin until the event loop is asked for a turn. */
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
 * compute for long would do so for as long as that takes. There is one for all pools, which share the loop.
 */
class Turns {
  /** Tasks since the last turn that is known of. */
  private begun = 0;
  /** For how long handlers have kept the loop since then, in milliseconds. */
  private workMs = 0;
  private isAsked = false;
  /** Whether the handler that is called next is to be measured, until it returns, be it a promise. */
  isMeasuring = false;
  /** Tasks until one is. */
  private toMeasure = 1;
  /** One in so many is. */
  private stride = 1;

  /** A task begins. */
  begin(): void {
    if (++this.begun === ASK_AFTER) this.ask();
    if (--this.toMeasure === 0) this.isMeasuring = true;
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

  /** Whether it has been too long since the last turn. Then the next task had better begin with {@link nextTurn}. */
  get isDue(): boolean {
    return this.workMs >= MAX_MS || this.begun >= MAX_TASKS;
  }

  /** The event loop has turned. */
  readonly turned = (): void => {
    this.begun = 0;
    this.workMs = 0;
    this.isAsked = false;
  };

  private worked(tookMs: number): void {
    // Those that were not measured since took as long, presumably.
    this.workMs += tookMs * this.stride;
    this.stride = tookMs >= SLOW_MS ? 1 : Math.min(2 * this.stride, MAX_STRIDE);
    this.toMeasure = this.stride;
    if (this.workMs >= ASK_AFTER_MS) this.ask();
  }

  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    nextTurn(this.turned);
  }
}

export const turns = new Turns();
