import type PQueue from "p-queue";
import { systemClock } from "../clock.js";
import type { Adapter, Attachment, QueueTelemetry } from "../contracts.js";
import { type Abortable, signals } from "../signals.js";
import { Ledger, whenOver } from "./ledger.js";
import { type Method, patch } from "./patch.js";
import type { Task } from "./task.js";

type Options = { id?: string; priority?: number; timeout?: number; signal?: AbortSignal } | null | undefined;
type Job = (...args: unknown[]) => unknown;

/** The longest that a timer of Node's can be set to; p-queue takes no longer timeout from version 10 on. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Is the object built like a queue of p-queue's? */
export function isPQueue(queue: object): queue is PQueue {
  const { add, addAll, clear, setPriority, onIdle, size, pending } = queue as Partial<PQueue>;
  const methods = [add, addAll, clear, setPriority, onIdle];
  return (
    methods.every((method) => typeof method === "function") &&
    typeof size === "number" &&
    typeof pending === "number"
  );
}

/** p-queue. Its tasks are closures, so they usually get back every async context that was theirs when they were added, not only ours. */
export const pQueue: Adapter<PQueue> = {
  system: "p-queue",
  asyncContext: "producer",
  priorities: true,
  tiersOf: () => ["default"],
  attach: (queue, telemetry) => new PQueueAttachment(queue, telemetry),
};

