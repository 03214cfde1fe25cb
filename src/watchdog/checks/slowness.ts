import type { Check, Situation } from "../situation.js";
import { isEverythingFailing } from "./failures.js";
import { duration, percent } from "./format.js";
import { factor, readThresholds, share } from "./thresholds.js";
import { BUSY_LOOP, busyOf, isLimited, isOneAtATime, isSlower, workersOf } from "./workload.js";

/** At least this share of the workers' time goes into a wait that is named as what became slower. */
const MAIN_SHARE = 0.5;
/** From so many tasks in flight on, that is no coincidence. */
const MIN_TASKS = 3;

/**
 * `dependency-slower`: tasks take several times as long as before, though nothing in this process makes them: what they wait for has become
 * slower.
 *
 * @example
 * dependencySlower({ slowdown: 5 }); // three times as long is usual at noon
 */
export function dependencySlower(thresholds?: {
  /** Tasks take at least this many times as long as before items piled up. Default: 2.5. */
  slowdown?: number | undefined;
  /** A busier event loop makes them slow itself. Default: 0.85. */
  utilization?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { slowdown: factor(2.5), utilization: share(BUSY_LOOP) });
  return {
    name: "dependency-slower",
    look(situation) {
      if (!isSlower(situation, limits.slowdown, limits.utilization) || isEverythingFailing(situation))
        return undefined;
      const { pile, slowest, usualServiceMs, recent } = situation;
      const nowMs = recent.serviceMs!;
      const isNamed = slowest !== undefined && slowest.share >= MAIN_SHARE;
      // What is limited makes them wait for each other: it is saturated.
      if (isNamed && situation.groups.some((group) => group.label === slowest.label && isLimited(group)))
        return undefined;
      return {
        name: "dependency-slower",
        confidence: isNamed ? 0.92 : 0.83,
        sentence: `a task takes ${duration(nowMs)}, it took ${duration(usualServiceMs!)} until items began to pile up, ${duration(pile.forMs)} ago${isNamed ? waitInWords(situation) : "; what they wait for is not known"}`,
        evidence: {
          serviceMs: nowMs,
          usualServiceMs,
          forMs: pile.forMs,
          label: isNamed ? slowest.label : undefined,
          share: isNamed ? slowest.share : undefined,
          usualShare: isNamed ? slowest.usualShare : undefined,
        },
      };
    },
  };
}

function waitInWords({ slowest }: Situation): string {
  const { label, share: now, usualShare } = slowest!;
  const before = usualShare === undefined ? "" : `, ${percent(usualShare)} before`;
  return `; ${percent(now)} of their time they wait for ${label}${before}`;
}

/** Why more workers would not help, as an addition to a sentence; undefined where nothing speaks against it. */
export function whyNoWorkers(situation: Situation): string | undefined {
  const { gates, groups, tasks, slowest, loopUtilization, usualServiceMs, recent } = situation;
  const gate = gates.find(({ inFlight, limit, waiting }) => waiting > 0 && inFlight >= limit);
  if (gate !== undefined) return `the gate "${gate.name}" lets ${gate.limit} through at a time`;
  if (loopUtilization >= BUSY_LOOP) return `the event loop is ${percent(loopUtilization)} busy`;
  const pooled = groups.find(({ states }) => states[0] === "waiting for a connection");
  if (pooled !== undefined && 2 * pooled.tasks.length >= tasks.length)
    return `${pooled.tasks.length} of ${tasks.length} tasks wait for a connection to ${pooled.label}`;
  if (slowest !== undefined && isOneAtATime(situation))
    return `tasks pass ${slowest.label} one at a time, as it seems`;
  // So many would have been done if tasks took as long as usual, without each other.
  const workers = workersOf(situation) ?? busyOf(situation);
  if (usualServiceMs === undefined || recent.serviceMs === undefined || workers < MIN_TASKS) return undefined;
  if (recent.serviceMs < 2 * usualServiceMs) return undefined;
  return `tasks take ${duration(recent.serviceMs)} now, and took ${duration(usualServiceMs)} before: with more of them at a time they may only wait for each other`;
}
