import type { Check, Situation, TaskGroup } from "../situation.js";
import { busyOf, count, duration, isFullyBusy } from "./words.js";

/** From which share of the tasks on they wait for the same thing. */
const SHARE = 0.6;
/** A call that takes so many times longer than a task usually does is held up. */
const SLOWER = 3;

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
    return sameWait(situation);
  },
};

function sameWait(situation: Situation) {
  const { groups, tasks } = situation;
  const [group] = [...groups].filter(isElsewhere).sort((a, b) => b.tasks.length - a.tasks.length);
  if (group === undefined || group.tasks.length < SHARE * tasks.length || !isFullyBusy(situation))
    return undefined;
  const ages = group.tasks.map(waitOf).sort((a, b) => a - b);
  const median = ages[Math.floor(ages.length / 2)]!;
  if (median < heldUpMs(situation)) return undefined;
  const [first] = group.tasks;
  const state = first?.waits.at(-1)?.state;
  return {
    name: "downstream-saturated",
    confidence: group.kind === "step" ? 0.5 : 0.9,
    sentence: `${tasks.length === 1 ? "the only task in flight waits" : `${group.tasks.length} of ${tasks.length} tasks in flight wait`} on ${group.label}, ${ages.length === 1 ? "" : "the longest "}for ${duration(ages.at(-1)!)}${state === undefined ? "" : `, "${state}"`}`,
    evidence: { kind: group.kind, label: group.label, tasks: group.tasks.length, medianMs: median },
  };
}

/** A step says what a task does, not that it waits for somebody else; but it is better than nothing. */
function isElsewhere(group: TaskGroup): boolean {
  return group.label !== undefined;
}

function waitOf(task: { waits: readonly { forMs: number }[]; runningMs: number | undefined }): number {
  return task.waits.at(-1)?.forMs ?? task.runningMs ?? 0;
}

/** From how long on a task is held up, rather than at its usual work. */
function heldUpMs({ usualServiceMs, sla }: Situation): number {
  return usualServiceMs === undefined ? sla.targetMs : SLOWER * usualServiceMs;
}
