import type { Clock } from "../clock.js";
import type { QueueTelemetry } from "../contracts.js";
import type { Delayed } from "./delayed.js";
import type { Delivery } from "./delivery.js";
import { LinkedList } from "./linked-list.js";
import type { Place, Store } from "./storage/store.js";
import type { GetWaiter, JoinWaiter, PutWaiter } from "./waiters.js";

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
  /** Takes items in? */
  isOpen = true;
  /** Shut down immediately: nothing comes back in either? */
  isClosed = false;
  observer: QueueTelemetry | undefined = undefined;

  constructor(
    readonly store: Store<T>,
    readonly clock: Clock,
    /** Names of the tiers, most urgent first. */
    readonly tiers: readonly string[],
    /** Most items that may wait. */
    public limit: number,
  ) {}

  /**
   * The short path in: a plain item for which there is room, and nobody who waits on either side. False means that nothing has
   * changed.
   */
  enterSimply(item: T, place: Place): boolean {
    if (!this.hasSimpleRoom) return false;
    this.store.push(item, Number.NaN, undefined, place);
    return true;
  }

  /** Is the short path in free? */
  get hasSimpleRoom(): boolean {
    return (
      this.simple &&
      this.store.size < this.limit &&
      this.getters.first === undefined &&
      this.putters.first === undefined
    );
  }

  /** The short path out: the next item, if nobody wants to know more about it and nobody waits for its place. */
  takeSimply(): T | undefined {
    const { store } = this;
    if (!this.simple || store.size === 0 || this.putters.first !== undefined) return undefined;
    this.undone++;
    return store.shift();
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
    for (let waiter = this.getters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
    for (let waiter = this.putters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
  }

  /** When the item that is served next came in. */
  headAt(): number | undefined {
    if (!this.tracked || this.store.size === 0) return undefined;
    this.store.front();
    return this.store.at;
  }
}
