import type { Clock } from "../base/clock.js";
import { QueueShutDownError } from "../base/errors.js";
import { Unsettled } from "../base/unsettled.js";
import type {
  Carrier,
  Consumer,
  Health,
  PoolView,
  QueueHealthOptions,
  QueueSource,
  Work,
  WorkClass,
} from "../contracts/index.js";
import { type Core, Delayed } from "./core.js";
import { healthOf } from "./health.js";
import { checkCorrelationId, isPlain, type PutOptions, type QueueOptions } from "./options.js";
import { Settlement } from "./settlement.js";
import {
  attemptOf,
  carrierOf,
  deadlineOf,
  EntryExtras,
  ONLY_PLACE,
  type Place,
  unsettledOf,
} from "./storage/store.js";
import { GetWaiter, kept, type PutWaiter, rejectQuietly, Step, type Wanted } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/**
 * How items get to consumers, and room to producers: what arrives goes to the consumer that has waited longest, room to the producer that
 * has. What is given out belongs to its consumer until it is settled or comes back; so this is the queue as worker pools see it.
 */
export class Handover<T> extends Settlement<T> implements QueueSource<T> {
  readonly clock: Clock;
  readonly tiers: readonly string[];

  constructor(core: Core<T>, room: WaitingRoom, onDrop: QueueOptions<T>["onDrop"]) {
    super(core, room, onDrop);
    this.clock = core.clock;
    this.tiers = core.tiers;
  }

  /** Takes the item in if there is room and no other producer to barge past; false means that nothing has changed. */
  accept(item: T, options: PutOptions | undefined, place: Place): boolean {
    const { core } = this;
    const { store } = core;
    if (store.size >= core.limit || core.putters.first !== undefined) return false;
    if (core.isPlain && (options === undefined || isPlain(options))) {
      if (core.getters.first === undefined) store.push(item, Number.NaN, undefined, place);
      else this.arrive(item, Number.NaN, undefined, place);
      return true;
    }
    if (core.state !== "open") return false;
    if (!core.isTracked) core.track();
    const now = core.clock.now();
    const id = options === undefined ? undefined : checkCorrelationId(options.correlationId);
    const carrier = core.observer?.putAtOnce(place.tier, id);
    const tag = options === undefined ? carrier : this.tagOf(options, carrier, now);
    this.arrive(item, now, core.isFollowed ? core.follow(tag, now, place) : tag, place);
    return true;
  }

  /** Most items travel with their observer's carrier, or with nothing; extras are for the few that bring more. */
  tagOf(options: PutOptions, carrier: Carrier, now: number): unknown {
    if (isPlain(options)) return carrier;
    const { core } = this;
    const { deadline } = options;
    const correlationId = core.observer === undefined ? checkCorrelationId(options.correlationId) : undefined;
    if (deadline === undefined && correlationId === undefined) return carrier;
    if (deadline !== undefined) core.hasDeadlines = true;
    const dueAt = deadline === undefined ? Number.POSITIVE_INFINITY : now + deadline - core.clock.wallNow();
    return new EntryExtras(dueAt, 1, correlationId, carrier, undefined);
  }

  /** An item comes in, for the first time or again: to the consumer that has waited longest, else into the store. */
  arrive(item: T, at: number, tag: unknown, place: Place): void {
    const { core } = this;
    const getter = core.getters.first;
    if (getter === undefined) core.store.push(item, at, tag, place);
    else if (core.hasDeadlines && deadlineOf(tag) < at) {
      this.drop(item, place.tier, "expired", tag);
    } else this.hand(getter, item, at, tag, place);
  }

  /** There may be room: it goes to the producers that wait for it, in order. `at` is the time, where the caller knows it. */
  admit(at?: number): void {
    const { core } = this;
    const { store, putters } = core;
    const { first } = putters;
    if (first === undefined) return;
    // Fast path: room for the one plain item of a producer, and no consumer waiting.
    if (
      core.isPlain &&
      first.batch === undefined &&
      core.getters.first === undefined &&
      store.size < core.limit
    ) {
      store.push(first.nextItem(), Number.NaN, undefined, first.place);
      putters.shift();
      if (first.timeLimit !== undefined || first.signals !== undefined) this.room.release(first);
      first.resolve(undefined);
      if (store.size >= core.limit || putters.first === undefined) return;
    }
    const now = at ?? core.now();
    for (let waiter = putters.first; waiter !== undefined; waiter = putters.first as PutWaiter<T>) {
      this.fill(waiter, now);
      if (!waiter.isIn) return;
      this.leavePutters(waiter);
      this.putDone(waiter, now);
      waiter.resolve(undefined);
    }
  }

  /** Puts in as many of the waiter's items as there is room for; none after a shutdown. */
  fill(waiter: PutWaiter<T>, now: number): void {
    const { core } = this;
    const { tag, place } = waiter;
    while (!waiter.isIn && core.store.size < core.limit && core.state === "open") {
      this.arrive(waiter.nextItem(), now, core.isFollowed ? core.follow(tag, now, place) : tag, place);
    }
  }

