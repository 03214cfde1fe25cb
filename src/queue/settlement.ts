import type { AsyncResource } from "node:async_hooks";
import { tell } from "../base/callback.js";
import { TaskDoneError } from "../base/errors.js";
import { adopted } from "../base/thenable.js";
import type { UnsettledEnd } from "../base/unsettled.js";
import { warn } from "../base/warning.js";
import type { DropReason, Outcome, Report, Work } from "../contracts/index.js";
import type { Core } from "./core.js";
import type { QueueOptions, WaitOptions } from "./options.js";
import { attemptOf, carrierOf, unsettledOf } from "./storage/store.js";
import { JoinWaiter } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/** How items leave the books: they are settled or dropped. A `join` waits here for the last one. */
export abstract class Settlement<T> {
  private warned = false;

  constructor(
    protected readonly core: Core<T>,
    protected readonly room: WaitingRoom,
    private readonly onDrop: QueueOptions<T>["onDrop"],
  ) {}

  /** Waits until everything accepted is settled or dropped. */
  join(options: WaitOptions | undefined): Promise<void> {
    if (this.core.unfinished === 0) return Promise.resolve();
    const waiter = new JoinWaiter<T>(this);
    this.core.joiners.append(waiter);
    return this.room.wait(waiter, options);
  }

  endJoin(waiter: JoinWaiter<T>, error: unknown): void {
    this.core.joiners.remove(waiter);
    this.room.release(waiter);
    waiter.reject(error);
  }

  /** Why it takes so long, if a watchdog knows. */
  report(): Report | undefined {
    return this.core.report();
  }

  /** What a plain get took is done. */
  taskDone(): void {
    const { core } = this;
    if (core.undone === 0) throw new TaskDoneError();
    core.undone--;
    core.observer?.settled("success", undefined);
    this.left();
  }

  /** The work is done. `now` is the time, where the caller knows it. */
  done(work: Work<T>, now?: number): void {
    work.settledBy = "done";
    this.settle(work, "success", undefined, now);
  }

  fail(work: Work<T>, error: unknown): void {
    work.settledBy = "fail";
    this.settle(work, "failure", error);
  }

  deadLettered(work: Work<T>, error: unknown): void {
    const { core } = this;
    work.settledBy = "deadLettered";
    core.inFlight.remove(work);
    if (core.unsettled.size > 0) this.completed(work.tag, "settled");
    core.observer?.deadLettered(this.processMs(work), error, work);
    this.release(work, false);
    this.left();
  }

  gateWaited(work: Work<T>, gate: string, waitedMs: number): void {
    work.needExtras().gatedMs += waitedMs;
    this.core.observer?.gateWaited(gate, waitedMs);
  }

  /** Calls `fn` in the producer's context, if there is an observer. */
  run<R>(work: Work<T>, fn: () => R, scope?: AsyncResource): R {
    const { observer } = this.core;
    if (observer === undefined) return adopted(fn()) as R;
    const carrier = carrierOf(work.tag);
    work.hasRun = true;
    if (work.settledBy !== undefined) this.release(work, false);
    return observer.run(carrier, work, fn, scope);
  }

  correlationIdOf({ tag }: Work<T>): string | undefined {
    return this.core.correlationIdOf(tag);
  }

  /** Something accepted left the queue without being taken. */
  drop(item: T, tier: number, reason: DropReason, tag: unknown): void {
    if (this.core.unsettled.size > 0) this.completed(tag, reason === "shutdown" ? "left" : "dropped");
    this.tellDropped(item, tier, reason, attemptOf(tag));
    this.left();
  }

  /** Drops all that waits: in order of service, where `onDrop` sees it, which takes a deep heap far longer. */
  dropStored(): void {
    const { store } = this.core;
    while (store.size > 0) {
      const item = this.onDrop === undefined ? store.takeAny() : store.shift();
      this.drop(item, store.tier, "shutdown", store.tag);
    }
  }

  /**
   * An item comes to its end, if it is kept since when it was there; that needn't be asked while nothing is. Of what a plain get takes,
   * `taskDone` doesn't tell which item is done: it has `left`. `now` is the time, where the caller knows it.
   */
  completed(tag: unknown, how: UnsettledEnd, now?: number): void {
    const { core } = this;
    const unsettled = unsettledOf(tag);
    if (unsettled !== undefined) core.unsettled.end(unsettled, now ?? core.now(), how);
  }

  tellDropped(item: T, tier: number, reason: DropReason, attempt: number): void {
    this.core.observer?.dropped(tier, reason, attempt);
    if (this.onDrop === undefined) return;
    tell(this.fault, this.onDrop, item, reason);
  }

  /** A callback of the user's has thrown: counted where there is an observer, else warned of once; never passed on. */
  readonly fault = (error: unknown): void => {
    if (this.core.observer !== undefined) this.core.observer.fault(error);
    else if (!this.warned) warn("a callback of a queue has thrown", error);
    this.warned = true;
  };

  /**
   * What a handler began keeps the work, as part of its async context; so the work must not keep that of its producer, and so on for
   * ever.
   */
  protected release(work: Work<T>, comesBack: boolean): void {
    const { observer } = this.core;
    if (observer === undefined || !work.hasRun) return;
    const carrier = carrierOf(work.tag);
    const kept = observer.released(carrier, comesBack);
    if (kept !== carrier) work.release(kept);
  }

  /** Something is settled or dropped: if it was the last, those that wait for that are told. */
  private left(): void {
    const { joiners } = this.core;
    if (joiners.first === undefined || this.core.unfinished > 0) return;
    for (let waiter = joiners.first; waiter !== undefined; waiter = joiners.first as JoinWaiter<T>) {
      joiners.remove(waiter);
      this.room.release(waiter);
      waiter.resolve(undefined);
    }
  }

  /** Work is over, for good. */
  private settle(work: Work<T>, outcome: Outcome, error: unknown, now?: number): void {
    const { core } = this;
    const { observer } = core;
    core.inFlight.remove(work);
    if (core.unsettled.size > 0) this.completed(work.tag, "settled", now);
    if (observer !== undefined) {
      observer.settled(outcome, this.processMs(work, now), error, work);
      if (work.hasRun) this.release(work, false);
    }
    if (core.joiners.first !== undefined) this.left();
  }

  protected processMs({ takenAt, extras }: Work<T>, now?: number): number | undefined {
    if (takenAt === undefined) return undefined;
    // Waits for several gates at a time count more than once.
    return Math.max(0, (now ?? this.core.now()) - takenAt - (extras?.gatedMs ?? 0));
  }
}
