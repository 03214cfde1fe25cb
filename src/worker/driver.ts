import { AsyncResource } from "node:async_hooks";
import { apart } from "../base/apart.js";
import { HandlerNotCalledError, TaskAbandonedError } from "../base/errors.js";
import { nextTurn } from "../base/real-time.js";
import { recorder } from "../base/recorder.js";
import { isThenable, listen, listenIfPlain } from "../base/thenable.js";
import type {
  Consumer,
  NotTakingReason,
  PoolControls,
  PoolView,
  QueueSource,
  WorkerState,
  WorkerView,
} from "../contracts/index.js";
import { behindGate } from "./behind-gate.js";
import type { AbandonedTask, Counts } from "./drain-report.js";
import { type Failed, Failures } from "./failures.js";
import type { Gate } from "./gate.js";
import type { Settings } from "./options.js";
import { Rates } from "./rates.js";
import type { Task } from "./task.js";
import { TimeLimits } from "./time-limits.js";
import { turns } from "./turns.js";
import { PoolTask, Worker, type WorkerDriver } from "./worker.js";

const DONE = Promise.resolve();

/** The states that come with every item. */
const USUAL = new Set<WorkerState>(["idle", "processing"]);

/** Is told what happens to the workers. */
export interface Listener<T> {
  /** Why nothing is taken, or soon won't be. */
  readonly notTakingReason: NotTakingReason | undefined;
  readonly controls: PoolControls;
  /** Where it would be heard what {@link changed} tells. */
  readonly events: { listenerCount(event: "state"): number };
  changed(worker: Worker<T>, from: WorkerState): void;
  failed(failed: Failed<T>): void;
  /** Nothing is running any more, and nothing will be unless something is put into the queue. */
  quiet(): void;
}

/**
 * Drives the workers of a pool: how items get to them. A free worker's place is in the queue's line, so that the next item is handed over
 * within its put; the handler starts in a microtask, never inside a put. A worker that is done takes the next item at once.
 */
export class Driver<T> implements Consumer<T>, PoolView, WorkerDriver<T> {
  readonly works = PoolTask;
  place: object | undefined = undefined;
  isInLine = false;
  readonly counts: Counts = { done: 0, failed: 0, retried: 0, deadLettered: 0 };
  readonly workers: Worker<T>[] = [];
  readonly gates = new Set<Gate>();
  readonly rates: Rates = new Rates(this);
  /** Whether items are taken. */
  isTaking = false;
  /** Whether the pool keeps times, even if its queue does not. */
  isTimed = false;
  private readonly idle: Worker<T>[] = [];
  /** Handed over, and not started. */
  private readonly arrived: PoolTask<T>[] = [];
  private readonly states: Record<WorkerState, number> = {
    idle: 0,
    processing: 0,
    backoff: 0,
    stalled: 0,
    stopped: 0,
  };
  private readonly failures: Failures<T>;
  private readonly limits: TimeLimits<T>;
  /**
   * Handlers run in the async context in which the pool was made: that of the put, a request's say, is none of theirs, and
   * would go on from item to item. Nothing of the user's is called in the scope itself, but {@link apart} from others.
   */
  private readonly scope = new AsyncResource("WorkerPool", { requireManualDestroy: true });
  readonly gate: Gate | undefined;
  private isPumping = false;
  private lastId = 0;
  /** How many workers there are to be. */
  private target = 0;

  constructor(
    readonly source: QueueSource<T>,
    private readonly settings: Settings<T>,
    readonly handler: (item: T, task: Task) => unknown,
    private readonly listener: Listener<T>,
  ) {
    this.failures = new Failures(settings, source, (failed) => this.settled(failed));
    const { gate, timeoutMs, stalledAfterMs } = settings;
    this.limits = new TimeLimits(source.clock, timeoutMs, stalledAfterMs, (worker) =>
      this.change(worker, "stalled"),
    );
    this.gate = gate;
    if (gate !== undefined) this.gates.add(gate);
    this.resize(settings.concurrency);
  }

  /** How much work there is, waiting and under way. */
  get present(): number {
    return this.source.size + this.workers.length - this.idle.length;
  }

  /** Workers that have an item. */
  get running(): number {
    return this.workers.length - this.idle.length;
  }

  get concurrency(): number {
    return this.target;
  }

  get name(): string {
    return this.settings.name;
  }

  get notTakingReason(): NotTakingReason | undefined {
    return this.listener.notTakingReason;
  }

  get controls(): PoolControls {
    return this.listener.controls;
  }

  statuses(): readonly WorkerView[] {
    return this.workers;
  }

  count(state: WorkerState): number {
    return this.states[state];
  }

