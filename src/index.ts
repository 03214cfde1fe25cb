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
export type {
  Adapter,
  Attachment,
  Carrier,
  QueueReadings,
  Head,
  Health,
  Method,
  Outcome,
  Probe,
  QueueHealthOptions,
  QueueTelemetry,
  Replace,
  Stage,
  Task,
  TaskFacts,
  Capability,
} from "./adapters/instrument.js";
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
} from "./adapters/instrument.js";
export type { Delivery } from "./queue/delivery.js";
export { FifoQueue } from "./queue/fifo-queue.js";
export { heapUsedAbove } from "./queue/heap-used-above.js";
export type { QueueIterator } from "./queue/iteration.js";
export { LifoQueue } from "./queue/lifo-queue.js";
export type {
  Clock,
  DropReason,
  IterateOptions,
  PriorityPutOptions,
  PutOptions,
  QueueOptions,
  Timer,
  WaitOptions,
  WhenFull,
} from "./queue/options.js";
export { PriorityQueue, type PriorityQueueOptions } from "./queue/priority-queue.js";
export { currentCorrelationId, withCorrelationId } from "./telemetry/context/correlation.js";
export { metricProducer, type QueueMetricProducer } from "./telemetry/metrics/metric-producer.js";
export type { Relation, Sla, Traces } from "./telemetry/options.js";
export { CHECKS } from "./watchdog/checks/index.js";
export type { WatchdogEvents } from "./watchdog/events.js";
export type { WatchdogOptions, WatchOptions } from "./watchdog/options.js";
export type { BreachReport, WorkerReport } from "./watchdog/report/report.js";
export type { TaskGroupReport, TaskReport } from "./watchdog/report/task-report.js";
export type {
  Backlog,
  Check,
  MostAttempts,
  PoolNow,
  Rates,
  Situation,
  StallNow,
  TaskGroup,
  TaskNow,
  TierNow,
  Turns,
  Verdict as BreachVerdict,
  WaitNow,
} from "./watchdog/situation.js";
export type { Frame as StallFrame, Stall, StallTask } from "./stall-monitor/stall.js";
export { waitFor } from "./waits/wait-for.js";
export { Watchdog } from "./watchdog/watchdog.js";
export type {
  Advice,
  AdviceOptions,
  CapacityAdvice,
  Forecast,
  NotEnoughEvidence,
  SizingAdvice,
} from "./worker/advice.js";
export { type Drainable, type DrainOnSignalsOptions, drainOnSignals } from "./worker/drain-on-signals.js";
export type { AbandonedTask, DrainReport } from "./worker/shutdown.js";
export type { Failed } from "./worker/failures.js";
export { Gate, type GateOptions, type PassOptions, type Policy } from "./worker/gate.js";
export { type Group, type GroupOptions, type GroupTask, runGroup } from "./worker/group.js";
export type { PoolHealthOptions } from "./worker/health.js";
export type { BackoffOptions, DeadLetterQueue, Verdict, WorkerPoolOptions } from "./worker/options.js";
export { type Handler, WorkerPool, type WorkerPoolEvents, type WorkerStatus } from "./worker/pool.js";
export type { Task as WorkerTask } from "./worker/task.js";
