import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import type { ResourceLimits } from "node:worker_threads";
import { checkClock, checkKnown, checkNumber, checkObject, type OptionNames } from "../../base/checks.js";
import { type Clock, LONGEST_DELAY_MS, systemClock } from "../../base/clock.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../base/errors.js";

/** Options of {@link inThreads}. Only `undefined` stands for the default. */
export interface ThreadsOptions {
  /**
   * Most threads, a whole number from 1. They are started when they are needed. Default: one less than there are processors, at
   * least 1.
   */
  threads?: number | undefined;
  /**
   * How long a thread may go on with a task that was aborted, in milliseconds; then it is terminated. `Infinity`: for ever. Default: 1 000.
   */
  terminateAfterMs?: number | undefined;
  /** How long a thread without work is kept, in milliseconds. Default: 30 000. */
  idleMs?: number | undefined;
  /** How much memory a thread may use, as for `new Worker` of `node:worker_threads`. */
  resourceLimits?: ResourceLimits | undefined;
  /** Node's options for the threads, such as `["--import", "./telemetry.mjs"]`. Default: those of the process. */
  execArgv?: readonly string[] | undefined;
  /** Where time comes from. Default: the system clock. */
  clock?: Clock | undefined;
}

const OPTIONS: OptionNames<ThreadsOptions> = {
  threads: true,
  terminateAfterMs: true,
  idleMs: true,
  resourceLimits: true,
  execArgv: true,
  clock: true,
};

/** {@link ThreadsOptions}, checked and complete. */
export interface Settings {
  readonly file: string;
  readonly threads: number;
  readonly terminateAfterMs: number;
  readonly idleMs: number;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly execArgv: string[] | undefined;
  readonly clock: Clock;
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
export function readOptions(file: unknown, options: ThreadsOptions | undefined): Settings {
  checkObject("options", options);
  checkKnown(options, OPTIONS);
  const { threads = Math.max(1, availableParallelism() - 1), terminateAfterMs = 1_000 } = options ?? {};
  const { idleMs = 30_000, resourceLimits, execArgv, clock } = options ?? {};
  checkNumber("threads", threads, "a whole number from 1", (n) => n >= 1 && Number.isSafeInteger(n));
  checkTime("terminateAfterMs", terminateAfterMs);
  checkTime("idleMs", idleMs);
  checkObject("resourceLimits", resourceLimits);
  for (const [name, limit] of Object.entries(resourceLimits ?? {})) {
    if (limit !== undefined)
      checkNumber(`resourceLimits.${name}`, limit, "a number greater than 0", (n) => n > 0);
  }
  if (
    execArgv !== undefined &&
    !(Array.isArray(execArgv) && execArgv.every((each) => typeof each === "string"))
  ) {
    throw new InvalidOptionTypeError("execArgv", execArgv, "an array of strings");
  }
  checkClock(clock);
  return {
    file: readFile(file),
    threads,
    terminateAfterMs,
    idleMs,
    resourceLimits,
    execArgv: execArgv === undefined ? undefined : [...execArgv],
    clock: clock ?? systemClock,
  };
}

/** A delay for which Node has a timer, or none at all. */
export function checkTime(name: string, value: unknown): void {
  const allowed = `milliseconds, from 0 to ${LONGEST_DELAY_MS}, or Infinity`;
  checkNumber(
    name,
    value,
    allowed,
    (ms) => ms === Number.POSITIVE_INFINITY || (ms >= 0 && ms <= LONGEST_DELAY_MS),
  );
}

/** Its path. As in imports, `x.js` stands for `x.ts` where only that exists. */
function readFile(file: unknown): string {
  const allowed = "an absolute path or a file: URL of a file that exists";
  if (typeof file !== "string" && !(file instanceof URL)) {
    throw new InvalidOptionTypeError("file", file, allowed);
  }
  const path = pathOf(String(file));
  const found = [path, path?.replace(/\.([cm]?)js$/, ".$1ts")].find(isFile);
  if (found === undefined) throw new InvalidOptionRangeError("file", String(file), allowed);
  return found;
}

function pathOf(text: string): string | undefined {
  try {
    return text.startsWith("file:") ? fileURLToPath(text) : isAbsolute(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function isFile(path: string | undefined): path is string {
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
