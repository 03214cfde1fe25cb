import { errorLine } from "./error-text.js";
import { shown } from "./shown.js";

/** How much of a text is quoted in a message, in characters: of a value, and of a name. */
const MAX_QUOTED = 60;
const MAX_NAME = 255;
/** How much of another error's message, and how long a message of ours gets. */
const MAX_MESSAGE = 1_000;
const MAX_SENTENCE = 2_000;

/** A value in words, short enough for an error message, and on one line. */
function inWords(value: unknown): string {
  if (typeof value === "string")
    return shown(
      JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED - 3)}...` : value),
      Number.POSITIVE_INFINITY,
    );
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null)
    return isArray(value) ? `an array of ${value.length}` : "an object";
  if (typeof value === "bigint") return `${errorLine(value, MAX_QUOTED)}n`;
  return Object.is(value, -0) ? "-0" : errorLine(value, MAX_QUOTED);
}

/** A proxy that was revoked throws whatever it is asked. */
function isArray(value: object): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** It is of the right type where an object is wanted, so more has to be said of it than that. */
function isEmptyObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null || isArray(value)) return false;
  try {
    return Object.keys(value).length === 0;
  } catch {
    return false;
  }
}

/** What an error says, or a value in words. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? shown(error.message, MAX_MESSAGE) : inWords(error);
  } catch {
    return inWords(error);
  }
}

/** The key under which an error says of which class it is: in every copy of this package, and in every realm. */
const BRAND = Symbol.for("queuescope.error");

/** Anything can be thrown, or be the reason of an abort, also what throws when it is looked at. */
function brandOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return (value as Record<symbol, unknown>)[BRAND];
  } catch {
    return undefined;
  }
}

/** Names the errors of a class, and lets `instanceof` hold for those of other copies of this package. Classes that extend it stay as usual. */
function named(errors: { readonly prototype: Error }, name: string, brand = name): void {
  const is = (value: unknown) => brandOf(value) === brand;
  // Defined, as an assignment fails where somebody has frozen `Error.prototype`.
  Object.defineProperty(errors.prototype, "name", { value: name, writable: true, configurable: true });
  Object.defineProperty(errors.prototype, BRAND, { value: brand });
  Object.defineProperty(errors, Symbol.hasInstance, {
    value(this: unknown, value: unknown) {
      return this === errors ? is(value) : Function.prototype[Symbol.hasInstance].call(this, value);
    },
  });
}

/**
 * What an error hands back, or tells besides, is the user's own: it can be read and not be seen, as whoever logs the error would else
 * log that, too.
 */
function attach(error: object, facts: object | undefined): void {
  for (const [key, value] of Object.entries(facts ?? {})) {
    Object.defineProperty(error, key, {
      value,
      enumerable: !UNSEEN.has(key),
      writable: true,
      configurable: true,
    });
  }
}

const UNSEEN = new Set(["item", "items", "report"]);

/** An option or argument has the wrong type, or must not be given here. */
export class InvalidOptionTypeError extends TypeError {
  readonly code = "QUEUE_INVALID_OPTION_TYPE";

  constructor(
    /** The option's name. */
    readonly option: string,
    /** What was given. */
    readonly value: unknown,
    /** What may be given, in words. */
    readonly allowed: string,
    message = `${option} must be ${allowed}, not ${inWords(value)}`,
  ) {
    super(shown(message, MAX_SENTENCE));
  }

  static {
    named(InvalidOptionTypeError, "InvalidOptionTypeError");
  }
}

/** An option or argument has the right type and a value that is not allowed. */
export class InvalidOptionRangeError extends RangeError {
  readonly code = "QUEUE_INVALID_OPTION_RANGE";

  constructor(
    /** The option's name. */
    readonly option: string,
    /** What was given. */
    readonly value: unknown,
    /** What may be given, in words. */
    readonly allowed: string,
  ) {
    super(
      shown(
        `${option} must be ${allowed}, not ${isEmptyObject(value) ? "an empty object" : inWords(value)}`,
        MAX_SENTENCE,
      ),
    );
  }

  static {
    named(InvalidOptionRangeError, "InvalidOptionRangeError");
  }
}

/** What a refused put hands back, so that nothing is lost. */
export interface Refused {
  /** The item that was refused; of a `putMany`, the first one. */
  item?: unknown;
  /** `putMany` only: the items that are not in the queue, in order. */
  items?: readonly unknown[];
  /** `putMany` only: how many items are in the queue. */
  accepted?: number;
}

/** The queue has no room, and its policy is not to wait, or the item lost against everything in it. */
export class QueueFullError extends Error implements Refused {
  readonly code = "QUEUE_FULL";
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

  static {
    named(QueueFullError, "QueueFullError");
  }
}

/** The queue takes nothing in any more (`put`), or is shut down and has nothing left to give (`get`). */
export class QueueShutDownError extends Error implements Refused {
  readonly code = "QUEUE_SHUT_DOWN";
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

  static {
    named(QueueShutDownError, "QueueShutDownError");
  }
}

/** A wait took longer than its `timeoutMs`. */
export class QueueTimeoutError extends Error implements Refused {
  readonly code = "QUEUE_TIMEOUT";
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

  static {
    named(QueueTimeoutError, "QueueTimeoutError");
  }
}

/** A `putMany` was aborted while it waited; it names what is in the queue and hands back what isn't. */
export class PutManyAbortedError extends Error implements Refused {
  readonly code = "ABORT_ERR";
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

  static {
    named(PutManyAbortedError, "AbortError", "PutManyAbortedError");
  }
}

/** A task of a worker pool took longer than the pool's `timeoutMs`; the reason of its aborted signal. */
export class TaskTimeoutError extends Error {
  readonly code = "QUEUE_TASK_TIMEOUT";

  constructor(
    /** The limit, in milliseconds. */
    readonly timeoutMs: number,
  ) {
    super(`the task took longer than ${timeoutMs} ms`);
  }

  static {
    named(TaskTimeoutError, "TaskTimeoutError");
  }
}

/** A pool waits no longer for a task; the reason of its aborted signal. */
export class TaskAbandonedError extends Error {
  readonly code = "QUEUE_TASK_ABANDONED";

  constructor(
    /** What the pool was asked to do. */
    readonly operation: "drain" | "stop",
    /** How long it had for that, in milliseconds. */
    readonly limitMs: number,
  ) {
    super(`the pool has waited ${limitMs} ms for its tasks to end (${operation})`);
  }

  static {
    named(TaskAbandonedError, "TaskAbandonedError");
  }
}

/** How a delivery is settled. */
export type Settling = "done" | "fail" | "retry" | "deadLettered";

/** A delivery was settled a second time. */
export class AlreadySettledError extends Error {
  readonly code = "QUEUE_ALREADY_SETTLED";

  constructor(
    /** The call that came too late. */
    readonly operation: Settling,
    /** The call that settled the delivery. */
    readonly settledBy: Settling,
  ) {
    super(`${operation}() came after ${settledBy}(): a delivery is settled once`);
  }

  static {
    named(AlreadySettledError, "AlreadySettledError");
  }
}

/** `taskDone` was called more often than items were taken by `get`, `tryGet` or `getMany`. */
export class TaskDoneError extends Error {
  readonly code = "QUEUE_TASK_DONE";

  constructor() {
    super("taskDone() was called once too often: every item taken by get is already done");
  }

  static {
    named(TaskDoneError, "TaskDoneError");
  }
}

/** The queue is instrumented already. */
export class AlreadyInstrumentedError extends Error {
  readonly code = "QUEUE_ALREADY_INSTRUMENTED";

  constructor(
    /** The name under which it was instrumented first. */
    readonly firstName: string,
    /** The name that was asked for now. */
    readonly secondName: string,
  ) {
    super(
      `cannot instrument the queue as "${shown(secondName, MAX_NAME)}": it is instrumented as "${shown(firstName, MAX_NAME)}" (call uninstrument first)`,
    );
  }

  static {
    named(AlreadyInstrumentedError, "AlreadyInstrumentedError");
  }
}

/** The object cannot be instrumented: no adapter knows it, it lacks a method that was named, or it is frozen. */
export class NotInstrumentableError extends TypeError {
  readonly code = "QUEUE_NOT_INSTRUMENTABLE";

  constructor(
    /** What stands in the way. */
    readonly reason: string,
  ) {
    super(shown(`cannot instrument: ${reason}`, MAX_MESSAGE));
  }

  static {
    named(NotInstrumentableError, "NotInstrumentableError");
  }
}

/** The object can't be watched: it is no instrumented queue, and no pool that works on one. */
export class NotWatchableError extends TypeError {
  readonly code = "QUEUE_NOT_WATCHABLE";

  constructor() {
    super(
      "cannot watch: give the queue to instrument(queue, { name }) first, then it, or its pool, to the watchdog",
    );
  }

  static {
    named(NotWatchableError, "NotWatchableError");
  }
}

/** A port that the telemetry should listen on is taken. */
export class PortInUseError extends Error {
  readonly code = "QUEUE_PORT_IN_USE";

  constructor(
    /** The option that names the port. */
    readonly option: string,
    readonly host: string,
    readonly port: number,
    /** `hint`: what to do in a setup that is known to lead to this. */
    options?: ErrorOptions & { readonly hint?: string | undefined },
  ) {
    const { hint, ...rest } = options ?? {};
    super(
      `${option}: port ${port} on ${host} is in use; choose another one, or 0 for any free port${hint === undefined ? "" : `; ${hint}`}`,
      rest,
    );
  }

  static {
    named(PortInUseError, "PortInUseError");
  }
}

/** A registry of prom-client has metrics of its own by names of ours. */
export class MetricNameTakenError extends Error {
  readonly code = "QUEUE_METRIC_NAME_TAKEN";

  constructor(
    /** The names that are taken. */
    readonly names: readonly string[],
  ) {
    super(
      `the registry has other metrics by these names: ${names.join(", ")}; rename them, or give our metrics a registry of their own and serve Registry.merge([…])`,
    );
  }

  static {
    named(MetricNameTakenError, "MetricNameTakenError");
  }
}

/** Telemetry was started a second time in one process. */
export class TelemetryRunningError extends Error {
  readonly code = "QUEUE_TELEMETRY_RUNNING";

  constructor() {
    super("telemetry runs already in this process: shut it down first");
  }

  static {
    named(TelemetryRunningError, "TelemetryRunningError");
  }
}

/** A thread ended while it worked on a task: it ran out of memory, called `process.exit`, or an error was thrown that nobody caught. */
export class ThreadCrashedError extends Error {
  readonly code = "QUEUE_THREAD_CRASHED";

  /** `cause` is what ended the thread. */
  constructor(cause: unknown) {
    super(`the thread that worked on the task has ended: ${textOf(cause)}`, { cause });
  }

  static {
    named(ThreadCrashedError, "ThreadCrashedError");
  }
}

/** A thread went on with a task that was aborted, until it was terminated. */
export class ThreadTerminatedError extends Error {
  readonly code = "QUEUE_THREAD_TERMINATED";

  constructor(
    /** How long it had to react, in milliseconds. */
    readonly terminateAfterMs: number,
    /** Why the task was aborted; also the `cause`. */
    readonly reason: unknown,
  ) {
    super(
      `the thread was terminated: its task was aborted (${textOf(reason)}), and went on for ${terminateAfterMs} ms`,
      { cause: reason },
    );
  }

  static {
    named(ThreadTerminatedError, "ThreadTerminatedError");
  }
}

/** The threads were closed, and take no more tasks, or could not wait for this one. */
export class ThreadsClosedError extends Error {
  readonly code = "QUEUE_THREADS_CLOSED";

  constructor() {
    super("the threads are closed");
  }

  static {
    named(ThreadsClosedError, "ThreadsClosedError");
  }
}

/** A task was to be started in a group that is over. */
export class GroupEndedError extends Error {
  readonly code = "QUEUE_GROUP_ENDED";

  constructor() {
    super("the group is over: runGroup has waited for all its tasks, and takes no more");
  }

  static {
    named(GroupEndedError, "GroupEndedError");
  }
}

/** A callback that is waited for took longer than it may; what it does later is ignored. */
export class CallbackTimeoutError extends Error {
  readonly code = "QUEUE_CALLBACK_TIMEOUT";

  constructor(
    /** The option that the callback was given by, such as `deadLetter`. */
    readonly callback: string,
    /** The limit, in milliseconds. */
    readonly timeoutMs: number,
  ) {
    super(`${callback} took longer than ${timeoutMs} ms`);
  }

  static {
    named(CallbackTimeoutError, "CallbackTimeoutError");
  }
}

/** A gate's policy has resolved without a call of the handler: what a task was to do has not been done. */
export class HandlerNotCalledError extends Error {
  readonly code = "QUEUE_HANDLER_NOT_CALLED";

  constructor(
    /** The gate's name. */
    readonly gate: string,
  ) {
    super(`the policy of gate "${gate}" resolved without having called the handler`);
  }

  static {
    named(HandlerNotCalledError, "HandlerNotCalledError");
  }
}

/** A gate's policy made its call when it had settled already, or the wait for it was aborted; the call is refused. */
export class LateCallError extends Error {
  readonly code = "QUEUE_LATE_CALL";

  constructor(
    /** The gate's name. */
    readonly gate: string,
  ) {
    super(`the policy of gate "${gate}" called when all was over`);
  }

  static {
    named(LateCallError, "LateCallError");
  }
}

/** An optional package that this needs isn't installed. */
export class MissingPeerError extends Error {
  readonly code = "QUEUE_MISSING_PEER";

  constructor(
    /** What needs it: an entry of this package. */
    readonly entry: string,
    /** The packages that are missing. */
    readonly missing: readonly string[],
    /** The command that installs what is needed, for this version of Node. */
    readonly command: string,
    options?: ErrorOptions,
  ) {
    super(
      `${entry} needs ${missing.join(", ")}, which can't be found. Install what it needs: ${command}`,
      options,
    );
  }

  static {
    named(MissingPeerError, "MissingPeerError");
  }
}

/** Threads can't be started from where this code is. */
export class ThreadsUnavailableError extends Error {
  readonly code = "QUEUE_THREADS_UNAVAILABLE";

  constructor(
    /** What stands in the way, and what to do. */
    readonly reason: string,
  ) {
    super(`inThreads can't work here: ${reason}`);
  }

  static {
    named(ThreadsUnavailableError, "ThreadsUnavailableError");
  }
}