  leavePutters(waiter: PutWaiter<T>): void {
    this.core.putters.remove(waiter);
    waiter.seen?.end();
    this.room.release(waiter);
  }

  putDone({ tag, place, count, startedAt }: PutWaiter<T>, now: number): void {
    // The time may be of a moment before the put began.
    this.core.observer?.putDone(carrierOf(tag), place.tier, count, Math.max(0, now - startedAt));
  }

  /** Whether there is an item to take. Drops those past their deadline until there is, or nothing is left. */
  hasNext(now: number): boolean {
    const { core } = this;
    const { store } = core;
    while (store.size > 0) {
      if (!core.hasDeadlines) return true;
      store.front();
      if (deadlineOf(store.tag) >= now) return true;
      const item = store.shift();
      const { tier, tag } = store;
      this.admit();
      this.drop(item, tier, "expired", tag);
    }
    return false;
  }

  next<W extends Work<T>>(works: WorkClass<T, W>, at?: number): W | undefined {
    const { core } = this;
    const { store } = core;
    if (store.size === 0) return undefined;
    if (core.isPlain) {
      const work = new works(this, store.shift(), store.place, 1, undefined, undefined, undefined);
      core.inFlight.add(work);
      if (core.putters.first !== undefined) this.admit();
      return work;
    }
    const now = at ?? core.now();
    if (core.hasDeadlines && !this.hasNext(now)) return undefined;
    return this.take(works, now, undefined) as W;
  }

  /** Takes the next item, in the form in which it is wanted. Only when there is one. `pull` is the observer's own. */
  take(wanted: Wanted<T>, now: number, pull: object | undefined): unknown {
    const { core } = this;
    const { store, observer } = core;
    const item = store.shift();
    const { at, tag } = store;
    const place = typeof wanted === "function" ? store.place : ONLY_PLACE;
    const takenAt = now < at ? at : now; // it may have come in after the clock was read
    if (core.isTracked) core.lastTakenAt = takenAt;
    if (observer !== undefined) {
      observer.takenAtOnce(pull, carrierOf(tag), store.tier, at, takenAt, attemptOf(tag));
    }
    const value = this.give(wanted, item, at, tag, place, takenAt);
    if (core.putters.first !== undefined) this.admit(takenAt);
    return value;
  }

  /** Tells all consumers that wait, if nothing will ever come. */
  endIfFinished(): void {
    const { core } = this;
    if (!core.isFinished) return;
    for (let waiter = core.getters.first; waiter !== undefined; waiter = core.getters.first) {
      // An iteration ends with its queue, which is no failure.
      if (waiter.iteration !== undefined) this.endStep(waiter);
      else this.endGet(waiter, new QueueShutDownError("get"));
    }
  }

  endGet(waiter: GetWaiter<T>, error: unknown): void {
    const { consumer } = waiter;
    this.leaveGetters(waiter, error);
    if (consumer !== undefined) {
      consumer.isInLine = false;
      consumer.ended();
    } else if (error instanceof QueueShutDownError) rejectQuietly(waiter, error);
    else waiter.reject(error);
  }

  /** The `next` of an iteration ends without an item. */
  endStep(waiter: GetWaiter<T>): void {
    this.leaveGetters(waiter, undefined);
    waiter.resolve({ done: true, value: undefined });
  }

  stand(consumer: Consumer<T>, now?: number): void {
    if (consumer.isInLine) return;
    const { core } = this;
    consumer.place ??= new GetWaiter<T>(this, consumer.works, 0, undefined, undefined, consumer);
    const waiter = consumer.place as GetWaiter<T>;
    consumer.isInLine = true;
    if (core.isTracked) waiter.startedAt = now ?? core.clock.now();
    core.getters.append(waiter);
    if (core.state !== "open") this.endIfFinished();
  }

  leave(consumer: Consumer<T>): void {
    if (!consumer.isInLine) return;
    consumer.isInLine = false;
    this.core.getters.remove(consumer.place as GetWaiter<T>);
  }

  retry(work: Work<T>, delayMs: number, error: unknown): void {
    const { core } = this;
    const { item, attempt, tag, place } = work;
    work.settledBy = "retry";
    core.inFlight.remove(work);
    core.observer?.retried(this.processMs(work), attempt, error, work);
    if (core.state === "done") {
      this.drop(item, place.tier, "shutdown", tag);
      return;
    }
    core.track();
    const now = core.now();
    const unsettled = unsettledOf(tag) ?? new Unsettled(work.enqueuedAt ?? now, place.tier);
    core.unsettled.add(unsettled);
    const extras = new EntryExtras(
      deadlineOf(tag),
      attempt + 1,
      work.correlationId,
      carrierOf(tag),
      unsettled,
    );
    this.release(work, true);
    if (delayMs === 0) {
      this.reenter(item, now, extras, place);
      return;
    }
    const delayed = new Delayed(this.comeBack, now + delayMs, item, extras, place);
    core.delayed.append(delayed);
    if (delayMs < Number.POSITIVE_INFINITY) this.room.wakeAt(delayed);
  }

