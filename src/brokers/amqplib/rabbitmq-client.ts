import { type Method, methodOf, patch, type Replace } from "../../adapters/patch.js";
import { listenIfPlain } from "../../base/thenable.js";
import type { BrokerDelivery } from "../../contracts/index.js";
import { type ClientContext, Deliveries } from "./deliveries.js";
import { isObject, type Message, ownOf } from "./message.js";
import { begin, isReturned, type Outgoing, type Publishing, queueName, unroutable } from "./publishing.js";
import { hasRoom } from "./room.js";

/** A message of rabbitmq-client: fields and properties are in one. */
type FlatMessage = Message["fields"] & Message["properties"];

type Emitter = {
  on(event: string, listener: Method): unknown;
  off(event: string, listener: Method): unknown;
};

/** How a message has come for a `Consumer`, which calls its handler when there is room for one more. */
interface Arrival {
  readonly deliveries: Deliveries;
  readonly queue: string;
  readonly isUnacknowledged: boolean;
}

/** A connection of rabbitmq-client's: its consumers, publishers and RPC clients all acquire their channels from it, again after a reconnect. */
export class ClientConnection {
  /** The options of its consumers, by which their channels are known. */
  private readonly consumers = new WeakSet<object>();
  private readonly arrivals = new WeakMap<object, Arrival>();
  /** Those that are open. */
  private readonly channels = new Map<object, () => void>();
  private readonly detachers: (() => void)[] = [];
  private isOpen = true;

  constructor(
    readonly connection: object,
    private readonly client: ClientContext,
  ) {
    const { hub } = client;
    methodOf(connection, "on");
    this.detachers.push(
      patch(connection, { acquire: this.wrapAcquire, createConsumer: this.wrapCreateConsumer }),
    );
    this.listen(connection as Emitter, "connection.blocked", (reason: unknown) => {
      hub.blocked(typeof reason === "string" ? reason : "blocked");
    });
    for (const event of ["connection.unblocked", "connection"]) {
      this.listen(connection as Emitter, event, () => hub.blocked(undefined));
    }
  }

  detach(): void {
    this.isOpen = false;
    for (const undo of this.detachers.splice(0).reverse()) undo();
    for (const undo of this.channels.values()) undo();
    this.channels.clear();
  }

  private listen(emitter: Emitter, event: string, listener: Method): void {
    emitter.on(event, listener);
    this.detachers.push(() => emitter.off(event, listener));
  }

  private readonly wrapAcquire: Replace = (original) => {
    const self = this;
    return async function acquire(this: unknown, ...args: unknown[]) {
      const channel: object = await original.apply(this, args);
      if (self.isOpen) self.watch(channel);
      return channel;
    };
  };

  private readonly wrapCreateConsumer: Replace = (original) => {
    const self = this;
    return function createConsumer(this: unknown, props: unknown, handler: unknown, ...more: unknown[]) {
      if (typeof handler !== "function" || !isObject(props))
        return original.call(this, props, handler, ...more);
      self.consumers.add(props);
      const handle = function (this: unknown, message: FlatMessage, ...rest: unknown[]) {
        return self.handle(message, () => handler.call(this, message, ...rest));
      };
      return original.call(this, props, handle, ...more);
    };
  };

  /** A consumer's handler is called, and awaited; then the consumer acknowledges the message, or doesn't. */
  private handle(message: FlatMessage, handler: () => unknown): unknown {
    const arrival = this.arrivals.get(message);
    if (arrival === undefined || !this.isOpen) return handler();
    const { deliveries, queue, isUnacknowledged } = arrival;
    const delivery = deliveries.take(whole(message), message, queue, isUnacknowledged);
    return this.run(delivery, handler, isUnacknowledged, "awaits");
  }

  private run(
    delivery: BrokerDelivery,
    handler: () => unknown,
    isUnacknowledged: boolean,
    engine: "awaits" | "ignores",
  ): unknown {
    const { hub } = this.client;
    if (!isUnacknowledged) return hub.run(delivery, handler, engine);
    const fulfilled = () => hub.settle(delivery, "success");
    const rejected = (error: unknown) => hub.settle(delivery, "failure", error);
    const handled = () => {
      try {
        const result = handler();
        if (!listenIfPlain(result, fulfilled, rejected)) fulfilled();
        return result;
      } catch (error) {
        rejected(error);
        throw error;
      }
    };
    return hub.run(delivery, handled, engine);
  }

  private watch(channel: object): void {
    const { client } = this;
    const mandatory = new Map<Outgoing, Publishing>();
    /** What is consumed, by consumer tag. */
    const queues = new Map<string, string>();
    const deliveries = new Deliveries(client, {}, () => false);
    const restore = patch(channel, {
      basicPublish: this.replaced((call, args) => this.publish(channel, mandatory, call, args)),
      basicConsume: this.replaced((call, args) => this.consume(deliveries, queues, call, args)),
      basicGet: this.replaced((call, args) => this.get(deliveries, call, args)),
      basicAck: this.replaced((call, args) => settling(deliveries, call, args, false)),
      basicNack: this.replaced((call, args) => settling(deliveries, call, args, true)),
      queueDeclare: this.replaced((call, args) => {
        const [params] = args;
        const queue = ownOf(params, "queue");
        const to = ownOf(ownOf(params, "arguments"), "x-dead-letter-exchange");
        if (typeof queue === "string" && to !== undefined) client.knowledge.learnDeadLettering(queue, true);
        return call(...args);
      }),
    });
    const returned = (message: FlatMessage) => {
      for (const [outgoing, publishing] of mandatory) {
        if (!isReturned(outgoing, publishing, whole(message))) continue;
        mandatory.delete(outgoing);
        outgoing.sending.done(unroutable(whole(message)));
        return;
      }
    };
    const closed = () => {
      deliveries.abandon();
      this.channels.delete(channel);
    };
    const cancelled = (tag: string) => client.hub.cancelled(queues.get(tag) ?? "");
    const emitter = channel as Emitter;
    emitter.on("basic.return", returned);
    emitter.on("basic.cancel", cancelled);
    emitter.on("close", closed);
    this.channels.set(channel, () => {
      restore();
      emitter.off("basic.return", returned);
      emitter.off("basic.cancel", cancelled);
      emitter.off("close", closed);
    });
  }

