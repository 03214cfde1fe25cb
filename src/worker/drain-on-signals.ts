import { constants } from "node:os";
import { within } from "../base/callback.js";
import {
  checkClock,
  checkDuration,
  checkFunction,
  checkKnown,
  checkObject,
  type OptionNames,
} from "../base/checks.js";
import { type Clock, systemClock } from "../base/clock.js";
import { errorText } from "../base/error-text.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { printToConsole } from "../base/output.js";
import { shown } from "../base/shown.js";
import type { DrainReport } from "./shutdown.js";

/** A worker pool, or whatever else drains as one does. */
export interface Drainable {
  /** What it is called in what is printed. */
  readonly name?: string | undefined;
  drain(options: { timeoutMs: number }): Promise<DrainReport>;
}

/** Options of {@link drainOnSignals}. Only `undefined` stands for the default. */
export interface DrainOnSignalsOptions<P extends Drainable = Drainable> {
  /** Default: `["SIGTERM", "SIGINT"]`. */
  signals?: readonly NodeJS.Signals[] | undefined;
  /** How long the pools may take, all at the same time, in milliseconds. Default: 20 000. */
  timeoutMs?: number | undefined;
  /** Gets each pool's report, as soon as there is one. Default: prints it to stderr. */
  onReport?: ((report: DrainReport, pool: P) => unknown) | undefined;
  /**
   * Called when all reports are there, and awaited before the process exits: the place to shut telemetry down, so that what the last
   * tasks did is sent, too.
   */
  onDrained?: ((reports: readonly DrainReport[]) => unknown) | undefined;
  /** How long each callback is waited for, in milliseconds. Default: 10 000, twice what `telemetry.shutdown()` takes at most. */
  callbackTimeoutMs?: number | undefined;
  /** Ends the process. Default: `process.exit`. */
  exit?: ((code: number) => void) | undefined;
  /** Where the time comes from that signals and callbacks are measured by. Default: the system clock. */
  clock?: Clock | undefined;
}

const OPTIONS: OptionNames<DrainOnSignalsOptions> = {
  signals: true,
  timeoutMs: true,
  onReport: true,
  onDrained: true,
  callbackTimeoutMs: true,
  exit: true,
  clock: true,
};

/**
 * One Ctrl+C may arrive twice, in milliseconds: from the terminal, which tells all its processes, and from a runner such as npm or tsx
 * that hands it on.
 */
const ECHO_MS = 500;

/**
 * Drains the pools when the process is told to stop, and then exits: with 0 when everything in their queues was handled, with 1 when
 * something was abandoned or left over, or when a callback failed. A second signal exits at once, with 128 plus its number; the
 * same one within half a second is taken for an echo of the first. Call it once, with all pools: the end of the drain is the end of
 * the process.
 *
 * Returns a function that takes the handlers away; a drain that is under way goes on, and still ends the process. Throws an
 * `InvalidOption…Error` that names option, value and what is allowed.
 *
 * @example
 * const jobs = new FifoQueue<string>();
 * const pool = new WorkerPool(jobs, async (job) => console.log(job));
 * const forget = drainOnSignals([pool], { timeoutMs: 20_000 });
 * await pool.drain();
 * forget();
 */
export function drainOnSignals<P extends Drainable>(
  pools: Iterable<P>,
  options?: DrainOnSignalsOptions<P>,
): () => void {
  const all = checkPools(pools);
  const settings = readOptions(options);
  const { clock } = settings;
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const receive = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = { signal, at: clock.now() };
      void drain(all, settings);
    } else if (signal !== first.signal || clock.now() - first.at >= ECHO_MS) {
      settings.exit(128 + constants.signals[signal]);
    }
  };
  for (const signal of settings.signals) process.on(signal, receive);
  return () => {
    for (const signal of settings.signals) process.off(signal, receive);
  };
}

