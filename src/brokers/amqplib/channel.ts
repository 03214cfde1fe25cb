import { type Method, methodOf, patch, type Replace } from "../../adapters/patch.js";
import { listenIfPlain } from "../../base/thenable.js";
import type { BrokerDelivery, BrokerHub, Settlement } from "../../contracts/index.js";
import { onBlocked } from "./connection.js";
import type { Knowledge } from "./knowledge.js";
import { headerOf, historyOf, isObject, type Message, ownOf } from "./message.js";
import type { AmqplibSettings } from "./options.js";
import { begin, isReturned, type Outgoing, type Publishing, queueName, unroutable } from "./publishing.js";
import { checkRoom } from "./room.js";

/** What all channels of one client have in common. */
export interface ClientContext {
  readonly hub: BrokerHub;
  readonly settings: AmqplibSettings;
  readonly knowledge: Knowledge;
  /** Messages that are known to the hub already, by their headers: those that a wrapper hands to its channel. */
  readonly outgoing?: WeakMap<object, Outgoing> | undefined;
  /** What a wrapper's handlers have returned, by message: the wrapper itself keeps it to itself. */
  readonly returned?: WeakMap<object, unknown> | undefined;
}

/** A message that was taken, and by which channel: its delivery tag means nothing to another one. */
interface Taken {
  readonly message: object;
  readonly tag: number;
  readonly delivery: BrokerDelivery;
  readonly channel: RawChannel;
}

/** Whatever channel they came by, so that an acknowledgement on another one is seen. */
const takenByMessage = new WeakMap<object, Taken>();

type Emitter = {
  on(event: string, listener: Method): unknown;
  off(event: string, listener: Method): unknown;
};

/** A channel of amqplib's, of either API, with or without confirms. */
export class RawChannel {
  /** What is to be acknowledged, by delivery tag, in order. */
  private readonly unsettled = new Map<number, Taken>();
  /** Messages that have to be routed, and aren't confirmed yet. */
  private readonly mandatory = new Map<Outgoing, Publishing>();
  private readonly detachers: (() => void)[] = [];
  private readonly forgetConnection: () => void;
  private readonly hasConfirms: boolean;
  private readonly server: Readonly<Record<string, string | number>>;
  private isOpen = true;

  constructor(
    private readonly channel: object,
    private readonly client: ClientContext,
  ) {
    this.hasConfirms = typeof (channel as { waitForConfirms?: unknown }).waitForConfirms === "function";
    this.server = serverOf(channel);
    const emitter = channel as Emitter;
    methodOf(emitter, "on");
    this.detachers.push(patch(channel, this.replacements()));
    const listen = (event: string, listener: Method) => {
      emitter.on(event, listener);
      this.detachers.push(() => emitter.off(event, listener));
    };
    listen("close", () => this.lost());
    listen("return", (message: Message) => this.cameBack(message));
    this.forgetConnection = onBlocked(channel, client.hub);
    this.detachers.push(this.forgetConnection);
  }

  /** Restores the channel. */
  detach(): void {
    this.isOpen = false;
    for (const undo of this.detachers.splice(0).reverse()) undo();
  }

  /** The delivery of a message that this process has taken by any channel. */
  static deliveryOf(message: object): { delivery: BrokerDelivery; hub: BrokerHub } | undefined {
    const taken = takenByMessage.get(message);
    return taken && { delivery: taken.delivery, hub: taken.channel.client.hub };
  }

  private replacements(): Record<string, Replace> {
    const replacements: Record<string, Replace> = {
      publish: this.replaced("publish", (call, args) => this.publish(call, args)),
      consume: this.replaced("consume", (call, args) => this.consume(call, args)),
      get: this.replaced("get", (call, args) => this.get(call, args)),
      ack: this.replaced("ack", (call, args) => this.settling(call, args, args[1], "success")),
      nack: this.replaced("nack", (call, args) => this.settling(call, args, args[1], requeues(args[2]))),
      reject: this.replaced("reject", (call, args) => this.settling(call, args, false, requeues(args[1]))),
      ackAll: this.replaced("ackAll", (call, args) => this.settlingAll(call, args, "success")),
      nackAll: this.replaced("nackAll", (call, args) => this.settlingAll(call, args, requeues(args[0]))),
      recover: this.replaced("recover", (call, args) => this.settlingAll(call, args, "retry")),
      assertQueue: this.replaced("assertQueue", (call, args) => this.declaring(call, args)),
    };
    return replacements;
  }

  /**
   * Another instrumentation replaces the methods of the prototype, maybe after us: what is called is what is there then, unless the channel has
   * one of its own.
   */
  private replaced(name: string, instead: (call: Method, args: unknown[]) => unknown): Replace {
    const raw = this;
    const isOwn = Object.hasOwn(this.channel, name);
    return (original) =>
      function (this: unknown, ...args: unknown[]) {
        const current = isOwn ? original : inherited(raw.channel, name, original);
        const call: Method = (...given) => current.apply(this, given);
        return raw.isOpen ? instead(call, args) : call(...args);
      };
  }

