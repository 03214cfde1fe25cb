import type { BrokerDelivery, BrokerHub, DeliveryFacts, Settlement } from "../../contracts/index.js";
import type { Knowledge } from "./knowledge.js";
import { headerOf, historyOf, type Message } from "./message.js";
import type { AmqplibSettings } from "./options.js";
import { queueName } from "./publishing.js";

/** What all channels of one client have in common. */
export interface ClientContext {
  readonly hub: BrokerHub;
  readonly settings: AmqplibSettings;
  readonly knowledge: Knowledge;
}

/** A message that was taken, and by which channel: its delivery tag means nothing to another one. */
export interface Taken {
  readonly tag: number;
  readonly delivery: BrokerDelivery;
  readonly by: Deliveries;
}

/** Whatever channel they came by, so that an acknowledgement on another one is seen. */
const takenByMessage = new WeakMap<object, Taken>();

/** What one channel has been given by the broker. */
export class Deliveries {
  /** What is to be acknowledged, by delivery tag, in order. */
  private readonly unsettled = new Map<number, Taken>();

  constructor(
    readonly client: ClientContext,
    /** What spans say of the broker. */
    private readonly server: Readonly<Record<string, string | number>>,
    private readonly isTracedElsewhere: () => boolean,
  ) {}

  /** How the message was taken, by any channel. */
  static of(message: object): Taken | undefined {
    return takenByMessage.get(message);
  }

  take(message: Message, key: object, queue: string, isUnacknowledged: boolean): BrokerDelivery {
    const { hub, knowledge } = this.client;
    const { isDeadLettered, ...facts } = deliveryFacts(message, queue, this.server);
    if (isDeadLettered) knowledge.fedByOthers.add(queue);
    const delivery = hub.deliver(headerOf(message), {
      ...facts,
      isTracedElsewhere: this.isTracedElsewhere(),
    });
    const taken = { tag: message.fields.deliveryTag, delivery, by: this };
    takenByMessage.set(key, taken);
    if (!isUnacknowledged) this.unsettled.set(taken.tag, taken);
    return delivery;
  }

  /** Of the message with that tag, and of all before it if `allUpTo`; tag 0 is then all of them. A rejection is `dead`. */
  settle(tag: number, allUpTo: boolean, how: Settlement): void {
    if (!allUpTo) {
      this.settleOne(this.unsettled.get(tag), how);
      return;
    }
    for (const each of this.unsettled.values()) {
      if (tag !== 0 && each.tag > tag) break;
      this.settleOne(each, how);
    }
  }

  /** The channel is closed: the broker has them all again. */
  abandon(): void {
    for (const each of this.unsettled.values()) this.settleOne(each, "abandoned");
  }

  private settleOne(taken: Taken | undefined, how: Settlement): void {
    if (taken === undefined) return;
    const { hub, knowledge } = this.client;
    this.unsettled.delete(taken.tag);
    const isGone = how === "dead" && !knowledge.deadLettersFrom(taken.delivery.queue);
    hub.settle(taken.delivery, isGone ? "failure" : how);
  }
}

/** What a message tells of its delivery, and whether it came from another queue. */
export function deliveryFacts(
  message: Message,
  queue: string,
  server: Readonly<Record<string, string | number>>,
): DeliveryFacts & { readonly isDeadLettered: boolean } {
  const { attempt, isRedelivered, eligibleAt, isDeadLettered } = historyOf(message, queue, Date.now());
  const { fields, properties } = message;
  const { messageId, priority } = properties;
  const attributes: Record<string, string | number> = {
    ...server,
    "messaging.rabbitmq.destination.routing_key": queueName(fields.routingKey),
    "messaging.rabbitmq.message.delivery_tag": fields.deliveryTag,
  };
  if (typeof messageId === "string") attributes["messaging.message.id"] = messageId;
  return {
    queue,
    attempt,
    isRedelivered,
    eligibleAt,
    priority: typeof priority === "number" ? priority : undefined,
    attributes,
    isDeadLettered,
  };
}
