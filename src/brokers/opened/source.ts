import type { AsyncResource } from "node:async_hooks";
import { checkNumber, checkObject } from "../../base/checks.js";
import { systemClock } from "../../base/clock.js";
import { processWide } from "../../base/process-wide.js";
import type {
  BrokerHub,
  Consumer,
  Health,
  OpenedQueue,
  PoolView,
  QueueHealthOptions,
  QueueSource,
  Report,
  Settlement,
  TakenMessage,
  Work,
  WorkClass,
} from "../../contracts/index.js";
import { Delivery } from "../../queue/delivery.js";
import type { Delivery as BrokerDelivery } from "../delivery.js";
import type { BrokerQueue } from "../queue.js";
import { Getter } from "./getter.js";
import { type Arrived, Inbox } from "./inbox.js";

const USUAL_NO_PROGRESS_MS = 30_000;

/** What pools and other consumers of an opened queue take from, and settle by. An outcome is counted once the broker has it. */
export class BrokerSource<T> implements QueueSource<T> {
  readonly clock = systemClock;
  readonly isTimed = true;
  readonly isObserved = true;
  readonly delayed = 0;
  readonly capacity = Number.POSITIVE_INFINITY;
  readonly waitingPuts = 0;
  private readonly inbox: Inbox<T>;
  private readonly pools = new Set<PoolView>();
  /** Outcomes that are being written. */
  private readonly writing = new Set<Promise<void>>();
  /** Consumers that are to be told when that is over. */
  private readonly ending = new Set<Consumer<T>>();
  private lastTakenAt = systemClock.now();

  /** What the user has, by which watchdogs know it. */
  private face: object = this;

  constructor(
    private readonly queue: string,
    private readonly hub: BrokerHub,
    private readonly telemetry: BrokerQueue,
  ) {
    const { pools } = this;
    telemetry.probe.pools = pools;
    this.inbox = new Inbox<T>({
      queue,
      hub,
      pools,
      give: (consumer, message, item) => consumer.take(this.workOf(consumer.works, { message, item })),
      writes: (written) => this.writes(written),
    });
  }

  /** Is called for each message that the engine brings. */
  get came(): (message: TakenMessage) => void {
    return this.inbox.came;
  }

  begin(opened: OpenedQueue, face: object): void {
    this.face = face;
    this.inbox.begin(opened);
  }

  get tiers(): readonly string[] {
    return this.telemetry.telemetry.tierNames;
  }

  /** Messages that are in this process, and with which nothing has begun: what waits elsewhere may be taken by any process. */
  get size(): number {
    return this.inbox.size;
  }

  get isFinished(): boolean {
    return this.inbox.isShut && this.writing.size === 0;
  }

  correlationIds(most: number): string[] {
    return this.inbox.correlationIds(most);
  }

  health(options?: QueueHealthOptions): Health {
    checkObject("options", options);
    const { maxDepth = Number.POSITIVE_INFINITY, noProgressMs = USUAL_NO_PROGRESS_MS } = options ?? {};
    checkNumber("maxDepth", maxDepth, "a number from 0", (n) => n >= 0);
    checkNumber("noProgressMs", noProgressMs, "milliseconds, greater than 0", (ms) => ms > 0);
    const { depth = 0, outage, blockedReason } = this.telemetry.probe.broker();
    const reasons: string[] = [];
    if (this.inbox.isShut) reasons.push("the queue is shut down");
    if (outage !== undefined && outage.endedMsAgo === undefined) {
      reasons.push(`the broker does not answer, for ${seconds(outage.forMs)} (${outage.reason})`);
    }
    if (blockedReason !== undefined) reasons.push(`the broker takes nothing: ${blockedReason}`);
    const waiting = depth === 1 ? "1 item waits" : `${depth} items wait`;
    if (depth > maxDepth) reasons.push(`${waiting}, more than ${maxDepth}`);
    const sinceTakenMs = this.clock.now() - this.lastTakenAt;
    if (depth > 0 && sinceTakenMs > noProgressMs) {
      reasons.push(`nothing was taken here for ${seconds(sinceTakenMs)}, while ${waiting}`);
    }
    return { ok: reasons.length === 0, reasons };
  }

  next<W extends Work<T>>(works: WorkClass<T, W>): W | undefined {
    const next = this.inbox.next();
    return next === undefined ? undefined : this.workOf(works, next);
  }

