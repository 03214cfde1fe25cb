import { UNKNOWN } from "./checks/diagnose.js";

/** What was told of one tier. */
interface Tier {
  /** When a breach was last told, by the verdict that it was put down to. */
  readonly toldAt: Map<string, number>;
  /** What the breach that is on was counted as, if it was. */
  countedAs: string | undefined;
  /** What was last told of the breach that is on. */
  last: { readonly at: number; readonly verdict: string } | undefined;
}

/**
 * Which breaches of a queue have been counted and told. Each is counted once, and once more when the cause of one that nobody could
 * explain is found. It is told once, again after a while as long as it lasts, and as soon as its cause is found. One that is over and
 * comes back is told at once only if it has another cause: a queue that is now over its SLA and now under it has one thing to say.
 */
export class Told {
  private readonly tiers = new Map<number, Tier>();

  /** Neither the same verdict nor the same breach is told twice in less than `minIntervalMs`. */
  constructor(private readonly minIntervalMs: number) {}

  /** Could there be anything to count or tell of a breach that is seen at `now`? It depends on its verdict. */
  wants(tier: number, now: number): boolean {
    const { last } = this.of(tier);
    return last === undefined || last.verdict === UNKNOWN || this.isLongAgo(last.at, now);
  }

  /** A breach is on, and this is its verdict: must it be counted? */
  counts(tier: number, verdict: string): boolean {
    const known = this.of(tier);
    const isNew = known.countedAs === undefined || (known.countedAs === UNKNOWN && verdict !== UNKNOWN);
    if (isNew) known.countedAs = verdict;
    return isNew;
  }

  /** And must it be told? Then it counts as told. */
  tells(tier: number, verdict: string, now: number): boolean {
    const known = this.of(tier);
    const { last, toldAt } = known;
    const isCauseFound = last?.verdict === UNKNOWN && verdict !== UNKNOWN;
    const isDue = last === undefined || isCauseFound || this.isLongAgo(last.at, now);
    if (!isDue || !this.isLongAgo(toldAt.get(verdict), now)) return false;
    known.last = { at: now, verdict };
    toldAt.set(verdict, now);
    return true;
  }

  /** The breach is over. Had it been told? */
  end(tier: number): boolean {
    const known = this.of(tier);
    const wasTold = known.last !== undefined;
    known.countedAs = undefined;
    known.last = undefined;
    return wasTold;
  }

  private isLongAgo(at: number | undefined, now: number): boolean {
    return at === undefined || now - at >= this.minIntervalMs;
  }

  private of(tier: number): Tier {
    let known = this.tiers.get(tier);
    if (known === undefined) {
      known = { toldAt: new Map(), countedAs: undefined, last: undefined };
      this.tiers.set(tier, known);
    }
    return known;
  }
}
