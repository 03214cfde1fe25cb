import { QueueShutDownError } from "../base/errors.js";
import type { Carrier, Work } from "../contracts/index.js";
import type { Core } from "./core.js";
import type { Handover } from "./handover.js";
import type { WaitOptions } from "./options.js";
import { restore } from "./storage/restore.js";
import { attemptOf, carrierOf, unsettledOf } from "./storage/store.js";
import { GetWaiter, type Step, type Steps, type Wanted } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/** The side of a queue where items are taken. */
export class Outlet<T> {
  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly handover: Handover<T>,
  ) {}

  /** The next item if there is one. */
  tryTake(): T | undefined {
    const { core } = this;
    const now = core.now();
    if (this.handover.hasNext(now)) return this.handover.take("item", now, core.observer?.pullStarted()) as T;
    if (core.isFinished) throw new QueueShutDownError("get");
    return undefined;
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
    if (this.handover.hasNext(now)) {
      const value =
        wanted === "items" ? this.takeMany(max, now, pull) : this.handover.take(wanted, now, pull);
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
      const unsettled = unsettledOf(tag);
      if (unsettled !== undefined) core.unsettled.add(unsettled);
      if (core.state === "done") {
        this.handover.drop(item, place.tier, "shutdown", tag);
        continue;
      }
      if (core.getters.first !== undefined) this.handover.arrive(item, at, tag, place);
      else rest.push(step);
    }
    if (rest.length > 0) restore(core.store, rest, core.isTracked);
  }

  private takeMany(max: number, now: number, pull: object | undefined): T[] {
    const { core } = this;
    const { store, observer } = core;
    const items: T[] = [];
    const carriers: Carrier[] = [];
    if (core.isTracked) core.lastTakenAt = now;
    while (items.length < max && this.handover.hasNext(now)) {
      items.push(store.shift());
      core.undone++;
      const { at, tag, tier } = store;
      if (core.unsettled.size > 0) this.handover.completed(tag, "left", now);
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
