import type { Links } from "../base/linked-list.js";
import { isPlainPromise, isThenable, listen } from "../base/thenable.js";
import type { Work, WorkerState } from "../contracts/index.js";
import type { Gate } from "./gate.js";
import { Task } from "./task.js";

export interface Failure {
  readonly error: unknown;
}

/** Whom a worker works for. */
export interface Boss<T> {
  readonly gates: Set<Gate>;
  /** Of the gate before each handler. */
  readonly gateName: string | undefined;
  /** Monotonic milliseconds; NaN while nobody wants times. */
  now(): number;
  /** Calls the item's handler by `call`, in the pool's own async context if the item brings none. */
  run(work: Work<T>, call: () => unknown): unknown;
  call(item: T, task: Task): unknown;
  changed(worker: Worker<T>, from: WorkerState): void;
  /** The handler is over; true if the worker may go on at once, else it is told later. */
  over(worker: Worker<T>, failure: Failure | undefined): boolean;
  /** The worker is free for the next item. */
  goOn(worker: Worker<T>): void;
}

/** One of a pool's workers: handles one item at a time. What it needs for that is made once, not for each item. */
export class Worker<T> implements Links<Worker<T>> {
  previous: Worker<T> | undefined = undefined;
  next: Worker<T> | undefined = undefined;
  /** What it works on, and what its handler is told. */
  work: Work<T> | undefined = undefined;
  task: Task | undefined = undefined;
  /** Does the task wait for its gate, so that the handler has not been called? */
  isAtGate = false;
  /** When it began its last task, in monotonic milliseconds; undefined if that was never, or nobody wanted times then. */
  lastStartAt: number | undefined = undefined;
  /** When it was last heard of from within a task. */
  lastStepAt: number | undefined = undefined;
  /** When it was last done with one. */
  lastFinishAt: number | undefined = undefined;
  private current: WorkerState = "idle";

  constructor(
    private readonly crew: Boss<T>,
    /** Counts from 1. */
    readonly id: number,
  ) {}

  get step(): string | undefined {
    return this.task?.currentStep;
  }

  get gate(): string | undefined {
    return this.isAtGate ? this.crew.gateName : undefined;
  }

  get state(): WorkerState {
    return this.current;
  }

  set state(state: WorkerState) {
    const from = this.current;
    if (from === state) return;
    this.current = state;
    this.crew.changed(this, from);
  }

  /** Begins with an item. */
  begin(work: Work<T>): void {
    this.work = work;
    this.task = new Task(work, this);
    this.lastStartAt = work.takenAt ?? nonNaN(this.crew.now());
    this.state = "processing";
  }

  /** Calls the handler; true if all is over when this returns, and the worker may go on. */
  handle(work: Work<T>): boolean {
    let result: unknown;
    try {
      result = this.crew.run(work, this.call);
      if (isPlainPromise(result)) {
        this.follow(result);
        return false;
      }
      if (isThenable(result)) {
        // Whatever its `then` does, this is settled once, and later.
        this.follow(new Promise((resolve) => resolve(result)));
        return false;
      }
    } catch (error) {
      return this.crew.over(this, { error });
    }
    return this.crew.over(this, undefined);
  }

  /** Goes on when the promise is settled. */
  follow(result: Promise<unknown>): void {
    listen(result, this.succeeded, this.failed);
  }

  /** Free again. */
  end(now: number): void {
    this.work = undefined;
    this.task = undefined;
    this.isAtGate = false;
    this.lastFinishAt = nonNaN(now) ?? this.lastFinishAt;
  }

  /** The task is at the gate, and may have to wait. */
  reached(gate: Gate): void {
    this.crew.gates.add(gate);
  }

  /** Something is heard of the task; of one that is over, it says nothing of what is done now. */
  heard(task: Task): void {
    if (task !== this.task) return;
    this.lastStepAt = nonNaN(this.crew.now()) ?? this.lastStepAt;
    if (this.current === "stalled") this.state = "processing";
  }

  readonly call = (): unknown => this.crew.call(this.work!.item, this.task!);

  private readonly succeeded = (): void => {
    if (this.crew.over(this, undefined)) this.crew.goOn(this);
  };

  private readonly failed = (error: unknown): void => {
    if (this.crew.over(this, { error })) this.crew.goOn(this);
  };
}

function nonNaN(now: number): number | undefined {
  return Number.isNaN(now) ? undefined : now;
}
