import { adopted } from "../base/thenable.js";
import type { Outcome } from "../contracts/index.js";
import type { Accounts } from "./accounts.js";
import type { Core } from "./core.js";
import { Delayed } from "./delayed.js";
import type { Delivery, Settler } from "./delivery.js";
import { carrierOf, deadlineOf, EntryExtras } from "./entry-extras.js";
import type { Outlet } from "./outlet.js";
import type { Place } from "./storage/store.js";
import type { WaitingRoom } from "./waiting-room.js";

/** What becomes of deliveries: they run in their producer's context, are settled, or come back after a delay. */
export class Deliveries<T> implements Settler<T> {
  constructor(
    private readonly core: Core<T>,
    private readonly room: WaitingRoom,
    private readonly accounts: Accounts<T>,
    private readonly outlet: Outlet<T>,
  ) {
    outlet.settler = this;
  }

  run<R>(delivery: Delivery<T>, fn: () => R): R {
    const { observer } = this.core;
    if (observer === undefined) return adopted(fn()) as R;
    const carrier = carrierOf(delivery.tag);
    delivery.hasRun = true;
    if (delivery.isSettled) this.release(delivery);
    return observer.run(carrier, delivery, fn);
  }

  correlationIdOf({ tag }: Delivery<T>): string | undefined {
    return this.core.correlationIdOf(tag);
  }

  settle(delivery: Delivery<T>, outcome: Outcome, error: unknown): void {
    this.core.inFlight.remove(delivery);
    this.core.observer?.settled(outcome, this.processMs(delivery), error);
    this.release(delivery);
    this.accounts.settled();
  }

  putAside(delivery: Delivery<T>, error: unknown): void {
    this.core.inFlight.remove(delivery);
    this.core.observer?.deadLettered(this.processMs(delivery), error);
    this.release(delivery);
    this.accounts.settled();
  }

  gateWaited(gate: string, waitedMs: number): void {
    this.core.observer?.gateWaited(gate, waitedMs);
  }

  retry(delivery: Delivery<T>, delayMs: number, error: unknown): void {
    const { core } = this;
    const { item, attempt, tag, place } = delivery;
    core.inFlight.remove(delivery);
    core.observer?.retried(this.processMs(delivery), attempt, error);
    if (core.isClosed) {
      this.accounts.drop(item, place.tier, "shutdown", attempt);
      return;
    }
    core.track();
    const ticket = new EntryExtras(deadlineOf(tag), attempt + 1, delivery.correlationId, carrierOf(tag));
    this.release(delivery, true);
    const now = core.now();
    if (delayMs === 0) {
      this.reenter(item, now, ticket, place);
      return;
    }
    const delayed = new Delayed(this.comeBack, now + delayMs, item, ticket, place);
    core.delayed.append(delayed);
    if (delayMs < Number.POSITIVE_INFINITY) this.room.wakeAt(delayed);
  }

  dropDelayed(): void {
    const { core } = this;
    for (let delayed = core.delayed.first; delayed !== undefined; delayed = core.delayed.first) {
      core.delayed.remove(delayed);
      this.room.forget(delayed);
      this.accounts.drop(delayed.item, delayed.place.tier, "shutdown", delayed.ticket.attempt);
    }
  }

  private readonly comeBack = (delayed: Delayed<T>): void => {
    this.core.delayed.remove(delayed);
    this.reenter(delayed.item, this.core.now(), delayed.ticket, delayed.place);
    this.outlet.endIfFinished();
  };

  private reenter(item: T, now: number, ticket: EntryExtras, place: Place): void {
    this.core.observer?.reentered(place.tier);
    this.outlet.arrive(item, now, ticket, place);
  }

  /** What its handler began keeps it, as part of its async context; so it must not keep that of its producer, and so on for ever. */
  private release(delivery: Delivery<T>, comesBack = false): void {
    const { observer } = this.core;
    if (observer === undefined || !delivery.hasRun) return;
    const carrier = carrierOf(delivery.tag);
    const kept = observer.released(carrier, comesBack);
    if (kept !== carrier) delivery.release(kept);
  }

  private processMs(delivery: Delivery<T>): number | undefined {
    if (delivery.takenAt === undefined) return undefined;
    // Waits for several gates at a time count more than once.
    return Math.max(0, this.core.now() - delivery.takenAt - delivery.gatedMs);
  }
}
