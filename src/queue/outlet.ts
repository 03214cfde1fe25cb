import { QueueShutDownError } from "../base/errors.js";
import type { Carrier } from "../contracts/index.js";
import type { Accounts } from "./accounts.js";
import type { Core } from "./core.js";
import { Delivery, type Settler } from "./delivery.js";
import { attemptOf, carrierOf, deadlineOf } from "./entry-extras.js";
import type { WaitOptions } from "./options.js";
import { restore } from "./storage/restore.js";
import { ONLY_PLACE, type Place } from "./storage/store.js";
import { GetWaiter, Step, type Steps, type Wanted } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/** The side of a queue where items are taken. */
export class Outlet<T> {
  /** Called when an item has left its place. */
  roomMade: () => void = () => {};
  settler!: Settler<T>;

  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly accounts: Accounts<T>,
  ) {}

  /** An item comes in: to the consumer that has waited longest, else into the store. */
  arrive(item: T, at: number, tag: unknown, place: Place): void {
    const { core } = this;
    const getter = core.getters.first;
    if (getter === undefined) core.store.push(item, at, tag, place);
    else if (core.dated && deadlineOf(tag) < at) {
      this.accounts.drop(item, place.tier, "expired", attemptOf(tag));
    } else this.hand(getter, item, at, tag, place);
  }

  /** The next item if there is one. */
  tryTake(): T | undefined {
    const { core } = this;
    const now = core.now();
    if (this.hasNext(now)) return this.takeOne("item", now, core.observer?.pullStarted()) as T;
    if (core.isFinished) throw new QueueShutDownError("get");
    return undefined;
  }

  /** The next item, for a consumer who will settle it, if there is one. */
  tryDeliver(): Delivery<T> | undefined {
    const now = this.core.now();
    return this.hasNext(now) ? (this.takeOne("delivery", now, undefined) as Delivery<T>) : undefined;
  }

  /** Takes what is wanted, or waits for it; an iteration's `next` says whose it is. */
  pull(
    wanted: Wanted,
    options: WaitOptions | undefined,
    max: number,
    iteration?: Steps<T>,
  ): Promise<unknown> {
    const { core } = this;
    const pull = core.observer?.pullStarted();
    const now = core.now();
    if (this.hasNext(now)) {
      return Promise.resolve(
        wanted === "items" ? this.takeMany(max, now, pull) : this.takeOne(wanted, now, pull),
      );
    }
    const waiter = new GetWaiter<T>(this, wanted, now, pull, iteration);
    if (iteration !== undefined) iteration.waits(waiter);
    core.getters.append(waiter);
    const promise = this.room.wait(waiter, options);
    this.endIfFinished();
    return promise;
  }

  /** Is there an item to take? Drops those past their deadline until there is, or nothing is left. */
  hasNext(now: number): boolean {
    const { core } = this;
    const { store } = core;
    while (store.size > 0) {
      if (!core.dated) return true;
      store.front();
      if (deadlineOf(store.tag) >= now) return true;
      const item = store.shift();
      const { tier, tag } = store;
      this.roomMade();
      this.accounts.drop(item, tier, "expired", attemptOf(tag));
    }
    return false;
  }

  /** Tells everybody who waits, if nothing will ever come. */
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
    this.leave(waiter, error);
    if (error instanceof QueueShutDownError) waiter.rejectQuietly(error);
    else waiter.reject(error);
  }

  /** The `next` of an iteration ends without an item. */
  endStep(waiter: GetWaiter<T>): void {
    this.leave(waiter, undefined);
    waiter.resolve({ done: true, value: undefined });
  }

  /**
   * Items that were handed over come back before their consumer has seen them: to the next one who waits, else to their old place,
   * before all that came in since.
   */
  giveBack(steps: readonly Step<T>[]): void {
    const { core } = this;
    const rest: Step<T>[] = [];
    for (const step of steps) {
      const { item, at, tag, place } = step;
      const { value } = step.result;
      if (value instanceof Delivery) core.inFlight.remove(value);
      else if (core.undone > 0) core.undone--;
      step.result.done = true;
      step.result.value = undefined;
      core.observer?.givenBack(carrierOf(tag), place.tier, attemptOf(tag));
      if (core.isClosed) {
        this.accounts.drop(item, place.tier, "shutdown", attemptOf(tag));
        continue;
      }
      if (core.getters.first !== undefined) this.arrive(item, at, tag, place);
      else rest.push(step);
    }
    if (rest.length > 0) restore(core.store, rest, core.tracked);
  }

  private leave(waiter: GetWaiter<T>, failure: unknown): void {
    const { core } = this;
    core.getters.remove(waiter);
    this.room.release(waiter);
    waiter.iteration?.gone(waiter);
    core.observer?.pullDone(waiter.pull, [], core.now() - waiter.startedAt, failure);
  }

  private hand(getter: GetWaiter<T>, item: T, at: number, tag: unknown, place: Place): void {
    const { core } = this;
    const { observer } = core;
    core.getters.remove(getter);
    core.lastTakenAt = at;
    this.room.release(getter);
    if (observer !== undefined) {
      observer.taken(carrierOf(tag), place.tier, at, at, attemptOf(tag));
      observer.pullDone(getter.pull, carrierOf(tag), Math.max(at - getter.startedAt, 0));
    }
    const { wanted, iteration } = getter;
    const needsPlace = iteration !== undefined || isDelivery(wanted);
    const own = needsPlace && place !== ONLY_PLACE ? { ...place } : place;
    const value = isDelivery(wanted) ? this.deliver(wanted, item, at, tag, own, at) : this.give(wanted, item);
    if (iteration !== undefined) {
      iteration.gone(getter);
      iteration.handed(new Step(value as Step<T>["result"], item, at, tag, own));
    }
    getter.resolve(value);
  }

  private takeOne(wanted: Wanted, now: number, pull: object | undefined): unknown {
    const { core } = this;
    const { store, observer } = core;
    const item = store.shift();
    const { at, tag } = store;
    const place = isDelivery(wanted) ? store.place : ONLY_PLACE;
    const takenAt = Math.max(now, at); // it may have come in after the clock was read
    core.lastTakenAt = takenAt;
    observer?.takenAtOnce(pull, carrierOf(tag), store.tier, at, takenAt, attemptOf(tag));
    const value = isDelivery(wanted)
      ? this.deliver(wanted, item, at, tag, place, takenAt)
      : this.give(wanted, item);
    if (core.putters.first !== undefined) this.roomMade();
    return value;
  }

  private takeMany(max: number, now: number, pull: object | undefined): T[] {
    const { core } = this;
    const { store, observer } = core;
    const items: T[] = [];
    const carriers: Carrier[] = [];
    if (store.size > 0) core.lastTakenAt = now;
    while (items.length < max && this.hasNext(now)) {
      items.push(store.shift());
      core.undone++;
      const { at, tag, tier } = store;
      if (observer !== undefined) {
        const carrier = carrierOf(tag);
        carriers.push(carrier);
        observer.taken(carrier, tier, at, Math.max(now, at), attemptOf(tag));
      }
      this.roomMade();
    }
    observer?.pullDone(pull, carriers, 0);
    return items;
  }

  /** An item goes to a consumer, in the form it is wanted in. */
  private give(wanted: Wanted, item: T): unknown {
    this.core.undone++;
    if (wanted === "next item") return { done: false, value: item };
    return wanted === "items" ? [item] : item;
  }

  /** An item goes to a consumer who will settle it. */
  private deliver(wanted: Wanted, item: T, at: number, tag: unknown, place: Place, now: number): unknown {
    const { core } = this;
    const tier = core.tiers[place.tier]!;
    const delivery = new Delivery<T>(this.settler, item, tier, place, attemptOf(tag), at, now, tag);
    core.inFlight.append(delivery);
    return wanted === "delivery" ? delivery : { done: false, value: delivery };
  }
}

function isDelivery(wanted: Wanted): boolean {
  return wanted === "delivery" || wanted === "next delivery";
}
