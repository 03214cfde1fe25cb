import { isLeftBehind } from "../base/callback.js";
import { errorLine } from "../base/error-text.js";
import { QueueFullError, QueueShutDownError } from "../base/errors.js";
import { processWide } from "../base/process-wide.js";
import type { DropReason } from "../contracts/index.js";
import type { Core } from "./core.js";
import type { Handover } from "./handover.js";
import { checkCorrelationId, isPlain, type PutOptions, type WhenFull } from "./options.js";
import type { Place } from "./storage/store.js";
import { handled, kept, PutWaiter, promiseOf } from "./waiters.js";
import type { WaitingRoom } from "./waiting-room.js";

const { activeTaskMonitor } = processWide;

/** What a put returns that needn't wait. One for all: awaiting a settled promise costs no more than `await null`. */
export const DONE = Promise.resolve();

/** For which reasons items are dropped or refused, by the policy. */
const DROP_REASONS: Record<WhenFull, readonly DropReason[]> = {
  wait: ["expired", "shutdown"],
  reject: ["expired", "rejected", "shutdown"],
  evict: ["evicted", "expired", "shutdown"],
};

/** The side of a queue where items come in. Options are checked already. */
export class Intake<T> {
  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly handover: Handover<T>,
    private readonly whenFull: WhenFull,
    private readonly evictWhen: (() => boolean) | undefined,
  ) {}

  get dropReasons(): readonly DropReason[] {
    return DROP_REASONS[this.whenFull];
  }

  /** Takes the item into a full queue, if it evicts; else false, and nothing has changed. */
  tryEvict(item: T, options: PutOptions | undefined, place: Place): boolean {
    if (this.core.state !== "open") throw new QueueShutDownError("put", { item });
    if (this.whenFull !== "evict") return false;
    const own = kept(place); // now, because evictWhen and onDrop may put something in themselves
    if (!this.mayEvict()) return false;
    const waiter = this.waiterFor(item, undefined, options, own);
    this.evictFor(waiter);
    if (waiter.isIn) this.handover.putDone(waiter, waiter.startedAt);
    else this.refuse(waiter, "evicted");
    return waiter.isIn;
  }

  /** Puts in what fits; what becomes of the rest is the queue's policy. */
  putOrWait(
    item: T,
    batch: readonly T[] | undefined,
    options: PutOptions | undefined,
    place: Place,
  ): Promise<void> {
    const { core } = this;
    // Fast path: a plain item that waits for its place.
    if (core.isPlain && batch === undefined && options === undefined && this.whenFull === "wait") {
      const waiter = new PutWaiter(this.handover, item, undefined, kept(place), undefined, 0);
      core.putters.append(waiter);
      return promiseOf<void>(waiter);
    }
    const waiter = this.waiterFor(item, batch, options, place);
    if (core.putters.first === undefined) this.handover.fill(waiter, waiter.startedAt);
    if (!waiter.isIn && this.mayEvict()) {
      this.evictFor(waiter);
      if (!waiter.isIn) return Promise.reject(this.refuse(waiter, "evicted"));
    }
    // `evictWhen` may have made room while it said that it doesn't hold.
    if (this.evictWhen !== undefined && core.putters.first === undefined)
      this.handover.fill(waiter, core.now());
    if (waiter.isIn) {
      this.handover.putDone(waiter, waiter.startedAt);
      return DONE;
    }
    // Only here, because a callback of the user's may have shut the queue down on the way.
    if (core.state !== "open") {
      const error = new QueueShutDownError("put", waiter.refused());
      this.handover.putFailed(waiter, error);
      return handled(Promise.reject(error));
    }
    if (this.whenFull === "reject") return Promise.reject(this.refuse(waiter, "rejected"));
    core.putters.append(waiter);
    this.noteWait(waiter);
    return this.room.wait<void, T>(waiter, options);
  }

  /** For the report on a task that puts, and waits for room. */
  private noteWait(waiter: PutWaiter<T>): void {
    const { core } = this;
    const { current } = activeTaskMonitor;
    if (current?.waits === undefined || core.observer === undefined) return;
    waiter.seen = current.waits({
      kind: "queue",
      of: core,
      label: core.observer.queueName,
      state: () => undefined,
      use: () => ({
        inUse: core.store.size,
        idle: undefined,
        waiting: core.putters.size,
        limit: core.capacity,
      }),
    });
  }

  private waiterFor(
    item: T,
    batch: readonly T[] | undefined,
    options: PutOptions | undefined,
    place: Place,
  ): PutWaiter<T> {
    const { core } = this;
    const own = kept(place);
    if (!core.isTracked && isPlain(options))
      return new PutWaiter(this.handover, item, batch, own, undefined, 0);
    core.track();
    const now = core.clock.now();
    const correlationId = checkCorrelationId(options?.correlationId);
    const carrier = core.observer?.putStarted(place.tier, correlationId, batch?.length ?? 1);
    const tag = options === undefined ? carrier : this.handover.tagOf(options, carrier, now);
    return new PutWaiter(this.handover, item, batch, own, tag, now);
  }

  /** Whether a newcomer may evict. If so, those that have waited because `evictWhen` didn't hold have done it first. */
  private mayEvict(): boolean {
    if (this.whenFull !== "evict" || !this.evictHolds()) return false;
    this.evictForPutters();
    return this.core.state === "open";
  }

  private evictHolds(): boolean {
    if (this.evictWhen === undefined) return true;
    try {
      const holds: unknown = this.evictWhen();
      if (typeof holds === "boolean") return holds;
      // Of an async function: what it fails with is heard here only.
      isLeftBehind(holds, this.handover.fault);
      throw new TypeError(`evictWhen must return true or false, not ${errorLine(holds, 80)}`);
    } catch (error) {
      this.handover.fault(error);
      return false;
    }
  }

  /** Each leaves the line before it evicts: `onDrop` may call the queue, which must not find it there. */
  private evictForPutters(): void {
    const { core } = this;
    for (let waiter = core.putters.first; waiter !== undefined; waiter = core.putters.first) {
      this.handover.leavePutters(waiter);
      this.evictFor(waiter);
      if (waiter.isIn) {
        this.handover.putDone(waiter, core.now());
        waiter.resolve(undefined);
      } else waiter.reject(this.refuse(waiter, "evicted"));
    }
  }

  /** Puts in the waiter's items, each in the place of what is served last; stops at an item that would be that itself. */
  private evictFor(waiter: PutWaiter<T>): void {
    const { store } = this.core;
    const { tag, place } = waiter;
    const now = this.core.now();
    const victims: { item: T; tier: number; tag: unknown }[] = [];
    for (
      this.handover.fill(waiter, now);
      !waiter.isIn && !store.isLast(now, tag, place);
      this.handover.fill(waiter, now)
    ) {
      victims.push({ item: store.pop(), tier: store.tier, tag: store.tag });
    }
    for (const { item, tier, tag } of victims) this.handover.drop(item, tier, "evicted", tag);
  }

  /** Refuses what is left of the waiter's items: they go back to the caller in the error. */
  private refuse(waiter: PutWaiter<T>, reason: "evicted" | "rejected"): QueueFullError {
    const error = new QueueFullError(this.core.limit, waiter.refused());
    this.handover.putFailed(waiter, error);
    for (const item of waiter.rest()) this.handover.tellDropped(item, waiter.place.tier, reason, 1);
    return error;
  }
}
