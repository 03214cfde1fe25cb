import type { AmqpConnection, RabbitmqConnection } from "./options.js";

/**
 * A connection of rabbitmq-client's, to ask on as on one of amqplib's. It would reconnect by itself for ever; once it has failed it is ended, and
 * the next poll opens another one.
 */
export function asAmqp(connection: RabbitmqConnection): AmqpConnection {
  const end = () => connection.unsafeDestroy();
  connection.on("error", end);
  return {
    createChannel: async () => {
      const channel = await connection.acquire({ emitErrorsFromChannel: true });
      holdNoProcess(connection);
      return {
        checkQueue: (queue) => channel.queueDeclare({ queue, passive: true }),
        on: (event, listener) => channel.on(event, listener),
      };
    },
    close: async () => end(),
    on: (event, listener) => (event === "error" ? connection.on("error", listener) : undefined),
  };
}

function holdNoProcess(connection: RabbitmqConnection): void {
  type Unreferable = { unref?(): void } | undefined;
  const { _socket: socket, _state: state } = connection as unknown as {
    _socket?: Unreferable;
    _state?: { heartbeatTimer?: Unreferable };
  };
  socket?.unref?.();
  state?.heartbeatTimer?.unref?.();
}
