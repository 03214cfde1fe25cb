import type { Clock } from "../base/clock.js";
import { LinkedList } from "../base/linked-list.js";
import { processWide } from "../base/process-wide.js";
import type { PoolView, QueueTelemetry, Report } from "../contracts/index.js";
import type { Delayed } from "./delayed.js";
import { carrierOf, EntryExtras } from "./entry-extras.js";
import { InFlight } from "./in-flight.js";
import type { Place, Store } from "./storage/store.js";
import type { GetWaiter, JoinWaiter, PutWaiter } from "./waiters.js";

/** What `Infinity` is as a limit: no array is longer. */
const MAX_ITEMS = 2 ** 31 - 1;

/**
 * Whether items come in: `open` takes them, `closing` only gives them out and takes retries back, `done` drops even those. It only goes
 * forward.
 */
export type State = "open" | "closing" | "done";

/** What is kept with the items: nothing, when they came in and a tag, or a deadline for some of them as well. It only grows. */
export type Kept = "items" | "times" | "deadlines";

/**
 * The state that the parts of a queue share.
 *
 * Invariants: getters wait only while nothing is queued; putters wait only while there is no room; both are served in order of
 * arrival, and what they wait for is handed to them, never freed and fought for.
 */
export class Core<T> {
  state: State = "open";
  kept: Kept = "items";
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
  /** Items taken by a plain get, and no `taskDone` yet. */
  undone = 0;
  /** When an item was last taken, or times began to be kept; 0 until then. */
  lastTakenAt = 0;
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

  get isTracked(): boolean {
    return this.kept !== "items";
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
    return this.kept === "items" ? Number.NaN : this.clock.now();
  }

  /** Takes nothing in any more; `done`: nothing comes back in either. */
  close(state: "closing" | "done"): void {
    this.state = state;
    this.isPlain = false;
  }

  /** From now on entries keep their time and a tag. Waits that began before are measured from now on. */
  track(): void {
    if (this.kept !== "items") return;
    this.kept = "times";
    this.isPlain = false;
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
    if (this.kept === "items" || this.store.size === 0) return undefined;
    this.store.front();
    return this.store.at;
  }

  /**
   * Fast path in: a plain item, room free, and so no producer waiting; no consumer waiting either. False means that nothing has
   * changed.
   */
  enterPlainly(item: T, place: Place): boolean {
    const { store } = this;
    if (!this.isPlain || store.size >= this.limit || this.getters.first !== undefined) return false;
    store.push(item, Number.NaN, undefined, place);
    return true;
  }

  /** Fast path out: the next item, if nothing more is to be known of it and no producer waits for its place. */
  takePlainly(): T | undefined {
    const { store } = this;
    if (!this.isPlain || store.size === 0 || this.putters.first !== undefined) return undefined;
    this.undone++;
    return store.shift();
  }
}