  /** Free workers that are too many go now, busy ones when their task is over. */
  resize(concurrency: number): void {
    // A listener that is told that a worker is gone may put something in, and then there may be none left to take it.
    this.source.leave(this);
    this.target = concurrency;
    while (this.workers.length < this.target) this.hire();
    while (this.workers.length > this.target && this.idle.length > 0) this.dismiss(this.idle.pop()!);
    this.wake();
  }

  /** Takes items, if that is allowed, as soon as what runs now is done. */
  wake(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    if (turns.isDue) nextTurn(this.pumpInNextTurn);
    // Half the price of queueMicrotask, which makes an async resource.
    else void DONE.then(this.pumpInScope);
  }

  /** Takes nothing more, for now. */
  rest(): void {
    this.isTaking = false;
    this.source.leave(this);
  }

  take(task: PoolTask<T>): void {
    // There is one: without a free worker the pool doesn't stand in line.
    task.worker = this.idle.pop()!;
    this.arrived.push(task);
    if (this.idle.length > 0) this.source.stand(this);
    this.wake();
  }

  ended(): void {
    this.tellIfQuiet();
  }

  succeeded(worker: Worker<T>): void {
    if (worker.isAtGate) {
      this.failed(worker, new HandlerNotCalledError(this.gate?.name ?? ""));
      return;
    }
    const now = this.done(worker);
    this.drive(worker, this.nextFor(now), now);
  }

  failed(worker: Worker<T>, error: unknown): void {
    if (this.isOver(worker, error)) this.drive(worker, this.nextFor());
  }

  change(worker: Worker<T>, to: WorkerState): void {
    const from = worker.state;
    if (from === to) return;
    worker.state = to;
    this.states[from]--;
    this.states[to]++;
    // What happens with every item would drive out what matters.
    if (!USUAL.has(from) || !USUAL.has(to)) {
      recorder.tell(this.name, `worker ${worker.id}: ${from} → ${to}`);
    }
    if (this.listener.events.listenerCount("state") > 0) this.listener.changed(worker, from);
  }

  now(): number | undefined {
    return this.isTimed || this.source.isTimed ? this.source.clock.now() : undefined;
  }

  /** From now on times are kept, and rates measured; they are if the queue is instrumented. */
  measure(): void {
    this.isTimed = true;
    this.rates.start(this.source.clock.now());
  }

  abandon(operation: "drain" | "stop", limitMs: number): AbandonedTask[] {
    this.rest();
    // What was handed over a moment ago must not begin unseen later.
    if (this.arrived.length > 0) this.pumpInScope();
    const abandoned: AbandonedTask[] = [];
    for (const worker of this.workers) {
      const { task } = worker;
      if (task === undefined) continue;
      const { correlationId, tier, attempt, currentStep: step, startedAt } = task;
      const runningMs = startedAt === undefined ? undefined : this.source.clock.now() - startedAt;
      abandoned.push({ correlationId, tier, attempt, step, runningMs });
      this.limits.wasAborted(worker);
      task.abort(new TaskAbandonedError(operation, limitMs));
    }
    return abandoned.sort((a, b) => (b.runningMs ?? 0) - (a.runningMs ?? 0));
  }

  /** All workers go. */
  dismissAll(): void {
    this.target = 0;
    this.rest();
    for (const worker of this.idle.splice(0)) this.dismiss(worker);
  }

  private readonly pumpInNextTurn = (): void => {
    turns.turned();
    this.pumpInScope();
  };

  private readonly pumpInScope = (): void => apart(this.scope).runInAsyncScope(this.pump);

  private readonly pump = (): void => {
    this.isPumping = false;
    const { arrived, idle, source } = this;
    for (let task = arrived.shift(); task !== undefined; task = arrived.shift()) {
      this.drive(task.worker!, task);
    }
    while (this.isTaking && idle.length > 0) {
      if (turns.isDue) {
        this.wake();
        break;
      }
      // Out of the idle ones first: `onDrop`, which may run while an item is looked for, can send those away.
      const worker = idle.pop()!;
      const task = source.next<PoolTask<T>>(PoolTask);
      this.drive(worker, task);
      if (task === undefined) break;
    }
    this.tellIfQuiet();
  };

