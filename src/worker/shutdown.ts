import type { Clock } from "../base/clock.js";
import { shown } from "../base/shown.js";
import { Wakeup } from "../base/wakeup.js";
import type { Report } from "../contracts/index.js";

/** How many abandoned tasks the text lists, and how much of a verdict's sentence it shows, in characters. */
const MAX_LINES = 100;
const MAX_SENTENCE = 600;

/** A task that a pool waits for no longer. It may still end, and is settled then. */
export interface AbandonedTask {
  readonly correlationId: string;
  readonly tier: string;
  readonly attempt: number;
  /** What it said it was doing. */
  readonly step: string | undefined;
  /** How long it has been running, in milliseconds; undefined where nobody kept the time. */
  readonly runningMs: number | undefined;
}

/** How a drain or stop went. Counts are of what happened since it was asked for; `pool.counts` has those since the pool was made. */
export interface DrainReport {
  readonly operation: "drain" | "stop";
  /** Items done since the call. */
  readonly done: number;
  /** Items given up since the call: the handler failed, and neither an attempt nor a dead letter was left. */
  readonly failed: number;
  /** Items put aside since the call. */
  readonly deadLettered: number;
  /** Items that are still in the queue, those that wait for a planned delay included. */
  readonly leftOver: { readonly count: number; readonly correlationIds: readonly string[] };
  /** Tasks that were running at the time limit, and whose signal was aborted; those that ran longest come first. */
  readonly abandoned: readonly AbandonedTask[];
  /** Did it take until the time limit? */
  readonly timedOut: boolean;
  /** Of one that did, on a queue that a watchdog watches: why. */
  readonly report: Report | undefined;
  /** In milliseconds. */
  readonly tookMs: number;
  toString(): string;
}

/** The counts of a pool; they only rise. */
export interface Counts {
  done: number;
  failed: number;
  retried: number;
  deadLettered: number;
}

/** What an ending needs to know of its pool. */
export interface Ended {
  readonly counts: Readonly<Counts>;
  leftOver(): DrainReport["leftOver"];
  /** Why its queue is late, if somebody watches it. */
  report(): Report | undefined;
  /** Aborts what is running, and says what that is. */
  abandon(operation: "drain" | "stop", limitMs: number): AbandonedTask[];
}

/** A drain or stop that is under way. Always resolves: when the pool says that all is over, or when its time is. */
export class Shutdown {
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
    private readonly pool: Ended,
    private readonly timedOut: (abandoned: readonly AbandonedTask[]) => void,
  ) {
    this.report = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.before = { ...pool.counts };
    this.startedAt = clock.now();
    this.wakeup = new Wakeup(clock, (now) => this.look(now));
  }

  /** It may take so long from now on. Who asks a second time can bring its end forward, and not put it off. */
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
    const { operation, before, pool } = this;
    const { done, failed, deadLettered } = pool.counts;
    this.resolve({
      operation,
      done: done - before.done,
      failed: failed - before.failed,
      deadLettered: deadLettered - before.deadLettered,
      leftOver: pool.leftOver(),
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
    this.why = this.pool.report();
    const abandoned = this.pool.abandon(this.operation, this.limitMs);
    this.end(abandoned, true);
    this.timedOut(abandoned);
  }
}

function inWords(this: DrainReport): string {
  const { operation, done, failed, deadLettered, leftOver, abandoned, timedOut, tookMs } = this;
  const ended = [`${done} done`];
  if (failed > 0) ended.push(`${failed} failed`);
  if (deadLettered > 0) ended.push(`${deadLettered} dead-lettered`);
  const now = `${leftOver.count} left over, ${abandoned.length} abandoned`;
  const lines = [
    `${operation} ${timedOut ? "timed out" : "finished"} after ${Math.round(tookMs)} ms: ${ended.join(", ")} meanwhile, ${now}`,
  ];
  for (const { correlationId, attempt, step, runningMs } of abandoned.slice(0, MAX_LINES)) {
    const since = runningMs === undefined ? "" : ` for ${Math.round(runningMs)} ms`;
    const doing = step === undefined ? "" : ` at "${shown(step)}"`;
    lines.push(`  abandoned: ${shown(correlationId)}, attempt ${attempt}, running${since}${doing}`);
  }
  if (abandoned.length > MAX_LINES) lines.push(`  abandoned: ${abandoned.length - MAX_LINES} more`);
  const [verdict] = this.report?.verdicts ?? [];
  if (verdict !== undefined)
    lines.push(`  why: ${shown(verdict.name)}: ${shown(verdict.sentence, MAX_SENTENCE)}`);
  const { count, correlationIds } = leftOver;
  if (correlationIds.length > 0)
    lines.push(
      `  left over: ${correlationIds.map((id) => shown(id)).join(", ")}${correlationIds.length < count ? ", …" : ""}`,
    );
  return lines.join("\n");
}
