import { type InspectOptions, inspect } from "node:util";
import { checkClock, checkFunction, checkNumber, checkObject, checkOneOf } from "../base/checks.js";
import { systemClock } from "../base/clock.js";
import { AlreadyInstrumentedError, InvalidOptionTypeError } from "../base/errors.js";
import {
  type Health,
  OBSERVE,
  PROBE,
  type Probe,
  QUEUE_SOURCE,
  type QueueHealthOptions,
  type QueueSource,
  type QueueTelemetry,
} from "../contracts/index.js";
import { Core } from "./core.js";
import { Delivery } from "./delivery.js";
import { Handover } from "./handover.js";
import { healthOf } from "./health.js";
import { DONE, Intake } from "./intake.js";
import { Iteration, type QueueIterator } from "./iteration.js";
import {
  checkCapacity,
  checkCorrelationId,
  checkItem,
  checkIterable,
  checkIterate,
  checkWait,
  type IterateOptions,
  type PutOptions,
  type QueueOptions,
  type WaitOptions,
} from "./options.js";
import { Outlet } from "./outlet.js";
import { probeOf } from "./probe.js";
import { ONLY_PLACE, type Place, type Store } from "./storage/store.js";
import { kept, type Wanted } from "./waiters.js";
import { WaitingRoom } from "./waiting-room.js";

/**
 * What all queues have in common: this is their face, which checks what comes in. Behind it are the side where items come in
 * ({@link Intake}), the one where they are taken ({@link Outlet}), and what hands items to consumers and room to producers
 * ({@link Handover}), which is also what settles them. A subclass brings the {@link Store}, which decides on the order.
 */
