import { type Clock, systemClock, type Timer } from "../../base/clock.js";
import type { Guard } from "../events.js";

interface Armed {
  /** Whose timer it is. */
  readonly clock: Clock;
  readonly dueAt: number;
  readonly timer: Timer;
}

/** Calls `tick` again and again, each time with how late it is in milliseconds. It holds no process, and nothing that throws ends it. */
export class Ticker {
  private isOn = false;
  private armed: Armed | undefined = undefined;

  constructor(
    private readonly clock: Clock,
    private readonly everyMs: number,
    private readonly guard: Guard,
    private readonly tick: (lateMs: number) => void,
  ) {}

  /** The first time is soon, but not at once. */
  start(): void {
    this.isOn = true;
    this.arm(0);
  }

  stop(): void {
    this.isOn = false;
    this.disarm();
  }

  private readonly fire = (): void => {
    const { armed } = this;
    const lateMs = this.guard.attempt(() => (armed === undefined ? 0 : armed.clock.now() - armed.dueAt));
    this.guard.attempt(() => this.tick(lateMs ?? 0));
    // It may have been stopped in the midst of that, and even started again.
    if (this.isOn) this.arm(this.everyMs);
  };

  private arm(delayMs: number): void {
    this.disarm();
    this.armed =
      this.guard.attempt(() => this.armedBy(this.clock, delayMs)) ?? this.armedBy(systemClock, delayMs);
    this.armed.timer.unref?.();
  }

  private armedBy(clock: Clock, delayMs: number): Armed {
    const dueAt = clock.now() + delayMs;
    return { clock, dueAt, timer: clock.setTimeout(this.fire, delayMs) };
  }

  private disarm(): void {
    const { armed } = this;
    this.armed = undefined;
    if (armed !== undefined) this.guard.attempt(() => armed.clock.clearTimeout(armed.timer));
  }
}
