import { systemClock } from "../base/clock.js";
import type { LinkedList } from "../base/linked-list.js";
import type {
  BrokerFacts,
  BrokerView,
  PoolView,
  Probe,
  SharedFigures,
  TaskView,
} from "../contracts/index.js";
import type { Delivery } from "./delivery.js";
import { NOTHING, type Polled } from "./polled.js";
import type { LongestTakes, Recent } from "./recent.js";

/** A scheduler whose next message is overdue for so long, in milliseconds, has work that is late. */
const SCHEDULER_DEAD_MS = 60_000;

/** What the client of the broker knows by itself. */
export interface ClientView {
  readonly system: string;
  readonly blockedReason: string | undefined;
  /** Monotonic milliseconds. */
  readonly cancelledAt: number | undefined;
  readonly recent: Recent;
  readonly takes: LongestTakes;
}

/** A queue of a broker: what waits, as the broker tells it of all processes, and what this process has in flight. */
export class BrokerProbe implements Probe {
  readonly capacity = Number.POSITIVE_INFINITY;
  readonly waitingPuts = undefined;
  readonly waitingGets = undefined;
  /** Of a queue that `brokerQueue` opened. */
  pools: Set<PoolView> | undefined = undefined;

  constructor(
    private readonly tierNames: readonly string[],
    private readonly deliveries: LinkedList<Delivery>,
    /** Undefined where the broker is not asked. */
    private readonly polled: Polled | undefined,
    private readonly client: ClientView,
  ) {}

  /** What the broker last said; empty where it has not answered for long. */
  get facts(): BrokerFacts {
    return this.polled?.now ?? NOTHING;
  }

  get tiers(): readonly string[] {
    return this.tierNames;
  }

  now(): number {
    return systemClock.now();
  }

  /** How messages spread over priorities is not told: all stand with the first tier. */
  depth(tier: number): number {
    return tier === 0 ? (this.facts.depth ?? 0) : 0;
  }

  oldestAt(tier: number): number | undefined {
    const { oldestAt } = this.facts;
    return tier === 0 && typeof oldestAt === "number" ? this.polled?.monotonic(oldestAt) : undefined;
  }

  headAt(): number | undefined {
    return undefined;
  }

  knows(what: "depth" | "age"): boolean {
    const { depth, oldestAt } = this.facts;
    return what === "depth" ? depth !== undefined : oldestAt !== undefined;
  }

  get delayed(): number | undefined {
    return this.facts.delayed;
  }

  get inFlight(): number {
    return this.deliveries.size;
  }

  get inFlightOldestAt(): number | undefined {
    return this.deliveries.first?.takenAt;
  }

  get isPaused(): boolean | undefined {
    return this.facts.isPaused;
  }

  get isRateLimited(): boolean | undefined {
    const { rateLimitedMs } = this.facts;
    return rateLimitedMs === undefined ? undefined : rateLimitedMs > 0;
  }

  get shared(): SharedFigures {
    const { inFlight, consumers } = this.facts;
    return { inFlight, consumers, skewMs: this.polled?.skew };
  }

  /** What a dead scheduler doesn't send waits nowhere, and is late all the same. */
  longestTake(tier: number): number | undefined {
    const longest = this.client.takes.longest(tier);
    const overdueMs = tier === 0 ? (this.schedulerOverdueMs ?? 0) : 0;
    return overdueMs < SCHEDULER_DEAD_MS ? longest : Math.max(longest ?? 0, overdueMs);
  }

  /** As of the broker's answer: since then, it may have come. */
  private get schedulerOverdueMs(): number | undefined {
    const { schedulerOverdueSince: since, brokerNow } = this.facts;
    return since === undefined || brokerNow === undefined ? undefined : brokerNow - since;
  }

  broker(): BrokerView {
    const { facts, schedulerOverdueMs } = this;
    const { system, blockedReason, cancelledAt, recent } = this.client;
    return {
      ...this.shared,
      system,
      depth: facts.depth,
      growth: this.polled?.growth,
      maxInFlight: facts.maxInFlight,
      isPaused: facts.isPaused,
      rateLimitedMs: facts.rateLimitedMs,
      blockedReason: blockedReason ?? facts.blockedReason,
      outage: this.polled?.outage,
      overdue: facts.overdue,
      schedulerOverdueMs,
      cancelledMsAgo: cancelledAt === undefined ? undefined : this.now() - cancelledAt,
      recent: recent.read(),
    };
  }

  *tasks(): Iterable<TaskView> {
    for (let task = this.deliveries.first; task !== undefined; task = task.next) {
      yield { facts: task.work ?? task, takenAt: task.takenAt, carrier: task.parcel };
    }
  }
}
