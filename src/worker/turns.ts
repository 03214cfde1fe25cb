import { nextTurn, realNow } from "../real-time.js";

/** So many tasks may begin until the event loop is asked for a turn. */
const ASK_AFTER = 256;
/** And so many until the next one has to wait for it. */
const MAX_TASKS = 1_024;

/** So many milliseconds of work, too. */
const MAX_MS = 10;
/** What takes half of that makes tasks slow. */
const SLOW_MS = MAX_MS / 2;
/** While tasks are fast, the clock is read once in so many. */
const MAX_STRIDE = 16;

/**
 * Sees to it that the event loop has its turn: tasks of nothing but microtasks would hold up timers, signals and I/O for ever, and a few that
 * compute for long would do so for as long as that takes. It is one for all pools, which share the loop.
 *
 * Whether the loop has turned it only knows if it has asked for it, and it asks only where that may matter: for many tasks, or for slow ones.
 */
class Turns {
  /** Tasks since the last turn that is known of. */
  private begun = 0;
  private isAsked = false;
  /** Since when the loop has had no turn; known only if it is asked. */
  private since = 0;
  private readAt = 0;
  /** The clock is read when so many have begun. */
  private nextRead = 1;
  private stride = 1;
  private isLate = false;

  /** A task begins. */
  begin(): void {
    const begun = ++this.begun;
    if (begun === 1 ? this.stride === 1 : begun === ASK_AFTER) this.ask(realNow());
  }

  /** Has it been too long since the last turn? Then the next task had better begin with {@link nextTurn}. */
  isDue(): boolean {
    if (this.begun >= this.nextRead) this.read();
    return this.isLate || this.begun >= MAX_TASKS;
  }

  /** The event loop has turned. */
  readonly turned = (): void => {
    this.begun = 0;
    this.nextRead = this.stride;
    this.isAsked = false;
    this.isLate = false;
  };

  private ask(now: number): void {
    if (this.isAsked) return;
    this.isAsked = true;
    this.since = now;
    this.readAt = now;
    nextTurn(this.turned);
  }

  private read(): void {
    const now = realNow();
    const isSlow = now - this.readAt >= SLOW_MS;
    this.readAt = now;
    this.stride = isSlow ? 1 : Math.min(2 * this.stride, MAX_STRIDE);
    this.nextRead = this.begun + this.stride;
    if (this.isAsked) this.isLate = now - this.since >= MAX_MS;
    else if (isSlow) this.ask(now);
  }
}

export const turns = new Turns();
