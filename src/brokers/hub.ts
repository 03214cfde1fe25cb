import type {
  BrokerAdapter,
  BrokerDelivery,
  BrokerHub,
  DeliveryFacts,
  Destination,
  ReadHeader,
  Sending,
  Settlement,
} from "../contracts/index.js";
import type { Delivery } from "./delivery.js";
import { type BrokerSettings, OTHER } from "./options.js";
import { BrokerQueue } from "./queue.js";

/** What one client does, told by its adapter: each queue gets its part of it. */
export class Hub implements BrokerHub {
  /** By the broker's name. */
  readonly queues = new Map<string, BrokerQueue>();
  private other: BrokerQueue | undefined = undefined;

  constructor(
    private readonly adapter: BrokerAdapter,
    private readonly settings: BrokerSettings,
  ) {
    for (const [queue, own] of settings.queues) {
      const { pollEveryMs } = settings;
      const asker =
        adapter.poll === undefined || pollEveryMs === undefined
          ? undefined
          : {
              ask: (signal: AbortSignal) => adapter.poll!(queue, signal),
              everyMs: pollEveryMs,
              fault: (error: unknown) => this.fault(queue, error),
            };
      this.queues.set(queue, new BrokerQueue(adapter, own, queue, asker));
    }
  }

  send(destination: string | Destination, count = 1): Sending {
    const to = typeof destination === "string" ? { name: destination } : destination;
    return this.queue(to.queue ?? to.name).send(to, count);
  }

  deliver(read: ReadHeader, facts: DeliveryFacts): BrokerDelivery {
    return this.queue(facts.queue).deliver(read, facts);
  }

  run<R>(delivery: BrokerDelivery, handler: () => R, engine: "awaits" | "ignores" = "awaits"): R {
    return this.queue(delivery.queue).run(delivery as Delivery, handler, engine);
  }

  settle(delivery: BrokerDelivery, how: Settlement, error?: unknown): void {
    this.queue(delivery.queue).settle(delivery as Delivery, how, error);
  }

  stale(delivery: BrokerDelivery, gone: "channel" | "lock" = "channel"): void {
    this.queue(delivery.queue).stale(delivery as Delivery, gone);
  }

  cancelled(queue: string): void {
    this.queue(queue).cancelled();
  }

  blocked(reason: string | undefined): void {
    for (const queue of this.queues.values()) queue.blockedReason = reason;
  }

  fault(queue: string, error: unknown): void {
    this.queue(queue).telemetry.fault(error);
  }

  /** Nothing is told any more. */
  close(): void {
    for (const queue of this.queues.values()) queue.close();
    this.other?.close();
  }

  private queue(name: string): BrokerQueue {
    const known = this.queues.get(name) ?? this.other;
    if (known !== undefined) return known;
    this.other = new BrokerQueue(this.adapter, this.settings.other, OTHER, undefined);
    return this.other;
  }
}
