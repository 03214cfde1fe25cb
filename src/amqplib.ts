/** RabbitMQ, by amqplib, amqp-connection-manager or rabbitmq-client. */

export {
  type AmqpConnection,
  type AmqplibOptions,
  type AmqpQuestions,
  amqplib,
  type Connect,
  handleMessage,
  type ManagementOptions,
  type RabbitmqConnection,
  type Routes,
} from "./brokers/amqplib/amqplib.js";
