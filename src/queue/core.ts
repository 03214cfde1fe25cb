import type { Clock } from "../base/clock.js";
import { LinkedList, type Links } from "../base/linked-list.js";
import { NOWHERE } from "../base/positioned-heap.js";
import { processWide } from "../base/process-wide.js";
import { earlier, Unsettled, UnsettledItems } from "../base/unsettled.js";
import type { PoolView, QueueTelemetry, Report, Work } from "../contracts/index.js";
import type { Due } from "./alarm.js";
import { attemptOf, carrierOf, deadlineOf, EntryExtras, type Place, type Store } from "./storage/store.js";
import type { GetWaiter, JoinWaiter, PutWaiter } from "./waiters.js";

/** What `Infinity` is as a limit: no array is longer. */
const MAX_ITEMS = 2 ** 31 - 1;

/**
 * Whether items come in: `open` takes them, `closing` only gives them out and takes retries back, `done` drops even those. It only goes
 * forward.
 */
export type State = "open" | "closing" | "done";

/**
 * The state that the parts of a queue share.
 *
 * Invariants: getters wait only while nothing is queued; putters wait only while there is no room; both are served in order of
 * arrival, and what they wait for is handed to them, never freed and fought for.
 */
export class Core<T> {
  state: State = "open";
  /** Whether entries keep when they came in, and a tag. */
  isTracked = false;
  /** Whether some of those tags have a deadline. */
  hasDeadlines = false;
  /** Open, with nothing kept but items, and so without observer: then the short paths are all there is to do. */
  isPlain = true;
  readonly getters = new LinkedList<GetWaiter<T>>();
  readonly putters = new LinkedList<PutWaiter<T>>();
  readonly joiners = new LinkedList<JoinWaiter<T>>();
  /** What was taken by consumers that settle it, and is not settled. */
  readonly inFlight = new InFlight<T>();
  /** Those that work on the queue. */
  pools: Set<PoolView> | undefined = undefined;
  /** Items that come back when their planned delay is over. */
  readonly delayed = new LinkedList<Delayed<T>>();
  /** When those first came in that were retried, and all others where `isFollowed`: where the observer promised that they complete in time. */
  readonly unsettled = new UnsettledItems();
  isFollowed = false;
  /** Items taken by a plain get, and no `taskDone` yet. */
  undone = 0;
  /** When an item was last taken, or times began to be kept; 0 until then. */
  lastTakenAt = 0;
  /** Set by {@link observe}. */
  observer: QueueTelemetry | undefined = undefined;
  /** The capacity, but for `Infinity`: a small integer is compared faster. */
  limit = MAX_ITEMS;

  constructor(
    /** The queue, by which a watchdog is found. */
    private readonly queue: object,
    readonly store: Store<T>,
    readonly clock: Clock,
    /** Names of the tiers, most urgent first. */
    readonly tiers: readonly string[],
    capacity: number,
  ) {
    this.capacity = capacity;
  }

  /** Most items that may wait; `Infinity` when unbounded. */
  get capacity(): number {
    return this.limit === MAX_ITEMS ? Number.POSITIVE_INFINITY : this.limit;
  }

  set capacity(capacity: number) {
    this.limit = Math.min(capacity, MAX_ITEMS);
  }

  /** Why the queue is late, if a watchdog knows. */
  report(): Report | undefined {
    for (const answer of processWide.reports.get(this.queue) ?? []) {
      const report = answer();
      if (report !== undefined) return report;
    }
    return undefined;
  }

  /** How many items were accepted and are neither settled nor dropped. */
  get unfinished(): number {
    return this.store.size + this.delayed.size + this.inFlight.size + this.undone;
  }

  /** Whether it is shut down, with nothing left to come. */
  get isFinished(): boolean {
    return this.state !== "open" && this.store.size === 0 && this.delayed.size === 0;
  }

  /** Monotonic milliseconds; NaN where times are not kept. */
  now(): number {
    return this.isTracked ? this.clock.now() : Number.NaN;
  }

  /** Takes nothing in any more; `done`: nothing comes back in either. */
  close(state: "closing" | "done"): void {
    this.state = state;
    this.isPlain = false;
  }

