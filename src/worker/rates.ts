/** A window is at least so long, and ends with the first task after that: no timer is needed. */
const WINDOW_MS = 1_000;
/** How many windows are kept: at least a minute, longer where little happens. */
const MAX_WINDOWS = 60;
/** How unevenly items come is seen in beats, which are at least so long, in tasks and in time. */
const BEAT_TASKS = 16;
const BEAT_MS = 50;
/** Fewer beats than this are no evidence. */
const MIN_BEATS = 50;

interface Window {
  readonly lengthMs: number;
  /** Work that came in, less what was dropped or went to others. */
  readonly arrivals: number;
  readonly finished: number;
  /** How many of them had their time taken, the sum of those times, and of their squares. */
  readonly timed: number;
  readonly sumMs: number;
  readonly squares: number;
  /** Beats that ended; and by how much each differs from the one before, in arrivals and in length: sums of squares and products. */
  readonly beats: number;
  readonly beatsMs: number;
  readonly moreSquared: number;
  readonly moreTimesLonger: number;
  readonly longerSquared: number;
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
  private beats = { beats: 0, beatsMs: 0, moreSquared: 0, moreTimesLonger: 0, longerSquared: 0 };
  private beatAt = 0;
  private beatCount = 0;
  private beatPresent = 0;
  private lastLengthMs = Number.NaN;
  private lastArrivals = 0;

  constructor(
    /** How much work there is, waiting and under way. */
    private readonly work: { readonly present: number },
  ) {}

  /** A task is over, and still among those under way; `startedAt` is undefined where its time wasn't taken. */
  finished(now: number, startedAt: number | undefined): void {
    this.count++;
    this.beatCount++;
    if (startedAt !== undefined) {
      const tookMs = now - startedAt;
      this.timed++;
      this.sumMs += tookMs;
      this.squares += tookMs * tookMs;
    }
    if (this.beatCount >= BEAT_TASKS && now >= this.beatAt + BEAT_MS) this.beat(now, this.work.present - 1);
    if (now >= this.closesAt) this.turn(now, this.work.present - 1);
  }

  /** Begins to measure, if nothing was measured yet. */
  start(now: number): void {
    if (Number.isNaN(this.openedAt)) this.turn(now, this.work.present);
  }

  /** What was measured until now. */
  read(now: number): Measured {
    const windows = [...this.windows];
    if (now > this.openedAt) windows.push(this.current(now, this.work.present));
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
      arrivalVariability: this.arrivalVariability(sum, perMs),
    };
  }

  private turn(now: number, present: number): void {
    if (now > this.openedAt) {
      this.windows.push(this.current(now, present));
      if (this.windows.length > MAX_WINDOWS) this.windows.shift();
    }
    if (Number.isNaN(this.openedAt)) this.startBeat(now, present);
    this.openedAt = now;
    this.closesAt = now + WINDOW_MS;
    this.before = present;
    this.count = 0;
    this.timed = 0;
    this.sumMs = 0;
    this.squares = 0;
    this.beats = { beats: 0, beatsMs: 0, moreSquared: 0, moreTimesLonger: 0, longerSquared: 0 };
  }

  private beat(now: number, present: number): void {
    const lengthMs = now - this.beatAt;
    const arrivals = this.beatCount + present - this.beatPresent;
    const longer = lengthMs - this.lastLengthMs;
    const more = arrivals - this.lastArrivals;
    if (!Number.isNaN(longer)) {
      const { beats } = this;
      beats.beats++;
      beats.beatsMs += lengthMs + this.lastLengthMs;
      beats.moreSquared += more * more;
      beats.moreTimesLonger += more * longer;
      beats.longerSquared += longer * longer;
    }
    this.lastLengthMs = lengthMs;
    this.lastArrivals = arrivals;
    this.startBeat(now, present);
  }

  private startBeat(now: number, present: number): void {
    this.beatAt = now;
    this.beatCount = 0;
    this.beatPresent = present;
  }

  /**
   * How much more neighbouring beats differ, in arrivals beyond the mean rate, than they would if items came at random. Neighbours,
   * because a rate that changes slowly is no burst.
   */
  private arrivalVariability(sum: (key: keyof Window) => number, perMs: number): number {
    if (sum("beats") < MIN_BEATS || perMs === 0) return 1;
    const squares =
      sum("moreSquared") - 2 * perMs * sum("moreTimesLonger") + perMs * perMs * sum("longerSquared");
    return Math.max(0, squares) / (perMs * sum("beatsMs"));
  }

  private current(now: number, present: number): Window {
    const { count: finished, timed, sumMs, squares } = this;
    const arrivals = finished + present - this.before;
    return { lengthMs: now - this.openedAt, arrivals, finished, timed, sumMs, squares, ...this.beats };
  }
}
