import { EventEmitter } from "node:events";
import { type InspectOptions, inspect } from "node:util";
import { emit } from "../base/callback.js";
import { checkDuration, checkKnown, checkObject, requireFunction } from "../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { MAX_NAME } from "../base/limits.js";
import { recorder } from "../base/recorder.js";
import { shown } from "../base/shown.js";
import { warn } from "../base/warning.js";
import {
  type NotTakingReason,
  QUEUE_SOURCE,
  type QueueHealthOptions,
  type QueueSource,
  type WorkerState,
} from "../contracts/index.js";
import { type Advice, type AdviceOptions, advise, readAims } from "./advice.js";
import type { AbandonedTask, DrainReport } from "./drain-report.js";
import { Driver } from "./driver.js";
import type { Failed } from "./failures.js";
import { type Health, healthOf, type PoolHealthOptions } from "./health.js";
import { checkConcurrency, readOptions, type Settings, type WorkerPoolOptions } from "./options.js";
import { Shutdown } from "./shutdown.js";
import type { Task } from "./task.js";

/** Handles one item. What it returns is awaited; what it throws or rejects with is a failure. */
export type Handler<T> = (item: T, task: Task) => unknown;

/** A queue of ours. */
export interface Supplier<T> {
  readonly [QUEUE_SOURCE]: QueueSource<T>;
}

/** What a worker does, and when something was last heard of it: monotonic milliseconds, undefined where there is nothing yet. */
export interface WorkerStatus {
  /** Counts from 1. */
  readonly id: number;
  readonly state: WorkerState;
  /** What it works on. */
  readonly task: Task | undefined;
  readonly lastStartAt: number | undefined;
  /** When its task last called `step` or `progress`. */
  readonly lastStepAt: number | undefined;
  readonly lastFinishAt: number | undefined;
}

/** What a pool tells, by event. */
export interface WorkerPoolEvents<T> {
  /** A worker is in another state; `worker` is what it was like then. */
  state: [change: { worker: WorkerStatus; from: WorkerState; to: WorkerState }];
  /** A handler failed; `verdict` is what becomes of its item. */
  failed: [failed: Failed<T>];
  /** Every worker is gone, for good. */
  stopped: [];
}

/**
 * Takes items from a queue of ours and handles some of them at a time. A handler runs in its producer's trace context and
 * correlation ID; one that fails stops nothing and loses no item. Handlers start in a microtask, never within a put.
 *
 * @example
 * const orders = new FifoQueue<string>();
 * const pool = new WorkerPool(orders, async (order, task) => console.log(order, task.attempt), {
 *   concurrency: 8,
 *   retry: { attempts: 3, backoff: { initialMs: 100, maxMs: 5_000 } },
 * });
 * await orders.put("two cats");
 * const { done } = await pool.drain({ timeoutMs: 20_000 });
 */
export class WorkerPool<T> extends EventEmitter<WorkerPoolEvents<T>> implements AsyncDisposable {
  /** What the pool is called in reports. */
  readonly name: string;
  private readonly source: QueueSource<T>;
  private readonly driver: Driver<T>;
  private readonly settings: Settings<T>;
  private stage: "ready" | "working" | "ending" | "stopped" = "ready";
  private readonly endings = new Set<Shutdown<T>>();
  private readonly asked = new Map<"drain" | "stop", Shutdown<T>>();
  private warned = false;
  /** When its health was first asked for. */
  private knownSince: number | undefined = undefined;

