/** So many messages had been published to the queue at an instant, in epoch milliseconds. */
export interface Mark {
  readonly at: number;
  readonly published: number;
}

/** What one poll has told. What is undefined is unknown. */
export interface Reading {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Messages that could be taken: now, and as of the last of the marks. */
  readonly depth: number;
  readonly ready: number | undefined;
  readonly consumers: number | undefined;
  /** What the broker has kept of its counts, oldest first. */
  readonly marks: readonly Mark[];
  /** Messages that were ever delivered for the first time. */
  readonly delivered: number | undefined;
  /** The time stamp of the message at the head, in epoch milliseconds. */
  readonly headStampedAt: number | undefined;
  /** Messages in flight: one of them may be the head. */
  readonly inFlight: number | undefined;
  /** Whether messages leave in the order in which they came. */
  readonly isFifo: boolean;
}

/** How many marks are kept. Then every second one of the older half goes. */
const MAX_MARKS = 512;
/** How old the broker's counts may be, in milliseconds. */
const LAG_MS = 6_000;
/** How long the counts may contradict each other before they are not believed any more, in milliseconds; and by how many messages. */
const MAX_CONTRADICTION_MS = 2 * LAG_MS;
const SLACK = 10;

/**
 * Since when the oldest message of a queue waits, which no broker of this kind tells. By the counts it is known whose turn it is, and when that
 * one came: between two marks they came at a steady rate. The head's time stamp, and the last poll that saw the queue empty, are bounds:
 * the oldest came later.
 */
export class Oldest {
  private marks: Mark[] = [];
  private first: Reading | undefined = undefined;
  private emptyAt: number | undefined = undefined;
  /** Whether messages may have been taken since the queue was last seen empty. */
  private hadConsumers = false;
  private contradictedSince: number | undefined = undefined;

  /** `null`: there is none; undefined: it isn't known. In epoch milliseconds. `isFedByOthers`: messages come that are counted nowhere. */
  learn(reading: Reading, isFedByOthers: boolean): number | null | undefined {
    const { at, depth, consumers } = reading;
    this.first ??= reading;
    if (depth === 0) {
      this.emptyAt = at;
      this.hadConsumers = false;
    }
    if (consumers !== 0) this.hadConsumers = true;
    this.remember(reading);
    if (depth === 0) return null;
    const isCounted = reading.isFifo && !isFedByOthers && !this.isContradicted(reading);
    const came = isCounted ? this.fromCounts(reading) : undefined;
    const stamped = reading.headStampedAt === undefined ? undefined : Math.min(reading.headStampedAt, at);
    // As long as nothing was taken, the oldest came right after the queue was seen empty.
    const sinceEmpty = this.hadConsumers ? undefined : this.emptyAt;
    const known =
      reading.inFlight === 0 && stamped !== undefined
        ? stamped
        : came === "earlier"
          ? sinceEmpty
          : (came ?? sinceEmpty);
    // Messages that were there from the start have been there since then at least.
    const wasThere = came === "earlier" || !this.hadConsumers ? this.first.at : undefined;
    const oldestAt = known ?? stamped ?? wasThere;
    return oldestAt === undefined
      ? undefined
      : Math.max(oldestAt, stamped ?? oldestAt, this.emptyAt ?? oldestAt);
  }

  private remember(reading: Reading): void {
    for (const mark of reading.marks) {
      const last = this.marks.at(-1);
      if (last !== undefined && mark.at <= last.at) continue;
      if (last !== undefined && mark.published < last.published) {
        // The broker counts anew.
        this.marks = [];
        this.first = reading;
        this.contradictedSince = undefined;
      }
      if (last?.published === mark.published && this.marks.at(-2)?.published === mark.published)
        this.marks.pop();
      this.marks.push(mark);
    }
    if (this.marks.length > MAX_MARKS) {
      this.marks = this.marks.filter((_, i) => i % 2 === 0 || i > MAX_MARKS / 2);
    }
  }

  /** When the message came whose turn it is: as many as are there were published after it. `earlier`: before there were any marks. */
  private fromCounts({ at, depth, ready }: Reading): number | "earlier" | undefined {
    const { marks } = this;
    const [before, last] = [marks.at(-2), marks.at(-1)];
    if (last === undefined) return undefined;
    // What was published since the last mark isn't known; it was as many as before that, in the same time.
    const lagMs = Math.min(Math.max(0, at - last.at), LAG_MS);
    const rate = before === undefined ? 0 : (last.published - before.published) / (last.at - before.at);
    const now = { at, published: last.published + rate * lagMs };
    const turns = [now.published - depth];
    if (ready !== undefined) turns.push(last.published - ready);
    // The later one of both: an age is rather told too low than too high.
    return this.publishedAt(Math.max(...turns), now);
  }

  private publishedAt(turn: number, now: Mark): number | "earlier" {
    const marks = [...this.marks, now];
    if (turn < marks[0]!.published) return "earlier";
    const next = marks.findIndex(({ published }) => published > turn);
    if (next < 0) return marks.at(-2)!.at;
    const [from, to] = [marks[next - 1]!, marks[next]!];
    return from.at + ((turn - from.published) / (to.published - from.published)) * (to.at - from.at);
  }

  /** Whether more messages have come than were published: from other queues, say. */
  private isContradicted(reading: Reading): boolean {
    const { first, marks } = this;
    const published = marks.at(-1)?.published;
    const before = first?.marks.at(-1)?.published;
    if (published === undefined || before === undefined) return false;
    const came =
      (reading.ready ?? reading.depth) -
      (first!.ready ?? first!.depth) +
      (reading.delivered ?? 0) -
      (first!.delivered ?? 0);
    if (came - (published - before) <= SLACK) this.contradictedSince = undefined;
    else this.contradictedSince ??= reading.at;
    return reading.at - (this.contradictedSince ?? reading.at) >= MAX_CONTRADICTION_MS;
  }
}
