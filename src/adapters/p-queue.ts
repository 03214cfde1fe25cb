import type PQueue from "p-queue";
import { systemClock } from "../base/clock.js";
import { isErrorNamed } from "../base/error-text.js";
import { listenIfPlain } from "../base/thenable.js";
import type { Adapter, Attachment, QueueTelemetry } from "../contracts/index.js";
import { follow, Ledger, prepared } from "./ledger.js";
import { isAborted, isObject, isRefused, isUnusual, read, reasonOf, refusal } from "./p-queue-options.js";
import { type Method, patch } from "./patch.js";
import { Task } from "./task.js";

type Job = (...args: unknown[]) => unknown;

/** Whether the object is built like a queue of p-queue's. */
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

/** What only unusual tasks have. */
interface Unusual {
  readonly attachment: PQueueAttachment;
  /** The signal that aborts it. */
  signal?: unknown;
  /** The user's ID of it. */
  key?: string;
  timeout?: number | undefined;
  /** When p-queue 9 gives it up, in monotonic milliseconds. */
  deadline?: number;
}

class PQueueTask extends Task {
  declare unusual: Unusual | undefined;

  constructor(...given: ConstructorParameters<typeof Task>) {
    super(...given);
    this.unusual = undefined;
  }

  override close(): void {
    super.close();
    if (this.unusual !== undefined) this.unusual.attachment.left(this, this.unusual);
  }
}

