import type { Clock } from "../base/clock.js";
import { TaskTimeoutError } from "../base/errors.js";
import { LinkedList } from "../base/linked-list.js";
import { Wakeup } from "../base/wakeup.js";
import type { Worker } from "./worker.js";

/** Aborts tasks that take too long, and tells which workers ignore it. All have the same time, so one timer will do. */
export class TimeLimits<T> {
  /** Workers with a task whose time runs, the oldest task first. */
  private readonly running = new LinkedList<Timed<T>>();
  /** Those whose task was aborted. */
  private readonly aborted = new LinkedList<Timed<T>>();
  private readonly byWorker = new Map<Worker<T>, Timed<T>>();
  private readonly wakeup: Wakeup;

  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    private readonly stalledAfterMs: number,
    /** The worker goes on although its task was aborted. */
    private readonly stalled: (worker: Worker<T>) => void,
  ) {
    this.wakeup = new Wakeup(clock, (now) => this.look(now));
    this.isOn = timeoutMs !== Number.POSITIVE_INFINITY;
  }

  /** Whether there is anything to watch. */
  isOn: boolean;

  /** Its time runs from the first call on: a gate's policy may make several. */
  begin(worker: Worker<T>): void {
    if (this.timeoutMs === Number.POSITIVE_INFINITY || this.byWorker.has(worker)) return;
    this.watch(worker, this.running, this.timeoutMs);
  }

  /** The worker's task is over. */
  end(worker: Worker<T>): void {
    const timed = this.byWorker.get(worker);
    if (timed === undefined) return;
    this.byWorker.delete(worker);
    timed.list.remove(timed);
    this.isOn = this.timeoutMs !== Number.POSITIVE_INFINITY || this.byWorker.size > 0;
    if (this.byWorker.size === 0) this.wakeup.clear();
  }

  /** The worker's task was aborted: from now on it had better end. */
  wasAborted(worker: Worker<T>): void {
    // A second abort gives no more time.
    if (this.byWorker.get(worker)?.list === this.aborted) return;
    this.end(worker);
    this.watch(worker, this.aborted, this.stalledAfterMs);
  }

  private watch(worker: Worker<T>, list: LinkedList<Timed<T>>, ms: number): void {
    const now = this.clock.now();
    const timed = new Timed(worker, list, now + ms);
    this.byWorker.set(worker, timed);
    this.isOn = true;
    list.append(timed);
    if (timed.dueAt < this.wakeup.dueAt) this.wakeup.set(timed.dueAt, now);
    else this.wakeup.check(now);
  }

  private look(now: number): void {
    for (
      let timed = this.running.first;
      timed !== undefined && timed.dueAt <= now;
      timed = this.running.first
    ) {
      timed.worker.task?.abort(new TaskTimeoutError(this.timeoutMs));
      // Its end may have come with the abort.
      if (this.byWorker.get(timed.worker) === timed) this.wasAborted(timed.worker);
    }
    for (
      let timed = this.aborted.first;
      timed !== undefined && timed.dueAt <= now;
      timed = this.aborted.first
    ) {
      this.end(timed.worker);
      this.stalled(timed.worker);
    }
    const never = Number.POSITIVE_INFINITY;
    this.wakeup.set(Math.min(this.running.first?.dueAt ?? never, this.aborted.first?.dueAt ?? never), now);
  }
}

class Timed<T> {
  previous: Timed<T> | undefined = undefined;
  next: Timed<T> | undefined = undefined;
  constructor(
    readonly worker: Worker<T>,
    readonly list: LinkedList<Timed<T>>,
    readonly dueAt: number,
  ) {}
}
