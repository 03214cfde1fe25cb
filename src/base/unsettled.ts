import { NOWHERE, type Positioned, PositionedHeap } from "./positioned-heap.js";

/** An item from when it first came in until it is settled, however often it is retried. */
export class Unsettled implements Positioned {
  position = NOWHERE;
  /** Whether the time to complete it has passed, which was counted. */
  isLate = false;

  constructor(
    /** When it first came in, in monotonic milliseconds. */
    readonly at: number,
    /** Index of its tier. */
    public tier: number,
  ) {}
}

/** Knows how long items may take until they are settled, and counts whether they did. */
export interface CompletionJudge {
  /** In milliseconds; undefined: nothing was promised for the tier. */
  completeMsOf?(tier: number): number | undefined;
  /** Of an item of the tier, once: it was settled in time, or that time has passed. */
  completed?(tier: number, result: "met" | "missed"): void;
}

/**
 * How an item comes to its end: `settled`; `dropped`, so that it never will be; or `left`, when its end will not be told, or none was owed any
 * more.
 */
export type UnsettledEnd = "settled" | "dropped" | "left";

/**
 * Items of a queue that are not settled, by when they first came in: those that were retried and, where their completion is promised, all.
 * Each step costs O(log n); of items in their order of arrival, adding one O(1).
 */
export class UnsettledItems {
  /** How many there are. */
  size = 0;
  judge: CompletionJudge | undefined = undefined;
  /** By tier: those that can still be in time, and those that can't. */
  private readonly due: PositionedHeap<Unsettled>[] = [];
  private readonly late: PositionedHeap<Unsettled>[] = [];

  /** Does nothing if it is in here. */
  add(item: Unsettled): void {
    if (item.position !== NOWHERE) return;
    this.heapOf(item).add(item);
    this.size++;
  }

  /** It is judged, unless it was. What isn't in here any more may have come to this end before. */
  end(item: Unsettled, now: number, how: UnsettledEnd): void {
    if (!item.isLate) {
      const completeMs = this.judge?.completeMsOf?.(item.tier);
      if (completeMs !== undefined) {
        if (how === "dropped" || now - item.at > completeMs) this.miss(item);
        else if (how === "settled") this.judge!.completed?.(item.tier, "met");
      }
    }
    this.remove(item);
  }

  /** Judges those whose time has passed. */
  judgeLate(now: number): void {
    for (const [tier, due] of this.due.entries()) {
      const completeMs = this.judge?.completeMsOf?.(tier);
      if (completeMs === undefined) continue;
      for (let first = due.first; first !== undefined && now - first.at > completeMs; first = due.first) {
        this.miss(first);
      }
    }
  }

  /** It has another tier from now on. */
  move(item: Unsettled, tier: number): void {
    this.remove(item);
    item.tier = tier;
    this.add(item);
  }

  /** When the oldest of the tier first came in; undefined when there is none. */
  oldestAt(tier: number): number | undefined {
    return earlier(this.late[tier]?.first?.at, this.due[tier]?.first?.at);
  }

  private miss(item: Unsettled): void {
    const isIn = item.position !== NOWHERE;
    if (isIn) this.heapOf(item).remove(item);
    item.isLate = true;
    if (isIn) this.heapOf(item).add(item);
    this.judge!.completed?.(item.tier, "missed");
  }

  private remove(item: Unsettled): void {
    if (item.position === NOWHERE) return;
    this.heapOf(item).remove(item);
    this.size--;
  }

  private heapOf({ isLate, tier }: Unsettled): PositionedHeap<Unsettled> {
    const heaps = isLate ? this.late : this.due;
    while (heaps.length <= tier) heaps.push(new PositionedHeap(isOlder));
    return heaps[tier]!;
  }
}

/** The earlier of two instants, of which either may not be known. */
export function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

function isOlder(one: Unsettled, other: Unsettled): boolean {
  return one.at < other.at;
}