  /**
   * The worker handles the item, and what comes next, until it has to wait. `now` is the time at which it begins, where that is known:
   * the end of a task is the start of the next one.
   */
  private drive(worker: Worker<T>, first: PoolTask<T> | undefined, at?: number): void {
    let now = at;
    for (let task = first; task !== undefined; task = this.nextFor(now)) {
      task.worker = worker;
      worker.task = task;
      worker.lastStartAt = task.takenAt ?? now ?? this.now();
      if (worker.state !== "processing") this.change(worker, "processing");
      if (--turns.left === 0) turns.look();
      now = undefined;
      if (task.attempt > this.settings.attempts && this.failures.isPending(task)) {
        if (!this.isOver(worker, this.failures.errorOf(task))) return;
        continue;
      }
      if (this.gate !== undefined) {
        this.pass(this.gate, worker, task);
        return;
      }
      if (this.limits.isOn) this.limits.begin(worker);
      try {
        // What the handler sets in its async context by `enterWith` is not there for the next one.
        const scope = apart(this.scope);
        const result: unknown = this.source.isObserved
          ? scope.runInAsyncScope(task.queue.run, task.queue, task, worker.call, this.scope)
          : scope.runInAsyncScope(worker.call);
        if (listenIfPlain(result, worker.succeeded, worker.failed)) return;
        if (isThenable(result)) {
          // Whatever its `then` does, this is settled once, and later.
          listen(new Promise((resolve) => resolve(result)), worker.succeeded, worker.failed);
          return;
        }
      } catch (error) {
        if (!this.isOver(worker, error)) return;
        continue;
      }
      now = this.done(worker);
    }
    if (this.workers.length > this.target) this.dismiss(worker);
    else {
      this.idle.push(worker);
      if (worker.state !== "idle") this.change(worker, "idle");
      // A listener may have put something in, or have sent the worker away.
      if (this.source.size > 0) this.wake();
      else if (this.isTaking && this.idle.length > 0) this.source.stand(this, now);
    }
    this.tellIfQuiet();
  }

  /** The next task, if there is one to take. `now` is the time, where it is known. */
  private nextFor(now?: number): PoolTask<T> | undefined {
    // What was handed over is older than what is in the queue, and begins first.
    if (this.arrived.length > 0 || turns.isDue) return undefined;
    if (!this.isTaking || this.workers.length > this.target) return undefined;
    return this.source.next<PoolTask<T>>(PoolTask, now);
  }

  /** The worker's task is done; gives the time, where it is kept. */
  private done(worker: Worker<T>): number | undefined {
    const task = worker.task!;
    if (this.limits.isOn) this.limits.end(worker);
    this.counts.done++;
    const now = this.now();
    task.queue.done(task, now);
    this.finish(worker, now);
    return now;
  }

  /** The worker's task failed; true if it is settled, and the worker may go on at once. */
  private isOver(worker: Worker<T>, error: unknown): boolean {
    const task = worker.task!;
    if (this.limits.isOn) this.limits.end(worker);
    if (worker.isAtGate && task.wasAborted) {
      // The pool gave up waiting before there was an attempt: the item is left over.
      this.counts.retried++;
      task.queue.retry(task, 0, undefined);
    } else {
      const later = this.failures.settle(task, error);
      if (later !== undefined) {
        void later.then(() => {
          this.finish(worker, this.now());
          this.drive(worker, this.nextFor());
        });
        return false;
      }
    }
    this.finish(worker, this.now());
    return true;
  }

  /** The worker is free again. */
  private finish(worker: Worker<T>, now: number | undefined): void {
    if (now !== undefined) {
      this.rates.finished(now, worker.lastStartAt);
      worker.lastFinishAt = now;
    }
    worker.task = undefined;
    worker.isAtGate = false;
  }

  /** Through the gate, which may take a while, and then to the handler. */
  private pass(gate: Gate, worker: Worker<T>, task: PoolTask<T>): void {
    worker.isAtGate = true;
    const handle = behindGate(task, {
      handler: this.handler,
      called: () => {
        worker.isAtGate = false;
        if (this.limits.isOn) this.limits.begin(worker);
      },
      fault: (error) => this.source.fault(error),
    });
    const onBackoff = (isWaiting: boolean) => {
      this.change(worker, isWaiting ? "backoff" : "processing");
    };
    const passed = apart(this.scope).runInAsyncScope(gate.run, gate, handle, { task, onBackoff });
    listen(passed, worker.succeeded, worker.failed);
  }

  private settled(failed: Failed<T>): void {
    if (failed.verdict === "retry") this.counts.retried++;
    else if (failed.verdict === "drop") this.counts.failed++;
    else this.counts.deadLettered++;
    this.listener.failed(failed);
  }

  private hire(): void {
    const worker = new Worker<T>(this, ++this.lastId);
    if (this.states.stopped > 0) this.states.stopped--;
    this.states.idle++;
    this.workers.push(worker);
    this.idle.push(worker);
  }

  private dismiss(worker: Worker<T>): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.change(worker, "stopped");
  }

  private tellIfQuiet(): void {
    const isQuiet = this.workers.length === this.idle.length;
    if (isQuiet && (!this.isTaking || this.source.isFinished)) this.listener.quiet();
  }
}