  private publish(call: Method, args: unknown[]): unknown {
    const [exchange, routingKey, content, options, confirmed, ...more] = args;
    const publishing = { exchange, routingKey, options };
    const { hub, settings, outgoing: known } = this.client;
    const headers = isObject(options) ? options.headers : undefined;
    const before = isObject(headers) ? known?.get(headers) : undefined;
    if (before !== undefined) {
      const done = this.expectConfirm(before, publishing, confirmed, false);
      return this.send(call, before, before.isCarrying ? options : before.plain, (given) => [
        exchange,
        routingKey,
        content,
        given,
        done,
        ...more,
      ]);
    }
    const outgoing = begin(hub, settings, publishing, this.server, isTracedElsewhere(this.channel));
    const { sending } = outgoing;
    return sending.run(() => {
      const isConfirmed = this.hasConfirms && (typeof confirmed === "function" || !confirmed);
      const done = isConfirmed ? this.expectConfirm(outgoing, publishing, confirmed, true) : confirmed;
      const argsWith = (given: unknown) =>
        args.length > 4 || isConfirmed
          ? [exchange, routingKey, content, given, done, ...more]
          : [exchange, routingKey, content, given];
      try {
        const result = this.send(call, outgoing, outgoing.options, argsWith);
        if (!isConfirmed) sending.done();
        return result;
      } catch (error) {
        this.mandatory.delete(outgoing);
        sending.done(error);
        throw error;
      }
    });
  }

  private send(
    call: Method,
    outgoing: Outgoing,
    options: unknown,
    argsWith: (options: unknown) => unknown[],
  ): unknown {
    try {
      if (outgoing.isCarrying) checkRoom(this.channel, options);
      return call(...argsWith(options));
    } catch (error) {
      if (!outgoing.isCarrying || !(error instanceof RangeError)) throw error;
      // amqplib has room for 64 KiB of headers.
      const result: unknown = call(...argsWith(outgoing.plain));
      outgoing.isCarrying = false;
      outgoing.sending.leftOut();
      return result;
    }
  }

  /** What is called when the broker has confirmed the message: what the user gave, and we hear of it before. */
  private expectConfirm(
    outgoing: Outgoing,
    publishing: Publishing,
    confirmed: unknown,
    isDone: boolean,
  ): unknown {
    if (!this.hasConfirms) return confirmed;
    const { mandatory } = this;
    if (isMandatory(publishing.options)) mandatory.set(outgoing, publishing);
    else if (!isDone) return confirmed;
    return function (this: unknown, ...results: unknown[]) {
      mandatory.delete(outgoing);
      if (isDone) outgoing.sending.done(results[0] ?? undefined);
      return typeof confirmed === "function" ? confirmed.apply(this, results) : undefined;
    };
  }

  /** The broker had to route the message, and has no queue for it. It confirms it all the same. */
  private cameBack(message: Message): void {
    for (const [outgoing, publishing] of this.mandatory) {
      if (!isReturned(outgoing, publishing, message)) continue;
      this.mandatory.delete(outgoing);
      outgoing.sending.done(unroutable(message));
      return;
    }
  }

  private consume(call: Method, args: unknown[]): unknown {
    const [queue, handler, options, ...more] = args;
    if (typeof handler !== "function") return call(...args);
    const raw = this;
    const name = queueName(queue);
    const isUnacknowledged = isObject(options) && Boolean(options.noAck);
    const consumer = function (this: unknown, message: Message | null) {
      const handle = () => handler.call(this, message);
      if (!raw.isOpen) return handle();
      if (message === null) {
        raw.client.hub.cancelled(name);
        return handle();
      }
      return raw.handle(raw.take(message, name, isUnacknowledged), message, handle, isUnacknowledged);
    };
    return call(queue, consumer, options, ...more);
  }

  private handle(
    delivery: BrokerDelivery,
    message: Message,
    handler: () => unknown,
    isUnacknowledged: boolean,
  ): unknown {
    const { hub, returned } = this.client;
    let result: unknown;
    const settle = (how: Settlement, error?: unknown) => {
      if (isUnacknowledged) hub.settle(delivery, how, error);
    };
    const handled = () => {
      try {
        result = handler();
      } catch (error) {
        settle("failure", error);
        throw error;
      }
      const outcome = result ?? returned?.get(message);
      const fulfilled = () => settle("success");
      if (!isUnacknowledged) return outcome;
      if (!listenIfPlain(outcome, fulfilled, (error) => settle("failure", error))) fulfilled();
      return outcome;
    };
    hub.run(delivery, handled, "ignores");
    return result;
  }

