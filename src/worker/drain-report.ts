import { shown } from "../base/shown.js";
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
  /** How long it has been running, in milliseconds; undefined where no times were kept. */
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
  /** Whether it took until the time limit. */
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

/** The text of a report. */
export function inWords(this: DrainReport): string {
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
