import { type Collector, processWide } from "../../base/process-wide.js";

const { collectors } = processWide;

/**
 * Whether this one is to give the metrics, and not another one that is read with it. A reader asks all its producers at once, in one
 * turn; those of different readers are sooner or later asked apart, and from then on each gives everything.
 */
export function isFirstOfItsReader(self: Collector): boolean {
  // No reader asks the same one twice.
  if (collectors.round.has(self)) close(collectors.round);
  const { round } = collectors;
  const isFirst = ![...round].some((other) => mayShareReader(self, other));
  if (round.size === 0) queueMicrotask(() => close(round));
  round.add(self);
  return isFirst;
}

function mayShareReader(one: Collector, other: Collector): boolean {
  return (one.company?.has(other) ?? true) && (other.company?.has(one) ?? true);
}

function close(round: Set<Collector>): void {
  if (collectors.round === round) collectors.round = new Set();
  for (const each of round) {
    const { company } = each;
    each.company = company === undefined ? round : new Set([...company].filter((other) => round.has(other)));
  }
  // Closed a second time, at the end of its turn, there is nothing left to learn.
}
