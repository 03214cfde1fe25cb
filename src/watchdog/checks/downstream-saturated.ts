import type { Check, Situation, TaskGroup, Verdict } from "../situation.js";
import { failing, isEverythingFailing, lastOf } from "./failing.js";
import {
  areSlower,
  busyOf,
  count,
  duration,
  isFullyBusy,
  lookedAt,
  percent,
  perSecond,
  SLOWER,
  slowness,
} from "./words.js";

/** From which share of the tasks on they wait for the same thing. */
const SHARE = 0.6;

export const downstreamSaturated: Check = {
  name: "downstream-saturated",
  look(situation) {
    const open = situation.gates.find(({ isOpen, waiting }) => isOpen === true && waiting > 0);
    if (open !== undefined) {
      return {
        name: "downstream-saturated",
        confidence: 0.94,
        sentence: `the circuit breaker of "${open.name}" is open, ${count(open.waiting, "call waits", "calls wait")} for it`,
        evidence: { gate: open.name, waiting: open.waiting },
      };
    }
    const full = situation.gates.find(({ limit, inFlight, waiting }) => inFlight >= limit && waiting > 0);
    if (full !== undefined && full.waiting >= SHARE * (busyOf(situation) - full.inFlight)) {
      return {
        name: "downstream-saturated",
        confidence: 0.91,
        sentence: `the gate "${full.name}" lets ${count(full.limit, "call")} through at a time, ${count(full.waiting, "more waits", "more wait")} for it`,
        evidence: { gate: full.name, limit: full.limit, waiting: full.waiting },
      };
    }
    return everythingFails(situation) ?? sameWait(situation);
  },
};

/** It is down, or refuses everybody: what comes back keeps the workers busy with what will fail again. */
function everythingFails(situation: Situation): Verdict | undefined {
  if (!isEverythingFailing(situation)) return undefined;
  const { share, attemptsPerSecond, retriedPerSecond } = failing(situation);
  return {
    name: "downstream-saturated",
    confidence: 0.9,
    sentence: `${percent(share)} of the attempts (${perSecond(attemptsPerSecond)}) fail, of many items alike, which then come back: what they need is down, or refuses them${lastOf(situation)}`,
    evidence: { share, attemptsPerSecond, retriedPerSecond, lastFailure: situation.lastFailure },
  };
}

function sameWait(situation: Situation): Verdict | undefined {
  const { groups, tasks } = situation;
  const [group] = [...groups].filter(isElsewhere).sort((a, b) => b.tasks.length - a.tasks.length);
  if (group === undefined || group.tasks.length < SHARE * tasks.length || !isFullyBusy(situation))
    return undefined;
  const ages = group.forMs.map((ms) => ms ?? 0).sort((a, b) => a - b);
  const median = ages[Math.floor(ages.length / 2)]!;
  // Where calls end now and then, most of those in flight are young: the ones that ended tell.
  if (median < heldUpMs(situation) && !areSlower(situation)) return undefined;
  const [state] = group.states;
  return {
    name: "downstream-saturated",
    confidence: group.kind === "step" ? 0.5 : 0.9,
    sentence: `${tasks.length === 1 ? "the only task in flight waits" : `${group.tasks.length} of ${lookedAt(situation)} wait`} on ${group.label}, ${ages.length === 1 ? "" : "the longest "}for ${duration(ages.at(-1)!)}${state === undefined ? "" : `, "${state}"`}${slowness(situation)}`,
    evidence: { kind: group.kind, label: group.label, tasks: group.tasks.length, medianMs: median },
  };
}

/** A step says what a task does, not that it waits for somebody else; but it is better than nothing. */
function isElsewhere(group: TaskGroup): boolean {
  return group.label !== undefined;
}

/** From how long on a task is held up, rather than at its usual work. */
function heldUpMs({ usualServiceMs, sla }: Situation): number {
  return usualServiceMs === undefined ? sla.targetMs : SLOWER * usualServiceMs;
}
