/** The verdict of a breach while no check names its cause. */
export const UNKNOWN = "unknown";

/**
 * The breaches of one tier of a queue: what was observed, and what was announced. The two differ while announcements are held back after a
 * stall. Instants are monotonic milliseconds.
 *
 * A breach is counted once, and once more when the cause of an unexplained one is found. It is reported once, again after
 * `minIntervalMs` while it lasts, and as soon as its cause is found. A breach that ended and comes back is reported before that only
 * with another cause: a queue that oscillates around its SLA has one thing to say.
 */
export class TierBreach {
  private since: number | undefined = undefined;
  private endedAt = Number.NEGATIVE_INFINITY;
  /** How long the breach that ended last was on. */
  lastedMs = 0;
  /** The verdict that the current breach was counted under. */
  private countedAs: string | undefined = undefined;
  /** The last report of the current breach. */
  private last: { readonly at: number; readonly verdict: string } | undefined = undefined;
  /** When each verdict was last reported, over all breaches. */
  private readonly reportedAt = new Map<string, number>();

  /** The same verdict, and the same breach, is reported at most once in `minIntervalMs`. */
  constructor(private readonly minIntervalMs: number) {}

  /** A sample: whether the tier is beyond its SLA. Undefined: it was not, and is not. */
  observe(isLate: boolean, now: number): "began" | "ongoing" | "ended" | undefined {
    const { since } = this;
    if (isLate) {
      if (since !== undefined) return "ongoing";
      this.since = now;
      return "began";
    }
    if (since === undefined) return undefined;
    this.since = undefined;
    this.endedAt = now;
    this.lastedMs = now - since;
    return "ended";
  }

  /**
   * Adds a breach that the stall monitor saw at `seenAt`, and that began at `since`; the next sample tells whether it has ended. False: a
   * sample has seen its end already.
   */
  observeFromOutside(since: number, seenAt: number): boolean {
    if (seenAt <= this.endedAt) return false;
    this.since ??= since;
    return true;
  }

  /** Whether {@link decide} may have anything to do, whatever the verdict is. Spares a diagnosis at most samples. */
  isDue(now: number): boolean {
    return this.last === undefined || this.last.verdict === UNKNOWN || this.isLongAgo(this.last.at, now);
  }

  /** Whether to count, and to report, the current breach under this verdict. What it says is taken as done. */
  decide(verdict: string, now: number): { readonly count: boolean; readonly report: boolean } {
    const { countedAs, last } = this;
    const count = countedAs === undefined || (countedAs === UNKNOWN && verdict !== UNKNOWN);
    if (count) this.countedAs = verdict;
    const isCauseFound = last?.verdict === UNKNOWN && verdict !== UNKNOWN;
    const isNews = last === undefined || isCauseFound || this.isLongAgo(last.at, now);
    const report = isNews && this.isLongAgo(this.reportedAt.get(verdict), now);
    if (report) {
      this.last = { at: now, verdict };
      this.reportedAt.set(verdict, now);
    }
    return { count, report };
  }

  /** The end of the current breach is announced. False: the breach was not reported, so its end is not. */
  close(): boolean {
    const wasReported = this.last !== undefined;
    this.countedAs = undefined;
    this.last = undefined;
    return wasReported;
  }

  private isLongAgo(at: number | undefined, now: number): boolean {
    return at === undefined || now - at >= this.minIntervalMs;
  }
}
