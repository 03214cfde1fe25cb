/** RabbitMQ, by amqplib or amqp-connection-manager. */

export {
  type AmqpConnection,
  type AmqplibOptions,
  type AmqpQuestions,
  amqplib,
  handleMessage,
  type ManagementOptions,
  type Routes,
} from "./brokers/amqplib/amqplib.js";
