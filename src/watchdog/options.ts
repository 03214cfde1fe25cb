import { constants } from "node:os";
import { resolve } from "node:path";
import {
  checkClock,
  checkFunction,
  checkKnown,
  checkNumber,
  checkObject,
  type OptionNames,
} from "../base/checks.js";
import { type Clock, LONGEST_DELAY_MS, systemClock } from "../base/clock.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { checkText } from "../base/limits.js";
import { readSla } from "../base/sla.js";
import type { ByTier, SlaTarget, Watchable } from "../contracts/index.js";
import { CHECKS } from "./checks/index.js";
import type { Check } from "./situation.js";

/** Options of a watchdog. Only `undefined` stands for the default. */
export interface WatchdogOptions {
  /** How often it samples the queues, in milliseconds, from 10 to 2 147 483 647. Default: 1 000. */
  everyMs?: number | undefined;
  /**
   * A folder for its reports, as JSON, that several processes may share; made if it isn't there. A relative path is resolved when the watchdog is
   * made. Default: none are written.
   */
  reportDir?: string | undefined;
  /**
   * How many reports of this watchdog are kept in there; the oldest are deleted. Of processes that have ended, ten times as many are kept. Other
   * files are not touched. Default: 20.
   */
  maxReports?: number | undefined;
  /**
   * After how many milliseconds a breach that goes on is reported again; earlier if its cause was unknown and is known now. A breach that is over
   * and comes back is reported earlier only if it has another cause. With `Infinity` no cause is reported twice for a tier. Default: 60 000.
   */
  minReportIntervalMs?: number | undefined;
  /** From how many milliseconds on a stall of the event loop is reported, from 20; `Infinity`: stalls are not watched. Default: 500. */
  stallThresholdMs?: number | undefined;
  /**
   * Whether it writes a line to stderr while the event loop is blocked, one when that is over, and one where stalls can't be watched.
   * Default: true.
   */
  print?: boolean | undefined;
  /** A signal on which it writes a report on every queue, such as `SIGUSR2`. Default: none. */
  signal?: NodeJS.Signals | undefined;
  /** Whether those reports are deep, as by `report({ deep: true })`. Default: false. */
  deep?: boolean | undefined;
  /** The causes it looks for, see `queuescope/checks`. Default: `CHECKS`. */
  checks?: readonly Check[] | undefined;
  /**
   * Of every n-th item the report says where in the code it was put. Costs 1 to 2 µs for each of these, and the memory of an error for as long as
   * the item is there. Default: 0, for none.
   */
  stackEvery?: number | undefined;
  /**
   * What a report shows of an item that waits: it is copied at once, as plain data and not more than so much (some 16 000 characters).
   * Default: nothing, items may be private.
   */
  payload?: ((item: unknown) => unknown) | undefined;
  /**
   * The tenant of an item that waits, in at most 255 characters, such as the ID of a customer: a report says to which tenants the next 200 items
   * belong. `undefined`: it has none. Default: tenants are not told.
   */
  tenant?: ((item: unknown) => string | undefined) | undefined;
  /**
   * Gets every text of the user's that a report, or what is told of a stall, would show (correlation IDs, steps, waits, errors, payloads, tenants,
   * whole sentences), and gives what is shown. It may be given its own result again. It must not wait, and where it throws, `…` is shown.
   */
  redact?: ((text: string) => string) | undefined;
  /** Where time comes from. Default: the system clock. */
  clock?: Clock | undefined;
}

/** Options of `watch`. */
export interface WatchOptions<Tier extends string = string> {
  /** What the queue is called in reports. Default: the name it was instrumented by. */
  name?: string | undefined;
  /** How long items of a tier may wait; `default` stands for every tier without an entry. Default: what was declared for the queue. */
  sla?:
    | ByTier<Tier, { targetMs: number; objective?: number | undefined; completeMs?: number | undefined }>
    | undefined;
}

/** {@link WatchdogOptions}, checked and complete. */
export interface WatchdogSettings {
  readonly everyMs: number;
  readonly reportDir: string | undefined;
  readonly maxReports: number;
  readonly minReportIntervalMs: number;
  readonly stallThresholdMs: number;
  readonly print: boolean;
  readonly signal: NodeJS.Signals | undefined;
  readonly deep: boolean;
  readonly checks: readonly Check[];
  readonly stackEvery: number;
  readonly payload: ((item: unknown) => unknown) | undefined;
  readonly tenant: ((item: unknown) => unknown) | undefined;
  readonly redact: ((text: string) => string) | undefined;
  readonly clock: Clock;
}