class PQueueAttachment implements Attachment {
  readonly capabilities = ["takes", "outcomes", "durations", "evicted", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger<PQueueTask>;
  private readonly restores: (() => void)[];
  /** Tasks that have an ID of the user's. */
  private readonly byKey = new Map<string, PQueueTask>();
  /** From version 10 on, a queue is no emitter of events. */
  private readonly isVersion9: boolean;
  /** Tasks that run and may be given up meanwhile. */
  private readonly doubtful = new Set<PQueueTask>();
  /** Tasks that wait and have a signal of the user's, by that. */
  private readonly bySignal = new Map<unknown, Set<PQueueTask>>();
  private isListening = false;
  /** The unusual add that is on the stack, and whether p-queue has told that the task is in. */
  private adding: { isIn: boolean } | undefined = undefined;
  /** Whether tasks are in the queue that aren't in our books. */
  private hasOthers: boolean;
  /** How many tasks p-queue has in its queue, at most, whose promises it has rejected already. */
  private ghosts = 0;
  /** Errors of tasks that are settled, and how many events are still to come of each. Several tasks may fail with the same. */
  private readonly owed = new WeakMap<object, number>();
  /** Why signals of the user's were aborted. */
  private readonly reasons = new WeakSet<object>();

  constructor(
    private readonly queue: PQueue,
    telemetry: QueueTelemetry,
  ) {
    this.isVersion9 = "emit" in queue;
    this.hasOthers = queue.size > 0;
    this.ledger = new Ledger(telemetry, PQueueTask);
    this.probe = this.ledger.probe({
      size: () => {
        this.sweepWaiting();
        this.ghosts = Math.max(0, Math.min(this.ghosts, queue.size - this.ledger.size));
        return queue.size - this.ghosts;
      },
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
    return function add(this: unknown, job: Job, options?: unknown, ...more: unknown[]) {
      // What is no function fails in p-queue's own words.
      if (!attachment.ledger.isOpen || typeof job !== "function") {
        attachment.hasOthers = true;
        return original.call(this, job, options, ...more);
      }
      const isUsual =
        options === undefined && attachment.queue.timeout === undefined && attachment.adding === undefined;
      return isUsual
        ? attachment.addUsual(this, original, job, more)
        : attachment.add(this, original, job, options, more);
    };
  };

  /** A task without options, which p-queue neither refuses nor gives up. */
  private addUsual(self: unknown, original: Method, job: Job, more: readonly unknown[]): unknown {
    const { ledger } = this;
    const task = ledger.enter(job);
    const run = this.handlerOf(task);
    let promise: unknown;
    try {
      promise = more.length === 0 ? original.call(self, run) : original.call(self, run, undefined, ...more);
    } catch (error) {
      ledger.refused(task, error);
      throw error;
    }
    // A `queueClass` of the user's may have thrown, as below.
    const isOut = task.stage === "entering" && this.queue.size - this.ghosts < ledger.size;
    if (isOut && this.isOneMissing()) ledger.refused(task, refusal());
    else ledger.entered(task);
    return promise;
  }

  private add(self: unknown, original: Method, job: Job, given: unknown, more: readonly unknown[]): unknown {
    const { ledger, queue } = this;
    // All that can throw comes before anything is booked.
    const { options, passed, isBroken } = read(given);
    const timeout = Object.hasOwn(options, "timeout") ? options.timeout : queue.timeout;
    const { signal } = options;
    const fails = isBroken || isRefused(options, timeout, this.isVersion9);
    const reason = fails ? reasonOf(signal) : undefined;
    const isWatched = !fails && isUnusual(options);
    if (isWatched) this.listen();
    const before = queue.size + queue.pending;
    const task = ledger.enter(job, ledger.tierOf(options.priority));
    task.unusual = { attachment: this, timeout: timeout as number | undefined };
    if (signal && !fails) this.followWaiting(task, signal, task.unusual);
    const outer = this.adding;
    const adding = isWatched ? { isIn: false } : undefined;
    this.adding = adding;
    let promise: unknown;
    try {
      promise = original.call(self, this.handlerOf(task), passed, ...more);
    } catch (error) {
      ledger.refused(task, error);
      throw error;
    } finally {
      this.adding = outer;
    }
    if (fails) ledger.refused(task, reason ?? refusal());
    else if (adding?.isIn === false && ledger.isOpen && task.stage === "entering") {
      // p-queue may have put it in already, and finds out when it is its turn.
      this.ghosts++;
      this.hasOthers = true;
      ledger.refused(task, refusal());
    } else if (adding === undefined && queue.size + queue.pending <= before && this.isOneMissing()) {
      // A `queueClass` of the user's has thrown, when it was full, say. Where it has taken the job before that, there is one more.
      ledger.refused(task, refusal());
    } else ledger.entered(task);
    if (typeof options.id === "string") this.followKey(task, options.id, task.unusual);
    return promise;
  }

  /** Whether the books have a task that waits, and p-queue has not. */
  private isOneMissing(): boolean {
    this.sweepWaiting();
    return this.queue.size - this.ghosts < this.ledger.size;
  }

  /** What p-queue gets. The closures of a task share what they hold: the task and this. */
  private handlerOf(task: PQueueTask): Job {
    return (...args) =>
      this.start(
        task,
        args,
        () => this.ledger.settle(task),
        (error) => this.failed(task, error),
      );
  }

  private start(
    task: PQueueTask,
    args: unknown[],
    succeeded: () => void,
    failed: (error: unknown) => void,
  ): unknown {
    const { ledger } = this;
    const job = task.item as Job;
    if (!ledger.isOpen) return job(...args);
    ledger.take(task);
    const { unusual } = task;
    if (unusual?.signal !== undefined) this.followRunning(task, unusual.signal, unusual);
    const opened = ledger.open(task);
    let result: unknown;
    try {
      // Spreading costs as much as all the rest.
      result =
        args.length === 1
          ? opened.scope.runInAsyncScope(job, undefined, args[0])
          : opened.scope.runInAsyncScope(job, undefined, ...args);
    } catch (error) {
      opened.threw?.(error);
      failed(error);
      throw error;
    }
    opened.returned?.(result);
    if (unusual?.timeout !== undefined) this.followTimeout(task, unusual.timeout, args[0], unusual);
    if (listenIfPlain(result, succeeded, failed)) return result;
    result = prepared(result, opened, "awaited");
    follow(result, succeeded, failed);
    return result;
  }

  private failed(task: PQueueTask, error: unknown): void {
    if (task.stage === "running") this.owe(error);
    this.ledger.settle(task, { error });
  }

  /** So that a change of priority finds the task. */
  private followKey(task: PQueueTask, key: string, unusual: Unusual): void {
    if (task.stage !== "waiting") return;
    this.byKey.set(key, task);
    unusual.key = key;
  }

  /**
   * p-queue gives up an aborted task at once, whatever the task does, and then sends an event. So the signal needs no listener of
   * ours, besides p-queue's.
   */
  private followWaiting(task: PQueueTask, signal: unknown, unusual: Unusual): void {
    let tasks = this.bySignal.get(signal);
    if (tasks === undefined) {
      tasks = new Set();
      this.bySignal.set(signal, tasks);
    }
    tasks.add(task);
    unusual.signal = signal;
  }

  private followRunning(task: PQueueTask, signal: unknown, unusual: Unusual): void {
    this.waitsNoMore(task, unusual);
    if (task.stage !== "running") return;
    unusual.signal = signal;
    this.doubtful.add(task);
  }

  private waitsNoMore(task: PQueueTask, { signal }: Unusual): void {
    const tasks = this.bySignal.get(signal);
    if (tasks?.delete(task) && tasks.size === 0) this.bySignal.delete(signal);
  }

  /** The task is over. */
  left(task: PQueueTask, unusual: Unusual): void {
    const { key } = unusual;
    if (key !== undefined && this.byKey.get(key) === task) this.byKey.delete(key);
    this.waitsNoMore(task, unusual);
    this.doubtful.delete(task);
  }

  /** Tasks that were aborted while they waited have left. Costs a look at the size, unless there are any. */
  private sweepWaiting(): void {
    const { ledger, queue, bySignal } = this;
    if (bySignal.size === 0 || (!this.hasOthers && queue.size >= ledger.size)) return;
    for (const [signal, tasks] of bySignal) {
      if (!isAborted(signal)) continue;
      for (const task of tasks) ledger.drop(task, "evicted");
    }
    if (queue.size <= ledger.size) this.hasOthers = false;
  }

  private owe(error: unknown): void {
    if (this.isListening && isObject(error)) this.owed.set(error, (this.owed.get(error) ?? 0) + 1);
  }

  /** Whether the event is about a task that has failed by itself, and is settled. Of primitives that can't be told. */
  private isOwed(error: unknown): boolean {
    const count = isObject(error) ? (this.owed.get(error) ?? 0) : 0;
    if (count > 0) this.owed.set(error as object, count - 1);
    return count > 0;
  }

  /** A task has failed of which we don't know why: one that was aborted while it ran. */
  private sweepRunning(): void {
    for (const task of this.doubtful) {
      const signal = task.unusual?.signal;
      if (!isAborted(signal)) continue;
      const reason = reasonOf(signal);
      if (isObject(reason)) this.reasons.add(reason);
      this.ledger.settle(task, { error: reason });
    }
  }

  /** p-queue 10 aborts a signal that it gave to the job; p-queue 9 sends an event that doesn't say which task it is about. */
  private followTimeout(task: PQueueTask, timeout: number, context: unknown, unusual: Unusual): void {
    if (task.stage !== "running") return;
    this.listen();
    if (!this.isVersion9) {
      this.followRunning(task, (context as { signal: AbortSignal }).signal, unusual);
      return;
    }
    // Its timer starts when the job has returned.
    unusual.deadline = systemClock.now() + timeout;
    this.doubtful.add(task);
  }

  /** From now on we hear of p-queue's events, without a listener of ours. Most queues never need that. */
  private listen(): void {
    if (this.isListening || !this.ledger.isOpen) return;
    this.isListening = true;
    const method = this.isVersion9 ? { emit: this.wrapEmit } : { dispatchEvent: this.wrapDispatch };
    this.restores.push(patch(this.queue, method));
  }

  private readonly wrapEmit = (original: Method): Method => {
    const attachment = this;
    return function emit(this: unknown, event: unknown, ...args: unknown[]) {
      attachment.heard(event, args[0]);
      return original.call(this, event, ...args);
    };
  };

  private readonly wrapDispatch = (original: Method): Method => {
    const attachment = this;
    return function dispatchEvent(this: unknown, event: CustomEvent, ...more: unknown[]) {
      attachment.heard(event?.type, event?.detail);
      return original.call(this, event, ...more);
    };
  };

  private heard(event: unknown, detail: unknown): void {
    if (event === "add") {
      if (this.adding !== undefined) this.adding.isIn = true;
    } else if (event === "next") this.sweepWaiting();
    else if (event === "error") {
      this.sweepWaiting();
      if (this.isOwed(detail)) return;
      this.sweepRunning();
      if (this.isVersion9) this.timedOut(detail);
    }
  }

  private timedOut(error: unknown): void {
    if (!isErrorNamed("TimeoutError", error) || this.reasons.has(error)) return;
    let first: PQueueTask | undefined;
    let firstAt = Number.POSITIVE_INFINITY;
    for (const task of this.doubtful) {
      const deadline = task.unusual?.deadline;
      if (deadline === undefined || deadline >= firstAt) continue;
      first = task;
      firstAt = deadline;
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
      const task = attachment.byKey.get(id);
      if (task?.stage === "waiting") attachment.ledger.move(task, attachment.ledger.tierOf(priority));
      return result;
    };
  };
}
