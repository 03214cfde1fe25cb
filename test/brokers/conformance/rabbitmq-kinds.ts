import { amqplibKind } from "./amqplib.js";
import { connectionManagerKind } from "./connection-manager.js";
import { rabbitmqClientKind } from "./rabbitmq-client.js";

/** RabbitMQ, by client. */
export const RABBITMQ_KINDS = {
  amqplib: amqplibKind,
  "connection-manager": connectionManagerKind,
  "rabbitmq-client": rabbitmqClientKind,
} as const;