  private get(call: Method, args: unknown[]): unknown {
    const [queue, options] = args;
    const name = queueName(queue);
    const isUnacknowledged = isObject(options) && Boolean(options.noAck);
    const got = (message: Message | false | undefined) => {
      if (!message || !this.isOpen) return;
      const delivery = this.take(message, name, isUnacknowledged);
      if (isUnacknowledged) this.client.hub.settle(delivery, "success");
    };
    const callback = args[2];
    if (typeof callback === "function") {
      return call(queue, options, function (this: unknown, ...results: unknown[]) {
        got(results[1] as Message | false | undefined);
        return callback.apply(this, results);
      });
    }
    const promise: unknown = call(...args);
    if (!(promise instanceof Promise)) return promise;
    return promise.then((message) => {
      got(message);
      return message;
    });
  }

  private take(message: Message, queue: string, isUnacknowledged: boolean): BrokerDelivery {
    const { hub, knowledge } = this.client;
    const history = historyOf(message, queue, Date.now());
    if (history.isDeadLettered) knowledge.fedByOthers.add(queue);
    const { fields, properties } = message;
    const { messageId, priority } = properties;
    const delivery = hub.deliver(headerOf(message), {
      queue,
      attempt: history.attempt,
      isRedelivered: history.isRedelivered,
      eligibleAt: history.eligibleAt,
      priority: typeof priority === "number" ? priority : undefined,
      attributes: {
        ...this.server,
        "messaging.rabbitmq.destination.routing_key": queueName(fields.routingKey),
        "messaging.rabbitmq.message.delivery_tag": fields.deliveryTag,
        ...(typeof messageId === "string" ? { "messaging.message.id": messageId } : undefined),
      },
      isTracedElsewhere: isTracedElsewhere(this.channel),
    });
    const taken = { message, tag: fields.deliveryTag, delivery, channel: this };
    takenByMessage.set(message, taken);
    if (!isUnacknowledged) this.unsettled.set(taken.tag, taken);
    return delivery;
  }

  /** What throws has acknowledged nothing: the channel is closed, and what it had was abandoned then. */
  private settling(call: Method, args: unknown[], allUpTo: unknown, how: Settlement): unknown {
    const result: unknown = call(...args);
    const message = args[0];
    const taken = isObject(message) ? takenByMessage.get(message) : undefined;
    if (taken !== undefined && taken.channel !== this) {
      taken.channel.client.hub.stale(taken.delivery);
      return result;
    }
    const tag = taken?.tag ?? ownOf(ownOf(message, "fields"), "deliveryTag");
    if (typeof tag !== "number") return result;
    if (!allUpTo) this.settle(this.unsettled.get(tag), how);
    else {
      for (const each of this.unsettled.values()) {
        if (tag !== 0 && each.tag > tag) break;
        this.settle(each, how);
      }
    }
    return result;
  }

  private settlingAll(call: Method, args: unknown[], how: Settlement): unknown {
    const all = [...this.unsettled.values()];
    const result: unknown = call(...args);
    for (const each of all) this.settle(each, how);
    return result;
  }

  private settle(taken: Taken | undefined, how: Settlement): void {
    if (taken === undefined) return;
    const { hub, knowledge } = this.client;
    this.unsettled.delete(taken.tag);
    const isDead = how === "dead" && knowledge.deadLettersFrom(taken.delivery.queue);
    hub.settle(taken.delivery, how === "dead" && !isDead ? "failure" : how);
  }

  private declaring(call: Method, args: unknown[]): unknown {
    const [queue, options] = args;
    const to =
      ownOf(options, "deadLetterExchange") ?? ownOf(ownOf(options, "arguments"), "x-dead-letter-exchange");
    // Of a policy that says so nothing is known here; management tells it.
    if (typeof queue === "string" && to !== undefined) this.client.knowledge.learnDeadLettering(queue, true);
    return call(...args);
  }

  private lost(): void {
    for (const { delivery } of this.unsettled.values()) this.client.hub.settle(delivery, "abandoned");
    this.unsettled.clear();
    this.mandatory.clear();
    this.forgetConnection();
  }
}

/** Whether the contrib instrumentation makes spans of what this channel does. */
export function isTracedElsewhere(channel: object): boolean {
  const publish: unknown = Object.getPrototypeOf(channel)?.publish;
  return typeof publish === "function" && (publish as { __wrapped?: unknown }).__wrapped === true;
}

function inherited(channel: object, name: string, otherwise: Method): Method {
  const method: unknown = Object.getPrototypeOf(channel)?.[name];
  return typeof method === "function" ? (method as Method) : otherwise;
}

function requeues(requeue: unknown): Settlement {
  return requeue === undefined || requeue ? "retry" : "dead";
}

function isMandatory(options: unknown): boolean {
  return isObject(options) && Boolean(options.mandatory);
}

/** Where the broker is, by its socket. */
function serverOf(channel: object): Readonly<Record<string, string | number>> {
  try {
    const { stream } = (
      channel as { connection: { stream?: { remoteAddress?: unknown; remotePort?: unknown } } }
    ).connection;
    const { remoteAddress, remotePort } = stream ?? {};
    return typeof remoteAddress === "string" && typeof remotePort === "number"
      ? { "server.address": remoteAddress, "server.port": remotePort }
      : {};
  } catch {
    return {};
  }
}
