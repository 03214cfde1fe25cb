import { tell } from "../base/callback.js";
import { TaskDoneError } from "../base/errors.js";
import { warn } from "../base/warning.js";
import type { DropReason } from "../contracts/index.js";
import type { Core } from "./core.js";
import type { QueueOptions, WaitOptions } from "./options.js";
import { JoinWaiter } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

/** Keeps count of what is done and what is dropped, and tells who waits for the end of it. */
export class Accounts<T> {
  private warned = false;

  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly onDrop: QueueOptions<T>["onDrop"],
  ) {}

  join(options: WaitOptions | undefined): Promise<void> {
    if (this.core.unfinished === 0) return Promise.resolve();
    const waiter = new JoinWaiter<T>(this);
    this.core.joiners.append(waiter);
    return this.room.wait(waiter, options);
  }

  taskDone(): void {
    const { core } = this;
    if (core.undone === 0) throw new TaskDoneError();
    core.undone--;
    core.observer?.settled("success", undefined);
    this.settled();
  }

  /** Something accepted left the queue without being taken. */
  drop(item: T, tier: number, reason: DropReason, attempt: number): void {
    this.tellDropped(item, tier, reason, attempt);
    this.settled();
  }

  tellDropped(item: T, tier: number, reason: DropReason, attempt: number): void {
    this.core.observer?.dropped(tier, reason, attempt);
    if (this.onDrop === undefined) return;
    tell(this.fault, this.onDrop, item, reason);
  }

  /** A callback of the user's has thrown: counted if somebody counts, told once otherwise; never passed on. */
  readonly fault = (error: unknown): void => {
    if (this.core.observer !== undefined) this.core.observer.fault(error);
    else if (!this.warned) warn("a callback of a queue has thrown", error);
    this.warned = true;
  };

  /** Something is settled or dropped: was it the last? */
  settled(): void {
    const { joiners } = this.core;
    if (joiners.first === undefined || this.core.unfinished > 0) return;
    for (let waiter = joiners.first; waiter !== undefined; waiter = joiners.first as JoinWaiter<T>) {
      joiners.remove(waiter);
      this.room.release(waiter);
      waiter.resolve(undefined);
    }
  }

  /** Why it takes so long, if somebody knows. */
  report(): object | undefined {
    return this.core.report();
  }

  endJoin(waiter: JoinWaiter<T>, error: unknown): void {
    this.core.joiners.remove(waiter);
    this.room.release(waiter);
    waiter.reject(error);
  }
}