async function drain<P extends Drainable>(pools: readonly P[], settings: Settings<P>): Promise<void> {
  const { timeoutMs, onReport, onDrained, exit, clock, callbackTimeoutMs: limitMs } = settings;
  // What comes too late is no one's any more: the process is about to end.
  const limitOf = (name: string) => ({ clock, limitMs, name, fault: () => {} });
  const reports: DrainReport[] = [];
  let isClean = true;
  /** Awaits what `fn` does. Nothing may keep the process from its exit. */
  const attempt = async (what: string, fn: () => unknown) => {
    try {
      await fn();
    } catch (error) {
      isClean = false;
      printToConsole(`${what} failed: ${errorText(error)}`);
    }
  };
  await Promise.all(
    pools.map((pool) =>
      attempt(`to drain ${nameOf(pool)}`, async () => {
        const report = await pool.drain({ timeoutMs });
        reports.push(report);
        if (report.timedOut || report.abandoned.length > 0 || report.leftOver.count > 0) isClean = false;
        await attempt("onReport", () => within(limitOf("onReport"), () => onReport(report, pool)));
      }),
    ),
  );
  if (onDrained !== undefined) {
    await attempt("onDrained", () => within(limitOf("onDrained"), () => onDrained(reports)));
  }
  exit(isClean ? 0 : 1);
}

/** {@link DrainOnSignalsOptions}, checked and complete. */
interface Settings<P extends Drainable> {
  readonly signals: readonly NodeJS.Signals[];
  readonly timeoutMs: number;
  readonly onReport: (report: DrainReport, pool: P) => unknown;
  readonly onDrained: DrainOnSignalsOptions<P>["onDrained"];
  readonly exit: (code: number) => void;
  readonly callbackTimeoutMs: number;
  readonly clock: Clock;
}

function readOptions<P extends Drainable>(options: DrainOnSignalsOptions<P> | undefined): Settings<P> {
  checkObject("options", options);
  checkKnown(options, OPTIONS);
  const { signals = ["SIGTERM", "SIGINT"], timeoutMs = 20_000, onReport = print } = options ?? {};
  const { onDrained, callbackTimeoutMs = 10_000, exit = process.exit, clock } = options ?? {};
  checkSignals(signals);
  checkDuration("timeoutMs", timeoutMs);
  checkFunction("onReport", onReport);
  checkFunction("onDrained", onDrained);
  checkDuration("callbackTimeoutMs", callbackTimeoutMs);
  checkFunction("exit", exit);
  checkClock(clock);
  return {
    signals: [...new Set(signals)],
    timeoutMs,
    onReport,
    onDrained,
    callbackTimeoutMs,
    exit,
    clock: clock ?? systemClock,
  };
}

function checkPools<P extends Drainable>(given: Iterable<P>): P[] {
  const allowed = "an iterable of at least one worker pool";
  if (typeof (given as Partial<Iterable<P>> | null)?.[Symbol.iterator] !== "function") {
    throw new InvalidOptionTypeError("pools", given, allowed);
  }
  const pools = [...new Set(given)];
  for (const [i, pool] of pools.entries()) {
    if (typeof (pool as Partial<Drainable> | null | undefined)?.drain !== "function") {
      throw new InvalidOptionTypeError(`pools[${i}]`, pool, "a worker pool");
    }
  }
  if (pools.length === 0) throw new InvalidOptionRangeError("pools", given, allowed);
  return pools;
}

function checkSignals(signals: readonly NodeJS.Signals[]): void {
  if (!Array.isArray(signals)) {
    throw new InvalidOptionTypeError("signals", signals, "an array of names of signals");
  }
  if (signals.length === 0) throw new InvalidOptionRangeError("signals", signals, "at least one signal");
  for (const [i, signal] of signals.entries()) {
    if (typeof signal !== "string")
      throw new InvalidOptionTypeError(`signals[${i}]`, signal, "the name of a signal");
    const isCaught = Object.hasOwn(constants.signals, signal) && signal !== "SIGKILL" && signal !== "SIGSTOP";
    if (!isCaught)
      throw new InvalidOptionRangeError(`signals[${i}]`, signal, "the name of a signal that can be caught");
  }
}

function print(report: DrainReport, pool: Drainable): void {
  printToConsole(`${nameOf(pool)}: ${report}`);
}

function nameOf({ name }: Drainable): string {
  return typeof name === "string" ? shown(name) : "pool";
}
