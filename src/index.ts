export { generic } from "./adapters/generic.js";
export { instrumentHandler } from "./adapters/handler.js";
export { type InstrumentOptions, instrument, uninstrument } from "./adapters/instrument.js";
export {
  AlreadyInstrumentedError,
  AlreadySettledError,
  CallbackTimeoutError,
  GroupEndedError,
  HandlerNotCalledError,
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  LateCallError,
  NotInstrumentableError,
  NotWatchableError,
  PutManyAbortedError,
  QueueFullError,
  QueueShutDownError,
  QueueTimeoutError,
  TaskAbandonedError,
  TaskDoneError,
  TaskTimeoutError,
} from "./base/errors.js";
export { brokerQueue } from "./brokers/opened/broker-queue.js";
export type { BrokeredQueue } from "./brokers/opened/brokered-queue.js";
export type { Delivery } from "./queue/delivery.js";
export { FifoQueue } from "./queue/fifo-queue.js";
export { heapUsedAbove } from "./queue/heap-used-above.js";
export { LifoQueue } from "./queue/lifo-queue.js";
export type {
  Clock,
  DropReason,
  PriorityPutOptions,
  PutOptions,
  QueueOptions,
  WaitOptions,
} from "./queue/options.js";
export { PriorityQueue, type PriorityQueueOptions } from "./queue/priority-queue.js";
export { currentCorrelationId, withCorrelationId } from "./telemetry/context/correlation.js";
export { metricProducer } from "./telemetry/metrics/metric-producer.js";
export type { Sla, Traces } from "./telemetry/options.js";
export { waitFor } from "./waits/wait-for.js";
export type { WatchdogEvents } from "./watchdog/events.js";
export type { WatchdogOptions, WatchOptions } from "./watchdog/options.js";
export type { BreachReport } from "./watchdog/report/report.js";
export { Watchdog } from "./watchdog/watchdog.js";
export { type DrainOnSignalsOptions, drainOnSignals } from "./worker/drain-on-signals.js";
export { Gate, type GateOptions } from "./worker/gate.js";
export { type GroupOptions, runGroup } from "./worker/group.js";
export type { WorkerPoolOptions } from "./worker/options.js";
export type { Policy } from "./worker/policy.js";
export { type Handler, WorkerPool, type WorkerPoolEvents } from "./worker/pool.js";
export type { DrainReport } from "./worker/shutdown.js";
export type { Task as WorkerTask } from "./worker/task.js";
