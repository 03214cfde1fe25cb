import { inspect } from "node:util";
import { type Clock, systemClock } from "../clock.js";
import {
  type Carrier,
  type DropReason,
  OBSERVE,
  type Observable,
  type Outcome,
  PROBE,
  type Probe,
  type QueueTelemetry,
} from "../contracts.js";
import {
  AlreadyInstrumentedError,
  InvalidOptionTypeError,
  QueueFullError,
  QueueShutDownError,
  TaskDoneError,
} from "../errors.js";
import { Alarm } from "./alarm.js";
import { Delayed } from "./delayed.js";
import { Delivery, type Settler } from "./delivery.js";
import { LinkedList } from "./linked-list.js";
import {
  checkCapacity,
  checkClock,
  checkCorrelationId,
  checkFunction,
  checkItem,
  checkIterable,
  checkNumber,
  checkObject,
  checkOneOf,
  checkWait,
  type PutOptions,
  type QueueOptions,
  type WaitOptions,
  type WhenFull,
} from "./options.js";
import { Signals } from "./signals.js";
import type { Store } from "./store.js";
import { attemptOf, carrierOf, deadlineOf, Ticket } from "./ticket.js";
import {
  type AnyWaiter,
  GetWaiter,
  JoinWaiter,
  type Line,
  PutWaiter,
  promiseOf,
  TimeLimit,
  type Wanted,
} from "./waiters.js";

/** Where an item goes among the others. */
export interface Place {
  priority: number;
  tier: number;
}

/** What a put returns that needn't wait. One for all: awaiting a settled promise costs no more than `await null`. */
const DONE = Promise.resolve();
const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Does the item bring anything along that only a tracked entry can keep? */
function isPlain(options: PutOptions | undefined): boolean {
  return options === undefined || (options.deadline === undefined && options.correlationId === undefined);
}

/**
 * What all queues have in common: waiting, flow control, settling and shutdown. A subclass brings the {@link Store}, which
 * decides on the order.
 *
 * Invariants: getters wait only while nothing is queued; putters wait only while there is no room; both are served in order of
 * arrival, and what they wait for is handed to them, never freed and fought for.
 */