  private replaced(instead: (call: Method, args: unknown[]) => unknown): Replace {
    const self = this;
    return (original) =>
      function (this: unknown, ...args: unknown[]) {
        const call: Method = (...given) => original.apply(this, given);
        return self.isOpen ? instead(call, args) : call(...args);
      };
  }

  private publish(
    channel: object,
    mandatory: Map<Outgoing, Publishing>,
    call: Method,
    args: unknown[],
  ): unknown {
    const [envelope, ...rest] = args;
    const options = typeof envelope === "string" ? { routingKey: envelope } : envelope;
    const publishing = {
      exchange: ownOf(options, "exchange") ?? "",
      routingKey: ownOf(options, "routingKey") ?? "",
      options,
    };
    const outgoing = begin(this.client.hub, this.client.settings, publishing, undefined, false);
    const { sending } = outgoing;
    const isMandatory = Boolean(ownOf(options, "mandatory"));
    if (isMandatory) mandatory.set(outgoing, publishing);
    const over = (error?: unknown) => {
      mandatory.delete(outgoing);
      sending.done(error);
    };
    return sending.run(() => {
      try {
        const promise: unknown = call(given(channel, outgoing, envelope), ...rest);
        if (!(promise instanceof Promise)) {
          over();
          return promise;
        }
        return promise.then(
          (result) => {
            // It tells that a message came back only after it has told that it was confirmed.
            if (isMandatory) setImmediate(over);
            else over();
            return result;
          },
          (error) => {
            over(error);
            throw error;
          },
        );
      } catch (error) {
        over(error);
        throw error;
      }
    });
  }

  private consume(
    deliveries: Deliveries,
    queues: Map<string, string>,
    call: Method,
    args: unknown[],
  ): unknown {
    const [params, callback, ...more] = args;
    if (typeof callback !== "function") return call(...args);
    const self = this;
    const queue = queueName(ownOf(params, "queue"));
    const isUnacknowledged = Boolean(ownOf(params, "noAck"));
    const isConsumers = isObject(params) && this.consumers.has(params);
    const consumer = function (this: unknown, message: FlatMessage) {
      const handle = () => callback.call(this, message);
      if (!self.isOpen) return handle();
      if (isConsumers) {
        self.arrivals.set(message, { deliveries, queue, isUnacknowledged });
        return handle();
      }
      const delivery = deliveries.take(whole(message), message, queue, isUnacknowledged);
      return self.run(delivery, handle, isUnacknowledged, "ignores");
    };
    const promise: unknown = call(params, consumer, ...more);
    if (!(promise instanceof Promise)) return promise;
    return promise.then((result) => {
      const tag = ownOf(result, "consumerTag");
      if (typeof tag === "string") queues.set(tag, queue);
      return result;
    });
  }

  private get(deliveries: Deliveries, call: Method, args: unknown[]): unknown {
    const [params] = args;
    const queue = queueName(typeof params === "string" ? params : ownOf(params, "queue"));
    const isUnacknowledged = Boolean(ownOf(params, "noAck"));
    const promise: unknown = call(...args);
    if (!(promise instanceof Promise)) return promise;
    return promise.then((message: FlatMessage | undefined) => {
      if (message === undefined || !this.isOpen) return message;
      const delivery = deliveries.take(whole(message), message, queue, isUnacknowledged);
      if (isUnacknowledged) this.client.hub.settle(delivery, "success");
      return message;
    });
  }
}

function whole(message: FlatMessage): Message {
  return { fields: message, properties: message };
}

/** The envelope and what travels along; rabbitmq-client would close the channel if both together were too large for a frame. */
function given(channel: object, outgoing: Outgoing, envelope: unknown): unknown {
  const { options, sending } = outgoing;
  const own = ownOf(envelope, "headers");
  const added = ownOf(options, "headers");
  if (!outgoing.isCarrying || !isObject(added)) return envelope;
  const headers =
    own instanceof Map
      ? new Map([...own, ...Object.entries(sending.carrier)])
      : { ...(own as object), ...added };
  const { frameMax } = (channel as { _conn?: { _opt?: { frameMax?: unknown } } })._conn?._opt ?? {};
  const room = typeof frameMax === "number" ? frameMax : UNKNOWN_FRAME;
  if (hasRoom(room, own instanceof Map ? { ...Object.fromEntries(own), ...added } : headers)) {
    return typeof envelope === "string"
      ? { routingKey: envelope, headers }
      : { ...(envelope as object), headers };
  }
  sending.leftOut();
  return envelope;
}

/** rabbitmq-client's default, in bytes. */
const UNKNOWN_FRAME = 8_192;

/** It gives the tag only, so whether it is another channel's can't be told. What throws has acknowledged nothing. */
function settling(deliveries: Deliveries, call: Method, args: unknown[], isRefused: boolean): unknown {
  const [params] = args;
  const result: unknown = call(...args);
  const tag = ownOf(params, "deliveryTag") ?? 0;
  const requeue = ownOf(params, "requeue");
  const how = !isRefused ? "success" : requeue === undefined || requeue ? "retry" : "dead";
  if (typeof tag === "number") deliveries.settle(tag, Boolean(ownOf(params, "multiple")), how);
  return result;
}
