import { type Method, methodOf, patch, type Replace } from "../../adapters/patch.js";
import { listenIfPlain } from "../../base/thenable.js";
import type { BrokerDelivery, Settlement } from "../../contracts/index.js";
import { onBlocked, serverOf } from "./connection.js";
import { type ClientContext, Deliveries } from "./deliveries.js";
import { isObject, type Message, ownOf } from "./message.js";
import { begin, isReturned, type Outgoing, type Publishing, queueName, unroutable } from "./publishing.js";
import { hasRoom } from "./room.js";

/** What a wrapper and its channels know of each other, besides. */
export interface WrapperContext extends ClientContext {
  /** Messages that are known to the hub already, by their headers: those that the wrapper hands to its channel. */
  readonly outgoing?: WeakMap<object, Outgoing> | undefined;
  /** What the wrapper's handlers have returned, by message: the wrapper itself keeps it to itself. */
  readonly returned?: WeakMap<object, unknown> | undefined;
}

type Emitter = {
  on(event: string, listener: Method): unknown;
  off(event: string, listener: Method): unknown;
};

/** A channel of amqplib's, of either API, with or without confirms. */
export class RawChannel {
  private readonly deliveries: Deliveries;
  /** Messages that have to be routed, and aren't confirmed yet. */
  private readonly mandatory = new Map<Outgoing, Publishing>();
  private readonly detachers: (() => void)[] = [];
  private readonly forgetConnection: () => void;
  private readonly hasConfirms: boolean;
  private readonly server: Readonly<Record<string, string | number>>;
  private isOpen = true;

  constructor(
    private readonly channel: object,
    private readonly client: WrapperContext,
  ) {
    this.hasConfirms = typeof (channel as { waitForConfirms?: unknown }).waitForConfirms === "function";
    this.server = serverOf(channel);
    this.deliveries = new Deliveries(client, this.server, () => isTracedElsewhere(channel));
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
    const { frameMax } = (this.channel as { connection?: { frameMax?: unknown } }).connection ?? {};
    const isTooLarge =
      outgoing.isCarrying && !hasRoom(frameMax, isObject(options) ? options.headers : undefined);
    if (!isTooLarge) {
      try {
        return call(...argsWith(options));
      } catch (error) {
        // amqplib has room for 64 KiB of headers.
        if (!outgoing.isCarrying || !(error instanceof RangeError)) throw error;
      }
    }
    const result: unknown = call(...argsWith(outgoing.plain));
    outgoing.isCarrying = false;
    outgoing.sending.leftOut();
    return result;
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
      return raw.handle(
        raw.deliveries.take(message, message, name, isUnacknowledged),
        message,
        handle,
        isUnacknowledged,
      );
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
      const delivery = this.deliveries.take(message, message, name, isUnacknowledged);
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

  /** What throws has acknowledged nothing: the channel is closed, and what it had was abandoned then. */
  private settling(call: Method, args: unknown[], allUpTo: unknown, how: Settlement): unknown {
    const result: unknown = call(...args);
    const message = args[0];
    const taken = isObject(message) ? Deliveries.of(message) : undefined;
    if (taken !== undefined && taken.by !== this.deliveries) {
      this.client.hub.stale(taken.delivery);
      return result;
    }
    const tag = taken?.tag ?? ownOf(ownOf(message, "fields"), "deliveryTag");
    if (typeof tag === "number") this.deliveries.settle(tag, Boolean(allUpTo), how);
    return result;
  }

  private settlingAll(call: Method, args: unknown[], how: Settlement): unknown {
    const result: unknown = call(...args);
    this.deliveries.settle(0, true, how);
    return result;
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
    this.deliveries.abandon();
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
