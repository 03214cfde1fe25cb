import { type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { amqplib } from "../../../src/amqplib.js";
import type { BrokerKind, BrokerSetting } from "../../../src/testing.js";
import { record } from "./record.js";

/** Where RabbitMQ is. */
export interface Broker {
  readonly url: string;
  readonly management: { readonly url: string; readonly user: string; readonly password: string };
}

/** What all clients of RabbitMQ have in common; messages are `{ correlationId, headers }`. */
export const ofRabbitMQ = ({ url, management }: Broker, client: string) =>
  ({
    adapter: () => amqplib({ connect: () => connect(url), management }),
    record,
    carrying: (headers: object) => ({ headers }),
    own: {
      options: { correlationId: "rpc 1", headers: { shop: "Oslo" } },
      seen: { correlationId: "rpc 1", shop: "Oslo" },
    },
    polls: ["depth", "oldestAt", "inFlight", "consumers"],
    otherProcess: {
      script: new URL("rabbitmq-process.ts", import.meta.url),
      args: [client, JSON.stringify({ url, management })],
      execArgv: ["--import", "tsx"],
    },
  }) as const;

/** What the consumer sees of the user's own options. */
export function seenOf({ correlationId, headers }: { correlationId?: unknown; headers?: unknown }): unknown {
  return { correlationId, shop: (headers as { shop?: unknown } | undefined)?.shop };
}

/** Handles a message and settles it: one that fails comes again, if it may. */
async function settle(
  channel: ConfirmChannel,
  message: ConsumeMessage,
  { deliveries }: BrokerSetting,
  handle: () => Promise<void>,
): Promise<void> {
  try {
    await handle();
  } catch {
    channel.nack(message, false, deliveries > 1 && !message.fields.redelivered);
    return;
  }
  channel.ack(message);
}

/** Confirm channels of amqplib, each on a connection of its own. */
export function amqplibKind(broker: Broker): BrokerKind<object> {
  const open = async ({ queue }: BrokerSetting) => {
    const connection = await connect(broker.url);
    connection.on("error", () => {});
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => {});
    await channel.assertQueue(queue);
    return { connection, channel };
  };
  return {
    ...ofRabbitMQ(broker, "amqplib"),
    errors: "untold",
    refused: { headers: "text" },
    async producer(setting) {
      const { connection, channel } = await open(setting);
      return {
        client: channel,
        async send(text, options) {
          channel.sendToQueue(setting.queue, Buffer.from(text), options);
          await channel.waitForConfirms();
        },
        close: () => connection.close(),
      };
    },
    async consumer(setting) {
      const { connection, channel } = await open(setting);
      await channel.prefetch(1);
      return {
        client: channel,
        consume: (handle) =>
          channel.consume(setting.queue, (message) => {
            if (message === null) return;
            const { content, properties } = message;
            return settle(channel, message, setting, () => handle(String(content), seenOf(properties))).catch(
              () => {},
            );
          }),
        abandon: () => channel.close(),
        close: () => connection.close(),
      };
    },
  };
}
