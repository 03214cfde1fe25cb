import { context } from "@opentelemetry/api";
import { systemClock, wallNow } from "../base/clock.js";
import { errorType } from "../base/error-type.js";
import { LinkedList } from "../base/linked-list.js";
import { shown } from "../base/shown.js";
import { listenIfPlain, whenSettled } from "../base/thenable.js";
import { warnThat } from "../base/warning.js";
import type {
  BrokerAdapter,
  Capability,
  DeliveryFacts,
  Destination,
  ReadHeader,
  Sending,
  Settlement,
} from "../contracts/index.js";
import { BrokerTelemetry } from "../telemetry/broker-telemetry.js";
import { parcelOf, SendContext } from "../telemetry/context/send-context.js";
import { BROKER_WAIT_BOUNDS } from "../telemetry/metrics/instruments.js";
import type { Messaging } from "../telemetry/metrics/messaging.js";
import { WatchableQueue } from "../telemetry/metrics/watchable.js";
import type { Settings } from "../telemetry/options.js";
import { headersOf, NOT_RECEIVED, type Received, receivedFrom, sendingContext } from "./carrier.js";
import { Delivery, type Ending } from "./delivery.js";
import { type Asker, type Polled, poll } from "./polled.js";
import { BrokerProbe } from "./probe.js";
import { LongestTakes, Recent } from "./recent.js";

/** What a broker's queue can tell by way of its clients. */
const TELLS: readonly Capability[] = [
  "takes",
  "outcomes",
  "durations",
  "retries",
  "dead-letters",
  "redeliveries",
];

/** What is in the broker between two clocks that agree to the millisecond is no negative wait. In milliseconds. */
const CLOCK_TOLERANCE_MS = 1;

/** One queue of a broker, as one client sees it: what it sends there, and what it has taken and not settled. */
export class BrokerQueue {
  readonly telemetry: BrokerTelemetry;
  readonly watchable: WatchableQueue;
  readonly probe: BrokerProbe;
  readonly system: string;
  /** Whether a message's priority is its tier. */
  private readonly hasPriorities: boolean;
  private readonly inFlight = new LinkedList<Delivery>();
  private readonly polled: Polled | undefined;
  private readonly messaging: Messaging;
  readonly recent = new Recent();
  readonly takes = new LongestTakes();
  private hasWarnedOfStale = false;
  /** Why the broker takes no messages for now, as the client was told. */
  blockedReason: string | undefined = undefined;
  /** When the broker last cancelled a consumer of this process's, in monotonic milliseconds. */
  cancelledAt: number | undefined = undefined;

  constructor(
    adapter: BrokerAdapter,
    settings: Settings,
    /** As the broker calls it. */
    queue: string,
    /** By which the broker is asked; undefined where it is not. */
    private readonly asker: Asker | undefined,
  ) {
    const { system, priorities = false } = adapter;
    this.system = system;
    this.hasPriorities = priorities;
    this.telemetry = new BrokerTelemetry(settings, ["default"], system, undefined, BROKER_WAIT_BOUNDS);
    this.messaging = this.telemetry.series.messagingOf(system);
    this.polled = asker === undefined ? undefined : poll(adapter, queue, asker);
    this.probe = new BrokerProbe(this.telemetry.tierNames, this.inFlight, this.polled, this);
    const { series, tiers, tierTable } = this.telemetry;
    series.watch(this.probe, tiers, TELLS);
    this.watchable = new WatchableQueue(series, tierTable, this.probe, settings.isTier);
  }

  get name(): string {
    return this.telemetry.queueName;
  }

  /** Ends it: the deliveries that are left are another process's from now on. */
  close(): void {
    while (this.inFlight.first !== undefined) this.settle(this.inFlight.first, "abandoned");
    if (this.asker !== undefined) this.polled?.leave(this.asker);
    this.telemetry.series.unwatch(this.probe);
  }