  /** From now on entries keep their time and a tag. Waits that began before are measured from now on. */
  track(): void {
    if (this.isTracked) return;
    this.isTracked = true;
    this.isPlain = false;
    const now = this.clock.now();
    this.store.track(now);
    this.lastTakenAt = now;
    for (let waiter = this.getters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
    for (let waiter = this.putters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
  }

  observe(observer: QueueTelemetry | undefined): void {
    this.observer = observer;
    this.unsettled.judge = observer;
    this.isFollowed = this.tiers.some((_, tier) => observer?.completeMsOf?.(tier) !== undefined);
    if (observer !== undefined) this.track();
  }

  /** An item came in with this tag, and is followed from now on. Gives the tag that it has then. */
  follow(tag: unknown, at: number, { tier }: Place): EntryExtras {
    const unsettled = new Unsettled(at, tier);
    this.unsettled.add(unsettled);
    const known = tag instanceof EntryExtras ? tag.correlationId : undefined;
    return new EntryExtras(deadlineOf(tag), attemptOf(tag), known, carrierOf(tag), unsettled);
  }

  /** When the oldest item of the tier first came in that waits, is delayed by a retry, or in flight. */
  unsettledAt(tier: number): number | undefined {
    let oldest = earlier(this.store.oldestAt(tier), this.unsettled.oldestAt(tier));
    // In order of taking, which need not be that of arrival.
    for (let work = this.inFlight.first; work !== undefined; work = work.next) {
      if (work.place.tier === tier) oldest = earlier(oldest, work.enqueuedAt);
    }
    return oldest;
  }

  /** The correlation ID of an item with this tag, if it has one already. */
  correlationIdOf(tag: unknown): string | undefined {
    if (tag instanceof EntryExtras && tag.correlationId !== undefined) return tag.correlationId;
    return this.observer?.correlationIdOf(carrierOf(tag));
  }

  /** Of the items that come next, those IDs that are known: none is made for a report. */
  correlationIds(most: number): string[] {
    const tags = this.store.heads(most).map(({ tag }) => tag);
    for (
      let delayed = this.delayed.first;
      delayed !== undefined && tags.length < most;
      delayed = delayed.next
    ) {
      tags.push(delayed.extras);
    }
    return tags.map((tag) => this.correlationIdOf(tag)).filter((id) => id !== undefined);
  }

  /** When the item that is served next came in. */
  headAt(): number | undefined {
    if (!this.isTracked || this.store.size === 0) return undefined;
    this.store.front();
    return this.store.at;
  }

  /** Fast path out: the next item, if nothing more is to be known of it and no producer waits for its place. */
  takePlainly(): T | undefined {
    const { store } = this;
    if (!this.isPlain || store.size === 0 || this.putters.first !== undefined) return undefined;
    this.undone++;
    return store.shift();
  }
}

/** What is in flight, in order of taking. A list of its own: code that sees several kinds of nodes is slow for each of them. */
class InFlight<T> {
  first: Work<T> | undefined = undefined;
  size = 0;
  private last: Work<T> | undefined = undefined;

  add(work: Work<T>): void {
    const { last } = this;
    if (last === undefined) this.first = work;
    else {
      work.previous = last;
      last.next = work;
    }
    this.last = work;
    this.size++;
  }

  /** The work must be in this list. */
  remove(work: Work<T>): void {
    const { previous, next } = work;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    work.previous = undefined;
    work.next = undefined;
    this.size--;
  }
}

/** An item that comes back into its queue when its planned delay is over. */
export class Delayed<T> implements Due, Links<Delayed<T>> {
  previous: Delayed<T> | undefined = undefined;
  next: Delayed<T> | undefined = undefined;
  position = NOWHERE;
  order = 0;

  constructor(
    private readonly comeBack: (delayed: Delayed<T>) => void,
    readonly dueAt: number,
    readonly item: T,
    readonly extras: EntryExtras,
    readonly place: Place,
  ) {}

  ring(): void {
    this.comeBack(this);
  }
}