  stand(consumer: Consumer<T>): void {
    if (this.inbox.isShut && !this.isFinished) this.ending.add(consumer);
    else this.inbox.stand(consumer);
  }

  leave(consumer: Consumer<T>): void {
    this.ending.delete(consumer);
    this.inbox.leave(consumer);
  }

  run<R>(work: Work<T>, fn: () => R, _scope?: AsyncResource): R {
    return this.hub.run(messageOf(work).delivery, fn);
  }

  done(work: Work<T>): void {
    this.write(work, "success", (message) => message.done());
  }

  fail(work: Work<T>, error: unknown): void {
    this.write(work, "failure", (message) => message.failed(error), error);
  }

  retry(work: Work<T>, delayMs: number, error: unknown): void {
    this.write(work, "retry", (message) => message.retry(delayMs, error), error);
  }

  deadLettered(work: Work<T>, error: unknown): void {
    // It is where it was put aside: here, it is done.
    this.write(work, "dead", (message) => message.done(), error);
  }

  gateWaited(_work: Work<T>, gate: string, waitedMs: number): void {
    this.telemetry.telemetry.gateWaited(gate, waitedMs);
  }

  correlationIdOf(work: Work<T>): string | undefined {
    return messageOf(work).delivery.correlationId;
  }

  /** Takes no more; what is here and has not begun goes back. Puts are the queue's own affair: it goes on elsewhere. */
  shutdown(): void {
    for (const consumer of this.inbox.shut()) {
      if (this.isFinished || consumer instanceof Getter) consumer.ended();
      else this.ending.add(consumer);
    }
  }

  show(pool: PoolView): void {
    const { pools } = this;
    // Those that have stopped are still to be seen, until there are others.
    for (const other of pools) if (other.statuses().length === 0) pools.delete(other);
    pools.add(pool);
  }

  fault(error: unknown): void {
    this.hub.fault(this.queue, error);
  }

  report(): Report | undefined {
    for (const answer of processWide.reports.get(this.face) ?? []) {
      const report = answer();
      if (report !== undefined) return report;
    }
    return undefined;
  }

  /** Resolves when all outcomes are written that are to be written by now. Never rejects. */
  async written(): Promise<void> {
    while (this.writing.size > 0) await Promise.all(this.writing);
  }

  private workOf<W extends Work<T>>(works: WorkClass<T, W>, { message, item }: Arrived<T>): W {
    const delivery = message.delivery as BrokerDelivery;
    const { attempt, waitMs, takenAt, tierIndex } = delivery;
    const enqueuedAt = waitMs === undefined ? undefined : takenAt - waitMs;
    const work = new works(this, item, placeOf(tierIndex), attempt, enqueuedAt, takenAt, message);
    delivery.work = work;
    this.lastTakenAt = this.clock.now();
    if (isByHand(work)) this.inbox.byHand++;
    return work;
  }

  private write(
    work: Work<T>,
    how: Settlement,
    write: (message: TakenMessage) => Promise<void>,
    error?: unknown,
  ): void {
    const { hub } = this;
    const message = messageOf(work);
    if (isByHand(work)) {
      this.inbox.byHand--;
      this.inbox.ask();
    }
    const written = write(message).then(
      () => hub.settle(message.delivery, how, error),
      (failure) => this.lost(message, failure),
    );
    this.writes(written);
  }

  private writes(written: Promise<void>): void {
    this.writing.add(written);
    void written.then(() => {
      this.writing.delete(written);
      if (this.isFinished) this.tellTheEnd();
    });
  }

  /** The outcome is not written: the broker gives the message to another one, sooner or later. */
  private lost(message: TakenMessage, failure: unknown): void {
    const { hub } = this;
    const code = (failure as { code?: unknown } | undefined)?.code;
    if (code === "lock_lost") hub.stale(message.delivery, "lock");
    else if (code === "channel_gone") hub.stale(message.delivery, "channel");
    else hub.fault(this.queue, failure);
    hub.settle(message.delivery, "abandoned", failure);
  }

  private tellTheEnd(): void {
    const consumers = [...this.ending];
    this.ending.clear();
    for (const consumer of consumers) consumer.ended();
  }
}

function messageOf<T>(work: Work<T>): TakenMessage {
  return work.tag as TakenMessage;
}

/** What a getter was given, and not a pool. */
function isByHand<T>(work: Work<T>): boolean {
  return work instanceof Delivery;
}

function placeOf(tier: number): { readonly priority: number; readonly tier: number } {
  return { priority: 0, tier };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