  send(to: Destination, count: number): Sending {
    const { telemetry } = this;
    const isTracedElsewhere = to.isTracedElsewhere === true;
    const tier = this.tierOf(to.priority);
    const startedAt = systemClock.now();
    let parcel: SendContext;
    let carrier: Record<string, string> = {};
    try {
      parcel = isTracedElsewhere
        ? parcelOf(context.active(), undefined)
        : telemetry.sendingTo(to, tier, count);
      carrier = headersOf(parcel, wallNow(), () => telemetry.lost("too_large"), isTracedElsewhere);
    } catch (error) {
      telemetry.fault(error);
      parcel = new SendContext(context.active(), undefined);
    }
    let isOver = false;
    return {
      carrier,
      run: (fn) => telemetry.inContext(sendingContext(parcel, isTracedElsewhere), fn),
      done: (error) => {
        if (isOver) return;
        isOver = true;
        const tookMs = systemClock.now() - startedAt;
        const hasFailed = error !== undefined && error !== null;
        this.messaging.send.took(tookMs, hasFailed ? errorType(error) : undefined);
        if (hasFailed) telemetry.putFailed(parcel, tier, 0, tookMs, error);
        else {
          this.messaging.send.count += count;
          telemetry.putDone(parcel, tier, count, tookMs);
        }
      },
      leftOut: () => telemetry.lost("too_large"),
    };
  }

  deliver(read: ReadHeader, facts: DeliveryFacts): Delivery {
    const { telemetry } = this;
    const received = this.receive(read);
    const { parcel } = received;
    if (received.rejected > 0) telemetry.lost("carrier", received.rejected);
    else if (isWithoutAny(received) && facts.hasNoProducer !== true) telemetry.contextLost();
    const attempt = Math.max(1, Math.trunc(facts.attempt ?? 1) || 1);
    const isRedelivered = facts.isRedelivered ?? attempt > 1;
    if (isRedelivered) telemetry.redelivered();
    const takenAt = facts.takenAt ?? wallNow();
    const eligibleAt = facts.eligibleAt === null ? undefined : (facts.eligibleAt ?? received.sentAt);
    const waitMs = isRedelivered || eligibleAt === undefined ? undefined : this.waitOf(takenAt - eligibleAt);
    const tier = this.tierOf(facts.priority);
    const isTracedElsewhere = facts.isTracedElsewhere === true;
    const now = systemClock.now();
    const delivery = new Delivery(
      facts.queue,
      isTracedElsewhere ? new SendContext(context.active(), parcel.correlationId) : parcel,
      tier,
      telemetry.tierNames[tier]!,
      attempt,
      waitMs,
      now,
      facts.attributes,
      isTracedElsewhere,
    );
    telemetry.taken(delivery.parcel, tier, takenAt - (waitMs ?? Number.NaN), takenAt, attempt);
    this.inFlight.append(delivery);
    this.messaging.process.count++;
    this.recent.count("taken", now);
    if (waitMs !== undefined) this.takes.note(tier, waitMs);
    if (isRedelivered) {
      this.recent.count("redelivered", now);
      this.recent.repeated(delivery.correlationId, attempt, now);
    }
    return delivery;
  }

  run<R>(delivery: Delivery, handler: () => R, engine: "awaits" | "ignores"): R {
    const { telemetry } = this;
    let { parcel } = delivery;
    if (delivery.isTracedElsewhere) {
      // The span of the other instrumentation is active by now, and may not have been when the message came.
      parcel = new SendContext(context.active(), parcel.correlationId);
      telemetry.tracedElsewhere(delivery);
    } else if (!delivery.isSettled) delivery.began ??= telemetry.begin(parcel, delivery);
    delivery.running++;
    let result: R;
    try {
      result = telemetry.within(delivery.began, parcel, delivery.work ?? delivery, handler);
    } catch (error) {
      this.returned(delivery, engine, { error });
      throw error;
    }
    const over = () => this.returned(delivery, engine);
    if (!whenOver(result, engine, over, (error) => this.returned(delivery, engine, { error }))) over();
    return result;
  }

