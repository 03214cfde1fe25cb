import { AsyncResource } from "node:async_hooks";
import { type Clock, possibleDelay, type Timer } from "./clock.js";

/** A timer that is overdue by so many milliseconds is lost, or as good as that: the event loop may be blocked. It is set anew. */
const LOST_AFTER_MS = 50;

/** So much may be lost when times are added, in milliseconds. Timers count whole ones, so it would cost a whole one. */
const ROUNDING_MS = 0.001;

/** One timer for one instant at a time, however far away. One that got lost is set anew by the next {@link set} or {@link check}. */
export class Wakeup {
  private timer: Timer | undefined = undefined;
  private at = Number.POSITIVE_INFINITY;
  /** For when the timer is set: earlier, if that is further away than timers reach. */
  private firesAt = Number.POSITIVE_INFINITY;
  /** A timer keeps the async context in which it is set, and one sets the next: that of some request is none of ours. */
  private readonly scope = new AsyncResource("queuescope.wakeup", { requireManualDestroy: true });

  /**
   * `wake` gets the time, in monotonic milliseconds, which is not before the instant, whatever the clock says: else a clock whose
   * timers are early, or were moved on by a test without it, would be asked again and again.
   */
  constructor(
    private readonly clock: Clock,
    private readonly wake: (now: number) => void,
  ) {}

  /** The instant, in monotonic milliseconds; `Infinity` if none is set. */
  get dueAt(): number {
    return this.at;
  }

  /** Wakes at that instant, instead of the one that was set before; never at `Infinity`. */
  set(at: number, now: number): void {
    if (at === this.at) this.check(now);
    else if (at === Number.POSITIVE_INFINITY) this.clear();
    else this.arm(at, now);
  }

  /** Sets the timer anew if it is lost. */
  check(now: number): void {
    if (now - this.firesAt > LOST_AFTER_MS) this.arm(this.at, now);
  }

  clear(): void {
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    this.timer = undefined;
    this.at = this.firesAt = Number.POSITIVE_INFINITY;
  }

  private arm(at: number, now: number): void {
    this.clear();
    const delayMs = possibleDelay(Math.ceil(at - now - ROUNDING_MS));
    this.at = at;
    this.firesAt = delayMs < at - now - 1 ? now + delayMs : at;
    this.timer = this.scope.runInAsyncScope(this.clock.setTimeout, this.clock, this.fire, delayMs);
  }

  private readonly fire = (): void => {
    const { firesAt } = this;
    this.timer = undefined;
    this.at = this.firesAt = Number.POSITIVE_INFINITY;
    this.wake(Math.max(this.clock.now(), firesAt));
  };
}
