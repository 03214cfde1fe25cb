import { within } from "../base/callback.js";
import { errorLine } from "../base/error-text.js";
import type { QueueSource } from "../contracts/index.js";
import type { Settings, Verdict } from "./options.js";
import type { Task } from "./task.js";
import type { PoolTask } from "./worker.js";

/** What became of a failed item. */
export interface Failed<T> {
  readonly item: T;
  readonly error: unknown;
  readonly task: Task;
  /** `retry`: it comes back after a pause; `drop`: it is given up; `dead-letter`: it was put aside. */
  readonly verdict: Verdict;
}

/** How many items are remembered that are to be dead letters. */
const MAX_PENDING = 1_000;

/** Decides what becomes of failed items, and settles them. A failure of the decision or of the dead letter loses none. */
export class Failures<T> {
  /** What items failed with that have no attempts left, and came back because they could not be put aside: by correlation ID. */
  private readonly pendingDeadLetters = new Map<string, { error: unknown; count: number }>();

  constructor(
    private readonly settings: Settings<T>,
    private readonly source: QueueSource<T>,
    private readonly tell: (failed: Failed<T>) => void,
  ) {}

  /** Whether it has no attempts left, and came back only because it could not be put aside. */
  isPending(task: PoolTask<T>): boolean {
    return task.attempt > this.settings.attempts && this.pendingDeadLetters.has(task.correlationId);
  }

  /** What it failed with last; where several items of one request are pending, what one of them did. */
  errorOf({ correlationId }: PoolTask<T>): unknown {
    return this.pendingDeadLetters.get(correlationId)?.error;
  }

  /** Settles the item; undefined if that is done when this returns. */
  settle(task: PoolTask<T>, error: unknown): Promise<void> | undefined {
    const { onFailed, deadLetter } = this.settings;
    if (onFailed === undefined && !this.isPending(task)) {
      const verdict = this.usual(task);
      if (verdict !== "dead-letter" || deadLetter === undefined) {
        this.apply(task, error, verdict);
        return undefined;
      }
    }
    return this.settleLater(task, error);
  }

  private async settleLater(task: PoolTask<T>, error: unknown): Promise<void> {
    const wasPending = this.isPending(task);
    const verdict = wasPending ? "dead-letter" : await this.verdictOn(task, error);
    if (verdict !== "dead-letter") {
      this.apply(task, error, verdict);
      return;
    }
    const isTaken = await this.isPutAside(task, error);
    if (wasPending) this.forget(task);
    if (!isTaken && task.attempt >= this.settings.attempts) this.remember(task, error);
    // It comes back until it can be put aside: whatever happens there, nothing is lost.
    this.apply(task, error, isTaken ? "dead-letter" : "retry");
  }

  private async verdictOn(task: PoolTask<T>, error: unknown): Promise<Verdict> {
    let verdict: Verdict | undefined;
    try {
      const { onFailed } = this.settings;
      if (onFailed !== undefined)
        verdict = await this.within("onFailed", () => onFailed(task.item, error, task));
      if (!VERDICTS.has(verdict))
        throw new TypeError(
          `onFailed must return "retry", "drop" or "dead-letter", not ${errorLine(verdict, 80)}`,
        );
    } catch (fault) {
      verdict = undefined;
      this.source.fault(fault);
    }
    const usual = this.usual(task);
    if (verdict === "drop") return "drop";
    if (verdict === "retry" && task.attempt < this.settings.attempts) return "retry";
    if (verdict === undefined) return usual;
    return this.settings.deadLetter === undefined ? "drop" : "dead-letter";
  }

  private remember({ correlationId }: PoolTask<T>, error: unknown): void {
    const pending = this.pendingDeadLetters;
    const others = pending.get(correlationId)?.count ?? 0;
    pending.set(correlationId, { error, count: others + 1 });
    if (pending.size <= MAX_PENDING) return;
    // It may have been dropped meanwhile. If not, it gets an attempt too many, and no more than that.
    for (const eldest of pending.keys()) {
      pending.delete(eldest);
      break;
    }
  }

  private forget({ correlationId }: PoolTask<T>): void {
    const pending = this.pendingDeadLetters.get(correlationId);
    if (pending !== undefined && --pending.count === 0) this.pendingDeadLetters.delete(correlationId);
  }

  private usual({ attempt }: PoolTask<T>): Verdict {
    if (attempt < this.settings.attempts) return "retry";
    return this.settings.deadLetter === undefined ? "drop" : "dead-letter";
  }

  private async isPutAside(task: PoolTask<T>, error: unknown): Promise<boolean> {
    try {
      const { deadLetter } = this.settings;
      // Aborted when it is not waited for any longer, so that a put that waits for room does not come on top of the next try.
      const controller = new AbortController();
      if (deadLetter !== undefined)
        await this.within("deadLetter", () => deadLetter(task.item, error, task, controller.signal)).catch(
          (fault) => {
            controller.abort(fault);
            throw fault;
          },
        );
      return true;
    } catch (fault) {
      this.source.fault(fault);
      return false;
    }
  }

  /** A callback that never ends would keep its worker for ever. */
  private within<R>(name: string, callback: () => R | PromiseLike<R>): Promise<R> {
    const { callbackTimeoutMs: limitMs } = this.settings;
    const fault = (error: unknown) => this.source.fault(error);
    return within({ clock: this.source.clock, limitMs, name, fault }, callback);
  }

  private apply(task: PoolTask<T>, error: unknown, verdict: Verdict): void {
    const { queue, item } = task;
    if (verdict === "retry") queue.retry(task, this.settings.backoff.after(task.attempt), error);
    else if (verdict === "drop") queue.fail(task, error);
    else queue.deadLettered(task, error);
    this.tell({ item, error, task, verdict });
  }
}

const VERDICTS = new Set<unknown>(["retry", "drop", "dead-letter", undefined]);
