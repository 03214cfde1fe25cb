import { recorder } from "../../base/recorder.js";
import { shown } from "../../base/shown.js";
import { count, duration, perSecond } from "../checks/format.js";
import type { Rates } from "../situation.js";

/** How many steps it tells of, the last ones. */
const MAX_STEPS = 5;
/** What has changed by less than this share is as it was. */
const SAME_SHARE = 0.3;

/** A breach that was reported has ended. */
export class ClearedReport {
  /** @internal */
  constructor(
    readonly queue: string,
    readonly tier: string,
    readonly lastedMs: number,
    /** What it was put down to last. */
    readonly verdict: string,
    /** Items that missed the SLA meanwhile; undefined where that is not counted. */
    readonly missed: number | undefined,
    /** What has changed since it was reported, in words: steps that were taken, and what the queue does. Empty where nothing has. */
    readonly changed: readonly string[],
  ) {}

  toString(): string {
    const { queue, tier, lastedMs, verdict, missed, changed } = this;
    const late = missed === undefined ? "" : `, ${count(missed, "item")} missed the SLA`;
    const since =
      changed.length === 0
        ? "nothing that is known has changed"
        : changed.map((each) => shown(each, 200)).join("; ");
    return `CLEARED queue=${shown(queue)} tier=${shown(tier)} after ${duration(lastedMs)} (${shown(verdict)})${late}\nSINCE ${since}`;
  }
}

/** What was done to pools and gates since then, in epoch milliseconds. */
export function stepsSince(at: number): string[] {
  return recorder
    .transitions()
    .filter((step) => step.at >= at && !/: the SLA is |^blocked for |^worker \d/.test(step.what))
    .slice(-MAX_STEPS)
    .map(({ who, what }) => `"${who}" ${what}`);
}

/** By what the rates differ, in words. */
export function changesOf(before: Rates, now: Rates): string[] {
  const changes: string[] = [];
  if (isOther(before.arrivedPerSecond, now.arrivedPerSecond))
    changes.push(`${perSecond(now.arrivedPerSecond)} arrive, it was ${perSecond(before.arrivedPerSecond)}`);
  if (isOther(before.takenPerSecond, now.takenPerSecond))
    changes.push(`${perSecond(now.takenPerSecond)} are taken, it was ${perSecond(before.takenPerSecond)}`);
  if (
    before.serviceMs !== undefined &&
    now.serviceMs !== undefined &&
    isOther(before.serviceMs, now.serviceMs)
  )
    changes.push(`a task takes ${duration(now.serviceMs)}, it was ${duration(before.serviceMs)}`);
  return changes;
}

function isOther(before: number, now: number): boolean {
  return Math.abs(now - before) > SAME_SHARE * Math.max(before, now);
}
