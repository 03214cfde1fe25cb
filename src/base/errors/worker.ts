import { defineError, textOf } from "./define-error.js";

/** A task of a worker pool took longer than the pool's `timeoutMs`; the reason of its aborted signal. */
export class TaskTimeoutError extends defineError("TaskTimeoutError", "QUEUE_TASK_TIMEOUT") {
  constructor(
    /** The limit, in milliseconds. */
    readonly timeoutMs: number,
  ) {
    super(`the task took longer than ${timeoutMs} ms`);
  }
}

/** A pool has stopped waiting for a task; the reason of its aborted signal. */
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

/** A task was started in a group that has ended. */
export class GroupEndedError extends defineError("GroupEndedError", "QUEUE_GROUP_ENDED") {
  constructor() {
    super("the group is over: runGroup has waited for all its tasks, and takes no more");
  }
}

/** An awaited callback took longer than its limit; what it does later is ignored. */
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

/** A gate's policy resolved without having called the handler: the task has not been done. */
export class HandlerNotCalledError extends defineError("HandlerNotCalledError", "QUEUE_HANDLER_NOT_CALLED") {
  constructor(
    /** The gate's name. */
    readonly gate: string,
  ) {
    super(`the policy of gate "${gate}" resolved without having called the handler`);
  }
}

/** A gate's policy called the handler after it had settled, or after the wait for it was aborted; the call is refused. */
export class LateCallError extends defineError("LateCallError", "QUEUE_LATE_CALL") {
  constructor(
    /** The gate's name. */
    readonly gate: string,
  ) {
    super(`the policy of gate "${gate}" called when all was over`);
  }
}

/** A thread ended while it worked on a task: it ran out of memory, called `process.exit`, or did not catch an error. */
export class ThreadCrashedError extends defineError("ThreadCrashedError", "QUEUE_THREAD_CRASHED") {
  /** `cause` is what ended the thread. */
  constructor(cause: unknown) {
    super(`the thread that worked on the task has ended: ${textOf(cause)}`, { cause });
  }
}

/** A thread ignored that its task was aborted, and was terminated. */
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

/** The threads are closed: they take no more tasks, or ended before this one. */
export class ThreadsClosedError extends defineError("ThreadsClosedError", "QUEUE_THREADS_CLOSED") {
  constructor() {
    super("the threads are closed");
  }
}

/** Threads can't be started from where this code is. */
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
