import type { AsyncResource } from "node:async_hooks";
import { QueueShutDownError } from "../base/errors.js";
import { adopted } from "../base/thenable.js";
import type { Settler, Work } from "../base/work.js";
import type { Core } from "./core.js";
import { Delayed } from "./delayed.js";
import { attemptOf, carrierOf, deadlineOf, EntryExtras } from "./entry-extras.js";
import type { Settlement } from "./settlement.js";
import type { Place } from "./storage/store.js";
import { type GetWaiter, kept, type PutWaiter, rejectQuietly, Step, type Wanted } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/**
 * How items get to consumers, and room to producers: what arrives goes to the consumer that has waited longest, room to the producer that
 * has. What is given out belongs to its consumer until it is settled or comes back.
 */
export class Handover<T> implements Settler<T> {
  readonly tiers: readonly string[];

  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly settlement: Settlement<T>,
  ) {
    this.tiers = core.tiers;
  }

  /** An item comes in: to the consumer that has waited longest, else into the store. */
  arrive(item: T, at: number, tag: unknown, place: Place): void {
    const { core } = this;
    const getter = core.getters.first;
    if (getter === undefined) core.store.push(item, at, tag, place);
    else if (core.kept === "deadlines" && deadlineOf(tag) < at) {
      this.settlement.drop(item, place.tier, "expired", attemptOf(tag));
    } else this.hand(getter, item, at, tag, place);
  }

  /** There may be room: it goes to the producers that wait for it, in order. */
  admit(): void {
    const { core } = this;
    const { store } = core;
    const { first } = core.putters;
    if (first === undefined) return;
    // Fast path: room for the one plain item of a producer, and no consumer waiting.
    if (core.isPlain && first.count === 1 && core.getters.first === undefined && store.size < core.limit) {
      store.push(first.nextItem(), Number.NaN, undefined, first.place);
      this.leavePutters(first);
      first.resolve(undefined);
      if (store.size >= core.limit || core.putters.first === undefined) return;
    }
    const now = core.now();
    for (let waiter = core.putters.first; waiter !== undefined; waiter = core.putters.first as PutWaiter<T>) {
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
      this.arrive(waiter.nextItem(), now, tag, place);
    }
  }

  leavePutters(waiter: PutWaiter<T>): void {
    this.core.putters.remove(waiter);
    this.room.release(waiter);
  }

  putDone({ tag, place, count, startedAt }: PutWaiter<T>, now: number): void {
    this.core.observer?.putDone(carrierOf(tag), place.tier, count, now - startedAt);
  }

  /** An item goes to its consumer, in the form in which it is wanted. `at` and `takenAt` mean nothing where no times are kept. */
  give(wanted: Wanted<T>, item: T, at: number, tag: unknown, place: Place, takenAt: number): unknown {
    const { core } = this;
    if (typeof wanted === "function") {
      const isTracked = core.kept !== "items";
      const work = new wanted(
        this,
        item,
        place,
        attemptOf(tag),
        isTracked ? at : undefined,
        isTracked ? takenAt : undefined,
        tag,
      );
      core.inFlight.add(work);
      return work;
    }
    core.undone++;
    return wanted === "items" ? [item] : item;
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
    this.leaveGetters(waiter, error);
    if (error instanceof QueueShutDownError) rejectQuietly(waiter, error);
    else waiter.reject(error);
  }

  /** The `next` of an iteration ends without an item. */
  endStep(waiter: GetWaiter<T>): void {
    this.leaveGetters(waiter, undefined);
    waiter.resolve({ done: true, value: undefined });
  }

  private leaveGetters(waiter: GetWaiter<T>, failure: unknown): void {
    const { core } = this;
    core.getters.remove(waiter);
    this.room.release(waiter);
    waiter.iteration?.gone(waiter);
    core.observer?.pullDone(waiter.pull, [], core.now() - waiter.startedAt, failure);
  }

  run<R>(work: Work<T>, fn: () => R, scope?: AsyncResource): R {
    const { observer } = this.core;
    if (observer === undefined) return adopted(fn()) as R;
    const carrier = carrierOf(work.tag);
    work.hasRun = true;
    if (work.settledBy !== undefined) this.settlement.release(work, false);
    return observer.run(carrier, work, fn, scope);
  }

  correlationIdOf({ tag }: Work<T>): string | undefined {
    return this.core.correlationIdOf(tag);
  }

  done(work: Work<T>, now?: number): void {
    work.settledBy = "done";
    this.settlement.settle(work, "success", undefined, now);
  }

  fail(work: Work<T>, error: unknown): void {
    work.settledBy = "fail";
    this.settlement.settle(work, "failure", error);
  }

  deadLettered(work: Work<T>, error: unknown): void {
    work.settledBy = "deadLettered";
    this.settlement.putAside(work, error);
  }

  gateWaited(work: Work<T>, gate: string, waitedMs: number): void {
    work.gatedMs += waitedMs;
    this.core.observer?.gateWaited(gate, waitedMs);
  }

  retry(work: Work<T>, delayMs: number, error: unknown): void {
    const { core } = this;
    const { item, attempt, tag, place } = work;
    work.settledBy = "retry";
    this.settlement.giveBack(work, error);
    if (core.state === "done") {
      this.settlement.drop(item, place.tier, "shutdown", attempt);
      return;
    }
    core.track();
    const extras = new EntryExtras(deadlineOf(tag), attempt + 1, work.correlationId, carrierOf(tag));
    this.settlement.release(work, true);
    const now = core.now();
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
      this.settlement.drop(delayed.item, delayed.place.tier, "shutdown", delayed.extras.attempt);
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

  private hand(getter: GetWaiter<T>, item: T, at: number, tag: unknown, place: Place): void {
    const { core } = this;
    const { observer } = core;
    const { wanted, iteration } = getter;
    core.getters.remove(getter);
    this.room.release(getter);
    if (core.kept !== "items") core.lastTakenAt = at;
    if (observer !== undefined) {
      observer.taken(carrierOf(tag), place.tier, at, at, attemptOf(tag));
      observer.pullDone(getter.pull, carrierOf(tag), Math.max(at - getter.startedAt, 0));
    }
    const own = iteration !== undefined || typeof wanted === "function" ? kept(place) : place;
    const value = this.give(wanted, item, at, tag, own, at);
    if (iteration === undefined) getter.resolve(value);
    else {
      const result = { done: false, value };
      iteration.gone(getter);
      iteration.handed(new Step(wanted, result, item, at, tag, own));
      getter.resolve(result);
    }
  }
}
