/**
 * The interfaces at which the layers meet. Queues know nothing of telemetry, telemetry knows nothing of storage:
 * a queue notifies an {@link Observer}, lets an {@link Around} wrap handlers, and shows a {@link Probe}.
 */

export {
  type Adapter,
  type Attachment,
  type Capability,
  OBSERVE,
  type Observable,
  PROBE,
  type QueueTelemetry,
} from "./attach.js";
export type {
  BrokerAdapter,
  BrokerDelivery,
  BrokerFacts,
  BrokerHub,
  DeliveryFacts,
  Destination,
  OpenedQueue,
  OutgoingMessage,
  ReadHeader,
  Sending,
  Settlement,
  TakenMessage,
} from "./broker.js";
export type { Claimant } from "./claimant.js";
export type { Correlated } from "./correlated.js";
export type { Health, QueueHealthOptions } from "./health.js";
export type { Inspection, RunningWatchdog, WatchdogNews } from "./inspection.js";
export type {
  Around,
  Carrier,
  DropReason,
  HowToCall,
  Observer,
  OpenContext,
  Outcome,
  SampledIn,
  TaskFacts,
} from "./observer.js";
export type { GateView, NotTakingReason, PoolControls, PoolView, WorkerState, WorkerView } from "./pool.js";
export type { BrokerView, Head, Outage, Probe, SharedFigures, TaskView } from "./probe.js";
export { type Consumer, QUEUE_SOURCE, type QueueSource, Work, type WorkClass } from "./queue-source.js";
export type { Report } from "./report.js";
export type { ActiveTaskMonitor, LimitedResource, TaskMonitor } from "./task-monitor.js";
export type { ByTier, TierOf } from "./tiers.js";
export type { Instrumented, SlaTarget, Tally, Vitals, Watchable } from "./watch.js";