export abstract class Queue<T, O extends PutOptions = PutOptions>
  implements Observable, AsyncIterable<T>, AsyncDisposable, Settler<T>, Line<T>
{
  private readonly whenFull: WhenFull;
  private readonly evictWhen: (() => boolean) | undefined;
  private readonly onDrop: ((item: T, reason: DropReason) => void) | undefined;
  private readonly clock: Clock;
  private readonly alarm: Alarm;
  private readonly signals = new Signals();
  private readonly getters = new LinkedList<GetWaiter<T>>();
  private readonly putters = new LinkedList<PutWaiter<T>>();
  private readonly joiners = new LinkedList<JoinWaiter<T>>();
  private readonly inFlight = new LinkedList<Delivery<T>>();
  private readonly delayedItems = new LinkedList<Delayed<T>>();
  private limit: number;
  /** Takes items in? */
  private isOpen = true;
  /** Shut down immediately: nothing comes back in either? */
  private isClosed = false;
  /** Nothing but items: open, no observer, no clock. Then the short paths below are all there is to do. */
  private simple = true;
  /** Entries keep their time and a tag. */
  private tracked = false;
  /** Some item has, or had, a deadline. */
  private dated = false;
  /** Accepted and neither settled nor dropped. */
  private unfinished = 0;
  /** Taken by a plain get, and no `taskDone` yet. */
  private undone = 0;
  private observer: QueueTelemetry | undefined = undefined;
  private warned = false;

  protected constructor(
    private readonly store: Store<T>,
    options: QueueOptions<T> | undefined,
    /** Where an item goes whose put says nothing about it. */
    private readonly usualPlace: Place = { priority: 0, tier: 0 },
    /** Names of the tiers, most urgent first. */
    private readonly tiers: readonly string[] = ["default"],
    /** Do entries need their time from the start? */
    timed = false,
  ) {
    checkObject("options", options);
    const { capacity = Number.POSITIVE_INFINITY, whenFull, evictWhen, onDrop, clock } = options ?? {};
    this.limit = checkCapacity(capacity);
    this.whenFull = checkOneOf("whenFull", whenFull, ["wait", "reject", "evict"]);
    checkFunction("evictWhen", evictWhen);
    checkFunction("onDrop", onDrop);
    checkClock(clock);
    this.evictWhen = evictWhen;
    this.onDrop = onDrop;
    this.clock = clock ?? systemClock;
    this.alarm = new Alarm(this.clock);
    if (timed) this.track();
  }

  /** How many items wait. Those with a planned delay that isn't over are not among them. */
  get size(): number {
    return this.store.size;
  }

  /** How many items wait for a planned delay to pass. */
  get delayed(): number {
    return this.delayedItems.size;
  }

  get empty(): boolean {
    return this.store.size === 0;
  }

  get full(): boolean {
    return this.store.size >= this.limit;
  }

  /** Most items that may wait; `Infinity` when unbounded. Lowering it drops nothing: puts wait until there is room again. */
  get capacity(): number {
    return this.limit;
  }

  set capacity(capacity: number) {
    this.limit = checkCapacity(capacity);
    this.admit();
  }

  /**
   * Puts the item into the queue; while the queue is full, waits for room, in order of arrival.
   * Rejects with {@link QueueFullError}, {@link QueueShutDownError} or {@link QueueTimeoutError}, which carry the item, with the
   * signal's reason, or with an `InvalidOption…Error`.
   */
  put(item: T, options?: O): Promise<void> {
    let place: Place;
    try {
      place = this.check(item, options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.hasRoom()) {
      this.accept(item, options, place);
      return DONE;
    }
    return this.putOrWait([item], false, options, place);
  }

  /**
   * Puts the item into the queue if that needs no waiting; `false` means that nothing has changed. With `whenFull: "evict"` it
   * evicts as `put` does. Throws {@link QueueShutDownError} after shutdown.
   */
  tryPut(item: T, options?: O): boolean {
    const place = this.check(item, options);
    if (this.hasRoom()) {
      this.accept(item, options, place);
      return true;
    }
    if (!this.isOpen) throw new QueueShutDownError("put", { item });
    const { priority, tier } = place; // now, because evictWhen and onDrop may put something in themselves
    if (!this.mayEvict()) return false;
    const waiter = this.putWaiter([item], false, options, { priority, tier });
    this.evictFor(waiter);
    if (waiter.isIn) this.putDone(waiter, waiter.startedAt);
    else this.refuse(waiter, "evicted");
    return waiter.isIn;
  }

  /**
   * Puts the items into the queue, in order, as one caller that waits in one place. An error's `accepted` says how many of them
   * are in the queue, its `items` are the rest. Rejects like {@link put}.
   */
  putMany(items: Iterable<T>, options?: O): Promise<void> {
    let place: Place;
    let batch: T[];
    try {
      checkIterable("items", items);
      // First, so that nothing is lost from an iterator; and a copy, because the iterator may put something in itself.
      place = { ...this.placeWith(options) };
      batch = [...items];
      for (const item of batch) checkItem(item);
    } catch (error) {
      return Promise.reject(error);
    }
    return batch.length === 0 ? DONE : this.putOrWait(batch, true, options, place);
  }

  /**
   * Takes the next item; while there is none, waits for one, in order of arrival. Close it with {@link taskDone}, if you use
   * {@link join}. Rejects with {@link QueueShutDownError}, {@link QueueTimeoutError} or the signal's reason. A promise flattens
   * what it resolves with: items that are promises themselves are better taken by {@link receive}.
   */
  get(options?: WaitOptions): Promise<T> {
    if (this.simple && options === undefined && this.store.size > 0) {
      return Promise.resolve(this.takeSimple());
    }
    return this.pull("item", options) as Promise<T>;
  }

  /** Takes the next item if there is one. Throws {@link QueueShutDownError} when there will never be one again. */
  tryGet(): T | undefined {
    if (this.simple) return this.store.size > 0 ? this.takeSimple() : undefined;
    const now = this.now();
    if (this.hasNext(now)) {
      const pull = this.observer?.pullStarted();
      return this.takeOne("item", now, pull) as T;
    }
    if (this.isFinished()) throw new QueueShutDownError("get");
    return undefined;
  }

  /** Takes up to `max` items: waits for the first one like {@link get}, then takes what is there. */
  getMany(max: number, options?: WaitOptions): Promise<T[]> {
    try {
      checkNumber("max", max, "a whole number from 1", (n) => n >= 1 && Number.isInteger(n));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.pull("items", options, max) as Promise<T[]>;
  }

  /** Takes the next item like {@link get}, as a {@link Delivery}: with its facts, its context, and to be settled. */
  receive(options?: WaitOptions): Promise<Delivery<T>> {
    return this.pull("delivery", options) as Promise<Delivery<T>>;
  }

  /** What is served next; it stays. Items past their deadline are dropped on the way. */
  peek(): T | undefined {
    return this.hasNext(this.now()) ? this.store.front() : undefined;
  }

  /** Says that an item taken by a plain get is done. Throws {@link TaskDoneError} when all of them are. */
  taskDone(): void {
    if (this.undone === 0) throw new TaskDoneError();
    this.undone--;
    this.observer?.settled("success", undefined);
    this.finish();
  }

  /** Resolves when everything accepted so far, and until then, is settled or dropped. Retries keep it open. */
  join(options?: WaitOptions): Promise<void> {
    try {
      checkWait(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.unfinished === 0) return DONE;
    const waiter = new JoinWaiter<T>(this);
    this.joiners.append(waiter);
    return this.wait(waiter, options);
  }

  /**
   * Takes nothing in any more: waiting puts reject, gets are served what is left, then reject. With `immediate` what is left is
   * dropped. Can be called again, also to follow a graceful shutdown by an immediate one.
   */
  shutdown(options?: { immediate?: boolean | undefined }): void {
    checkObject("options", options);
    const immediate = options?.immediate ?? false;
    if (typeof immediate !== "boolean") throw new InvalidOptionTypeError("immediate", immediate, "a boolean");
    if (this.isOpen) {
      this.isOpen = false;
      this.simple = false;
      for (let waiter = this.putters.first; waiter !== undefined; waiter = this.putters.first) {
        this.endPut(waiter, new QueueShutDownError("put", waiter.refused()));
      }
    }
    if (immediate) {
      this.isClosed = true;
      this.dropEverything();
    }
    this.endGetsIfFinished();
  }

  /** Plain gets, until the queue is shut down and has nothing left. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return iterator(() => this.pull("next item", undefined) as Promise<IteratorResult<T, undefined>>);
  }

  /** Receives, until the queue is shut down and has nothing left. */
  deliveries(): AsyncIterableIterator<Delivery<T>> {
    return iterator(
      () => this.pull("next delivery", undefined) as Promise<IteratorResult<Delivery<T>, undefined>>,
    );
  }

  /** Shuts down gracefully, without waiting for consumers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.shutdown();
  }

  /** @internal */
  [OBSERVE](telemetry: QueueTelemetry | undefined): void {
    if (telemetry !== undefined && this.observer !== undefined) {
      throw new AlreadyInstrumentedError(this.observer.queueName, telemetry.queueName);
    }
    this.observer = telemetry;
    if (telemetry !== undefined) this.track();
  }

  /** @internal */
  runDelivery<R>(delivery: Delivery<T>, fn: () => R): R {
    const { observer } = this;
    return observer === undefined ? fn() : observer.run(carrierOf(delivery.tag), delivery, fn);
  }

  /** @internal */
  correlationIdOf({ tag }: Delivery<T>): string | undefined {
    if (tag instanceof Ticket && tag.correlationId !== undefined) return tag.correlationId;
    return this.observer?.correlationIdOf(carrierOf(tag));
  }

  /** @internal */
  settleDelivery(delivery: Delivery<T>, outcome: Outcome, error: unknown): void {
    this.inFlight.remove(delivery);
    this.observer?.settled(outcome, this.processMs(delivery), error);
    this.finish();
  }

  /** @internal */
  retryDelivery(delivery: Delivery<T>, delayMs: number): void {
    const { item, attempt, tag, priority, tierIndex } = delivery;
    this.inFlight.remove(delivery);
    this.observer?.retried(this.processMs(delivery));
    if (this.isClosed) {
      this.drop(item, tierIndex, "shutdown", attempt);
      return;
    }
    this.track();
    const ticket = new Ticket(deadlineOf(tag), attempt + 1, delivery.correlationId, carrierOf(tag));
    const now = this.now();
    if (delayMs === 0) {
      this.reenter(item, now, ticket, priority, tierIndex);
      return;
    }
    const delayed = new Delayed(this.comeBack, now + delayMs, item, ticket, priority, tierIndex);
    this.delayedItems.append(delayed);
    if (delayMs < Number.POSITIVE_INFINITY) this.alarm.set(delayed);
  }

  /** Where an item with these options goes. Throws if the options don't fit the queue. */
  protected abstract placeOf(options: O): Place;

  /** Throws unless item and options are good. */
  private check(item: T, options: O | undefined): Place {
    if (item === undefined) checkItem(item);
    return options === undefined ? this.usualPlace : this.placeWith(options);
  }

  /** Throws unless the options are good. */
  private placeWith(options: O | undefined): Place {
    if (options === undefined) return this.usualPlace;
    checkWait(options);
    const { correlationId, deadline } = options;
    if (correlationId !== undefined) checkCorrelationId(correlationId);
    if (deadline !== undefined) checkNumber("deadline", deadline, "epoch milliseconds", Number.isFinite);
    return this.placeOf(options);
  }

  /** Can an item come in at once, without barging past somebody? */
  private hasRoom(): boolean {
    return this.store.size < this.limit && this.putters.first === undefined && this.isOpen;
  }

  /** NaN where nobody keeps time. */
  private now(): number {
    return this.tracked ? this.clock.now() : Number.NaN;
  }

  /** From now on entries keep their time and a tag. Waits that began before are measured from now on. */
  private track(): void {
    if (this.tracked) return;
    this.tracked = true;
    this.simple = false;
    const now = this.clock.now();
    this.store.track(now);
    for (let waiter = this.getters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
    for (let waiter = this.putters.first; waiter !== undefined; waiter = waiter.next) waiter.startedAt = now;
  }

  /** Takes an item in that has room. */
  private accept(item: T, options: O | undefined, place: Place): void {
    if (this.simple && (options === undefined || isPlain(options))) {
      this.enter(item, Number.NaN, undefined, place.priority, place.tier);
    } else {
      const { priority, tier } = place;
      const { observer } = this;
      this.track();
      const now = this.clock.now();
      const carrier = observer?.putStarted(tier, checkCorrelationId(options?.correlationId), 1);
      const tag = this.tagOf(options, carrier, now);
      observer?.putDone(carrier, tier, 1, 0);
      this.enter(item, now, tag, priority, tier);
    }
  }

  /** Most items travel with their observer's carrier, or with nothing; a ticket is for the few that bring more. */
  private tagOf(options: O | undefined, carrier: Carrier, now: number): unknown {
    if (options === undefined || isPlain(options)) return carrier;
    const { deadline } = options;
    const correlationId = this.observer === undefined ? checkCorrelationId(options.correlationId) : undefined;
    if (deadline === undefined && correlationId === undefined) return carrier;
    if (deadline !== undefined) this.dated = true;
    const dueAt = deadline === undefined ? Number.POSITIVE_INFINITY : now + deadline - this.clock.wallNow();
    return new Ticket(dueAt, 1, correlationId, carrier);
  }

  /** A new item comes in: to the consumer that has waited longest, else into the store. */
  private enter(item: T, at: number, tag: unknown, priority: number, tier: number): void {
    this.unfinished++;
    this.arrive(item, at, tag, priority, tier);
  }

  private arrive(item: T, at: number, tag: unknown, priority: number, tier: number): void {
    const getter = this.getters.first;
    if (getter === undefined) this.store.push(item, at, tag, priority, tier);
    else if (this.dated && deadlineOf(tag) < at) this.drop(item, tier, "expired", attemptOf(tag));
    else this.hand(getter, item, at, tag, priority, tier);
  }

  private hand(
    getter: GetWaiter<T>,
    item: T,
    at: number,
    tag: unknown,
    priority: number,
    tier: number,
  ): void {
    this.getters.remove(getter);
    this.release(getter);
    const value = this.give(getter.wanted, item, at, tag, priority, tier, at);
    this.observer?.pullDone(getter.pull, carrierOf(tag), at - getter.startedAt);
    getter.resolve(getter.wanted === "items" ? [value] : value);
  }

  private putWaiter(items: readonly T[], many: boolean, options: O | undefined, place: Place): PutWaiter<T> {
    const { priority, tier } = place;
    if (!isPlain(options)) this.track();
    const now = this.now();
    const correlationId = checkCorrelationId(options?.correlationId);
    const carrier = this.observer?.putStarted(tier, correlationId, items.length);
    const tag = this.tagOf(options, carrier, now);
    return new PutWaiter(this, items, many, priority, tier, tag, now);
  }

  /** Puts in what fits; what becomes of the rest is the queue's policy. */
  private putOrWait(items: readonly T[], many: boolean, options: O | undefined, place: Place): Promise<void> {
    const waiter = this.putWaiter(items, many, options, place);
    if (this.putters.first === undefined) this.fill(waiter, this.now());
    if (!waiter.isIn && this.mayEvict()) {
      this.evictFor(waiter);
      if (!waiter.isIn) return Promise.reject(this.refuse(waiter, "evicted"));
    }
    if (waiter.isIn) {
      this.putDone(waiter, waiter.startedAt);
      return DONE;
    }
    // Only here, because a callback of the user's may have shut the queue down on the way.
    if (!this.isOpen) {
      const error = new QueueShutDownError("put", waiter.refused());
      this.putFailed(waiter, error);
      return Promise.reject(error);
    }
    if (this.whenFull === "reject") return Promise.reject(this.refuse(waiter, "rejected"));
    this.putters.append(waiter);
    const promise = this.wait<void>(waiter, options);
    if (this.evictWhen !== undefined) this.admit();
    return promise;
  }

  /** Puts in as many of the waiter's items as there is room for; none after a shutdown. */
  private fill(waiter: PutWaiter<T>, now: number): void {
    const { items, tag, priority, tier } = waiter;
    while (!waiter.isIn && this.store.size < this.limit && this.isOpen) {
      this.enter(items[waiter.accepted++]!, now, tag, priority, tier);
    }
  }

  /** There may be room: it goes to those who wait for it, in order. */
  private admit(): void {
    if (this.putters.first === undefined) return;
    const now = this.now();
    for (let waiter = this.putters.first; waiter !== undefined; waiter = this.putters.first) {
      this.fill(waiter, now);
      if (!waiter.isIn) return;
      this.letIn(waiter, now);
    }
  }

  private letIn(waiter: PutWaiter<T>, now: number): void {
    this.putters.remove(waiter);
    this.release(waiter);
    this.putDone(waiter, now);
    waiter.resolve(undefined);
  }

  /** May a newcomer evict? If so, those who have waited because `evictWhen` didn't hold have done it first. */
  private mayEvict(): boolean {
    if (this.whenFull !== "evict" || !this.evictHolds()) return false;
    this.evictForPutters();
    return this.isOpen;
  }

  private evictHolds(): boolean {
    if (this.evictWhen === undefined) return true;
    try {
      return this.evictWhen();
    } catch (error) {
      this.fault(error);
      return false;
    }
  }

  /** Puts in the waiter's items, each in the place of what is served last; stops at an item that would be that itself. */
  private evictFor(waiter: PutWaiter<T>): void {
    const { store } = this;
    const { tag, priority } = waiter;
    const now = this.now();
    const victims: { item: T; tier: number; tag: unknown }[] = [];
    for (this.fill(waiter, now); !waiter.isIn && !store.isLast(now, tag, priority); this.fill(waiter, now)) {
      victims.push({ item: store.pop(), tier: store.tier, tag: store.tag });
    }
    for (const { item, tier, tag } of victims) this.drop(item, tier, "evicted", attemptOf(tag));
  }

  /** Each leaves the line before it evicts: `onDrop` may call the queue, which must not find it there. */
  private evictForPutters(): void {
    for (let waiter = this.putters.first; waiter !== undefined; waiter = this.putters.first) {
      this.putters.remove(waiter);
      this.release(waiter);
      this.evictFor(waiter);
      if (waiter.isIn) {
        this.putDone(waiter, this.now());
        waiter.resolve(undefined);
      } else waiter.reject(this.refuse(waiter, "evicted"));
    }
  }

  /** Refuses what is left of the waiter's items: they go back to the caller in the error. */
  private refuse(waiter: PutWaiter<T>, reason: "evicted" | "rejected"): QueueFullError {
    const error = new QueueFullError(this.limit, waiter.refused());
    this.putFailed(waiter, error);
    for (const item of waiter.rest()) this.tellDropped(item, waiter.tier, reason, 1);
    return error;
  }

  /** @internal */
  endPut(waiter: PutWaiter<T>, error: unknown): void {
    this.putters.remove(waiter);
    this.release(waiter);
    this.putFailed(waiter, error);
    waiter.reject(error);
  }

  private putDone({ tag, tier, items, startedAt }: PutWaiter<T>, now: number): void {
    this.observer?.putDone(carrierOf(tag), tier, items.length, now - startedAt);
  }

  private putFailed({ tag, tier, accepted, startedAt }: PutWaiter<T>, error: unknown): void {
    this.observer?.putFailed(carrierOf(tag), tier, accepted, this.now() - startedAt, error);
  }

  private pull(wanted: Wanted, options: WaitOptions | undefined, max = 1): Promise<unknown> {
    try {
      checkWait(options);
    } catch (error) {
      return Promise.reject(error);
    }
    const pull = this.observer?.pullStarted();
    const now = this.now();
    if (this.hasNext(now)) {
      return Promise.resolve(
        wanted === "items" ? this.takeMany(max, now, pull) : this.takeOne(wanted, now, pull),
      );
    }
    const waiter = new GetWaiter<T>(this, wanted, now, pull);
    this.getters.append(waiter);
    const promise = this.wait<unknown>(waiter, options);
    this.endGetsIfFinished();
    return promise;
  }

  /** When the item that is served next came in. */
  private headAt(): number | undefined {
    if (!this.tracked || this.store.size === 0) return undefined;
    this.store.front();
    return this.store.at;
  }

  /** Is there an item to take? Drops those past their deadline until there is, or nothing is left. */
  private hasNext(now: number): boolean {
    const { store } = this;
    while (store.size > 0) {
      if (!this.dated) return true;
      store.front();
      if (deadlineOf(store.tag) >= now) return true;
      const item = store.shift();
      const { tier, tag } = store;
      this.admit();
      this.drop(item, tier, "expired", attemptOf(tag));
    }
    return false;
  }

  /** Takes the next item when nobody wants to know more about it. */
  private takeSimple(): T {
    const item = this.store.shift();
    this.undone++;
    if (this.putters.first !== undefined) this.admit();
    return item;
  }

  private takeOne(wanted: Wanted, now: number, pull: object | undefined): unknown {
    const { store } = this;
    const item = store.shift();
    const { tag } = store;
    const value = this.give(wanted, item, store.at, tag, store.priority, store.tier, now);
    this.observer?.pullDone(pull, carrierOf(tag), 0);
    if (this.putters.first !== undefined) this.admit();
    return value;
  }

  private takeMany(max: number, now: number, pull: object | undefined): T[] {
    const { store, observer } = this;
    const items: T[] = [];
    const carriers: Carrier[] = [];
    while (items.length < max && this.hasNext(now)) {
      const item = store.shift();
      if (pull !== undefined) carriers.push(carrierOf(store.tag));
      items.push(this.give("item", item, store.at, store.tag, store.priority, store.tier, now) as T);
      this.admit();
    }
    observer?.pullDone(pull, carriers, 0);
    return items;
  }

  /** An item goes to a consumer, in the form it is wanted in. */
  private give(
    wanted: Wanted,
    item: T,
    at: number,
    tag: unknown,
    priority: number,
    tier: number,
    now: number,
  ): unknown {
    const attempt = attemptOf(tag);
    this.observer?.taken(carrierOf(tag), tier, at, now, attempt);
    if (wanted === "delivery" || wanted === "next delivery") {
      const delivery = new Delivery<T>(this, item, this.tiers[tier]!, tier, priority, attempt, at, now, tag);
      this.inFlight.append(delivery);
      return wanted === "delivery" ? delivery : { done: false, value: delivery };
    }
    this.undone++;
    return wanted === "next item" ? { done: false, value: item } : item;
  }

  /** Shut down, and nothing left to come? */
  private isFinished(): boolean {
    return !this.isOpen && this.store.size === 0 && this.delayedItems.size === 0;
  }

  private endGetsIfFinished(): void {
    if (!this.isFinished()) return;
    for (let waiter = this.getters.first; waiter !== undefined; waiter = this.getters.first) {
      this.endGet(waiter, new QueueShutDownError("get"));
    }
  }

  /** @internal */
  endGet(waiter: GetWaiter<T>, error: unknown): void {
    this.getters.remove(waiter);
    this.release(waiter);
    this.observer?.pullDone(waiter.pull, undefined, this.now() - waiter.startedAt, error);
    if (waiter.wanted === "next item" || waiter.wanted === "next delivery") waiter.resolve(END);
    else waiter.reject(error);
  }

  /** @internal */
  endJoin(waiter: JoinWaiter<T>, error: unknown): void {
    this.joiners.remove(waiter);
    this.release(waiter);
    waiter.reject(error);
  }

  /** The waiter is in its line already. */
  private wait<V>(waiter: AnyWaiter<T>, options: WaitOptions | undefined): Promise<V> {
    const promise = promiseOf<V>(waiter);
    const { signal, timeoutMs } = options ?? {};
    if (signal?.aborted) {
      // Since it was checked, by a callback of the user's.
      waiter.aborted(signal.reason);
      return promise;
    }
    if (signal !== undefined) this.signals.join(signal, waiter);
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      waiter.timeLimit = new TimeLimit(waiter, timeoutMs, this.clock.now() + timeoutMs);
      this.alarm.set(waiter.timeLimit);
    }
    return promise;
  }

  /** The waiter needs neither its time limit nor its signal any more. */
  private release(waiter: AnyWaiter<T>): void {
    if (waiter.timeLimit !== undefined) this.alarm.unset(waiter.timeLimit);
    if (waiter.signals !== undefined) this.signals.leave(waiter);
  }

  private reenter(item: T, now: number, ticket: Ticket, priority: number, tier: number): void {
    this.observer?.reentered(tier);
    this.arrive(item, now, ticket, priority, tier);
  }

  private readonly comeBack = (delayed: Delayed<T>, now: number): void => {
    this.delayedItems.remove(delayed);
    this.reenter(delayed.item, now, delayed.ticket, delayed.priority, delayed.tier);
    this.endGetsIfFinished();
  };

  private dropEverything(): void {
    while (this.store.size > 0) {
      const item = this.store.shift();
      this.drop(item, this.store.tier, "shutdown", attemptOf(this.store.tag));
    }
    for (let delayed = this.delayedItems.first; delayed !== undefined; delayed = this.delayedItems.first) {
      this.delayedItems.remove(delayed);
      this.alarm.unset(delayed);
      this.drop(delayed.item, delayed.tier, "shutdown", delayed.ticket.attempt);
    }
  }

  /** Something accepted leaves the queue without being taken. */
  private drop(item: T, tier: number, reason: DropReason, attempt: number): void {
    this.tellDropped(item, tier, reason, attempt);
    this.finish();
  }

  private tellDropped(item: T, tier: number, reason: DropReason, attempt: number): void {
    this.observer?.dropped(tier, reason, attempt);
    if (this.onDrop === undefined) return;
    try {
      const result: unknown = this.onDrop(item, reason);
      if (result instanceof Promise) result.catch((error) => this.fault(error));
    } catch (error) {
      this.fault(error);
    }
  }

  /** A callback of the user's has thrown: counted if somebody counts, told once otherwise; never passed on. */
  private fault(error: unknown): void {
    if (this.observer !== undefined) this.observer.fault(error);
    else if (!this.warned)
      process.emitWarning(`a callback of a queue has thrown: ${inspect(error)}`, "QueuescopeWarning");
    this.warned = true;
  }

  private finish(): void {
    if (--this.unfinished > 0) return;
    for (let waiter = this.joiners.first; waiter !== undefined; waiter = this.joiners.first) {
      this.joiners.remove(waiter);
      this.release(waiter);
      waiter.resolve(undefined);
    }
  }

  private processMs(delivery: Delivery<T>): number | undefined {
    return delivery.takenAt === undefined ? undefined : this.now() - delivery.takenAt;
  }

  /** @internal */
  get [PROBE](): Probe {
    const queue = this;
    return {
      tiers: this.tiers,
      now: () => queue.clock.now(),
      depth: (tier) => queue.store.depth(tier),
      oldestAt: (tier) => queue.store.oldestAt(tier),
      headAt: () => queue.headAt(),
      get capacity() {
        return queue.limit;
      },
      get delayed() {
        return queue.delayed;
      },
      get inFlight() {
        return queue.inFlight.size;
      },
      get inFlightOldestAt() {
        return queue.inFlight.first?.takenAt;
      },
      get waitingPuts() {
        return queue.putters.size;
      },
      get waitingGets() {
        return queue.getters.size;
      },
    };
  }
}

function iterator<V>(next: () => Promise<IteratorResult<V, undefined>>): AsyncIterableIterator<V> {
  let isOver = false;
  return {
    next: () => (isOver ? Promise.resolve(END) : next()),
    return: () => {
      isOver = true;
      return Promise.resolve(END);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
