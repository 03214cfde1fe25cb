import { checkFunction, checkNumber, checkObject } from "../base/checks.js";
import { LONGEST_DELAY_MS } from "../base/clock.js";
import { InvalidOptionTypeError } from "../base/errors.js";
import type { StallTask } from "./stall.js";

export interface StallWatcherOptions {
  /** A stall is what lasts longer, in milliseconds, from 20. Default 500. */
  readonly thresholdMs?: number | undefined;
  /**
   * How often the thread looks, in milliseconds, from 1 to the threshold's half; main shows at least as often that its event loop turns.
   * Default a fifth of it, at most 100.
   */
  readonly heartbeatEveryMs?: number | undefined;
  /**
   * How often V8's sampling profiler notes what runs, in milliseconds, from 1; 0: never. Native code can't be looked at while it
   * holds the thread; without the samples the function that called it is a guess. Each note wakes a loop that sleeps, and libuv counts the
   * sleep up to then as work; so main shows ten times as often that it turns, which keeps `eventLoopUtilization()` true to some
   * hundredths. Default 100.
   */
  readonly profileEveryMs?: number | undefined;
  /** Write a line to stderr when the event loop is blocked, from the thread, and one when it is no longer. Default true. */
  readonly print?: boolean | undefined;
  /** A folder in which the thread appends both to `stalls.jsonl`, which nobody else may read. It must exist. Default: none. */
  readonly reportDir?: string | undefined;
  /**
   * What is to be known of a task, by what the correlation store has for it: adds to correlation ID, tier, attempt and trace ID.
   * Called in main, in the midst of whatever runs there: it only reads.
   */
  readonly describe?: ((store: unknown) => StallTask | undefined) | undefined;
  /**
   * Gets every text of the user's that is told of a task (correlation ID, step, trace ID), and gives what is told; where it fails, that
   * is `…`. Called as `describe` is.
   */
  readonly redact?: ((text: string) => string) | undefined;
  /** Publishes the heads anew. Called as `describe` is, so that no head counts that was served before the block. */
  readonly refresh?: (() => void) | undefined;
}

export interface Settings {
  readonly thresholdMs: number;
  readonly heartbeatEveryMs: number;
  readonly profileEveryMs: number;
  readonly print: boolean;
  readonly reportDir: string | undefined;
  readonly describe: ((store: unknown) => StallTask | undefined) | undefined;
  readonly redact: ((text: string) => string) | undefined;
  readonly refresh: (() => void) | undefined;
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
export function readOptions(options: StallWatcherOptions | undefined): Settings {
  checkObject("options", options);
  const { thresholdMs = 500, print = true, reportDir, describe, redact, refresh } = options ?? {};
  between("thresholdMs", thresholdMs, 20, LONGEST_DELAY_MS);
  const { heartbeatEveryMs = Math.min(100, thresholdMs / 5), profileEveryMs = 100 } = options ?? {};
  between("heartbeatEveryMs", heartbeatEveryMs, 1, thresholdMs / 2);
  checkNumber(
    "profileEveryMs",
    profileEveryMs,
    "milliseconds, 0 or from 1",
    (n) => n === 0 || (n >= 1 && n <= 10_000),
  );
  if (typeof print !== "boolean") throw new InvalidOptionTypeError("print", print, "true or false");
  if (reportDir !== undefined && typeof reportDir !== "string") {
    throw new InvalidOptionTypeError("reportDir", reportDir, "a folder's path");
  }
  checkFunction("describe", describe);
  checkFunction("redact", redact);
  checkFunction("refresh", refresh);
  return { thresholdMs, heartbeatEveryMs, profileEveryMs, print, reportDir, describe, redact, refresh };
}

function between(name: string, value: unknown, least: number, most: number): void {
  checkNumber(name, value, `milliseconds, from ${least} to ${most}`, (n) => n >= least && n <= most);
}
