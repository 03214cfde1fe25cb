import { defineError } from "./define-error.js";

/** A refused put hands back what it could not add, so that nothing is lost. */
export interface Refused {
  /** The item that was refused; of a `putMany`, the first one. */
  item?: unknown;
  /** `putMany` only: the items that are not in the queue, in order. */
  items?: readonly unknown[];
  /** `putMany` only: how many items are in the queue. */
  accepted?: number;
}

/**
 * The queue has no room and its policy is not to wait; with `evict`, the new item is the one that would be served last.
 *
 * @example
 * const jobs = new FifoQueue<string>({ capacity: 1, whenFull: "reject" });
 * await jobs.put("resize cat.png");
 * await jobs.put("resize dog.png").catch((error) => {
 *   if (error instanceof QueueFullError) console.log(error.item, error.capacity);
 * });
 */
export class QueueFullError extends defineError("QueueFullError", "QUEUE_FULL") implements Refused {
  declare readonly item?: unknown;
  declare readonly items?: readonly unknown[];
  declare readonly accepted?: number;

  constructor(
    /** The queue's capacity, in items. */
    readonly capacity: number,
    refused: Refused,
  ) {
    super(`the queue is full: it holds ${capacity} ${capacity === 1 ? "item" : "items"}`);
    attach(this, refused);
  }
}

/**
 * The queue is shut down: it takes no more items (`put`), or has none left (`get`).
 *
 * @example
 * const orders = new FifoQueue<string>();
 * orders.shutdown();
 * await orders.put("two cats").catch((error) => {
 *   if (error instanceof QueueShutDownError) console.log(error.item); // nothing is lost
 * });
 */
export class QueueShutDownError
  extends defineError("QueueShutDownError", "QUEUE_SHUT_DOWN")
  implements Refused
{
  declare readonly item?: unknown;
  declare readonly items?: readonly unknown[];
  declare readonly accepted?: number;

  constructor(
    /** What was asked of the queue. */
    readonly operation: "put" | "get",
    refused?: Refused,
  ) {
    super(
      operation === "put"
        ? "the queue is shut down and takes no more items"
        : "the queue is shut down and has no items left",
    );
    attach(this, refused);
  }
}

/**
 * A wait took longer than its `timeoutMs`.
 *
 * @example
 * const jobs = new FifoQueue<string>();
 * await jobs.get({ timeoutMs: 10 }).catch((error) => {
 *   if (error instanceof QueueTimeoutError) console.log(error.code);
 * });
 */
export class QueueTimeoutError extends defineError("QueueTimeoutError", "QUEUE_TIMEOUT") implements Refused {
  declare readonly item?: unknown;
  declare readonly items?: readonly unknown[];
  declare readonly accepted?: number;
  /** Of a `join` on a queue that a watchdog watches: why it takes so long. */
  declare readonly report?: object;

  constructor(
    /** What was waited for. */
    readonly operation: "put" | "get" | "join",
    /** The limit that was given, in milliseconds. */
    readonly timeoutMs: number,
    facts?: Refused & { readonly report?: object | undefined },
  ) {
    super(`${operation} waited for ${timeoutMs} ms in vain`);
    attach(this, facts);
  }
}

/**
 * A `putMany` was aborted while it waited: `accepted` are in the queue, `items` are not.
 *
 * @example
 * const jobs = new FifoQueue<string>({ capacity: 1 });
 * const stop = new AbortController();
 * const putting = jobs.putMany(["cat.png", "dog.png"], { signal: stop.signal });
 * stop.abort();
 * await putting.catch((error) => {
 *   if (error instanceof PutManyAbortedError) console.log(error.accepted, error.items);
 * });
 */
export class PutManyAbortedError
  extends defineError("PutManyAbortedError", "ABORT_ERR", Error, "AbortError")
  implements Refused
{
  declare readonly item?: unknown;
  declare readonly items?: readonly unknown[];
  declare readonly accepted?: number;

  constructor(
    /** The signal's reason; also the `cause`. */
    readonly reason: unknown,
    refused: Refused,
  ) {
    super("putMany was aborted", { cause: reason });
    attach(this, refused);
  }
}

/** How a delivery is settled. */
export type Settling = "done" | "fail" | "retry" | "deadLettered";

/**
 * A delivery was settled a second time.
 *
 * @example
 * const jobs = new FifoQueue<string>();
 * await jobs.put("resize cat.png");
 * const job = await jobs.receive();
 * job.done();
 * try {
 *   job.done();
 * } catch (error) {
 *   if (error instanceof AlreadySettledError) console.log(error.message);
 * }
 */
export class AlreadySettledError extends defineError("AlreadySettledError", "QUEUE_ALREADY_SETTLED") {
  constructor(
    /** The call that came too late. */
    readonly operation: Settling,
    /** The call that settled the delivery. */
    readonly settledBy: Settling,
  ) {
    super(`${operation}() came after ${settledBy}(): a delivery is settled once`);
  }
}

/**
 * `taskDone` was called more often than items were taken by `get`, `tryGet` and `getMany`.
 *
 * @example
 * try {
 *   new FifoQueue<string>().taskDone();
 * } catch (error) {
 *   if (error instanceof TaskDoneError) console.log(error.message);
 * }
 */
export class TaskDoneError extends defineError("TaskDoneError", "QUEUE_TASK_DONE") {
  constructor() {
    super("taskDone() was called once too often: every item taken by get is already done");
  }
}

/** Adds the facts. The user's own data is not enumerable: logging the error must not log the items. */
function attach(error: object, facts: object | undefined): void {
  for (const [key, value] of Object.entries(facts ?? {})) {
    Object.defineProperty(error, key, {
      value,
      enumerable: !HIDDEN.has(key),
      writable: true,
      configurable: true,
    });
  }
}

const HIDDEN = new Set(["item", "items", "report"]);
