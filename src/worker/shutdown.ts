import type { Clock } from "../base/clock.js";
import { Wakeup } from "../base/wakeup.js";
import type { Report } from "../contracts/index.js";
import { type AbandonedTask, type Counts, type DrainReport, inWords } from "./drain-report.js";
import type { Driver } from "./driver.js";

export type { DrainReport } from "./drain-report.js";

/** How many IDs a report names of what is left in the queue. */
const MAX_IDS = 100;

/** A drain or stop that is under way. Always resolves: when the pool says that all is over, or when its time is. */
export class Shutdown<T> {
  readonly report: Promise<DrainReport>;
  private resolve!: (report: DrainReport) => void;
  private readonly before: Counts;
  private readonly startedAt: number;
  private limitMs = Number.POSITIVE_INFINITY;
  private dueAt = Number.POSITIVE_INFINITY;
  private readonly wakeup: Wakeup;
  private isOver = false;
  private why: Report | undefined = undefined;

  constructor(
    readonly operation: "drain" | "stop",
    private readonly clock: Clock,
    private readonly driver: Driver<T>,
    private readonly timedOut: (abandoned: readonly AbandonedTask[]) => void,
  ) {
    this.report = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.before = { ...driver.counts };
    this.startedAt = clock.now();
    this.wakeup = new Wakeup(clock, (now) => this.look(now));
  }

  /** It may take so long from now on. A second call can bring its end forward, and not put it off. */
  limit(limitMs: number): void {
    const now = this.clock.now();
    const dueAt = now + limitMs;
    if (this.isOver) return;
    if (dueAt >= this.dueAt) {
      this.wakeup.check(now);
      return;
    }
    this.limitMs = limitMs;
    this.dueAt = dueAt;
    this.look(now);
  }

  end(abandoned: readonly AbandonedTask[] = [], timedOut = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.wakeup.clear();
    const { operation, before, driver } = this;
    const { done, failed, deadLettered } = driver.counts;
    const { source } = driver;
    this.resolve({
      operation,
      done: done - before.done,
      failed: failed - before.failed,
      deadLettered: deadLettered - before.deadLettered,
      leftOver: { count: source.size + source.delayed, correlationIds: source.correlationIds(MAX_IDS) },
      abandoned,
      timedOut,
      report: timedOut ? this.why : undefined,
      tookMs: this.clock.now() - this.startedAt,
      toString: inWords,
    });
  }

  private look(now: number): void {
    if (this.dueAt > now) this.wakeup.set(this.dueAt, now);
    else this.giveUp();
  }

  private giveUp(): void {
    // Before anything is aborted, which would hide the cause.
    this.why = this.driver.source.report();
    const abandoned = this.driver.abandon(this.operation, this.limitMs);
    this.end(abandoned, true);
    this.timedOut(abandoned);
  }
}
