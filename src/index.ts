export type { Clock, Timer } from "./clock.js";
export type { DropReason } from "./contracts.js";
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
export type { Delivery } from "./queue/delivery.js";
export { FifoQueue } from "./queue/fifo-queue.js";
export { heapUsedAbove } from "./queue/heap-used-above.js";
export { LifoQueue } from "./queue/lifo-queue.js";
export type {
  PriorityPutOptions,
  PutOptions,
  QueueOptions,
  WaitOptions,
  WhenFull,
} from "./queue/options.js";
export { PriorityQueue, type PriorityQueueOptions } from "./queue/priority-queue.js";
