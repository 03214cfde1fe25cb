import { Connection, ConsumerStatus } from "rabbitmq-client";
import type { BrokerKind, BrokerSetting } from "../../../src/testing.js";
import { type Broker, ofRabbitMQ, seenOf } from "./amqplib.js";

/** Publishers and consumers of rabbitmq-client, each on a connection of its own. */
export function rabbitmqClientKind(broker: Broker): BrokerKind<object> {
  const open = () => {
    const connection = new Connection(broker.url);
    connection.on("error", () => {});
    return connection;
  };
  const declared = ({ queue }: BrokerSetting) => ({ queue, durable: true });
  return {
    ...ofRabbitMQ(broker, "rabbitmq-client"),
    producer(setting) {
      const connection = open();
      const publisher = () =>
        connection.createPublisher({ confirm: true, queues: [declared(setting)], maxAttempts: 1 });
      let one: ReturnType<typeof publisher> | undefined;
      return {
        client: connection,
        async send(text, options) {
          one ??= publisher();
          await one.send({ routingKey: setting.queue, ...options }, text);
        },
        close: () => connection.unsafeDestroy(),
      };
    },
    consumer(setting) {
      const { queue, deliveries } = setting;
      const connection = open();
      return {
        client: connection,
        async consume(handle) {
          const consumer = connection.createConsumer(
            { queue, queueOptions: declared(setting), concurrency: 1, qos: { prefetchCount: 1 } },
            async (message) => {
              try {
                await handle(String(message.body), seenOf(message));
              } catch {
                return deliveries > 1 && !message.redelivered ? ConsumerStatus.REQUEUE : ConsumerStatus.DROP;
              }
              return ConsumerStatus.ACK;
            },
          );
          consumer.on("error", () => {});
          await new Promise((resolve) => consumer.once("ready", resolve));
        },
        async abandon() {
          connection.unsafeDestroy();
          await connection.close();
        },
        close: () => connection.unsafeDestroy(),
      };
    },
    errors: "untold",
  };
}
