/** What an adapter of your own is made of: see docs/writing-an-adapter.md. */

export { Ledger, type QueueReadings, whenOver } from "./adapters/ledger.js";
export { type Method, patch, type Replace } from "./adapters/patch.js";
export type { Stage, Task } from "./adapters/task.js";
export type { BrokerOptions, BrokerQueueOptions } from "./brokers/instrument.js";
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
  Outcome,
  Probe,
  QueueHealthOptions,
  QueueTelemetry,
  ReadHeader,
  Sending,
  Settlement,
  TaskFacts,
} from "./contracts/index.js";