  /** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
  constructor(
    /** What it takes items from. */
    readonly queue: Supplier<T>,
    handler: Handler<T>,
    options?: WorkerPoolOptions<T>,
  ) {
    super();
    const source = (queue as Partial<Supplier<T>> | null | undefined)?.[QUEUE_SOURCE];
    if (source === undefined) {
      throw new InvalidOptionTypeError("queue", queue, "a FifoQueue, LifoQueue or PriorityQueue");
    }
    requireFunction("handler", handler);
    const settings = readOptions(options);
    if ((options?.deadLetter as unknown) === queue) {
      throw new InvalidOptionRangeError("deadLetter", queue, "another queue than the pool's own");
    }
    this.name = settings.name;
    this.source = source;
    this.settings = settings;
    const notTakingReason = () => this.notTakingReason;
    this.driver = new Driver(source, settings, handler, {
      get notTakingReason() {
        return notTakingReason();
      },
      events: this,
      controls: this,
      changed: (worker, from) => this.tell("state", { worker: statusOf(worker), from, to: worker.state }),
      failed: (failed) => this.failed(failed),
      quiet: () => this.endIfQuiet(),
    });
    source.show(this.driver);
    if (settings.autoStart) this.start();
  }

  /** Handlers that may run at a time. */
  get concurrency(): number {
    return this.driver.concurrency;
  }

  /** Tasks that are under way. */
  get running(): number {
    return this.driver.running;
  }

  /** Whether items are taken: it is neither paused, nor stopped, nor yet to start. */
  get isTaking(): boolean {
    return this.driver.isTaking;
  }

  /** How many items were done, failed for good, came back for another attempt, and were put aside, so far. */
  get counts(): {
    readonly done: number;
    readonly failed: number;
    readonly retried: number;
    readonly deadLettered: number;
  } {
    return { ...this.driver.counts };
  }

  /** Each worker's state and heartbeat. From the first look on times are kept, whether the queue is instrumented or not. */
  get workers(): readonly WorkerStatus[] {
    this.driver.isTimed = true;
    return this.driver.workers.map(statusOf);
  }

  /**
   * What the measured rates mean: what other numbers of workers and another capacity would do, and how long the queue takes to drain.
   * Rates are those of the last minute, or of longer where little happens. From the first call on times are kept, whether the queue
   * is instrumented or not; until there is enough of them, the advice says so. Throws an `InvalidOption…Error` for options that are none.
   */
  advice(options?: AdviceOptions): Advice {
    const aims = readAims(options);
    const { driver, source, name } = this;
    driver.measure();
    const { concurrency, isTaking, gates } = driver;
    const { size: depth, capacity, waitingPuts } = source;
    const situation = { name, concurrency, isTaking, gates: [...gates], depth, capacity, waitingPuts };
    return advise(situation, driver.rates.read(source.clock.now()), aims);
  }

  /**
   * Whether the pool and its queue are fit for more, and if not, why. They aren't when the pool isn't taking items, a worker is stalled or silent,
   * or the queue is shut down, too full, or nothing is taken from it. From the first call on times are kept. Throws an
   * `InvalidOption…Error` for options that are none.
   */
  health(options?: PoolHealthOptions): Health {
    const { driver, source, name } = this;
    const now = source.clock.now();
    driver.measure();
    this.knownSince ??= now;
    const { workers } = driver;
    const queueHealth = (limits: QueueHealthOptions) => source.health(limits);
    const { notTakingReason, knownSince } = this;
    return healthOf({ name, notTakingReason, workers, now, knownSince, queueHealth }, options);
  }

  /** Begins to take items, if `autoStart` was false. */
  start(): void {
    if (this.stage !== "ready") return;
    this.stage = "working";
    this.resume();
  }

  /** Takes nothing more, until {@link resume}; what runs goes on. */
  pause(): void {
    if (this.stage !== "working") return;
    recorder.tell(this.name, "paused");
    this.driver.rest();
  }

  /** Takes items again. Does nothing before the start, and after the end. */
  resume(): void {
    if (this.stage !== "working") return;
    recorder.tell(this.name, "takes items");
    this.driver.isTaking = true;
    this.driver.wake();
  }

  /** Changes how many handlers may run at a time. What runs goes on. Throws an `InvalidOption…Error` unless it is a whole number from 1. */
  resize(concurrency: number): void {
    checkConcurrency(concurrency);
    if (this.stage !== "ready" && this.stage !== "working") return;
    recorder.tell(this.name, `resized from ${this.concurrency} to ${concurrency}`);
    this.driver.resize(concurrency);
  }

  /**
   * Takes nothing new into the queue, finishes what is there, then stops. When `timeoutMs` are over (default: no limit), aborts the signal
   * of every task; what is left stays in the queue. Always resolves, with a report, but for an `InvalidOption…Error`; a second call gets
   * the same one, and can bring the end forward. A task of the pool that waits for it waits until the time is over.
   */
  async drain(options?: { timeoutMs?: number | undefined }): Promise<DrainReport> {
    const timeoutMs = checkLimit("timeoutMs", options);
    this.source.shutdown();
    if (this.stage === "ready" || this.stage === "working") {
      this.driver.isTaking = true;
      this.driver.wake();
    }
    return this.end("drain", timeoutMs);
  }

  /**
   * Takes nothing more from the queue and finishes what runs; what is queued stays there, for others. When `graceMs` are over (default: no
   * limit), aborts the signal of every task. Always resolves, as {@link drain} does.
   */
  async stop(options?: { graceMs?: number | undefined }): Promise<DrainReport> {
    const graceMs = checkLimit("graceMs", options);
    this.driver.rest();
    return this.end("stop", graceMs);
  }

  /** What it would show of itself in a log. */
  toJSON(): object {
    const { name, concurrency, running, isTaking, counts } = this;
    return { name, concurrency, running, isTaking, counts };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `WorkerPool ${inspect(this.toJSON(), options)}`;
  }

  /** Drains, for as long as it takes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** Why nothing is taken, or soon won't be. */
  private get notTakingReason(): NotTakingReason | undefined {
    const { stage } = this;
    const { isTaking } = this.driver;
    if (stage === "ready") return "has not been started";
    if (stage === "stopped") return "is stopped";
    if (stage === "ending") return isTaking ? "is draining" : "is stopping";
    return isTaking ? undefined : "is paused";
  }

  private end(operation: "drain" | "stop", limitMs: number): Promise<DrainReport> {
    const same = this.asked.get(operation);
    if (same !== undefined) {
      same.limit(limitMs);
      return same.report;
    }
    const ending = new Shutdown(operation, this.source.clock, this.driver, (tasks) => this.stopped(tasks));
    this.asked.set(operation, ending);
    if (this.stage === "stopped") ending.end();
    else {
      recorder.tell(this.name, `${operation} asked for`);
      this.stage = "ending";
      this.endings.add(ending);
      this.endIfQuiet();
      ending.limit(limitMs);
    }
    return ending.report;
  }

  /** Ends the pool if nothing runs, and nothing will. */
  private endIfQuiet(): void {
    if (this.driver.running > 0 || this.stage === "stopped") return;
    const isOver = this.source.isFinished || (this.stage === "ending" && !this.driver.isTaking);
    if (isOver && this.stage !== "ready") this.stopped();
  }

  private stopped(abandoned?: readonly AbandonedTask[]): void {
    if (this.stage === "stopped") return;
    this.stage = "stopped";
    recorder.tell(this.name, "stopped");
    this.driver.dismissAll();
    for (const ending of this.endings) ending.end(abandoned);
    this.endings.clear();
    this.tell("stopped");
  }

  /** What a listener throws or rejects with is its own affair, not the pool's: it is counted, and the others are told. */
  private tell<E extends keyof WorkerPoolEvents<T>>(event: E, ...args: WorkerPoolEvents<T>[E]): void {
    emit(this, event, args, (error) => this.source.fault(error));
  }

  private failed(failed: Failed<T>): void {
    this.tell("failed", failed);
    const isHeeded = this.settings.onFailed !== undefined || this.listenerCount("failed") > 0;
    if (failed.verdict === "retry" || isHeeded || this.warned) return;
    this.warned = true;
    const { attempt, correlationId } = failed.task;
    warn(
      `${shown(this.name, MAX_NAME)}: an item (${shown(correlationId)}) was given up (further ones are only counted) after attempt ${attempt}`,
      failed.error,
    );
  }
}

/** As it is now, and no more of it than others are to see. */
function statusOf({ id, state, task, lastStartAt, lastStepAt, lastFinishAt }: WorkerStatus): WorkerStatus {
  return { id, state, task, lastStartAt, lastStepAt, lastFinishAt };
}

function checkLimit<N extends string>(
  name: N,
  options: { readonly [K in N]?: number | undefined } | undefined,
): number {
  checkObject("options", options);
  checkKnown(options, { [name]: true });
  const given = options?.[name];
  const limit = given === undefined ? Number.POSITIVE_INFINITY : given;
  checkDuration(name, limit);
  return limit;
}
