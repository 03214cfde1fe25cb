import type { BrokerHub, Destination, Sending } from "../../contracts/index.js";
import { isObject, type Message, ownOf } from "./message.js";
import type { AmqplibSettings } from "./options.js";

/** Where a message goes that is being published, and how: as far as it has been said, anything may be there. */
export interface Publishing {
  readonly exchange: unknown;
  readonly routingKey: unknown;
  readonly options: unknown;
}

/** A message that the hub knows of, on its way to the broker. */
export interface Outgoing {
  readonly sending: Sending;
  /** The user's options, and with them what is to travel along. Neither the user's options nor their headers are changed. */
  readonly options: unknown;
  /** What the options without it would be. */
  readonly plain: unknown;
  /** Whether there is anything that can be left out. */
  isCarrying: boolean;
}

/** Names that the broker makes up, each of which is a queue of one client. */
const MADE_UP = /^amq\.(gen-|rabbitmq\.reply-to)/;
const ANONYMOUS = "(anonymous)";

/** What a queue is called in telemetry. */
export function queueName(queue: unknown): string {
  return typeof queue !== "string" || queue === "" || MADE_UP.test(queue) ? ANONYMOUS : queue;
}

/** Publishing begins. Never throws. */
export function begin(
  hub: BrokerHub,
  settings: AmqplibSettings,
  publishing: Publishing,
  attributes: Destination["attributes"],
  isTracedElsewhere: boolean,
): Outgoing {
  const { options } = publishing;
  const sending = hub.send(destinationOf(hub, settings, publishing, attributes, isTracedElsewhere));
  const { carrier } = sending;
  try {
    const headers = headersWith(carrier, read(options, "headers"));
    if (headers !== undefined) {
      const isStamped = !settings.setsTimestamp || read(options, "timestamp") !== undefined;
      const mine = isStamped ? { headers } : { headers, timestamp: Math.floor(Date.now() / 1_000) };
      return { sending, options: derived(options, mine), plain: options, isCarrying: true };
    }
  } catch {
    // A getter of the options throws; it will to amqplib as well, which has its own words for it.
  }
  return { sending, options, plain: options, isCarrying: false };
}

/** Whether a message that has come back is this one. Several of them may be alike in all of this: then it is no matter which. */
export function isReturned(
  { sending }: Outgoing,
  { exchange, routingKey }: Publishing,
  message: Message,
): boolean {
  const { fields, properties } = message;
  if (fields.exchange !== exchange || fields.routingKey !== routingKey) return false;
  return Object.entries(sending.carrier).every(([name, value]) => ownOf(properties.headers, name) === value);
}

/** Why the broker gave a message back that had to go to some queue. */
export function unroutable({ fields }: Message): Error {
  const { replyText } = fields as { replyText?: unknown };
  const error = new Error(`the broker has returned the message: ${String(replyText).slice(0, 80)}`);
  return Object.assign(error, { name: "UnroutableError", code: "NO_ROUTE" });
}

function destinationOf(
  hub: BrokerHub,
  settings: AmqplibSettings,
  { exchange, routingKey, options }: Publishing,
  attributes: Destination["attributes"],
  isTracedElsewhere: boolean,
): Destination {
  const key = queueName(routingKey);
  const priority = numberOf(options, "priority");
  if (typeof exchange !== "string" || exchange === "") {
    return { name: key, queue: key, priority, attributes, isTracedElsewhere };
  }
  // As the conventions have it: equal parts once.
  const name = key === ANONYMOUS || key === exchange ? exchange : `${exchange}:${key}`;
  let queue: string | undefined;
  try {
    queue = settings.queueOf(exchange, typeof routingKey === "string" ? routingKey : "");
  } catch (error) {
    hub.fault(name, error);
  }
  return {
    name,
    queue: typeof queue === "string" ? queue : name,
    priority,
    isTracedElsewhere,
    attributes: { ...attributes, "messaging.rabbitmq.destination.routing_key": key },
  };
}

function numberOf(options: unknown, name: string): number | undefined {
  try {
    const value = read(options, name);
    return typeof value === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

function read(options: unknown, name: string): unknown {
  return isObject(options) ? options[name] : undefined;
}

/**
 * The headers, and the carrier's besides; undefined where those are none that amqplib takes. A message that is sent on with the headers that it came
 * with has new ones of ours. A `traceparent` without any of ours is the user's, and stays.
 */
function headersWith(carrier: Sending["carrier"], headers: unknown): object | undefined {
  if (headers === undefined || headers === null) return derived(undefined, carrier);
  if (!isObject(headers)) return undefined;
  if (isSentOn(headers, carrier)) {
    // What belongs to the trace that it came with goes; amqplib passes over what is undefined.
    return derived(headers, "traceparent" in carrier ? { tracestate: undefined, ...carrier } : carrier);
  }
  if (!("traceparent" in headers || "tracestate" in headers)) return derived(headers, carrier);
  const { traceparent: _, tracestate: __, ...rest } = carrier;
  return derived(headers, rest);
}

/** Whether the message has come with a carrier of ours. */
function isSentOn(headers: object, carrier: Sending["carrier"]): boolean {
  for (const name in carrier) {
    if (name.startsWith("queuescope-") && Object.hasOwn(headers, name)) return true;
  }
  return false;
}

/** A copy of the object with more to it. amqplib also reads what is inherited, so that stays inherited. */
function derived(object: unknown, more: Readonly<Record<string, unknown>>): object {
  const prototype: unknown = isObject(object) ? Object.getPrototypeOf(object) : null;
  if (prototype !== Object.prototype && prototype !== null) {
    return Object.create(object as object, Object.getOwnPropertyDescriptors(more));
  }
  const copy: Record<string, unknown> = { ...(object as object | undefined) };
  // A carrier has no prototype, and such an object is slow to spread.
  for (const name in more) copy[name] = more[name];
  return copy;
}
