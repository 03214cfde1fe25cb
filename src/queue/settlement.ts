import { tell } from "../base/callback.js";
import { TaskDoneError } from "../base/errors.js";
import { warn } from "../base/warning.js";
import type { DropReason, Outcome, Work } from "../contracts/index.js";
import type { Core } from "./core.js";
import { carrierOf } from "./entry-extras.js";
import type { QueueOptions, WaitOptions } from "./options.js";
import { JoinWaiter } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/** How items leave the books: they are settled or dropped. A `join` waits here for the last one. */
export class Settlement<T> {
  private warned = false;

  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
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
  report(): object | undefined {
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

  /** Work is over, for good. `now` is the time, where the caller knows it. */
  settle(work: Work<T>, outcome: Outcome, error: unknown, now?: number): void {
    const { core } = this;
    core.inFlight.remove(work);
    if (core.observer !== undefined) {
      core.observer.settled(outcome, this.processMs(work, now), error);
      if (work.hasRun) this.release(work, false);
    }
    if (core.joiners.first !== undefined) this.left();
  }

  /** Work was put aside. */
  putAside(work: Work<T>, error: unknown): void {
    this.core.inFlight.remove(work);
    this.core.observer?.deadLettered(this.processMs(work, undefined), error);
    this.release(work, false);
    this.left();
  }

  /** Work is over for now, and its item is to come back. */
  giveBack(work: Work<T>, error: unknown): void {
    this.core.inFlight.remove(work);
    this.core.observer?.retried(this.processMs(work, undefined), work.attempt, error);
  }

  /** Something accepted left the queue without being taken. */
  drop(item: T, tier: number, reason: DropReason, attempt: number): void {
    this.tellDropped(item, tier, reason, attempt);
    this.left();
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
  release(work: Work<T>, comesBack: boolean): void {
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

  private processMs({ takenAt, gatedMs }: Work<T>, now: number | undefined): number | undefined {
    if (takenAt === undefined) return undefined;
    // Waits for several gates at a time count more than once.
    return Math.max(0, (now ?? this.core.now()) - takenAt - gatedMs);
  }
}
