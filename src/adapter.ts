/** What an adapter of your own is made of: see docs/writing-an-adapter.md. */

export { Ledger, type QueueReadings, whenOver } from "./adapters/ledger.js";
export { type Method, patch, type Replace } from "./adapters/patch.js";
export type { Stage, Task } from "./adapters/task.js";
export type { BrokerOptions, BrokerQueueOptions } from "./brokers/instrument.js";
export type { BrokeredQueueOptions } from "./brokers/opened/broker-queue.js";
export type { BrokerPutOptions } from "./brokers/opened/brokered-queue.js";
export type {
  Adapter,
  Attachment,
  BrokerAdapter,
  BrokerDelivery,
  BrokerFacts,
  BrokerHub,
  Capability,
  Carrier,
  DeliveryFacts,
  Destination,
  Head,
  Health,
  OpenedQueue,
  Outcome,
  OutgoingMessage,
  Probe,
  QueueHealthOptions,
  QueueTelemetry,
  ReadHeader,
  Sending,
  Settlement,
  TakenMessage,
  TaskFacts,
} from "./contracts/index.js";