  settle(delivery: Delivery, how: Settlement, error?: unknown): void {
    if (delivery.isSettled) return;
    delivery.isSettled = true;
    this.inFlight.remove(delivery);
    const { telemetry } = this;
    const processMs = systemClock.now() - delivery.takenAt;
    // Of an engine that tells none, what the handler has thrown.
    const failure = error === undefined ? delivery.ending?.failure : { error };
    const kind = failure === undefined ? how : errorType(failure.error);
    this.messaging.process.took(processMs, how === "success" || how === "moved" ? undefined : kind);
    if (how === "success") telemetry.settled("success", processMs, undefined, delivery);
    else if (how === "failure") telemetry.settled("failure", processMs, failure?.error, delivery);
    else if (how === "dead") telemetry.deadLettered(processMs, failure?.error, delivery);
    else if (how === "retry") telemetry.retried(processMs, delivery.attempt, failure?.error, delivery);
    else if (how === "abandoned" && isLockLost(error)) this.recent.count("lockLost");
    delivery.ending = { failure, outcome: how === "success" ? undefined : how };
    this.endIfOver(delivery);
  }

  stale(delivery: Delivery, gone: "channel" | "lock"): void {
    this.telemetry.staleSettle();
    this.recent.count("stale");
    if (this.hasWarnedOfStale) return;
    this.hasWarnedOfStale = true;
    const consequence =
      gone === "lock"
        ? "its outcome is discarded, and it is delivered again"
        : "it is delivered again, and the broker may take the acknowledgement for another message's, which then is lost";
    warnThat(
      `a delivery of the queue "${shown(this.name)}" (correlation ID ${shown(delivery.correlationId)}) was settled after its ${gone} was gone: ${consequence}`,
    );
  }

  cancelled(): void {
    this.cancelledAt = systemClock.now();
  }

  /** The handler has returned, and what it returned is over; or it has failed. */
  private returned(
    delivery: Delivery,
    engine: "awaits" | "ignores",
    failure?: { readonly error: unknown },
  ): void {
    delivery.running--;
    // To write down the outcome is the engine's time, not the handler's.
    if (engine === "awaits") delivery.endedAt = wallNow();
    const { ending } = delivery;
    if (failure !== undefined) {
      delivery.ending = { failure: ending?.failure ?? failure, outcome: ending?.outcome };
    }
    this.endIfOver(delivery);
  }

  private endIfOver(delivery: Delivery): void {
    if (!delivery.isSettled || delivery.running > 0 || delivery.began === undefined) return;
    const { began } = delivery;
    delivery.began = undefined;
    this.telemetry.endSettled(began, delivery.ending ?? SUCCESS, delivery.endedAt);
  }

  /** A propagator is the user's, and may throw: then the message is as one without a carrier. */
  private receive(read: ReadHeader): Received {
    try {
      return receivedFrom(read);
    } catch (error) {
      this.telemetry.fault(error);
      return NOT_RECEIVED;
    }
  }

  private waitOf(waitMs: number): number | undefined {
    if (!Number.isFinite(waitMs)) return undefined;
    if (waitMs < -CLOCK_TOLERANCE_MS) this.telemetry.negativeWait();
    return Math.max(0, waitMs);
  }

  private tierOf(priority: number | undefined): number {
    return this.hasPriorities && priority !== undefined && Number.isFinite(priority)
      ? this.telemetry.tierOf(priority)
      : 0;
  }
}

/** Whether nothing of ours is there. A producer without a context of its own says when it has sent the message, and no more. */
function isWithoutAny({ parcel, sentAt }: Received): boolean {
  return parcel.correlationId === undefined && sentAt === undefined;
}

/** As adapters say that another process may have the message by now. */
function isLockLost(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "lock_lost";
}

const SUCCESS: Ending = { failure: undefined, outcome: undefined };

/**
 * Calls back when what a handler returned is over; false if it is over already. Where the engine `ignores` it, a rejection that nothing
 * handles stays one that nothing handles.
 */
function whenOver(
  result: unknown,
  engine: "awaits" | "ignores",
  fulfilled: () => void,
  rejected: (error: unknown) => void,
): boolean {
  if (engine === "awaits") return whenSettled(result, fulfilled, rejected);
  return listenIfPlain(result, fulfilled, (error) => {
    rejected(error);
    throw error;
  });
}
