import { NotInstrumentableError } from "../../base/errors.js";
import type { BrokerAdapter } from "../../contracts/index.js";
import { Asking } from "./asking.js";
import { RawChannel } from "./channel.js";
import { type ClientContext, Deliveries } from "./deliveries.js";
import { Knowledge } from "./knowledge.js";
import { isObject } from "./message.js";
import { OpenedAmqplib } from "./opened.js";
import { type AmqplibOptions, readAmqplibOptions } from "./options.js";
import { ClientConnection } from "./rabbitmq-client.js";
import { attachWrapper, isWrapper } from "./wrapper.js";

export type {
  AmqpConnection,
  AmqplibOptions,
  AmqpQuestions,
  Connect,
  ManagementOptions,
  RabbitmqConnection,
  Routes,
} from "./options.js";

/**
 * For `instrument`: channels and confirm channels of amqplib 2, channels of amqp-connection-manager 5, and connections of rabbitmq-client 5. Instrument
 * a client before it consumes. One adapter may serve several channels; then they share its connection for asking. Throws an `InvalidOption…Error` for a bad option.
 *
 * @example
 * import { connect } from "amqplib";
 * import { instrument } from "queuescope";
 * import { amqplib } from "queuescope/amqplib";
 *
 * const url = "amqp://127.0.0.1";
 * const channel = instrument(await (await connect(url)).createConfirmChannel(), {
 *   adapter: amqplib({ connect: () => connect(url), management: { url: "http://127.0.0.1:15672" } }),
 *   queues: { orders: { sla: { default: { targetMs: 5_000 } } }, mails: {} },
 * });
 * await channel.assertQueue("orders");
 * await channel.consume("orders", (message) => message && channel.ack(message));
 * channel.sendToQueue("orders", Buffer.from("coffee"));
 */
export function amqplib(options: AmqplibOptions = {}): BrokerAdapter {
  const settings = readAmqplibOptions(options);
  const knowledge = new Knowledge();
  const asking =
    settings.connect === undefined && settings.management === undefined
      ? undefined
      : new Asking(settings, knowledge);
  let used = 0;
  const left = () => {
    used--;
    if (used === 0) asking?.close();
  };
  const adapter: BrokerAdapter = {
    system: "rabbitmq",
    priorities: true,
    attach: (client, hub) => {
      const detach = attach(client, { hub, settings, knowledge });
      used++;
      return () => {
        detach();
        left();
      };
    },
  };
  if (settings.connect !== undefined) {
    const { connect } = settings;
    adapter.open = async (queue, hub, came) => {
      const opened = await OpenedAmqplib.open({ queue, hub, came, connect, closed: left });
      used++;
      return opened;
    };
  }
  if (asking !== undefined) adapter.poll = (queue, signal) => asking.about(queue, signal);
  return adapter;
}

/**
 * Calls `handler` in the context of a message that came by `get`: its trace and correlation ID, inside its `process` span. Gives and throws what
 * it does. A message that isn't known, as one that came before its channel was instrumented, has no context.
 *
 * @example
 * import { connect } from "amqplib";
 *
 * const broker = await connect("amqp://127.0.0.1");
 * const channel = instrument(await broker.createChannel(), { adapter: amqplib(), queues: { orders: {} } });
 * const message = await channel.get("orders");
 * if (message) {
 *   await handleMessage(message, async () => console.log(message.content.toString()));
 *   channel.ack(message);
 * }
 */
export function handleMessage<R>(message: object, handler: () => R): R {
  const taken = isObject(message) ? Deliveries.of(message) : undefined;
  return taken === undefined ? handler() : taken.by.client.hub.run(taken.delivery, handler);
}

function attach(client: object, context: ClientContext): () => void {
  if ("acquire" in client) {
    const connection = new ClientConnection(client, context);
    return () => connection.detach();
  }
  if (isWrapper(client)) return attachWrapper(client, context);
  if ("createChannel" in client) {
    throw new NotInstrumentableError("this is a connection; instrument each of its channels");
  }
  const raw = new RawChannel(client, context);
  return () => raw.detach();
}
