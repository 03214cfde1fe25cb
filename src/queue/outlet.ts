import { QueueShutDownError } from "../base/errors.js";
import type { Work, WorkClass } from "../base/work.js";
import type { Carrier } from "../contracts/index.js";
import type { Core } from "./core.js";
import { attemptOf, carrierOf, deadlineOf } from "./entry-extras.js";
import type { Handover } from "./handover.js";
import type { WaitOptions } from "./options.js";
import type { Settlement } from "./settlement.js";
import { restore } from "./storage/restore.js";
import { ONLY_PLACE } from "./storage/store.js";
import { GetWaiter, type Step, type Steps, type Wanted } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/** The side of a queue where items are taken. */
export class Outlet<T> {
  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly settlement: Settlement<T>,
    private readonly handover: Handover<T>,
  ) {}

  /** The next item if there is one. */
  tryTake(): T | undefined {
    const { core } = this;
    const now = core.now();
    if (this.hasNext(now)) return this.takeOne("item", now, core.observer?.pullStarted()) as T;
    if (core.isFinished) throw new QueueShutDownError("get");
    return undefined;
  }

  /** The next item, for a consumer that settles it, if there is one. `at` is the time, where the caller knows it. */
  tryDeliver<W extends Work<T>>(wanted: WorkClass<T, W>, at?: number): W | undefined {
    const { core, handover } = this;
    if (core.isPlain) {
      const { store } = core;
      if (store.size === 0) return undefined;
      const work = new wanted(handover, store.shift(), store.place, 1, undefined, undefined, undefined);
      core.inFlight.add(work);
      if (core.putters.first !== undefined) handover.admit();
      return work;
    }
    const now = at ?? core.now();
    return this.hasNext(now) ? (this.takeOne(wanted, now, undefined) as W) : undefined;
  }

  /** Takes what is wanted, or waits for it; an iteration's `next` says whose it is. */
  pull(
    wanted: Wanted<T>,
    options: WaitOptions | undefined,
    max: number,
    iteration?: Steps<T>,
  ): Promise<unknown> {
    const { core } = this;
    const pull = core.observer?.pullStarted();
    const now = core.now();
    if (this.hasNext(now)) {
      const value = wanted === "items" ? this.takeMany(max, now, pull) : this.takeOne(wanted, now, pull);
      return Promise.resolve(iteration === undefined ? value : { done: false, value });
    }
    const startedAt = core.isTracked ? now : 0;
    const waiter = new GetWaiter<T>(this.handover, wanted, startedAt, pull, iteration);
    if (iteration !== undefined) iteration.waits(waiter);
    core.getters.append(waiter);
    const promise = this.room.wait(waiter, options);
    this.handover.endIfFinished();
    return promise;
  }

  /** Whether there is an item to take. Drops those past their deadline until there is, or nothing is left. */
  hasNext(now: number): boolean {
    const { core } = this;
    const { store } = core;
    while (store.size > 0) {
      if (core.kept !== "deadlines") return true;
      store.front();
      if (deadlineOf(store.tag) >= now) return true;
      const item = store.shift();
      const { tier, tag } = store;
      this.handover.admit();
      this.settlement.drop(item, tier, "expired", attemptOf(tag));
    }
    return false;
  }

  /** The `next` of an iteration ends without an item. */
  endStep(waiter: GetWaiter<T>): void {
    this.handover.endStep(waiter);
  }

  /**
   * Items that were handed over come back before their consumer has seen them: to the next one that waits, else to their old place,
   * before all that came in since.
   */
  giveBack(steps: readonly Step<T>[]): void {
    const { core } = this;
    const rest: Step<T>[] = [];
    for (const step of steps) {
      const { wanted, result, item, at, tag, place } = step;
      if (typeof wanted === "function") core.inFlight.remove(result.value as Work<T>);
      else if (core.undone > 0) core.undone--;
      result.done = true;
      result.value = undefined;
      core.observer?.givenBack(carrierOf(tag), place.tier, attemptOf(tag));
      if (core.state === "done") {
        this.settlement.drop(item, place.tier, "shutdown", attemptOf(tag));
        continue;
      }
      if (core.getters.first !== undefined) this.handover.arrive(item, at, tag, place);
      else rest.push(step);
    }
    if (rest.length > 0) restore(core.store, rest, core.isTracked);
  }

  private takeOne(wanted: Wanted<T>, now: number, pull: object | undefined): unknown {
    const { core, handover } = this;
    const { store, observer } = core;
    const item = store.shift();
    const { at, tag } = store;
    const place = typeof wanted === "function" ? store.place : ONLY_PLACE;
    const takenAt = now < at ? at : now; // it may have come in after the clock was read
    if (core.isTracked) core.lastTakenAt = takenAt;
    if (observer !== undefined) {
      observer.takenAtOnce(pull, carrierOf(tag), store.tier, at, takenAt, attemptOf(tag));
    }
    const value = handover.give(wanted, item, at, tag, place, takenAt);
    if (core.putters.first !== undefined) handover.admit();
    return value;
  }

  private takeMany(max: number, now: number, pull: object | undefined): T[] {
    const { core } = this;
    const { store, observer } = core;
    const items: T[] = [];
    const carriers: Carrier[] = [];
    if (core.isTracked) core.lastTakenAt = now;
    while (items.length < max && this.hasNext(now)) {
      items.push(store.shift());
      core.undone++;
      const { at, tag, tier } = store;
      if (observer !== undefined) {
        const carrier = carrierOf(tag);
        carriers.push(carrier);
        observer.taken(carrier, tier, at, Math.max(now, at), attemptOf(tag));
      }
      this.handover.admit();
    }
    observer?.pullDone(pull, carriers, 0);
    return items;
  }
}
