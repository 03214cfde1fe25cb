import type { Clock, Timer } from "../base/clock.js";
import type { Guard } from "./events.js";
import { Pieces } from "./sampling/pieces.js";

/** How long the thread has to say what blocked the event loop, in milliseconds. It takes up to half of that. */
const AFTER_STALL_MS = 400;

interface Hold {
  /** In milliseconds since the Unix epoch: the stall that is meant ended later. */
  readonly from: number;
  /** Late ticks: stalls that the thread may have missed. */
  readonly late: { readonly lateMs: number; readonly endedAt: number }[];
  timer: Timer | undefined;
}

/**
 * After a stall the thread has yet to say what blocked the event loop, and without that a verdict would be a guess: until then
 * announcements are held back. They stay in order.
 */
export class StallGracePeriod {
  private hold: Hold | undefined = undefined;
  private readonly held: (() => void)[] = [];

  /** `cameLate` gets the late ticks at the end of the period; `endedAt` is in monotonic milliseconds. */
  constructor(
    private readonly clock: Clock,
    private readonly guard: Guard,
    private readonly cameLate: (lateMs: number, endedAt: number) => void,
    private readonly pieces = new Pieces(),
  ) {}

  get isOn(): boolean {
    return this.hold !== undefined;
  }

  /** The event loop was blocked after an instant, in milliseconds since the Unix epoch. */
  begin(from: number, late?: { readonly lateMs: number; readonly endedAt: number }): void {
    if (this.hold === undefined) {
      const timer = this.guard.attempt(() => this.clock.setTimeout(() => this.release(), AFTER_STALL_MS));
      // Without a clock it would never end.
      if (timer === undefined) return;
      timer.unref?.();
      this.hold = { from, late: [], timer };
    }
    if (late !== undefined) this.hold.late.push(late);
  }

  /** The thread has reported a stall that ended then, in milliseconds since the Unix epoch. One that ended before the period is another one. */
  heard(endedAt: number): void {
    if (this.hold !== undefined && endedAt > this.hold.from) this.release();
  }

  /** Calls `act` at once, or at the end of the period, which then holds the process. */
  announce(act: () => void): void {
    if (this.hold === undefined) {
      this.pieces.do(() => this.guard.attempt(act));
      return;
    }
    this.held.push(act);
    this.hold.timer?.ref?.();
  }

  /** From now on the period ends only by {@link release} and {@link heard}. */
  wait(): void {
    if (this.hold !== undefined) this.clear(this.hold);
  }

  release(): void {
    const { hold } = this;
    this.hold = undefined;
    if (hold === undefined) return;
    this.clear(hold);
    for (const { lateMs, endedAt } of hold.late) this.cameLate(lateMs, endedAt);
    this.pieces.begin();
    for (const act of this.held.splice(0)) this.pieces.do(() => this.guard.attempt(act));
  }

  private clear(hold: Hold): void {
    const { timer } = hold;
    hold.timer = undefined;
    if (timer !== undefined) this.guard.attempt(() => this.clock.clearTimeout(timer));
  }
}
