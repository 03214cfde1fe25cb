/** What an adapter of your own is made of: see docs/writing-an-adapter.md. */

export { Ledger, type QueueReadings, whenOver } from "./adapters/ledger.js";
export { type Method, patch, type Replace } from "./adapters/patch.js";
export type { Stage, Task } from "./adapters/task.js";
export type {
  Adapter,
  Attachment,
  Capability,
  Carrier,
  Head,
  Health,
  Outcome,
  Probe,
  QueueHealthOptions,
  QueueTelemetry,
  TaskFacts,
} from "./contracts/index.js";