  dropDelayed(): void {
    const { core } = this;
    for (let delayed = core.delayed.first; delayed !== undefined; delayed = core.delayed.first) {
      core.delayed.remove(delayed);
      this.room.forget(delayed);
      this.drop(delayed.item, delayed.place.tier, "shutdown", delayed.extras);
    }
  }

  get isTimed(): boolean {
    return this.core.isTracked;
  }

  get isObserved(): boolean {
    return this.core.observer !== undefined;
  }

  get size(): number {
    return this.core.store.size;
  }

  get delayed(): number {
    return this.core.delayed.size;
  }

  get capacity(): number {
    return this.core.capacity;
  }

  get waitingPuts(): number {
    return this.core.putters.size;
  }

  get isFinished(): boolean {
    return this.core.isFinished;
  }

  correlationIds(most: number): string[] {
    return this.core.correlationIds(most);
  }

  health(options?: QueueHealthOptions): Health {
    return healthOf(this.core, options);
  }

  shutdown(): void {
    const { core } = this;
    if (core.state === "open") this.close();
    this.endIfFinished();
  }

  show(pool: PoolView): void {
    const { core } = this;
    // Those that have stopped are still to be seen, until there are others.
    const pools = [...(core.pools ?? [])].filter((other) => other.statuses().length > 0);
    core.pools = new Set([...pools, pool]);
  }

  endPut(waiter: PutWaiter<T>, error: unknown): void {
    this.leavePutters(waiter);
    this.putFailed(waiter, error);
    waiter.reject(error);
  }

  putFailed({ tag, place, accepted, startedAt }: PutWaiter<T>, error: unknown): void {
    const { core } = this;
    core.observer?.putFailed(carrierOf(tag), place.tier, accepted, core.now() - startedAt, error);
  }

  /** Nothing comes in any more. */
  private close(): void {
    const { core } = this;
    core.close("closing");
    for (let waiter = core.putters.first; waiter !== undefined; waiter = core.putters.first) {
      const error = new QueueShutDownError("put", waiter.refused());
      this.leavePutters(waiter);
      this.putFailed(waiter, error);
      rejectQuietly(waiter, error);
    }
  }

  private readonly comeBack = (delayed: Delayed<T>): void => {
    this.core.delayed.remove(delayed);
    this.reenter(delayed.item, this.core.now(), delayed.extras, delayed.place);
    this.endIfFinished();
  };

  private reenter(item: T, now: number, extras: EntryExtras, place: Place): void {
    this.core.observer?.reentered(place.tier);
    this.arrive(item, now, extras, place);
  }

  private leaveGetters(waiter: GetWaiter<T>, failure: unknown): void {
    const { core } = this;
    core.getters.remove(waiter);
    this.room.release(waiter);
    waiter.iteration?.gone(waiter);
    core.observer?.pullDone(waiter.pull, [], core.now() - waiter.startedAt, failure);
  }

  private hand(getter: GetWaiter<T>, item: T, at: number, tag: unknown, place: Place): void {
    const { core } = this;
    const { observer } = core;
    const { wanted, iteration, consumer } = getter;
    core.getters.shift();
    if (getter.timeLimit !== undefined || getter.signals !== undefined) this.room.release(getter);
    if (core.isTracked) core.lastTakenAt = at;
    if (observer !== undefined) {
      observer.taken(carrierOf(tag), place.tier, at, at, attemptOf(tag));
      observer.pullDone(getter.pull, carrierOf(tag), Math.max(at - getter.startedAt, 0));
    }
    const isKept = iteration !== undefined || typeof wanted === "function";
    const own = isKept && place !== ONLY_PLACE ? kept(place) : place;
    const value = this.give(wanted, item, at, tag, own, at);
    if (consumer !== undefined) {
      consumer.isInLine = false;
      consumer.take(value as Work<T>);
    } else if (iteration === undefined) getter.resolve(value);
    else {
      const result = { done: false, value };
      iteration.gone(getter);
      iteration.handed(new Step(wanted, result, item, at, tag, own));
      getter.resolve(result);
    }
  }

  /** An item goes to its consumer, in the form in which it is wanted. `at` and `takenAt` mean nothing where no times are kept. */
  private give(wanted: Wanted<T>, item: T, at: number, tag: unknown, place: Place, takenAt: number): unknown {
    const { core } = this;
    if (typeof wanted === "function") {
      const attempt = attemptOf(tag);
      const work = core.isTracked
        ? new wanted(this, item, place, attempt, at, takenAt, tag)
        : new wanted(this, item, place, attempt, undefined, undefined, tag);
      core.inFlight.add(work);
      return work;
    }
    core.undone++;
    if (core.unsettled.size > 0) this.completed(tag, "left", takenAt);
    return wanted === "items" ? [item] : item;
  }
}
