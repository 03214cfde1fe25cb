/**
 * The interfaces at which the layers meet. Queues know nothing of telemetry, telemetry knows nothing of storage:
 * a queue notifies an {@link Observer}, lets an {@link Around} wrap handlers, and shows a {@link Probe}.
 */

export {
  type Adapter,
  type Attachment,
  OBSERVE,
  type Observable,
  PROBE,
  type QueueTelemetry,
  type Told,
} from "./contracts/attach.js";
export type { Claimant } from "./contracts/claimant.js";
export type { Correlated } from "./contracts/correlated.js";
export type { Health, QueueHealthOptions } from "./contracts/health.js";
export type {
  Around,
  Carrier,
  DropReason,
  HowToCall,
  Observer,
  OpenContext,
  Outcome,
  TaskFacts,
} from "./contracts/observer.js";
export type { Onlooker, Onlooking } from "./contracts/onlooker.js";
export type { GateView, Hindrance, PoolView, WorkerState, WorkerView } from "./contracts/pool.js";
export type { Head, Probe, TaskView } from "./contracts/probe.js";
export { REPORT, type Report, type Reportable } from "./contracts/report.js";
export { type Consumer, SUPPLY, type Supply, type Work } from "./contracts/supply.js";
export type { ByTier, TierOf } from "./contracts/tiers.js";
export type { Instrumented, SlaTarget, Tally, Vitals, Watchable } from "./contracts/watch.js";
