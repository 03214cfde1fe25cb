import type { ReadHeader } from "../../contracts/index.js";

/** A message as amqplib gives it; rabbitmq-client has fields and properties in one. Its properties are the producer's, so anything may be in them. */
export interface Message {
  readonly fields: {
    readonly deliveryTag: number;
    readonly redelivered: boolean;
    readonly exchange: string;
    readonly routingKey: string;
  };
  readonly properties: {
    readonly headers?: unknown;
    readonly messageId?: unknown;
    readonly priority?: unknown;
  };
}

/** One entry of `x-death`, the broker's list of where a message was dead-lettered, the latest first. */
interface Death {
  readonly queue: string;
  readonly reason: string;
  readonly count: number;
  /** When it died there for the first time, in whole seconds of the broker's clock. */
  readonly firstAtSeconds: number | undefined;
}

/** More are no broker's. */
const MAX_DEATHS = 32;
/** How a message dies that was delivered before. */
const AFTER_DELIVERY = new Set(["rejected", "delivery_limit"]);

/** Whether it is anything of which properties can be asked. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A property of its own: a table called `__proto__` in a message would otherwise be read as its prototype. */
export function ownOf(table: unknown, name: string): unknown {
  return isObject(table) && Object.hasOwn(table, name) ? table[name] : undefined;
}

export function headerOf({ properties }: Message): ReadHeader {
  const { headers } = properties;
  return (name) => ownOf(headers, name);
}

/** What the broker tells of earlier deliveries. */
export interface History {
  /** At least: a classic queue says only whether there were earlier ones. */
  readonly attempt: number;
  readonly isRedelivered: boolean;
  /** When it came into the queue, in epoch milliseconds, if it came from another one; `null` if that can't be known. */
  readonly eligibleAt: number | null | undefined;
  /** Whether it came from another queue, and so counts nowhere as published to this one. */
  readonly isDeadLettered: boolean;
}

/**
 * Quorum queues count deliveries in `x-delivery-count`; a loop over another queue and back leaves its turns in `x-death`, where an expiry is
 * a planned delay and no attempt.
 */
export function historyOf({ fields, properties }: Message, queue: string, now: number): History {
  const { headers } = properties;
  const deaths = deathsOf(headers);
  const delivered = ownOf(headers, "x-delivery-count");
  const count =
    typeof delivered === "number" && Number.isSafeInteger(delivered) && delivered > 0 ? delivered : 0;
  const isRedelivered = fields.redelivered === true;
  let attempt = 1 + Math.max(count, isRedelivered ? 1 : 0);
  for (const death of deaths) {
    if (death.queue === queue && AFTER_DELIVERY.has(death.reason)) attempt += death.count;
  }
  return {
    attempt,
    isRedelivered: isRedelivered || attempt > 1,
    eligibleAt: arrivalOf(deaths[0], now),
    isDeadLettered: deaths.length > 0,
  };
}

/** The second in which it died ended later, or has not ended; so a wait is never overstated. */
function arrivalOf(latest: Death | undefined, now: number): number | null | undefined {
  if (latest === undefined) return undefined;
  if (latest.count > 1 || latest.firstAtSeconds === undefined) return null;
  return Math.min(now, latest.firstAtSeconds * 1_000 + 999);
}

function deathsOf(headers: unknown): Death[] {
  const list = ownOf(headers, "x-death");
  if (!Array.isArray(list)) return [];
  return list.slice(0, MAX_DEATHS).flatMap((each: unknown) => {
    const queue = ownOf(each, "queue");
    const reason = ownOf(each, "reason");
    const count = ownOf(each, "count");
    const stamp = ownOf(each, "time");
    // amqplib says of a time that it is one; rabbitmq-client has the number.
    const time = typeof stamp === "number" ? stamp : ownOf(stamp, "value");
    if (typeof queue !== "string" || typeof reason !== "string") return [];
    return {
      queue,
      reason,
      count: typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? count : 1,
      firstAtSeconds: typeof time === "number" && time > 0 ? time : undefined,
    };
  });
}
