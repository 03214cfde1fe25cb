import { type InspectOptions, inspect } from "node:util";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { cut, MAX_STEP } from "../base/limits.js";
import { adopted } from "../base/thenable.js";
import { Work, type WorkerState, type WorkerView } from "../contracts/index.js";
import type { Gate } from "./gate.js";
import type { Task } from "./task.js";
import { turns } from "./turns.js";

/** What drives workers. */
export interface WorkerDriver<T> {
  /** What is called for an item. */
  readonly handler: (item: T, task: Task) => unknown;
  /** The gate before each handler. */
  readonly gate: Gate | undefined;
  /** The gates that work has to pass. */
  readonly gates: Set<Gate>;
  /** Monotonic milliseconds; undefined while no times are kept. */
  now(): number | undefined;
  succeeded(worker: Worker<T>): void;
  failed(worker: Worker<T>, error: unknown): void;
  /** The worker is in another state from now on. */
  change(worker: Worker<T>, to: WorkerState): void;
}

/** One of a pool's workers: handles one item at a time. What it needs for that is made once, not for each item. */
export class Worker<T> implements WorkerView {
  state: WorkerState = "idle";
  /** What it works on. */
  task: PoolTask<T> | undefined = undefined;
  /** Whether the task waits for its gate, so that the handler has not been called. */
  isAtGate = false;
  /** When it began its last task, in monotonic milliseconds; undefined if that was never, or no times were kept then. */
  lastStartAt: number | undefined = undefined;
  /** When it was last heard of from within a task. */
  lastStepAt: number | undefined = undefined;
  /** When it was last done with one. */
  lastFinishAt: number | undefined = undefined;
  /** Calls the handler for its task, in whose async context this is called. A lazy thenable is awaited there. */
  readonly call: () => unknown;
  readonly succeeded: () => void;
  readonly failed: (error: unknown) => void;

  constructor(
    private readonly driver: WorkerDriver<T>,
    /** Counts from 1. */
    readonly id: number,
  ) {
    const { handler } = driver;
    this.call = () => {
      const task = this.task!;
      return adopted(
        turns.isMeasuring ? turns.measure(() => handler(task.item, task)) : handler(task.item, task),
      );
    };
    this.succeeded = () => driver.succeeded(this);
    this.failed = (error) => driver.failed(this, error);
  }

  get work(): PoolTask<T> | undefined {
    return this.task;
  }

  get step(): string | undefined {
    return this.task?.currentStep;
  }

  get gate(): string | undefined {
    return this.isAtGate ? this.driver.gate?.name : undefined;
  }

  /** The task is at a gate, and may have to wait. */
  reached(gate: Gate): void {
    this.driver.gates.add(gate);
  }

  /** Heartbeat of a task; ignored once the task has ended. */
  heard(task: PoolTask<T>): void {
    if (task !== this.task) return;
    this.lastStepAt = this.driver.now() ?? this.lastStepAt;
    if (this.state === "stalled") this.driver.change(this, "processing");
  }
}

/** A pool's work on an item: what is in flight in its queue, what its worker handles and what the handler is given, in one. */
export class PoolTask<T> extends Work<T> implements Task {
  /** The worker that handles it. @internal */
  declare worker: Worker<T> | undefined;

  get currentStep(): string | undefined {
    return this.extras?.step;
  }

  get currentProgress(): number | undefined {
    return this.extras?.progress;
  }

  get startedAt(): number | undefined {
    return this.takenAt;
  }

  get signal(): AbortSignal {
    // Made when it is first asked for: most handlers never do, and a controller costs more than the rest of a task.
    const extras = this.needExtras();
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      if (extras.isAborted) extras.controller.abort(extras.reason);
    }
    return extras.controller.signal;
  }

  step(name: string): void {
    if (typeof name !== "string") throw new InvalidOptionTypeError("name", name, "a string");
    this.needExtras().step = cut(name, MAX_STEP);
    this.worker?.heard(this);
  }

  progress(ratio: number): void {
    if (typeof ratio !== "number") throw new InvalidOptionTypeError("ratio", ratio, "a number from 0 to 1");
    if (!(ratio >= 0 && ratio <= 1))
      throw new InvalidOptionRangeError("ratio", ratio, "a number from 0 to 1");
    this.needExtras().progress = ratio;
    this.worker?.heard(this);
  }

  toJSON(): object {
    const { correlationId, tier, attempt, waitMs, currentStep: step, currentProgress: progress } = this;
    return { correlationId, tier, attempt, waitMs, step, progress };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `Task ${inspect(this.toJSON(), options)}`;
  }

  get wasAborted(): boolean {
    return this.extras?.isAborted === true;
  }

  throwIfAborted(): void {
    if (this.extras?.isAborted) throw this.extras.reason;
  }

  abort(reason: unknown): void {
    const extras = this.needExtras();
    if (extras.isAborted) return;
    extras.isAborted = true;
    extras.reason = reason;
    extras.controller?.abort(reason);
  }

  reached(gate: Gate): void {
    this.worker?.reached(gate);
  }

  passed(gate: Gate, waitedMs: number): void {
    this.queue.gateWaited(this, gate.name, waitedMs);
  }
}
