import { connect } from "amqp-connection-manager";
import type { Channel } from "amqplib";
import type { BrokerKind, BrokerSetting } from "../../../src/testing.js";
import { type Broker, ofRabbitMQ, seenOf } from "./amqplib.js";

/** Channels of amqp-connection-manager, each by a manager of its own. */
export function connectionManagerKind(broker: Broker): BrokerKind<object> {
  const open = ({ queue }: BrokerSetting) => {
    const manager = connect([broker.url]);
    const setup = async (channel: Channel) => {
      await channel.assertQueue(queue);
      await channel.prefetch(1);
    };
    const channel = manager.createChannel({ setup });
    channel.on("error", () => {});
    return { manager, channel };
  };
  return {
    ...ofRabbitMQ(broker, "connection-manager"),
    errors: "untold",
    producer(setting) {
      const { manager, channel } = open(setting);
      return {
        client: channel,
        send: (text, options) => channel.sendToQueue(setting.queue, Buffer.from(text), options),
        close: () => manager.close(),
      };
    },
    consumer(setting) {
      const { manager, channel } = open(setting);
      const { queue, deliveries } = setting;
      let isOpen = true;
      return {
        client: channel,
        consume: (handle) =>
          channel.consume(queue, async (message) => {
            try {
              await handle(String(message.content), seenOf(message.properties));
            } catch {
              channel.nack(message, false, deliveries > 1 && !message.fields.redelivered);
              return;
            }
            // After its channel is gone, there is nothing to acknowledge.
            if (isOpen) channel.ack(message);
          }),
        async abandon() {
          isOpen = false;
          await channel.close();
        },
        close: () => manager.close(),
      };
    },
  };
}
