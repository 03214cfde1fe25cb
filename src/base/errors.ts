/** All errors of the library, by layer: each has a name, a stable code and its facts as fields. */

export {
  InvalidOptionRangeError,
  InvalidOptionTypeError,
} from "./errors/options.js";
export {
  AlreadySettledError,
  PutManyAbortedError,
  QueueFullError,
  QueueShutDownError,
  QueueTimeoutError,
  type Refused,
  type Settling,
  TaskDoneError,
} from "./errors/queue.js";
export {
  AlreadyInstrumentedError,
  MetricNameTakenError,
  MissingPeerError,
  NotInstrumentableError,
  NotWatchableError,
  PortInUseError,
  TelemetryRunningError,
} from "./errors/telemetry.js";
export {
  CallbackTimeoutError,
  GroupEndedError,
  HandlerNotCalledError,
  LateCallError,
  TaskAbandonedError,
  TaskTimeoutError,
  ThreadCrashedError,
  ThreadsClosedError,
  ThreadsUnavailableError,
  ThreadTerminatedError,
} from "./errors/worker.js";
