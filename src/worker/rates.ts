/** A window is at least so long, and ends with the first task after that: no timer is needed. */
const WINDOW_MS = 1_000;
/** How many windows are kept: at least a minute, longer where little happens. */
const MOST_WINDOWS = 60;
/** With fewer windows than this nobody can say how unevenly items come. */
const ENOUGH_WINDOWS = 20;

interface Window {
  readonly lengthMs: number;
  /** Work that came in, less what was dropped or went to others. */
  readonly arrivals: number;
  readonly finished: number;
  /** How many of them had their time taken, the sum of those times, and of their squares. */
  readonly timed: number;
  readonly sumMs: number;
  readonly squares: number;
}

/** What was measured. */
export interface Measured {
  /** How long was measured. */
  readonly observedMs: number;
  readonly arrivals: number;
  readonly finished: number;
  /** Tasks whose time was taken. */
  readonly timed: number;
  readonly arrivalsPerSecond: number;
  readonly finishedPerSecond: number;
  /** Mean time that a task keeps its worker, gates included; NaN without any. */
  readonly serviceMs: number;
  /** Variance of that time, divided by its mean squared: 0 for tasks of equal length, 1 for exponential ones. */
  readonly serviceVariability: number;
  /** The same of the time between arrivals: 0 for a steady beat, 1 for arrivals at random (assumed until there is enough to tell). */
  readonly arrivalVariability: number;
}

/**
 * How much work comes to a pool, and how long it takes: measured when a task ends, from what is known then anyway. What came is what was
 * done plus what there is more of, so that puts cost nothing.
 */
export class Rates {
  private readonly windows: Window[] = [];
  private openedAt = Number.NaN;
  private closesAt = Number.NEGATIVE_INFINITY;
  /** How much work there was when the window opened. */
  private before = 0;
  private count = 0;
  private timed = 0;
  private sumMs = 0;
  private squares = 0;

  /** `present`: how much work there is, waiting and under way. */
  constructor(private readonly present: () => number) {}

  /** A task is over, and still among those under way; `startedAt` is undefined where its time wasn't taken. */
  finished(now: number, startedAt: number | undefined): void {
    this.count++;
    if (startedAt !== undefined) {
      const tookMs = now - startedAt;
      this.timed++;
      this.sumMs += tookMs;
      this.squares += tookMs * tookMs;
    }
    if (now >= this.closesAt) this.turn(now, this.present() - 1);
  }

  /** Begins to measure, if nothing was measured yet. */
  start(now: number): void {
    if (Number.isNaN(this.openedAt)) this.turn(now, this.present());
  }

  /** What was measured until now. */
  read(now: number): Measured {
    const windows = [...this.windows];
    if (now > this.openedAt) windows.push(this.current(now, this.present()));
    const sum = (key: keyof Window) => windows.reduce((total, window) => total + window[key], 0);
    const [observedMs, finished, timed] = [sum("lengthMs"), sum("finished"), sum("timed")];
    const arrivals = Math.max(0, sum("arrivals"));
    const serviceMs = sum("sumMs") / timed;
    const perMs = observedMs > 0 ? arrivals / observedMs : 0;
    return {
      observedMs,
      arrivals,
      finished,
      timed,
      arrivalsPerSecond: perMs * 1000,
      finishedPerSecond: observedMs > 0 ? (finished / observedMs) * 1000 : 0,
      serviceMs,
      serviceVariability: serviceMs > 0 ? Math.max(0, sum("squares") / timed / serviceMs ** 2 - 1) : 0,
      arrivalVariability: variabilityOf(this.windows, perMs),
    };
  }

  private turn(now: number, present: number): void {
    if (now > this.openedAt) {
      this.windows.push(this.current(now, present));
      if (this.windows.length > MOST_WINDOWS) this.windows.shift();
    }
    this.openedAt = now;
    this.closesAt = now + WINDOW_MS;
    this.before = present;
    this.count = 0;
    this.timed = 0;
    this.sumMs = 0;
    this.squares = 0;
  }

  private current(now: number, present: number): Window {
    const { count: finished, timed, sumMs, squares } = this;
    const arrivals = finished + present - this.before;
    return { lengthMs: now - this.openedAt, arrivals, finished, timed, sumMs, squares };
  }
}

/**
 * How much more the counts of neighbouring windows differ than they would if items came at random. Neighbours, because a rate that
 * changes slowly is no burst.
 */
function variabilityOf(windows: readonly Window[], perMs: number): number {
  if (windows.length < ENOUGH_WINDOWS || perMs === 0) return 1;
  let squares = 0;
  let expected = 0;
  for (let i = 1; i < windows.length; i++) {
    const [a, b] = [windows[i - 1]!, windows[i]!];
    const surplus = (window: Window) => window.arrivals - perMs * window.lengthMs;
    squares += (surplus(b) - surplus(a)) ** 2;
    expected += perMs * (a.lengthMs + b.lengthMs);
  }
  return squares / expected;
}
