import type { Clock } from "../base/clock.js";
import type { Work, WorkClass } from "../base/work.js";
import type {
  Consumer,
  Health,
  PoolView,
  QueueHealthOptions,
  QueueSource,
  Report,
} from "../contracts/index.js";
import type { Core } from "./core.js";
import type { Handover } from "./handover.js";
import { healthOf } from "./health.js";
import type { Intake } from "./intake.js";
import type { Outlet } from "./outlet.js";
import type { Settlement } from "./settlement.js";
import { GetWaiter } from "./waiters.js";

/** A consumer that stands in line for as long as it likes, without a promise for each wait. */
class StandingWaiter<T> {
  isInLine = false;
  readonly waiter: GetWaiter<T>;

  constructor(handover: Handover<T>, consumer: Consumer<T>) {
    this.waiter = new GetWaiter(handover, consumer.works, 0, undefined, undefined);
    this.waiter.resolve = (work) => {
      this.isInLine = false;
      consumer.take(work as Work<T>);
    };
    this.waiter.reject = () => {
      this.isInLine = false;
      consumer.ended();
    };
  }
}

/** The queue as worker pools see it. */
export class Source<T> implements QueueSource<T> {
  readonly clock: Clock;
  private readonly standing = new WeakMap<Consumer<T>, StandingWaiter<T>>();
  /** Most queues have one consumer of this kind, and a map would be looked up for each item. */
  private lastConsumer: Consumer<T> | undefined = undefined;
  private lastStanding: StandingWaiter<T> | undefined = undefined;

  constructor(
    private readonly core: Core<T>,
    private readonly settlement: Settlement<T>,
    private readonly handover: Handover<T>,
    private readonly intake: Intake<T>,
    private readonly outlet: Outlet<T>,
  ) {
    this.clock = core.clock;
  }

  get isTimed(): boolean {
    return this.core.isTracked;
  }

  get isObserved(): boolean {
    return this.core.observer !== undefined;
  }

  get size(): number {
    return this.core.store.size;
  }

  get delayed(): number {
    return this.core.delayed.size;
  }

  get capacity(): number {
    return this.core.capacity;
  }

  get waitingPuts(): number {
    return this.core.putters.size;
  }

  get isFinished(): boolean {
    return this.core.isFinished;
  }

  /** Of the items that come next, those IDs that are known: none is made for a report. */
  correlationIds(most: number): string[] {
    const { core } = this;
    const tags = core.store.heads(most).map(({ tag }) => tag);
    for (
      let delayed = core.delayed.first;
      delayed !== undefined && tags.length < most;
      delayed = delayed.next
    ) {
      tags.push(delayed.extras);
    }
    return tags.map((tag) => core.correlationIdOf(tag)).filter((id) => id !== undefined);
  }

  health(options?: QueueHealthOptions): Health {
    return healthOf(this.core, options);
  }

  next<W extends Work<T>>(works: WorkClass<T, W>, now?: number): W | undefined {
    return this.outlet.tryDeliver(works, now);
  }

  stand(consumer: Consumer<T>): void {
    const standing = this.standingOf(consumer);
    if (standing.isInLine) return;
    standing.isInLine = true;
    standing.waiter.startedAt = this.core.isTracked ? this.core.clock.now() : 0;
    this.core.getters.append(standing.waiter);
    this.handover.endIfFinished();
  }

  leave(consumer: Consumer<T>): void {
    const standing = this.standingOf(consumer);
    if (!standing.isInLine) return;
    standing.isInLine = false;
    this.core.getters.remove(standing.waiter);
  }

  shutdown(): void {
    if (this.core.state === "open") this.intake.close();
    this.handover.endIfFinished();
  }

  show(pool: PoolView): void {
    // Those that have stopped are still to be seen, until there are others.
    const pools = [...(this.core.pools ?? [])].filter((other) => other.statuses().length > 0);
    this.core.pools = new Set([...pools, pool]);
  }

  fault(error: unknown): void {
    this.settlement.fault(error);
  }

  report(): Report | undefined {
    return this.core.report();
  }

  private standingOf(consumer: Consumer<T>): StandingWaiter<T> {
    if (this.lastConsumer === consumer) return this.lastStanding!;
    const standing = this.standing.get(consumer) ?? new StandingWaiter(this.handover, consumer);
    this.standing.set(consumer, standing);
    this.lastConsumer = consumer;
    this.lastStanding = standing;
    return standing;
  }
}
