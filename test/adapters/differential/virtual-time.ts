const REAL = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  now: Date.now,
};

const START = 1_700_000_000_000;

class VirtualTimer {
  constructor(
    readonly callback: () => void,
    public at: number,
    readonly everyMs: number | undefined,
  ) {}

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/**
 * The timers and the wall clock of the whole process, moved by hand. One timer fires at a time, as in Node, where microtasks run
 * between two of them.
 */
export class VirtualTime {
  private readonly timers = new Set<VirtualTimer>();
  private now = START;

  install(): void {
    const set =
      (repeats: boolean) =>
      (callback: (...args: unknown[]) => void, ms: number, ...args: unknown[]) =>
        this.add(() => callback(...args), ms, repeats);
    const clear = (timer: unknown) => this.timers.delete(timer as VirtualTimer);
    const fake = {
      setTimeout: set(false),
      clearTimeout: clear,
      setInterval: set(true),
      clearInterval: clear,
    };
    Object.assign(globalThis, fake);
    Date.now = () => this.now;
  }

  restore(): void {
    const { now, ...timers } = REAL;
    Object.assign(globalThis, timers);
    Date.now = now;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.timers.size;
  }

  get elapsedMs(): number {
    return this.now - START;
  }

  /** Fires the timer that is due first, at its own instant; false, and the time is up, when none is due within `ms`. */
  fire(untilMs: number): boolean {
    let first: VirtualTimer | undefined;
    for (const timer of this.timers) if (first === undefined || timer.at < first.at) first = timer;
    if (first === undefined || first.at > START + untilMs) {
      if (Number.isFinite(untilMs)) this.now = Math.max(this.now, START + untilMs);
      return false;
    }
    this.now = Math.max(this.now, first.at);
    this.timers.delete(first);
    if (first.everyMs !== undefined) {
      first.at = this.now + first.everyMs;
      this.timers.add(first);
    }
    first.callback();
    return true;
  }

  private add(callback: () => void, ms: number, repeats: boolean): VirtualTimer {
    // As in Node, where there is no delay below one millisecond.
    const delay = ms >= 1 ? Math.trunc(ms) : 1;
    const timer = new VirtualTimer(callback, this.now + delay, repeats ? delay : undefined);
    this.timers.add(timer);
    return timer;
  }
}
