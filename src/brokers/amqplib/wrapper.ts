import { type Method, methodOf, patch, type Replace } from "../../adapters/patch.js";
import { isTracedElsewhere, RawChannel } from "./channel.js";
import type { ClientContext } from "./deliveries.js";
import { isObject } from "./message.js";
import { begin, type Outgoing, type Publishing } from "./publishing.js";

type Setup = (channel: object) => void;

/** Whether it is a channel of amqp-connection-manager's. */
export function isWrapper(client: object): boolean {
  return typeof (client as { addSetup?: unknown }).addSetup === "function";
}

/**
 * A channel of amqp-connection-manager's. It publishes later, from a queue of its own, outside the caller's context; so the wrapper is what
 * is watched as a producer, up to the promise that it gives. As a consumer it is each of the raw channels that it has, one after the
 * other: of a connection that is lost only they are told.
 */
export function attachWrapper(wrapper: object, client: ClientContext): () => void {
  const outgoing = new WeakMap<object, Outgoing>();
  const returned = new WeakMap<object, unknown>();
  const context = { ...client, outgoing, returned };
  const raws = new Map<object, RawChannel>();
  let isOpen = true;
  let isTraced = false;

  // Of one parameter: of a function with two, the last would be a callback.
  const setup: Setup = (channel) => {
    if (!isOpen || raws.has(channel)) return;
    try {
      isTraced = isTracedElsewhere(channel);
      const raw = new RawChannel(channel, context);
      raws.set(channel, raw);
      (channel as { once(event: "close", listener: () => void): void }).once("close", () =>
        raws.delete(channel),
      );
    } catch (error) {
      // The wrapper would tell the user that their set-up has failed.
      client.hub.fault("amqplib", error);
    }
  };

  const publishing = (to: (args: unknown[]) => Publishing, optionsAt: number): Replace => {
    return (original) =>
      function (this: unknown, ...args: unknown[]) {
        const call: Method = (...given) => original.apply(this, given);
        if (!isOpen) return call(...args);
        const message = begin(client.hub, client.settings, to(args), undefined, isTraced);
        const { sending, options } = message;
        const headers = isObject(options) ? options.headers : undefined;
        if (isObject(headers)) outgoing.set(headers, message);
        return sending.run(() => send(call, args, message, optionsAt));
      };
  };

  const restore = patch(wrapper, {
    publish: publishing(([exchange, routingKey, , options]) => ({ exchange, routingKey, options }), 3),
    sendToQueue: publishing(([queue, , options]) => ({ exchange: "", routingKey: queue, options }), 2),
    consume: (original) =>
      function (this: unknown, ...args: unknown[]) {
        const [queue, handler, ...more] = args;
        if (typeof handler !== "function") return original.apply(this, args);
        const noting = function (this: unknown, message: unknown) {
          const result: unknown = handler.call(this, message);
          if (isObject(message) && result !== undefined) returned.set(message, result);
          return result;
        };
        return original.call(this, queue, noting, ...more);
      },
  });
  const adding = watchSetups(wrapper, setup);
  return () => {
    isOpen = false;
    restore();
    adding();
    for (const raw of raws.values()) raw.detach();
  };
}

function send(call: Method, args: unknown[], { sending, options }: Outgoing, optionsAt: number): unknown {
  const given = [...args];
  given[optionsAt] = options;
  const callbackAt = optionsAt + 1;
  const callback = args[callbackAt];
  try {
    if (typeof callback === "function") {
      given[callbackAt] = function (this: unknown, ...results: unknown[]) {
        sending.done(results[0] ?? undefined);
        return callback.apply(this, results);
      };
      return call(...given);
    }
    const promise: unknown = call(...given);
    if (!(promise instanceof Promise)) return promise;
    // What is returned is what the user handles, or not: a rejection that nothing handles is still told.
    return promise.then(
      (result) => {
        sending.done();
        return result;
      },
      (error) => {
        sending.done(error);
        throw error;
      },
    );
  } catch (error) {
    sending.done(error);
    throw error;
  }
}

/** Each raw channel is seen before the user's own set-up is called, which may consume at once. */
function watchSetups(wrapper: object, setup: Setup): () => void {
  const failed = () => {};
  const added: unknown = methodOf(wrapper, "addSetup").call(wrapper, setup);
  const first = () => {
    const { _setups: setups } = wrapper as { _setups?: unknown };
    if (!Array.isArray(setups)) return;
    const at = setups.indexOf(setup);
    if (at > 0) setups.unshift(...setups.splice(at, 1));
  };
  Promise.resolve(added).then(first, failed);
  return () => {
    const removed: unknown = methodOf(wrapper, "removeSetup").call(wrapper, setup);
    Promise.resolve(removed).catch(failed);
  };
}
