import { within } from "../base/callback.js";
import { errorLine } from "../base/error-text.js";
import type { QueueSource, Work } from "../contracts/index.js";
import type { Settings, Verdict } from "./options.js";
import type { Task } from "./task.js";
import type { Failure } from "./worker.js";

/** What became of a failed item, for whoever counts and tells. */
export interface Failed<T> {
  readonly item: T;
  readonly error: unknown;
  readonly task: Task;
  /** `retry`: it comes back after a pause; `drop`: it is given up; `dead-letter`: it was put aside. */
  readonly verdict: Verdict;
}

/** How many items are remembered that are to be dead letters. */
const MOST_OWED = 1_000;

/** Decides what becomes of failed items, and settles them. A failure of the decision or of the dead letter loses none. */
export class Failures<T> {
  /** What items failed with that have no attempts left, and came back because nobody took them as dead letters: by correlation ID. */
  private readonly owed = new Map<string, { error: unknown; count: number }>();

  constructor(
    private readonly settings: Settings<T>,
    private readonly supply: QueueSource<T>,
    private readonly tell: (failed: Failed<T>) => void,
  ) {}

  /** Should it be with the dead letters already? */
  isOwed(work: Work<T>): boolean {
    return work.attempt > this.settings.attempts && this.owed.has(work.correlationId);
  }

  /** What it failed with last; where several items of one request are owed, what one of them did. */
  errorOf({ correlationId }: Work<T>): unknown {
    return this.owed.get(correlationId)?.error;
  }

  /** Settles the item; undefined if that is done when this returns. */
  settle(work: Work<T>, task: Task, { error }: Failure): Promise<void> | undefined {
    const { onFailed, deadLetter } = this.settings;
    if (onFailed === undefined && !this.isOwed(work)) {
      const verdict = this.usual(work);
      if (verdict !== "dead-letter" || deadLetter === undefined) {
        this.apply(work, task, error, verdict);
        return undefined;
      }
    }
    return this.settleLater(work, task, error);
  }

  private async settleLater(work: Work<T>, task: Task, error: unknown): Promise<void> {
    const isOwed = this.isOwed(work);
    const verdict = isOwed ? "dead-letter" : await this.verdictOn(work, task, error);
    if (verdict !== "dead-letter") {
      this.apply(work, task, error, verdict);
      return;
    }
    const isTaken = await this.isPutAside(work, task, error);
    if (isOwed) this.paid(work);
    if (!isTaken && work.attempt >= this.settings.attempts) this.owe(work, error);
    // It comes back until it can be put aside: whatever happens there, nothing is lost.
    this.apply(work, task, error, isTaken ? "dead-letter" : "retry");
  }

  private async verdictOn(work: Work<T>, task: Task, error: unknown): Promise<Verdict> {
    let verdict: Verdict | undefined;
    try {
      const { onFailed } = this.settings;
      if (onFailed !== undefined)
        verdict = await this.within("onFailed", () => onFailed(work.item, error, task));
      if (!VERDICTS.has(verdict))
        throw new TypeError(
          `onFailed must return "retry", "drop" or "dead-letter", not ${errorLine(verdict, 80)}`,
        );
    } catch (fault) {
      verdict = undefined;
      this.supply.fault(fault);
    }
    const usual = this.usual(work);
    if (verdict === "drop") return "drop";
    if (verdict === "retry" && work.attempt < this.settings.attempts) return "retry";
    if (verdict === undefined) return usual;
    return this.settings.deadLetter === undefined ? "drop" : "dead-letter";
  }

  private owe({ correlationId }: Work<T>, error: unknown): void {
    const others = this.owed.get(correlationId)?.count ?? 0;
    this.owed.set(correlationId, { error, count: others + 1 });
    if (this.owed.size <= MOST_OWED) return;
    // It may have been dropped meanwhile. If not, it gets an attempt too many, and no more than that.
    for (const eldest of this.owed.keys()) {
      this.owed.delete(eldest);
      break;
    }
  }

  private paid({ correlationId }: Work<T>): void {
    const debt = this.owed.get(correlationId);
    if (debt !== undefined && --debt.count === 0) this.owed.delete(correlationId);
  }

  private usual({ attempt }: Work<T>): Verdict {
    if (attempt < this.settings.attempts) return "retry";
    return this.settings.deadLetter === undefined ? "drop" : "dead-letter";
  }

  private async isPutAside(work: Work<T>, task: Task, error: unknown): Promise<boolean> {
    try {
      const { deadLetter } = this.settings;
      // Aborted when it is not waited for any longer, so that a put that waits for room does not come on top of the next try.
      const controller = new AbortController();
      if (deadLetter !== undefined)
        await this.within("deadLetter", () => deadLetter(work.item, error, task, controller.signal)).catch(
          (fault) => {
            controller.abort(fault);
            throw fault;
          },
        );
      return true;
    } catch (fault) {
      this.supply.fault(fault);
      return false;
    }
  }

  /** A callback that never ends would keep its worker for ever. */
  private within<R>(name: string, callback: () => R | PromiseLike<R>): Promise<R> {
    const { callbackTimeoutMs: limitMs } = this.settings;
    const fault = (error: unknown) => this.supply.fault(error);
    return within({ clock: this.supply.clock, limitMs, name, fault }, callback);
  }

  private apply(work: Work<T>, task: Task, error: unknown, verdict: Verdict): void {
    if (verdict === "retry") work.retry({ delayMs: this.settings.backoff.after(work.attempt), error });
    else if (verdict === "drop") work.fail(error);
    else work.deadLettered(error);
    this.tell({ item: work.item, error, task, verdict });
  }
}

const VERDICTS = new Set<unknown>(["retry", "drop", "dead-letter", undefined]);
