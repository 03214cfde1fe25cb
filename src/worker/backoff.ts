import { checkKnown, checkNumber, checkObject } from "../base/checks.js";

/** How long to wait before the next attempt. */
export interface BackoffOptions {
  /** Longest delay before the second attempt, in milliseconds; it doubles with each further one. Default: 100. */
  initialMs?: number | undefined;
  /** Longest delay before any attempt, in milliseconds. Default: 30 000. */
  maxMs?: number | undefined;
}

/**
 * Exponential backoff with full jitter: anything between 0 and a limit that doubles from attempt to attempt, so that what failed
 * together doesn't come back together. These few lines are all of it, which is why no library is used for it.
 */
export class Backoff {
  private readonly initialMs: number;
  private readonly maxMs: number;

  /** Throws an `InvalidOption…Error` for what is no duration. */
  constructor(options: BackoffOptions | undefined, name: string) {
    checkObject(name, options);
    checkKnown(options, { initialMs: true, maxMs: true }, `${name}.`);
    const { initialMs = 100, maxMs = 30_000 } = options ?? {};
    const isDuration = (ms: number) => ms >= 0 && Number.isFinite(ms);
    checkNumber(`${name}.initialMs`, initialMs, "milliseconds, from 0", isDuration);
    checkNumber(
      `${name}.maxMs`,
      maxMs,
      `milliseconds, from initialMs (${initialMs})`,
      (ms) => isDuration(ms) && ms >= initialMs,
    );
    this.initialMs = initialMs;
    this.maxMs = maxMs;
  }

  /** The delay after the attempt of that number failed; the first one is 1. In milliseconds. */
  after(attempt: number): number {
    // Bounded, because after a thousand attempts the power is Infinity, which times an initial 0 is NaN.
    const doublings = Math.min(attempt - 1, 1_000);
    return Math.random() * Math.min(this.maxMs, this.initialMs * 2 ** doublings);
  }
}
