/** What one poll has told. What is undefined is unknown. */
export interface Reading {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Messages that could be taken. */
  readonly depth: number;
  readonly consumers: number | undefined;
  /** Messages that were ever published to the queue, and that were ever delivered for the first time, as far as the broker has counted. */
  readonly published: number | undefined;
  readonly delivered: number | undefined;
  /** The time stamp of the message at the head, in epoch milliseconds. One that is in flight may be the head, too. */
  readonly headStampedAt: number | undefined;
  /** Whether messages leave in the order in which they came. */
  readonly isFifo: boolean;
}

/** So many messages are published when. Between two marks they came at a steady rate. */
interface Mark {
  readonly at: number;
  readonly published: number;
}

/** How many marks are kept. Then every second one of the older half goes. */
const MAX_MARKS = 512;
/** How much the broker's counts may lag behind each other, in milliseconds; and so many messages besides. */
const COUNTS_LAG_MS = 6_000;
const SLACK = 10;
/** How often the counts may contradict each other before they are not believed any more. */
const MAX_CONTRADICTIONS = 2;

/**
 * Since when the oldest message of a queue waits, which no broker of this kind tells. From the counts it can be told whose turn it is, and
 * from earlier polls when that one came; the head's time stamp, and the last poll that saw the queue empty, are bounds: it came later.
 */
export class Oldest {
  private marks: Mark[] = [];
  private first: Reading | undefined = undefined;
  private last: Reading | undefined = undefined;
  private emptyAt: number | undefined = undefined;
  /** Whether messages may have been taken since the queue was last seen empty. */
  private hadConsumers = false;
  private contradictions = 0;

  /** `null`: there is none; undefined: it isn't known. In epoch milliseconds. `isFedByOthers`: messages come that the broker counts nowhere. */
  learn(reading: Reading, isFedByOthers: boolean): number | null | undefined {
    const { at, depth, headStampedAt } = reading;
    if (depth === 0) {
      this.emptyAt = at;
      this.hadConsumers = false;
    }
    if (reading.consumers !== 0) this.hadConsumers = true;
    this.remember(reading);
    if (depth === 0) return null;
    const counted = isFedByOthers || !reading.isFifo ? undefined : this.fromCounts(reading);
    const known = [counted, headStampedAt === undefined ? undefined : Math.min(headStampedAt, at)];
    // As long as nothing was taken, the oldest came right after the queue was empty, or was there from the start. Else that is a bound only.
    if (!this.hadConsumers) known.push(this.emptyAt ?? this.first?.at);
    const instants = known.filter((instant) => instant !== undefined);
    return instants.length === 0
      ? undefined
      : Math.max(...instants, this.emptyAt ?? Number.NEGATIVE_INFINITY);
  }

  private remember(reading: Reading): void {
    const { at, published } = reading;
    const before = this.last;
    this.last = reading;
    if (published === undefined || published < (this.marks.at(-1)?.published ?? 0)) {
      // The broker counts anew, or not at all.
      this.marks = [];
      this.contradictions = 0;
      this.first = reading;
      if (published === undefined) return;
    }
    this.first ??= reading;
    if (this.contradicts(reading, before)) this.contradictions++;
    else if (this.contradictions < MAX_CONTRADICTIONS) this.contradictions = 0;
    if (this.marks.at(-1)?.published === published && this.marks.at(-2)?.published === published)
      this.marks.pop();
    this.marks.push({ at, published });
    if (this.marks.length > MAX_MARKS) {
      this.marks = this.marks.filter((_, i) => i % 2 === 0 || i > MAX_MARKS / 2);
    }
  }

  /** When the message came whose turn it is: as many as are there were published after it. One from before the first poll counts as of then. */
  private fromCounts({ depth, published }: Reading): number | undefined {
    const { marks } = this;
    if (published === undefined || this.contradictions >= MAX_CONTRADICTIONS) return undefined;
    const turn = published - depth;
    if (turn < marks[0]!.published) return marks[0]!.at;
    const next = marks.findIndex((mark) => mark.published > turn);
    // Fewer are counted as published than are there: the count lags behind.
    if (next < 0) return marks.at(-1)!.at;
    const before = marks[next - 1]!;
    const after = marks[next]!;
    const share = (turn - before.published) / (after.published - before.published);
    return before.at + share * (after.at - before.at);
  }

  /** Whether more messages have come than were published: from other queues, say. */
  private contradicts(reading: Reading, before: Reading | undefined): boolean {
    const { first } = this;
    if (first?.published === undefined || reading.published === undefined) return false;
    const came = reading.depth - first.depth + ((reading.delivered ?? 0) - (first.delivered ?? 0));
    const published = reading.published - first.published;
    const elapsedMs = before === undefined ? 0 : reading.at - before.at;
    const lately = before?.published === undefined ? 0 : reading.published - before.published;
    const lagging = elapsedMs <= 0 ? 0 : (lately / elapsedMs) * COUNTS_LAG_MS;
    return came - published > SLACK + lagging;
  }
}
