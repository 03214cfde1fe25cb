import { defineError, textOf } from "./define-error.js";

/**
 * A task of a worker pool took longer than the pool's `timeoutMs`; the reason of its aborted signal.
 *
 * @example
 * const jobs = new FifoQueue<string>();
 * const untilAborted = (signal: AbortSignal) =>
 *   new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
 * const pool = new WorkerPool(jobs, (_job, task) => untilAborted(task.signal), { timeoutMs: 10 });
 * pool.on("failed", ({ error }) => {
 *   if (error instanceof TaskTimeoutError) console.log(error.message);
 * });
 * await jobs.put("resize cat.png");
 * await pool.drain();
 */
export class TaskTimeoutError extends defineError("TaskTimeoutError", "QUEUE_TASK_TIMEOUT") {
  constructor(
    /** The limit, in milliseconds. */
    readonly timeoutMs: number,
  ) {
    super(`the task took longer than ${timeoutMs} ms`);
  }
}

/**
 * A pool has stopped waiting for a task; the reason of its aborted signal.
 *
 * @example
 * const jobs = new FifoQueue<string>();
 * const untilAborted = (signal: AbortSignal) =>
 *   new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
 * const pool = new WorkerPool(jobs, async (_job, { signal }) => {
 *   await untilAborted(signal);
 *   if (signal.reason instanceof TaskAbandonedError) console.log(signal.reason.message);
 * });
 * await jobs.put("resize cat.png");
 * await pool.drain({ timeoutMs: 10 });
 */
export class TaskAbandonedError extends defineError("TaskAbandonedError", "QUEUE_TASK_ABANDONED") {
  constructor(
    /** What the pool was asked to do. */
    readonly operation: "drain" | "stop",
    /** How long it had for that, in milliseconds. */
    readonly limitMs: number,
  ) {
    super(`the pool has waited ${limitMs} ms for its tasks to end (${operation})`);
  }
}

/**
 * A task was started in a group that has ended.
 *
 * @example
 * let late = (): Promise<unknown> => Promise.resolve();
 * await runGroup((group) => {
 *   late = () => group.run(async () => "too late");
 * });
 * try {
 *   await late();
 * } catch (error) {
 *   if (error instanceof GroupEndedError) console.log(error.message);
 * }
 */
export class GroupEndedError extends defineError("GroupEndedError", "QUEUE_GROUP_ENDED") {
  constructor() {
    super("the group is over: runGroup has waited for all its tasks, and takes no more");
  }
}

/**
 * An awaited callback took longer than its limit; what it does later is ignored.
 *
 * @example
 * const jobs = new FifoQueue<string>();
 * const pool = new WorkerPool(jobs, () => Promise.reject(new Error("no such file")), {
 *   callbackTimeoutMs: 10,
 *   deadLetter: async (job, _error, { attempt }) => {
 *     if (attempt === 1) await new Promise(() => {}); // never ends: a CallbackTimeoutError is counted, and the job comes back
 *     console.log(job);
 *   },
 * });
 * await jobs.put("resize cat.png");
 * await pool.drain();
 */
export class CallbackTimeoutError extends defineError("CallbackTimeoutError", "QUEUE_CALLBACK_TIMEOUT") {
  constructor(
    /** The option that the callback was given by, such as `deadLetter`. */
    readonly callback: string,
    /** The limit, in milliseconds. */
    readonly timeoutMs: number,
  ) {
    super(`${callback} took longer than ${timeoutMs} ms`);
  }
}

/**
 * A gate's policy resolved without having called the handler: the task has not been done.
 *
 * @example
 * const fallback = { execute: async () => undefined as never };
 * const jobs = new FifoQueue<string>();
 * const pool = new WorkerPool(jobs, async (job) => console.log(job), {
 *   gate: new Gate({ name: "database", policy: fallback }),
 * });
 * pool.on("failed", ({ error }) => {
 *   if (error instanceof HandlerNotCalledError) console.log(error.message);
 * });
 * await jobs.put("resize cat.png");
 * await pool.drain();
 */