const OPTIONS: OptionNames<WatchdogOptions> = {
  everyMs: true,
  reportDir: true,
  print: true,
  maxReports: true,
  minReportIntervalMs: true,
  stallThresholdMs: true,
  signal: true,
  deep: true,
  checks: true,
  stackEvery: true,
  payload: true,
  tenant: true,
  redact: true,
  clock: true,
};

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
export function readOptions(options: WatchdogOptions | undefined): WatchdogSettings {
  checkObject("options", options);
  checkKnown(options, OPTIONS);
  const { everyMs = 1_000, reportDir, maxReports = 20, minReportIntervalMs = 60_000 } = options ?? {};
  const { stallThresholdMs = 500, signal, checks = CHECKS, redact, clock = systemClock } = options ?? {};
  const { stackEvery = 0, payload, tenant, print = true, deep = false } = options ?? {};
  checkNumber("stackEvery", stackEvery, "a whole number, from 0", (n) => n >= 0 && Number.isSafeInteger(n));
  checkFunction("payload", payload);
  checkFunction("tenant", tenant);
  checkNumber(
    "everyMs",
    everyMs,
    `milliseconds, from 10 to ${LONGEST_DELAY_MS}`,
    (ms) => ms >= 10 && ms <= LONGEST_DELAY_MS,
  );
  const folder = readFolder(reportDir);
  checkNumber("maxReports", maxReports, "a whole number from 1", (n) => n >= 1 && Number.isInteger(n));
  checkNumber("minReportIntervalMs", minReportIntervalMs, "milliseconds, from 0", (ms) => ms >= 0);
  checkNumber(
    "stallThresholdMs",
    stallThresholdMs,
    `milliseconds, from 20 to ${LONGEST_DELAY_MS}, or Infinity`,
    (ms) => ms >= 20 && (ms <= LONGEST_DELAY_MS || ms === Number.POSITIVE_INFINITY),
  );
  if (typeof print !== "boolean") throw new InvalidOptionTypeError("print", print, "true or false");
  if (typeof deep !== "boolean") throw new InvalidOptionTypeError("deep", deep, "true or false");
  if (signal !== undefined && !isForUs(signal)) {
    throw new InvalidOptionTypeError(
      "signal",
      signal,
      "a signal that a process can listen to, such as SIGUSR2",
    );
  }
  if (
    !Array.isArray(checks) ||
    !checks.every(
      (check: Partial<Check> | null) => typeof check?.look === "function" && typeof check.name === "string",
    )
  ) {
    throw new InvalidOptionTypeError("checks", checks, "an array of checks");
  }
  checkFunction("redact", redact);
  checkClock(clock);
  return {
    everyMs,
    reportDir: folder,
    maxReports,
    minReportIntervalMs,
    stallThresholdMs,
    print,
    signal,
    deep,
    checks,
    stackEvery,
    payload,
    tenant,
    redact,
    clock,
  };
}

/** As an absolute path: the process may go to another folder. */
function readFolder(reportDir: unknown): string | undefined {
  if (reportDir === undefined) return undefined;
  const allowed = "the path of a folder";
  if (typeof reportDir !== "string" || reportDir === "") {
    throw new InvalidOptionTypeError("reportDir", reportDir, allowed);
  }
  if (reportDir.includes("\0")) throw new InvalidOptionRangeError("reportDir", reportDir, allowed);
  try {
    return resolve(reportDir);
  } catch {
    const absolute = "an absolute path, as the working directory is gone";
    throw new InvalidOptionRangeError("reportDir", reportDir, absolute);
  }
}

const WATCH_OPTIONS: OptionNames<WatchOptions> = { name: true, sla: true };

/** Throws an `InvalidOption…Error`; the SLA is checked with the tiers of the queue. */
export function checkWatchOptions(options: WatchOptions | undefined): void {
  checkObject("options", options);
  checkKnown(options, WATCH_OPTIONS);
  const name: unknown = options?.name;
  if (name === undefined) return;
  if (typeof name !== "string" || name === "") {
    throw new InvalidOptionTypeError("name", name, "a string with at least one character");
  }
  checkText("name", name);
}

/** The SLA of a queue by tier. Throws an `InvalidOption…Error` for a tier that the queue can't have. */
export function readSlaFor(watchable: Watchable, sla: unknown): ReadonlyMap<string, SlaTarget> {
  const known = [...new Set([...watchable.probe.tiers, "default"])];
  const read = readSla(sla, (tier) => known.includes(tier) || watchable.mayHaveTier?.(tier) === true, known);
  for (const [tier, { completeMs }] of read) {
    if (completeMs === undefined || watchable.probe.unsettledAt !== undefined) continue;
    const allowed = "left out: the queue doesn't tell when an item first came in";
    throw new InvalidOptionTypeError(`sla.${tier}.completeMs`, completeMs, allowed);
  }
  return read;
}

/** The names that the system knows, without the two that no process can handle. */
function isForUs(signal: unknown): boolean {
  if (typeof signal !== "string" || signal === "SIGKILL" || signal === "SIGSTOP") return false;
  return Object.hasOwn(constants.signals, signal);
}
