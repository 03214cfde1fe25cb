import type { Piscina } from "piscina";
import { checkKnown, checkObject } from "../base/checks.js";
import { ThreadsClosedError } from "../base/errors.js";
import { nextTurn } from "../base/real-time.js";
import { currentCorrelationId } from "../telemetry/context/correlation.js";
import { Gate } from "./gate.js";
import { newBoard } from "./threads/board.js";
import { Call } from "./threads/call.js";
import type { ThreadCaller } from "./threads/caller.js";
import { packActive } from "./threads/context.js";
import { checkTime, readOptions, type Settings, type ThreadsOptions } from "./threads/options.js";
import { loadPiscina, threadProgram } from "./threads/program.js";

export {
  MissingPeerError,
  ThreadCrashedError,
  ThreadsClosedError,
  ThreadsUnavailableError,
  ThreadTerminatedError,
} from "../base/errors.js";
export type { ThreadCaller } from "./threads/caller.js";
export type { ThreadsOptions } from "./threads/options.js";
export type { ThreadTask } from "./threads/thread.js";

/** A handler whose work is done in threads. */
export interface ThreadHandler<T, R> {
  /**
   * Resolves with a copy of what the file's function returns, and rejects with a copy of what it throws. Rejects with
   * `ThreadCrashedError`, `ThreadTerminatedError` or `ThreadsClosedError` if the thread ends before that, with a `DataCloneError`
   * if item or result can't be cloned, and with the signal's reason if that is aborted before a thread is free.
   */
  (item: T, task?: ThreadCaller): Promise<R>;
  /**
   * Takes nothing more, waits for what is under way, then ends the threads. When `graceMs` are over (default: no limit), ends them
   * at once. Always resolves; can be called again.
   */
  close(options?: { graceMs?: number | undefined }): Promise<void>;
  /** Closes, however long it takes. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a handler, for a pool or for direct calls, that does its work in threads: work that keeps a processor busy would keep the
 * event loop from everything else. `file` is the absolute path or `file:` URL of a module whose default export is the function that
 * does it, `(item, task) => result`; `task` is a {@link ThreadTask}. The module is loaded once by each thread.
 *
 * In there, `currentCorrelationId()` and OpenTelemetry's `context.active()` are those of the task, the latter as far as the thread
 * has a context manager. Item, result and errors are copied by structured clone. Nothing keeps the process alive while no task is
 * under way. Throws an `InvalidOption…Error` that names option, value and what is allowed, `MissingPeerError` where piscina isn't
 * installed, and `ThreadsUnavailableError` in a bundle beside which this package isn't installed.
 *
 * @example
 * const countPrimes = inThreads<{ from: number; to: number }, string>(
 *   new URL("./primes.js", import.meta.url),
 *   { threads: 2 },
 * );
 * console.log(await countPrimes({ from: 1, to: 1_000 }));
 * await countPrimes.close();
 */
export function inThreads<T = unknown, R = unknown>(
  file: string | URL,
  options?: ThreadsOptions,
): ThreadHandler<T, R> {
  const threads = new Threads(readOptions(file, options));
  const close: ThreadHandler<T, R>["close"] = async (options) => {
    checkObject("options", options);
    checkKnown(options, { graceMs: true });
    const { graceMs = Number.POSITIVE_INFINITY } = options ?? {};
    checkTime("graceMs", graceMs);
    await threads.close(graceMs);
  };
  const handler = (item: T, task: ThreadCaller = {}) => threads.run(item, task) as Promise<R>;
  return Object.assign(handler, { close, [Symbol.asyncDispose]: close });
}

class Threads {
  private readonly pool: Piscina;
  /** Tasks wait here rather than in the pool, so that each of those in there has a thread, or one that starts for it. */
  private readonly gate: Gate;
  private readonly under = new Set<Promise<unknown>>();
  private readonly calls = new Set<Call>();
  private lastError: unknown = new Error("no thread could be started");
  private isClosed = false;
  private isKilled = false;
  private ended: Promise<void> | undefined = undefined;

  constructor(private readonly settings: Settings) {
    const { threads, idleMs, resourceLimits, execArgv, clock } = settings;
    this.gate = new Gate({ name: "threads", concurrency: threads, clock });
    // In this order: in a bundle both may be missing, and what to do then is said by the first.
    const filename = threadProgram();
    const Pool = loadPiscina();
    this.pool = new Pool({
      filename,
      name: "run",
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: idleMs,
      // Else a thread without work sleeps so deeply that its timers don't run, those of a telemetry exporter, say.
      atomics: "disabled",
      recordTiming: false,
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      ...(execArgv === undefined ? {} : { execArgv }),
    });
    // A thread has ended without a task. No caller waits for it, or `look` tells them.
    this.pool.on("error", (error) => {
      this.lastError = error;
    });
    this.pool.on("workerDestroy", () => nextTurn(() => this.look()));
  }

  run(item: unknown, task: ThreadCaller): Promise<unknown> {
    const done = this.handle(item, task);
    this.under.add(done);
    const forget = () => this.under.delete(done);
    done.then(forget, forget);
    return done;
  }

  async close(graceMs: number): Promise<void> {
    const { clock } = this.settings;
    this.isClosed = true;
    const timer =
      graceMs === Number.POSITIVE_INFINITY ? undefined : clock.setTimeout(() => this.kill(), graceMs);
    await Promise.allSettled(this.under);
    if (timer !== undefined) clock.clearTimeout(timer);
    this.ended ??= this.pool.destroy();
    await this.ended;
  }

  private async handle(item: unknown, task: ThreadCaller): Promise<unknown> {
    if (this.isClosed) throw new ThreadsClosedError();
    const { terminateAfterMs, clock, file } = this.settings;
    const { signal, attempt = 1, tier = "default", waitMs } = task;
    const correlationId = task.correlationId ?? currentCorrelationId();
    const context = packActive();
    const parcel = { file, item, attempt, tier, waitMs, correlationId, context, board: newBoard() };
    const call = new Call(parcel, task, terminateAfterMs, clock);
    return this.gate.run(() => this.make(call), { signal });
  }

  private async make(call: Call): Promise<unknown> {
    if (this.isKilled) throw new ThreadsClosedError();
    this.calls.add(call);
    try {
      return await call.made(this.pool);
    } finally {
      this.calls.delete(call);
    }
  }

  private kill(): void {
    this.isKilled = true;
    for (const call of this.calls) call.close();
  }

  /** A thread has ended. If it was the last one, those that wait for one to start would do so for ever. */
  private look(): void {
    if (this.pool.threads.length > 0) return;
    for (const call of this.calls) call.lost(this.lastError);
  }
}
