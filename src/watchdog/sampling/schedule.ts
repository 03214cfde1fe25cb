import { type Clock, systemClock, type Timer } from "../../base/clock.js";
import { nextTurn, realNow } from "../../base/real-time.js";
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

/** For how long work goes on before the event loop gets a turn, in milliseconds; and how many pieces that is at least. */
const MAX_MS = 10;
const MIN_PIECES = 8;

/**
 * Work in pieces, done in the order in which it comes: at once, or, when that takes too long, with turns of the event loop in between.
 * What a piece gives to do is part of it.
 */
export class Pieces {
  private readonly waiting: (() => void)[] = [];
  private since = Number.NEGATIVE_INFINITY;
  private done = 0;
  private isDoing = false;
  private readonly toldEmpty: (() => void)[] = [];

  /** Whether there is anything left to do. */
  get isBusy(): boolean {
    return this.waiting.length > 0;
  }

  /** The event loop has turned: there is time. */
  begin(): void {
    if (this.isDoing || this.waiting.length > 0) return;
    this.since = realNow();
    this.done = 0;
  }

  /** `act` must not throw. */
  do(act: () => void): void {
    if (this.isDoing) act();
    else if (this.waiting.length === 0 && this.isTime) this.perform(act);
    else if (this.waiting.push(act) === 1) nextTurn(this.goOn);
  }

  /** Resolves when all is done. */
  finished(): Promise<void> {
    if (this.waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.toldEmpty.push(resolve);
    });
  }

  private get isTime(): boolean {
    return this.done < MIN_PIECES || realNow() - this.since < MAX_MS;
  }

  private perform(act: () => void): void {
    this.done++;
    this.isDoing = true;
    try {
      act();
    } finally {
      this.isDoing = false;
    }
  }

  private readonly goOn = (): void => {
    this.since = realNow();
    this.done = 0;
    let next = 0;
    while (next < this.waiting.length && this.isTime) this.perform(this.waiting[next++]!);
    this.waiting.splice(0, next);
    if (this.waiting.length > 0) nextTurn(this.goOn);
    else for (const resolve of this.toldEmpty.splice(0)) resolve();
  };
}