export abstract class Queue<T, O extends PutOptions = PutOptions>
  implements AsyncIterable<T>, AsyncDisposable
{
  private readonly core: Core<T>;
  private readonly handover: Handover<T>;
  private readonly intake: Intake<T>;
  private readonly outlet: Outlet<T>;

  protected constructor(
    store: Store<T>,
    options: QueueOptions<T> | undefined,
    /** Where an item goes whose put says nothing about it. */
    private readonly usualPlace: Place = ONLY_PLACE,
    /** Names of the tiers, most urgent first. */
    tiers: readonly string[] = ["default"],
    /** Whether entries need their time from the start. */
    timed = false,
  ) {
    checkObject("options", options);
    const { capacity = Number.POSITIVE_INFINITY, whenFull, evictWhen, onDrop, clock } = options ?? {};
    const limit = checkCapacity(capacity);
    const policy = checkOneOf("whenFull", whenFull, ["wait", "reject", "evict"]);
    checkFunction("evictWhen", evictWhen);
    // Where another policy is named, that may be a setting; where none is, one was forgotten.
    if (evictWhen !== undefined && whenFull === undefined) {
      throw new InvalidOptionTypeError("evictWhen", evictWhen, 'left out without whenFull "evict"');
    }
    checkFunction("onDrop", onDrop);
    checkClock(clock);
    const core = new Core<T>(this, store, clock ?? systemClock, tiers, limit);
    const room = new WaitingRoom(core.clock);
    this.core = core;
    this.handover = new Handover(core, room, onDrop);
    this.intake = new Intake(core, room, this.handover, policy, evictWhen);
    this.outlet = new Outlet(core, room, this.handover);
    if (timed) core.track();
  }

  /** How many items wait. Those with a planned delay that isn't over are not among them. */
  get size(): number {
    return this.core.store.size;
  }

  /** How many items wait for a planned delay to pass. */
  get delayed(): number {
    return this.core.delayed.size;
  }

  get empty(): boolean {
    return this.core.store.size === 0;
  }

  get full(): boolean {
    return this.core.store.size >= this.core.limit;
  }

  /** Most items that may wait; `Infinity` when unbounded. Lowering it drops nothing: puts wait until there is room again. */
  get capacity(): number {
    return this.core.capacity;
  }

  set capacity(capacity: number) {
    this.core.capacity = checkCapacity(capacity);
    this.handover.admit();
  }

  /**
   * Puts the item into the queue; while the queue is full, waits for room, in order of arrival.
   * Rejects with {@link QueueFullError}, {@link QueueShutDownError} or {@link QueueTimeoutError}, which carry the item, with the
   * signal's reason, or with an `InvalidOption…Error`.
   */
  put(item: T, options?: O): Promise<void> {
    try {
      if (item === undefined) checkItem(item);
      const place = options === undefined ? this.usualPlace : this.placeWith(options);
      if (this.handover.accept(item, options, place)) return DONE;
      return this.intake.putOrWait(item, undefined, options, place);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Puts the item into the queue if that needs no waiting; `false` means that nothing has changed. With `whenFull: "evict"` it
   * evicts as `put` does. Throws {@link QueueShutDownError} after shutdown.
   */
  tryPut(item: T, options?: O): boolean {
    if (item === undefined) checkItem(item);
    const place = options === undefined ? this.usualPlace : this.placeWith(options);
    return this.handover.accept(item, options, place) || this.intake.tryEvict(item, options, place);
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
      place = kept(this.placeWith(options));
      batch = [...items];
      for (const item of batch) checkItem(item);
    } catch (error) {
      return Promise.reject(error);
    }
    return batch.length === 0 ? DONE : this.intake.putOrWait(batch[0]!, batch, options, place);
  }

  /**
   * Takes the next item; while there is none, waits for one, in order of arrival. Close it with {@link taskDone}, if you use
   * {@link join}. Rejects with {@link QueueShutDownError}, {@link QueueTimeoutError} or the signal's reason. A promise flattens
   * what it resolves with: items that are promises themselves are better taken by {@link receive}.
   */
  get(options?: WaitOptions): Promise<T> {
    if (options === undefined) {
      const item = this.core.takePlainly();
      if (item !== undefined) return Promise.resolve(item);
    }
    return this.pull("item", options);
  }

  /** Takes the next item if there is one. Throws {@link QueueShutDownError} when there will never be one again. */
  tryGet(): T | undefined {
    const item = this.core.takePlainly();
    return item === undefined ? this.outlet.tryTake() : item;
  }

  /** Takes up to `max` items: waits for the first one like {@link get}, then takes what is there. */
  getMany(max: number, options?: WaitOptions): Promise<T[]> {
    try {
      checkNumber("max", max, "a whole number from 1", (n) => n >= 1 && Number.isInteger(n));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.pull("items", options, max);
  }

  /** Takes the next item like {@link get}, as a {@link Delivery}: with its facts, its context, and to be settled. */
  receive(options?: WaitOptions): Promise<Delivery<T>> {
    return this.pull(Delivery, options);
  }

  /** What is served next; it stays. Items past their deadline are dropped on the way. */
  peek(): T | undefined {
    return this.handover.hasNext(this.core.now()) ? this.core.store.front() : undefined;
  }

  /** Says that an item taken by a plain get is done. Throws {@link TaskDoneError} when all of them are. */
  taskDone(): void {
    this.handover.taskDone();
  }

  /** Resolves when everything accepted so far, and until then, is settled or dropped. Retries keep it open. */
  join(options?: WaitOptions): Promise<void> {
    try {
      checkWait(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.handover.join(options);
  }

  /**
   * Takes nothing in any more: waiting puts reject, gets are served what is left, then reject. With `immediate` what is left is
   * dropped. Can be called again, also to follow a graceful shutdown by an immediate one.
   */
  shutdown(options?: { immediate?: boolean | undefined }): void {
    checkObject("options", options);
    const immediate = options?.immediate;
    if (immediate !== undefined && typeof immediate !== "boolean") {
      throw new InvalidOptionTypeError("immediate", immediate, "a boolean");
    }
    this.handover.shutdown();
    if (immediate) {
      this.core.close("done");
      this.handover.dropStored();
      this.handover.dropDelayed();
      this.handover.endIfFinished();
    }
  }

  /**
   * Whether the queue is fit for more, and if not, why: it isn't when it is shut down, too full, or nothing is taken. From the first call
   * on times are kept. Throws an `InvalidOption…Error` for options that are none.
   */
  health(options?: QueueHealthOptions): Health {
    return healthOf(this.core, options);
  }

  /** As {@link iterate}, without options. */
  [Symbol.asyncIterator](): QueueIterator<T> {
    return new Iteration<T, T>(this.outlet, "item", undefined);
  }

  /**
   * Plain gets, until the queue is shut down and has nothing left. An iteration that is left while its `next` waits takes nothing.
   * An aborted signal makes `next` reject with its reason, once, and ends the iteration. Throws an `InvalidOption…Error`.
   *
   * @example
   * ```ts
   * for await (const order of orders.iterate({ signal: request.signal })) {
   *   await ship(order);
   *   orders.taskDone();
   * }
   * ```
   */
  iterate(options?: IterateOptions): QueueIterator<T> {
    return new Iteration<T, T>(this.outlet, "item", checkIterate(options));
  }

  /**
   * Like {@link iterate}, but gives each item as a {@link Delivery}, to be settled.
   *
   * @example
   * ```ts
   * for await (const delivery of orders.deliveries({ signal })) {
   *   await delivery.run(() => ship(delivery.item));
   *   delivery.done();
   * }
   * ```
   */
  deliveries(options?: IterateOptions): QueueIterator<Delivery<T>> {
    return new Iteration<T, Delivery<T>>(this.outlet, Delivery, checkIterate(options));
  }

  /** What it would show of itself in a log: how much is in it, and nothing of what. */
  toJSON(): object {
    const { size, delayed, capacity } = this;
    return { size, delayed, capacity };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `${this.constructor.name} ${inspect(this.toJSON(), options)}`;
  }

  /** Shuts down gracefully, without waiting for consumers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.shutdown();
  }

  /** @internal */
  [OBSERVE](telemetry: QueueTelemetry | undefined): void {
    const { core } = this;
    if (telemetry !== undefined && core.observer !== undefined) {
      throw new AlreadyInstrumentedError(core.observer.queueName, telemetry.queueName);
    }
    core.observe(telemetry);
  }

  /** @internal */
  get [PROBE](): Probe {
    return probeOf(this.core, this.intake.dropReasons);
  }

  /** What a `WorkerPool` needs of it. */
  get [QUEUE_SOURCE](): QueueSource<T> {
    return this.handover;
  }

  /** Whether nothing of the user's runs while an item goes from put to store. */
  protected get isPlain(): boolean {
    return this.core.isPlain;
  }

  /** Where an item with these options goes. Throws if the options don't fit the queue. */
  protected abstract placeOf(options: O): Place;

  /** Throws unless the options are good. */
  private placeWith(options: O | undefined): Place {
    if (options === undefined) return this.usualPlace;
    if (options === null || typeof options !== "object") checkObject("options", options);
    const { signal, timeoutMs, correlationId, deadline } = options;
    if (signal !== undefined || timeoutMs !== undefined) checkWait(options);
    if (correlationId !== undefined) checkCorrelationId(correlationId);
    if (deadline !== undefined) checkNumber("deadline", deadline, "epoch milliseconds", Number.isFinite);
    return this.placeOf(options);
  }

  private pull<V>(wanted: Wanted<T>, options: WaitOptions | undefined, max = 1): Promise<V> {
    try {
      checkWait(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.outlet.pull(wanted, options, max) as Promise<V>;
  }
}
