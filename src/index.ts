export {
  AlreadyInstrumentedError,
  AlreadySettledError,
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  NotInstrumentableError,
  PutManyAbortedError,
  QueueFullError,
  QueueShutDownError,
  QueueTimeoutError,
  TaskDoneError,
} from "./errors.js";
export type {
  Adapter,
  Attachment,
  Carrier,
  Figures,
  Method,
  Outcome,
  Probe,
  QueueTelemetry,
  Replace,
  Stage,
  Task,
  TaskFacts,
  Told,
} from "./instrument.js";
export {
  type GenericNames,
  generic,
  type InstrumentOptions,
  instrument,
  instrumentHandler,
  Ledger,
  patch,
  uninstrument,
  whenOver,
} from "./instrument.js";
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
  Timer,
  WaitOptions,
  WhenFull,
} from "./queue/options.js";
export { PriorityQueue, type PriorityQueueOptions } from "./queue/priority-queue.js";
export { currentCorrelationId, withCorrelationId } from "./telemetry/correlation.js";
export { metricProducer, type QueueMetricProducer } from "./telemetry/metric-producer.js";
export type { Relation, Sla, Traces } from "./telemetry/options.js";
