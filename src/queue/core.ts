import type { Clock } from "../base/clock.js";
import { LinkedList } from "../base/linked-list.js";
import { processWide } from "../base/process-wide.js";
import type { PoolView, QueueTelemetry, Report } from "../contracts/index.js";
import type { Delayed } from "./delayed.js";
import type { Delivery } from "./delivery.js";
import { carrierOf, EntryExtras } from "./entry-extras.js";
import type { Place, Store } from "./storage/store.js";
import type { GetWaiter, JoinWaiter, PutWaiter } from "./waiters.js";

/** What `Infinity` is as a limit: no array is longer. */
const MOST_ITEMS = 2 ** 31 - 1;

/**
 * The state that the parts of a queue share.
 *
 * Invariants: getters wait only while nothing is queued; putters wait only while there is no room; both are served in order of
 * arrival, and what they wait for is handed to them, never freed and fought for.
 */
export class Core<T> {
  readonly getters = new LinkedList<GetWaiter<T>>();
  readonly putters = new LinkedList<PutWaiter<T>>();
  readonly joiners = new LinkedList<JoinWaiter<T>>();
  /** Deliveries taken and not settled. */
  readonly inFlight = new LinkedList<Delivery<T>>();
  /** Those who work on the queue. */
  pools: Set<PoolView> | undefined = undefined;
  /** Items that come back when their planned delay is over. */
  readonly delayed = new LinkedList<Delayed<T>>();
  /** Items taken by a plain get, and no `taskDone` yet. */
  undone = 0;
  /** Nothing but items: open, no observer, no clock. Then the short paths are all there is to do. */
  simple = true;
  /** Entries keep their time and a tag. */
  tracked = false;
  /** Some item has, or had, a deadline. */
  dated = false;
  /** When an item was last taken, or times began to be kept; NaN until then. */
  lastTakenAt = Number.NaN;
  /** Takes items in? */
  isOpen = true;
  /** Shut down immediately: nothing comes back in either? */
  isClosed = false;
  observer: QueueTelemetry | undefined = undefined;
  /** The queue, by which a watchdog is found. */
  owner: object = {};
  /** The capacity, but for `Infinity`: a small integer is compared faster. */
  limit = MOST_ITEMS;

  constructor(
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
    return this.limit === MOST_ITEMS ? Number.POSITIVE_INFINITY : this.limit;
  }

  set capacity(capacity: number) {
    this.limit = Math.min(capacity, MOST_ITEMS);
  }

  /**
   * The short path in: a plain item for which there is room, and so nobody who waits for it, and no consumer either. False means
   * that nothing has changed.
   */
  enterSimply(item: T, place: Place): boolean {
    const { store } = this;
    if (!this.simple || store.size >= this.limit || this.getters.first !== undefined) return false;
    store.push(item, Number.NaN, undefined, place);
    return true;
  }

  /** The short path out: the next item, if nobody wants to know more about it and nobody waits for its place. */
  takeSimply(): T | undefined {
    const { store } = this;
    if (!this.simple || store.size === 0 || this.putters.first !== undefined) return undefined;
    this.undone++;
    return store.shift();
  }

  /** Why the queue is late, if a watchdog knows. */
  report(): Report | undefined {
    for (const answer of processWide.reports.get(this.owner) ?? []) {
      const report = answer();
      if (report !== undefined) return report;
    }
    return undefined;
  }

  /** How many items were accepted and are neither settled nor dropped. */
  get unfinished(): number {
    return this.store.size + this.delayed.size + this.inFlight.size + this.undone;
  }

  /** Shut down, and nothing left to come? */
  get isFinished(): boolean {
    return !this.isOpen && this.store.size === 0 && this.delayed.size === 0;
  }

  /** NaN where nobody keeps time. */
  now(): number {
    return this.tracked ? this.clock.now() : Number.NaN;
  }

  /** From now on entries keep their time and a tag. Waits that began before are measured from now on. */
  track(): void {
    if (this.tracked) return;
    this.tracked = true;
    this.simple = false;
    const now = this.clock.now();
    this.store.track(now);
    this.lastTakenAt = now;
    for (let waiter = this.getters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
    for (let waiter = this.putters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
  }

  /** The correlation ID of an item with this tag, if it has one already. */
  correlationIdOf(tag: unknown): string | undefined {
    if (tag instanceof EntryExtras && tag.correlationId !== undefined) return tag.correlationId;
    return this.observer?.correlationIdOf(carrierOf(tag));
  }

  /** When the item that is served next came in. */
  headAt(): number | undefined {
    if (!this.tracked || this.store.size === 0) return undefined;
    this.store.front();
    return this.store.at;
  }
}