export class HandlerNotCalledError extends defineError("HandlerNotCalledError", "QUEUE_HANDLER_NOT_CALLED") {
  constructor(
    /** The gate's name. */
    readonly gate: string,
  ) {
    super(`the policy of gate "${gate}" resolved without having called the handler`);
  }
}

/**
 * A gate's policy called the handler after it had settled, or after the wait for it was aborted; the call is refused.
 *
 * @example
 * let call = (): unknown => undefined;
 * const hasty = {
 *   execute: async <R>(fn: (context: object) => R | Promise<R>): Promise<R> => {
 *     call = () => fn({});
 *     return undefined as R;
 *   },
 * };
 * await new Gate({ name: "database", policy: hasty }).run(async () => "row").catch(() => {});
 * try {
 *   await call();
 * } catch (error) {
 *   if (error instanceof LateCallError) console.log(error.message);
 * }
 */
export class LateCallError extends defineError("LateCallError", "QUEUE_LATE_CALL") {
  constructor(
    /** The gate's name. */
    readonly gate: string,
  ) {
    super(`the policy of gate "${gate}" called when all was over`);
  }
}

/**
 * A thread ended while it worked on a task: it ran out of memory, called `process.exit`, or did not catch an error.
 *
 * @example
 * const countPrimes = inThreads<{ from: number; to: number }, string>(new URL("./primes.js", import.meta.url));
 * await countPrimes({ from: 1, to: 0 }).catch((error) => {
 *   if (error instanceof ThreadCrashedError) console.log(error.message); // it called process.exit
 * });
 * await countPrimes.close();
 */
export class ThreadCrashedError extends defineError("ThreadCrashedError", "QUEUE_THREAD_CRASHED") {
  /** `cause` is what ended the thread. */
  constructor(cause: unknown) {
    super(`the thread that worked on the task has ended: ${textOf(cause)}`, { cause });
  }
}

/**
 * A thread ignored that its task was aborted, and was terminated.
 *
 * @example
 * const countPrimes = inThreads<{ from: number; to: number }, string>(new URL("./primes.js", import.meta.url));
 * try {
 *   console.log(await countPrimes({ from: 1, to: 1_000 }));
 * } catch (error) {
 *   if (error instanceof ThreadTerminatedError) console.log(error.message); // it didn't listen to its signal
 * }
 * await countPrimes.close();
 */
export class ThreadTerminatedError extends defineError("ThreadTerminatedError", "QUEUE_THREAD_TERMINATED") {
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
}

/**
 * The threads are closed: they take no more tasks, or ended before this one.
 *
 * @example
 * const countPrimes = inThreads<{ from: number; to: number }, string>(new URL("./primes.js", import.meta.url));
 * await countPrimes.close();
 * await countPrimes({ from: 1, to: 1_000 }).catch((error) => {
 *   if (error instanceof ThreadsClosedError) console.log(error.message);
 * });
 */
export class ThreadsClosedError extends defineError("ThreadsClosedError", "QUEUE_THREADS_CLOSED") {
  constructor() {
    super("the threads are closed");
  }
}

/**
 * Threads can't be started from where this code is.
 *
 * @example
 * try {
 *   const countPrimes = inThreads<{ from: number; to: number }, string>(new URL("./primes.js", import.meta.url));
 *   await countPrimes.close();
 * } catch (error) {
 *   if (error instanceof ThreadsUnavailableError) console.log(error.message); // in a bundle
 * }
 */
export class ThreadsUnavailableError extends defineError(
  "ThreadsUnavailableError",
  "QUEUE_THREADS_UNAVAILABLE",
) {
  constructor(
    /** What stands in the way, and what to do. */
    readonly reason: string,
  ) {
    super(`inThreads can't work here: ${reason}`);
  }
}
