import type { Watchable } from "../../contracts/index.js";

/** What a look keeps: these columns, and four more for each tier. Times are in milliseconds, counts are since the beginning. */
export const AT = 0;
export const CPU_MS = 1;
export const DEPTH = 2;
export const ARRIVED = 3;
export const TAKEN = 4;
export const ENDED = 5;
export const FAILED = 6;
export const RETRIED = 7;
export const FIRST_RETRIED = 8;
export const PROCESSED_MS = 9;
const TIERS = 10;

export const ENQUEUED = 0;
export const DEQUEUED = 1;
export const OVERTAKEN = 2;
/** How long the oldest item of the tier has waited. */
export const WAITED_MS = 3;
const TIER_COLUMNS = 4;

/** How many looks are remembered: with one a second, a minute. */
const MAX_LOOKS = 60;
/** For how many there is room at first: most of what is watched for an instant needs no more. */
const FIRST_LOOKS = 6;

/** The last looks at a queue, in one array of numbers: those at a thousand queues make no garbage and take 6 KB each. The first is the oldest. */
export class Looks {
  length = 0;
  private tiers = 0;
  private rows = 0;
  /** The row of the oldest. */
  private oldest = 0;
  private numbers = new Float64Array(0);

  get(look: number, column: number): number {
    return this.numbers[this.start(look) + column]!;
  }

  /** A count of a tier, which may have come up later than the look. */
  ofTier(look: number, tier: number, column: number): number {
    return tier < this.tiers ? this.get(look, TIERS + TIER_COLUMNS * tier + column) : 0;
  }

  add({ probe, tally }: Watchable, at: number, cpu: number): void {
    const tiers = probe.tiers.length;
    if (tiers > this.tiers || (this.length === this.rows && this.rows < MAX_LOOKS)) this.grow(tiers);
    if (this.length < this.rows) this.length++;
    else this.oldest = (this.oldest + 1) % this.rows;
    const { numbers } = this;
    const row = this.start(this.length - 1);
    let depth = 0;
    let arrived = 0;
    let taken = 0;
    let column = row + TIERS;
    for (let tier = 0; tier < tiers; tier++) {
      const enqueued = tally.enqueued(tier);
      const dequeued = tally.dequeued(tier);
      depth += probe.depth(tier);
      arrived += enqueued;
      taken += dequeued;
      numbers[column + ENQUEUED] = enqueued;
      numbers[column + DEQUEUED] = dequeued;
      numbers[column + OVERTAKEN] = tally.overtaken(tier);
      const since = probe.oldestAt(tier);
      numbers[column + WAITED_MS] = since === undefined ? 0 : Math.max(0, at - since);
      column += TIER_COLUMNS;
    }
    const { deadLettered } = tally;
    numbers[row + AT] = at;
    numbers[row + CPU_MS] = cpu;
    numbers[row + DEPTH] = depth;
    numbers[row + ARRIVED] = arrived;
    numbers[row + TAKEN] = taken;
    numbers[row + ENDED] = tally.succeeded + tally.failed + deadLettered;
    numbers[row + FAILED] = tally.failed + deadLettered;
    numbers[row + RETRIED] = tally.retried;
    numbers[row + FIRST_RETRIED] = tally.firstRetried;
    numbers[row + PROCESSED_MS] = tally.processedMs;
  }

  /** The latest of those before `end` at which a column was at most `limit`; -1 where none was. */
  lastAtMost(limit: number, column: number, end = this.length): number {
    let look = end - 1;
    while (look >= 0 && !(this.get(look, column) <= limit)) look--;
    return look;
  }

  private start(look: number): number {
    return ((this.oldest + look) % this.rows) * this.width;
  }

  private get width(): number {
    return TIERS + TIER_COLUMNS * this.tiers;
  }

  private grow(tiers: number): void {
    const { length, width, numbers } = this;
    const starts = Array.from({ length }, (_, look) => this.start(look));
    if (length === this.rows) this.rows = Math.min(MAX_LOOKS, 2 * this.rows || FIRST_LOOKS);
    this.tiers = tiers;
    this.oldest = 0;
    this.numbers = new Float64Array(this.rows * this.width);
    starts.forEach((from, look) => {
      this.numbers.set(numbers.subarray(from, from + width), look * this.width);
    });
  }
}
