import { checkKnown, checkNumber, checkObject, type OptionNames } from "../base/checks.js";
import { shown } from "../base/shown.js";
import type { Health, QueueHealthOptions } from "../contracts/index.js";
import type { Task } from "./task.js";
import type { Worker } from "./worker.js";

export type { Health } from "../contracts/index.js";

const USUAL_SILENT_AFTER_MS = 60_000;
const USUAL_NO_PROGRESS_MS = 30_000;

/** Options of {@link WorkerPool.health}. Only `undefined` stands for the default. */
export interface PoolHealthOptions extends QueueHealthOptions {
  /**
   * How long a task may run without a `step` or `progress` until its worker is called silent, in milliseconds. `Infinity`: for ever.
   * Default: 60 000.
   */
  silentAfterMs?: number | undefined;
}

const OPTIONS: OptionNames<PoolHealthOptions> = { silentAfterMs: true, noProgressMs: true, maxDepth: true };

/** A pool, as far as its health goes. */
export interface Patient<T> {
  readonly name: string;
  /** What keeps it from working, in words; undefined where nothing does. */
  readonly notTakingReason: string | undefined;
  readonly workers: readonly Worker<T>[];
  readonly now: number;
  /** Nothing is known of what was before. */
  readonly knownSince: number;
  /** Of its queue. */
  queueHealth(options: QueueHealthOptions): Health;
}

/** Whether the pool is fit for more. Throws an `InvalidOption…Error` for options that are none. */
export function healthOf<T>(patient: Patient<T>, options: PoolHealthOptions | undefined): Health {
  checkObject("options", options);
  checkKnown(options, OPTIONS);
  const { silentAfterMs = USUAL_SILENT_AFTER_MS, noProgressMs = USUAL_NO_PROGRESS_MS } = options ?? {};
  checkNumber("silentAfterMs", silentAfterMs, "milliseconds, greater than 0", (ms) => ms > 0);
  checkNumber("noProgressMs", noProgressMs, "milliseconds, greater than 0", (ms) => ms > 0);
  const { name, notTakingReason, workers, now, knownSince } = patient;
  const heardMsAgo = (worker: Worker<T>) => now - (heardAt(worker) ?? knownSince);
  // A worker that tells of its task makes progress, even if it takes nothing.
  const isHeard = workers.some((worker) => (heardAt(worker) ?? -1) >= now - noProgressMs);
  const { reasons: ofQueue } = patient.queueHealth({
    maxDepth: options?.maxDepth,
    noProgressMs: isHeard ? Number.POSITIVE_INFINITY : noProgressMs,
  });
  const reasons: string[] = notTakingReason === undefined ? [] : [`${shown(name)} ${notTakingReason}`];
  const stalled = workers.filter(({ state, task }) => state === "stalled" && task !== undefined);
  if (stalled.length > 0) {
    reasons.push(
      `${share(stalled, workers)} stalled: ${describe(stalled[0]!)} goes on although it was aborted`,
    );
  }
  const silent = workers
    .filter(
      (worker) =>
        worker.state === "processing" && worker.task !== undefined && heardMsAgo(worker) > silentAfterMs,
    )
    .sort((a, b) => heardMsAgo(b) - heardMsAgo(a));
  if (silent.length > 0) {
    const [longest] = silent;
    const ago = `${Math.round(heardMsAgo(longest!) / 1000)} s`;
    reasons.push(`${share(silent, workers)} silent: nothing was heard of ${describe(longest!)} for ${ago}`);
  }
  reasons.push(...ofQueue);
  return { ok: reasons.length === 0, reasons };
}

/** When something was last heard of the worker: it began or ended a task, or was told of a step. */
function heardAt<T>({ lastStartAt, lastStepAt, lastFinishAt }: Worker<T>): number | undefined {
  const at = Math.max(lastStartAt ?? -1, lastStepAt ?? -1, lastFinishAt ?? -1);
  return at === -1 ? undefined : at;
}

function share(some: readonly unknown[], all: readonly unknown[]): string {
  return `${some.length} of ${all.length} ${all.length === 1 ? "worker" : "workers"} ${some.length === 1 ? "is" : "are"}`;
}

function describe<T>({ id, task }: Worker<T>): string {
  const { correlationId, attempt, currentStep } = task as Task;
  const step = currentStep === undefined ? "" : ` at "${shown(currentStep)}"`;
  return `worker ${id}'s task${step} (${shown(correlationId)}, attempt ${attempt})`;
}
