import { checkFunction, checkKnown, checkNumber, checkObject, type OptionNames } from "../base/checks.js";
import { InvalidOptionTypeError } from "../base/errors.js";
import { checkText } from "../base/limits.js";
import { QUEUE_SOURCE } from "../contracts/index.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { Gate } from "./gate.js";
import type { Task } from "./task.js";

export type { BackoffOptions } from "./backoff.js";

/** What becomes of a failed item. */
export type Verdict = "retry" | "drop" | "dead-letter";

/** Takes what failed for good: a queue, or anything else with a `put`. */
export interface DeadLetterQueue<T> {
  put(item: T, options?: { correlationId?: string | undefined }): Promise<unknown>;
}

/** Options of a worker pool. Only `undefined` stands for the default. */
export interface WorkerPoolOptions<T> {
  /** What the pool is called in reports. Default: `pool`. */
  name?: string | undefined;
  /** Handlers that may run at a time, a whole number from 1. Default: 1. */
  concurrency?: number | undefined;
  /** Attempts in all, the first one included, and the pause before each further one. Default: 1 attempt. */
  retry?: { attempts?: number | undefined; backoff?: BackoffOptions | undefined } | undefined;
  /**
   * Decides what becomes of a failed item. `retry` is followed while there are attempts left. Default: `retry` while there are, then
   * `dead-letter` if there is one, else `drop`.
   */
  onFailed?:
    | ((item: T, error: unknown, task: Task) => Verdict | undefined | Promise<Verdict | undefined>)
    | undefined;
  /** Where items go that failed for good. While it refuses one, that item comes back and is put there again, until it is in. */
  deadLetter?: DeadLetterQueue<T> | ((item: T, error: unknown, task: Task) => unknown) | undefined;
  /** How long a task may take, in milliseconds; then its signal is aborted. Default: no limit. */
  timeoutMs?: number | undefined;
  /**
   * How long `onFailed` and `deadLetter` are waited for, each, in milliseconds. Then `onFailed` counts as having no opinion, and what
   * `deadLetter` was to take comes back and is given to it again; that is counted as an error of the callback. A put into a dead-letter queue
   * of ours that still waits for room is taken back. Default: `timeoutMs`, else 30 000.
   */
  callbackTimeoutMs?: number | undefined;
  /** How long a task may go on after its signal was aborted until its worker counts as stalled, in milliseconds. Default: 1 000. */
  stalledAfterMs?: number | undefined;
  /** What each task has to pass before its handler is called. */
  gate?: Gate | undefined;
  /** Whether it takes items as soon as it is made; else from `start()` on. Default: true. */
  autoStart?: boolean | undefined;
}

const OPTIONS: OptionNames<WorkerPoolOptions<unknown>> = {
  name: true,
  concurrency: true,
  retry: true,
  onFailed: true,
  deadLetter: true,
  timeoutMs: true,
  callbackTimeoutMs: true,
  stalledAfterMs: true,
  gate: true,
  autoStart: true,
};

/** How long a callback is waited for unless told otherwise, in milliseconds. */
const CALLBACK_TIMEOUT_MS = 30_000;

/** {@link WorkerPoolOptions}, checked and complete. */
export interface Settings<T> {
  readonly name: string;
  readonly concurrency: number;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly onFailed: WorkerPoolOptions<T>["onFailed"];
  readonly deadLetter: ((item: T, error: unknown, task: Task, signal: AbortSignal) => unknown) | undefined;
  readonly timeoutMs: number;
  readonly callbackTimeoutMs: number;
  readonly stalledAfterMs: number;
  readonly gate: Gate | undefined;
  readonly autoStart: boolean;
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
export function readOptions<T>(options: WorkerPoolOptions<T> | undefined): Settings<T> {
  checkObject("options", options);
  checkKnown(options, OPTIONS);
  const {
    name = "pool",
    concurrency = 1,
    retry,
    onFailed,
    deadLetter,
    gate,
    autoStart = true,
  } = options ?? {};
  const { timeoutMs = Number.POSITIVE_INFINITY, stalledAfterMs = 1_000 } = options ?? {};
  const { callbackTimeoutMs = timeoutMs === Number.POSITIVE_INFINITY ? CALLBACK_TIMEOUT_MS : timeoutMs } =
    options ?? {};
  if (typeof name !== "string") throw new InvalidOptionTypeError("name", name, "a string");
  checkText("name", name);
  checkConcurrency(concurrency);
  checkObject("retry", retry);
  checkKnown(retry, { attempts: true, backoff: true }, "retry.");
  const { attempts = 1 } = retry ?? {};
  checkNumber("retry.attempts", attempts, "a whole number from 1, or Infinity", isCount);
  checkFunction("onFailed", onFailed);
  checkNumber("timeoutMs", timeoutMs, "milliseconds, greater than 0", (ms) => ms > 0);
  checkNumber("callbackTimeoutMs", callbackTimeoutMs, "milliseconds, greater than 0", (ms) => ms > 0);
  checkNumber("stalledAfterMs", stalledAfterMs, "milliseconds, from 0", (ms) => ms >= 0);
  if (gate !== undefined && !(gate instanceof Gate)) throw new InvalidOptionTypeError("gate", gate, "a Gate");
  if (typeof autoStart !== "boolean") throw new InvalidOptionTypeError("autoStart", autoStart, "a boolean");
  const backoff = new Backoff(retry?.backoff, "retry.backoff");
  // What a dead letter queue refuses comes back after a pause, too.
  if (retry?.backoff !== undefined && retry.attempts === undefined && deadLetter === undefined) {
    const message =
      "retry.backoff has no effect without retry.attempts: there is one attempt, and no other to wait for";
    throw new InvalidOptionTypeError("retry.backoff", retry.backoff, "left out", message);
  }
  return {
    name,
    concurrency,
    attempts,
    backoff,
    onFailed,
    deadLetter: readDeadLetter(deadLetter),
    timeoutMs,
    callbackTimeoutMs,
    stalledAfterMs,
    gate,
    autoStart,
  };
}

export function checkConcurrency(value: unknown): asserts value is number {
  checkNumber("concurrency", value, "a whole number from 1", (n) => n >= 1 && Number.isSafeInteger(n));
}

function isCount(n: number): boolean {
  return n >= 1 && (Number.isInteger(n) || n === Number.POSITIVE_INFINITY);
}

function readDeadLetter<T>(given: WorkerPoolOptions<T>["deadLetter"]): Settings<T>["deadLetter"] {
  if (given === undefined) return undefined;
  if (typeof given === "function") return (item, error, task) => given(item, error, task);
  if (typeof given !== "object" || given === null || typeof given.put !== "function") {
    throw new InvalidOptionTypeError("deadLetter", given, "a queue or a function");
  }
  // Ours take a put back that still waits; what another one does with a signal is unknown.
  const isOurs = QUEUE_SOURCE in given;
  return (item, _error, { correlationId }, signal) =>
    given.put(item, isOurs ? ({ correlationId, signal } as object) : { correlationId });
}
