import { signals } from "../base/abort-signals.js";
import { checkDuration, checkKnown, checkObject, isAbortSignal, type OptionNames } from "../base/checks.js";
import type { Clock } from "../base/clock.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { cut, MAX_CORRELATION_ID } from "../base/limits.js";
import type { DropReason } from "../contracts/index.js";

export type { Clock, Timer } from "../base/clock.js";
export type { DropReason } from "../contracts/index.js";

/** What a full queue does with a newcomer. */
export type WhenFull = "wait" | "reject" | "evict";

/** Options of every queue. Only `undefined` stands for the default. */
export interface QueueOptions<T> {
  /** Most items that may wait, a whole number from 1, or `Infinity`. Default: `Infinity`. */
  capacity?: number | undefined;
  /**
   * What `put` does when the queue is full, which it never is without a capacity: `wait` for room, `reject` with `QueueFullError`, or
   * `evict` the item that would be served last. If that is the newcomer, as always in a FifoQueue, its put rejects with `QueueFullError`.
   * Default: `wait`.
   */
  whenFull?: WhenFull | undefined;
  /** With `whenFull: "evict"`: evict only while this holds, else wait. An error without `whenFull`. Default: always. */
  evictWhen?: (() => boolean) | undefined;
  /** Is told each item that the queue drops, and why. What it throws is caught and counted. */
  onDrop?: ((item: T, reason: DropReason) => void) | undefined;
  /** Where time comes from. Default: the system clock. */
  clock?: Clock | undefined;
}

export const QUEUE_OPTIONS: OptionNames<QueueOptions<unknown>> = {
  capacity: true,
  whenFull: true,
  evictWhen: true,
  onDrop: true,
  clock: true,
};

/** How long a caller is ready to wait. */
export interface WaitOptions {
  /** Aborting it ends the wait: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds, from 0; then the promise rejects with `QueueTimeoutError`. Default: no limit. */
  timeoutMs?: number | undefined;
}

/** How long an iteration goes on. */
export interface IterateOptions {
  /** Aborting it ends the iteration: the `next` that waits, or is called then, rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const ITERATE_OPTIONS: OptionNames<IterateOptions> = { signal: true };

/** What goes along with an item. */
export interface ItemOptions {
  /**
   * The ID that ties the item to its request; a header's value as Node gives it is fine, of several the first counts. Of more than 256
   * characters the rest is cut off.
   * Default: the caller's, else the trace ID, else one is made when it is first read.
   */
  correlationId?: string | readonly string[] | undefined;
  /** Epoch milliseconds. An item that is taken later than this is dropped as `expired`. Default: none. */
  deadline?: number | undefined;
}

/** Where a priority queue puts an item. Give one or the other. */
export interface PriorityOptions<Tier extends string = string> {
  /** Finite; smaller is more urgent. Default: 0, or the least urgent tier's. */
  priority?: number | undefined;
  /** The name of a tier. */
  tier?: Tier | undefined;
}

export interface PutOptions extends WaitOptions, ItemOptions {}
export interface PriorityPutOptions<Tier extends string = string> extends PutOptions, PriorityOptions<Tier> {}

export function checkCapacity(value: unknown): number {
  const allowed = "a whole number from 1, or Infinity";
  if (typeof value !== "number") throw new InvalidOptionTypeError("capacity", value, allowed);
  if (!(value >= 1) || (!Number.isInteger(value) && value !== Number.POSITIVE_INFINITY)) {
    throw new InvalidOptionRangeError("capacity", value, allowed);
  }
  return value;
}

/** Throws the reason of a signal that is aborted already. */
export function checkWait(options: WaitOptions | undefined): void {
  if (options === undefined) return;
  checkObject("options", options);
  const { signal, timeoutMs } = options;
  if (timeoutMs !== undefined) checkDuration("timeoutMs", timeoutMs);
  if (signal !== undefined) {
    signals.check("signal", signal);
    if (signal.aborted) throw signal.reason;
  }
}

/** Of a signal that is aborted already, the iteration's first `next` tells. Undefined where there is none. */
export function checkIterate(options: IterateOptions | undefined): IterateOptions | undefined {
  checkObject("options", options);
  checkKnown(options, ITERATE_OPTIONS);
  const signal = options?.signal;
  if (signal === undefined) return undefined;
  if (!isAbortSignal(signal)) throw new InvalidOptionTypeError("signal", signal, "an AbortSignal");
  return { signal };
}

/** The one ID that was meant; undefined where there is none. */
export function checkCorrelationId(value: unknown): string | undefined {
  const id = Array.isArray(value) ? value[0] : value;
  if (id === undefined || id === "") return undefined;
  if (typeof id !== "string") throw new InvalidOptionTypeError("correlationId", value, "a string");
  return cut(id, MAX_CORRELATION_ID);
}

export function checkIterable(name: string, value: unknown): void {
  const iterate = (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator];
  if (typeof iterate !== "function" || typeof value === "string") {
    throw new InvalidOptionTypeError(name, value, "an array or another iterable");
  }
}

export function checkItem(item: unknown): void {
  if (item === undefined) throw new InvalidOptionTypeError("item", item, "anything but undefined");
}

/** Whether the item brings nothing along that only a tracked entry can keep. */
export function isPlain(options: PutOptions | undefined): boolean {
  return options === undefined || (options.deadline === undefined && options.correlationId === undefined);
}
