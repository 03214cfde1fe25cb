import { checkNumber, checkObject } from "../base/checks.js";
import type { Health, QueueHealthOptions } from "../contracts/index.js";
import type { Core } from "./core.js";

/** The share of the capacity that may be taken, by default. */
const USUAL_SHARE = 0.9;
const USUAL_NO_PROGRESS_MS = 30_000;

/** Whether the queue is fit for more. Throws an `InvalidOption…Error` for options that are none. */
export function healthOf<T>(core: Core<T>, options: QueueHealthOptions | undefined): Health {
  checkObject("options", options);
  const { maxDepth = usualDepth(core.capacity), noProgressMs = USUAL_NO_PROGRESS_MS } = options ?? {};
  checkNumber("maxDepth", maxDepth, "a number from 0", (n) => n >= 0);
  checkNumber("noProgressMs", noProgressMs, "milliseconds, greater than 0", (ms) => ms > 0);
  core.track();
  const { size } = core.store;
  const reasons: string[] = [];
  if (core.state !== "open") reasons.push("the queue is shut down");
  if (size > maxDepth) {
    const capacity = core.capacity === Number.POSITIVE_INFINITY ? "" : ` (capacity ${core.capacity})`;
    reasons.push(`${waiting(size)}, more than ${maxDepth}${capacity}`);
  }
  const stuckMs = withoutProgressMs(core, noProgressMs);
  if (stuckMs > noProgressMs) {
    reasons.push(`nothing was taken for ${Math.round(stuckMs / 1000)} s, while ${waiting(size)}`);
  }
  return { ok: reasons.length === 0, reasons };
}

function usualDepth(capacity: number): number {
  return capacity === Number.POSITIVE_INFINITY ? capacity : Math.max(1, Math.floor(capacity * USUAL_SHARE));
}

/** How long items have waited with none taken; exact where it is longer than the limit. */
function withoutProgressMs<T>(core: Core<T>, limitMs: number): number {
  if (core.store.size === 0) return 0;
  const now = core.clock.now();
  const sinceTakenMs = now - core.lastTakenAt;
  // The oldest isn't always at hand, so it is asked for only where it matters.
  if (!(sinceTakenMs > limitMs)) return 0;
  let oldestMs = 0;
  for (let tier = 0; tier < core.tiers.length; tier++) {
    oldestMs = Math.max(oldestMs, now - (core.store.oldestAt(tier) ?? now));
  }
  return Math.min(sinceTakenMs, oldestMs);
}

function waiting(count: number): string {
  return count === 1 ? "1 item waits" : `${count} items wait`;
}
