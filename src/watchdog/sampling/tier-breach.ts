import { UNKNOWN } from "../situation.js";

/** While a breach lasts, what it is put down to is looked into again after such a share of the time since it was reported. */
const RARER = 0.1;

/**
 * The breaches of one tier of a queue: what was observed, and what was announced. The two differ while announcements are held back after a
 * stall. Instants are monotonic milliseconds.
 *
 * A breach is counted once, and once more when its cause is found, or another one than was reported. It is reported once, again after
 * `minIntervalMs` while it lasts, and as soon as its cause is found; and where two looks in a row find another cause than was reported. A breach that ended and comes back is reported before that only
 * with another cause: a queue that oscillates around its SLA has one thing to say.
 */
export class TierBreach {
  private since: number | undefined = undefined;
  private endedAt = Number.NEGATIVE_INFINITY;
  /** How long the breach that ended last was on. */
  lastedMs = 0;
  /** The verdict that the current breach was counted under. */
  private countedAs: string | undefined = undefined;
  /** How many items had missed the SLA when the last breach began; undefined where that is not counted. */
  missedBefore: number | undefined = undefined;
  /** The last report of the current breach. */
  private last: { readonly at: number; readonly verdict: string } | undefined = undefined;
  /** What the last look found instead, if it did. */
  private suspect: string | undefined = undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;
  /** When each verdict was last reported, over all breaches. */
  private readonly reportedAt = new Map<string, number>();

  /** The same verdict, and the same breach, is reported at most once in `minIntervalMs`. */
  constructor(private readonly minIntervalMs: number) {}

  /** A sample: whether the tier is beyond its SLA. Undefined: it was not, and is not. */
  observe(isLate: boolean, now: number, missed?: number): "began" | "ongoing" | "ended" | undefined {
    const { since } = this;
    if (isLate) {
      if (since !== undefined) return "ongoing";
      this.since = now;
      this.missedBefore = missed;
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

  /** The verdict of the last report of the current breach. */
  get reportedAs(): string | undefined {
    return this.last?.verdict;
  }

  /** Whether {@link decide} may have anything to do: it has at each look at first, and as time goes by at fewer. Spares diagnoses. */
  isDue(now: number): boolean {
    const { last, suspect, lookedAt } = this;
    if (last === undefined || last.verdict === UNKNOWN || suspect !== undefined) return true;
    return this.isLongAgo(last.at, now) || now - lookedAt >= RARER * (now - last.at);
  }

  /** Whether to count, and to report, the current breach under this verdict; `corrects` is the reported one that it stands against. What it says is taken as done. */
  decide(
    verdict: string,
    now: number,
    /** Whether the look is sure of what was reported, too: then another cause on top of it contradicts nothing. */
    isStillSure = false,
  ): { readonly count: boolean; readonly report: boolean; readonly corrects?: string } {
    const { countedAs, last } = this;
    this.lookedAt = now;
    const isOther =
      last !== undefined &&
      last.verdict !== UNKNOWN &&
      verdict !== UNKNOWN &&
      last.verdict !== verdict &&
      !isStillSure;
    const isCorrection = isOther && this.suspect === verdict;
    this.suspect = isOther ? verdict : undefined;
    const count =
      countedAs === undefined ||
      (countedAs === UNKNOWN && verdict !== UNKNOWN) ||
      (isCorrection && countedAs !== verdict);
    const isCauseFound = last?.verdict === UNKNOWN && verdict !== UNKNOWN;
    const isNews = last === undefined || isCauseFound || isCorrection || this.isLongAgo(last.at, now);
    const report = isNews && this.isLongAgo(this.reportedAt.get(verdict), now);
    // A cause that was reported lately, before another one, is not told of again and again.
    const isCounted = count && (!isCorrection || report);
    if (isCounted) this.countedAs = verdict;
    if (!report) return { count: isCounted, report };
    this.last = { at: now, verdict };
    this.suspect = undefined;
    this.reportedAt.set(verdict, now);
    return isOther ? { count: isCounted, report, corrects: last.verdict } : { count: isCounted, report };
  }

  /** The end of the current breach is announced. False: the breach was not reported, so its end is not. */
  close(): boolean {
    const wasReported = this.last !== undefined;
    this.countedAs = undefined;
    this.last = undefined;
    this.suspect = undefined;
    return wasReported;
  }

  private isLongAgo(at: number | undefined, now: number): boolean {
    return at === undefined || now - at >= this.minIntervalMs;
  }
}