class PQueueAttachment implements Attachment {
  readonly tells = ["takes", "outcomes", "durations", "evicted", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger;
  private readonly restores: (() => void)[];
  /** Tasks that have an ID of the user's. */
  private readonly byId = new Map<string, Task>();
  /** From version 10 on, a queue is no emitter of events. */
  private readonly isVersion9: boolean;
  /** When p-queue 9 gives up a running task, in monotonic milliseconds. */
  private readonly deadlines = new Map<Task, number>();
  /** Errors of tasks that are settled. */
  private readonly known = new WeakSet<object>();

  constructor(
    private readonly queue: PQueue,
    telemetry: QueueTelemetry,
  ) {
    this.isVersion9 = "emit" in queue;
    this.ledger = new Ledger(telemetry);
    this.probe = this.ledger.probe({
      size: () => queue.size,
      running: () => queue.pending,
      head: () => this.ledger.mostUrgent((a, b) => a > b),
      isMoreUrgent: (a, b) => a > b,
      isPaused: () => queue.isPaused,
      isRateLimited: () => queue.isRateLimited,
    });
    const methods = { add: this.wrapAdd, clear: this.wrapClear, setPriority: this.wrapSetPriority };
    this.restores = [patch(queue, methods)];
  }

  detach(): void {
    this.ledger.close();
    for (const restore of this.restores) restore();
  }

  private readonly wrapAdd = (original: Method): Method => {
    const attachment = this;
    return function add(this: unknown, job: Job, options?: Options, ...more: unknown[]) {
      // What is no function fails in p-queue's own words.
      const isOurs = attachment.ledger.isOpen && typeof job === "function";
      if (!isOurs) return original.call(this, job, options, ...more);
      return attachment.add(job, options, (wrapped) => original.call(this, wrapped, options, ...more));
    };
  };

  private add(job: Job, options: Options, original: (job: Job) => unknown): unknown {
    const { ledger, queue } = this;
    const task = ledger.enter(job, ledger.tierOf(options?.priority));
    const timeout = options != null && "timeout" in options ? options.timeout : queue.timeout;
    if (options?.signal?.aborted === false) this.followSignal(task, options.signal);
    const isRefused = this.refuses(options, timeout);
    const promise = original((...args) =>
      ledger.isOpen ? this.start(task, job, args, timeout) : job(...args),
    );
    if (!isRefused) ledger.entered(task);
    else ledger.refused(task, options?.signal?.reason ?? new Error("p-queue refused the task"));
    if (options?.id !== undefined) this.followId(task, options.id);
    return promise;
  }

  /**
   * Does p-queue refuse such a task? Asked beforehand: what its promise says, only those may hear who want to hide that, and how
   * many wait may change for other reasons while the task is added.
   */
  private refuses(options: Options, timeout: unknown): boolean {
    if (options === null || options?.signal?.aborted) return true;
    if (timeout !== undefined && !(Number.isFinite(timeout) && (timeout as number) > 0)) return true;
    if (this.isVersion9) return false;
    const priority: unknown = options?.priority;
    const isOrdered = priority === undefined || (typeof priority === "number" && !Number.isNaN(priority));
    return !isOrdered || (timeout as number) > LONGEST_TIMEOUT;
  }

  private start(task: Task, job: Job, args: unknown[], timeout: number | undefined): unknown {
    const { ledger } = this;
    ledger.take(task);
    const settle = (failure?: { readonly error: unknown }) => {
      if (isObject(failure?.error)) this.known.add(failure.error);
      ledger.settle(task, failure);
    };
    try {
      const result = ledger.run(task, () => job(...args));
      if (timeout !== undefined) this.followTimeout(task, timeout, args[0]);
      return whenOver(result, settle);
    } catch (error) {
      settle({ error });
      throw error;
    }
  }

  /** So that a change of priority finds the task. */
  private followId(task: Task, id: string): void {
    if (task.stage !== "waiting") return;
    this.byId.set(id, task);
    task.atEnd(() => {
      if (this.byId.get(id) === task) this.byId.delete(id);
    });
  }

  /** p-queue gives up an aborted task at once, whatever the task does. */
  private followSignal(task: Task, signal: AbortSignal): void {
    const waiter: Abortable = {
      signals: undefined,
      aborted: (reason) => {
        if (isObject(reason)) this.known.add(reason);
        if (task.stage === "running") this.ledger.settle(task, { error: reason });
        else this.ledger.drop(task, "evicted");
      },
    };
    signals.join(signal, waiter);
    task.atEnd(() => signals.leave(waiter));
  }

  /** p-queue 10 aborts a signal that it gave to the job; p-queue 9 sends an event that doesn't say which task it is about. */
  private followTimeout(task: Task, timeout: number, context: unknown): void {
    if (task.stage !== "running") return;
    if (!this.isVersion9) {
      this.followSignal(task, (context as { signal: AbortSignal }).signal);
      return;
    }
    if (this.restores.length === 1) this.restores.push(patch(this.queue, { emit: this.wrapEmit }));
    // Its timer starts when the job has returned.
    this.deadlines.set(task, systemClock.now() + timeout);
    task.atEnd(() => this.deadlines.delete(task));
  }

  private readonly wrapEmit = (original: Method): Method => {
    const attachment = this;
    return function emit(this: unknown, event: unknown, ...args: unknown[]) {
      if (event === "error") attachment.timedOut(args[0]);
      return original.call(this, event, ...args);
    };
  };

  private timedOut(error: unknown): void {
    if (!(error instanceof Error) || error.name !== "TimeoutError" || this.known.has(error)) return;
    let first: Task | undefined;
    for (const [task, deadline] of this.deadlines) {
      if (first === undefined || deadline < this.deadlines.get(first)!) first = task;
    }
    if (first !== undefined) this.ledger.settle(first, { error });
  }

  private readonly wrapClear = (original: Method): Method => {
    const { ledger } = this;
    return function clear(this: unknown, ...args: unknown[]) {
      ledger.dropAll("shutdown");
      return original.apply(this, args);
    };
  };

  private readonly wrapSetPriority = (original: Method): Method => {
    const attachment = this;
    return function setPriority(this: unknown, id: string, priority: number, ...more: unknown[]) {
      const result = original.call(this, id, priority, ...more);
      const task = attachment.byId.get(id);
      if (task?.stage === "waiting") attachment.ledger.move(task, attachment.ledger.tierOf(priority));
      return result;
    };
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
