import type { Check, Situation } from "../situation.js";
import { areFewFailing, failuresOf, isEverythingFailing } from "./failing.js";
import {
  areAllSeen,
  areSlower,
  areStuck,
  busyOf,
  butOthers,
  count,
  isNobodyIdle,
  perSecond,
  slowness,
  workersOf,
} from "./words.js";

/** While items pile up, so much of what is served still comes in in the second half: it is no burst. Chance takes away the rest. */
export const SUSTAINED = 0.9;

export const underCapacity: Check = {
  name: "under-capacity",
  look(situation) {
    const { backlog, rates, recent } = situation;
    if (!isNobodyIdle(situation) || areStuck(situation)) return undefined;
    // More of what fails and comes back would be served, and no more would be done.
    if (areFewFailing(situation) || isEverythingFailing(situation)) return undefined;
    if (backlog === undefined) return "not enough evidence yet";
    const served = servedPerSecond(situation);
    if (served === undefined) return "not enough evidence yet";
    if (served === 0) return undefined;
    const { arrivedPerSecond } = backlog;
    const sentence = `${perSecond(arrivedPerSecond)} come in and ${perSecond(served)} are served`;
    if (backlog.later.arrivedPerSecond < SUSTAINED * served) return undefined;
    if (situation.isRateLimited) {
      return {
        name: "under-capacity",
        confidence: 0.8,
        sentence: `${sentence}: the queue's rate limit lets no more through`,
        evidence: { arrivedPerSecond, servedPerSecond: served, isRateLimited: true },
      };
    }
    const workers = workersOf(situation) ?? busyOf(situation);
    const serviceMs = recent.serviceMs ?? rates.serviceMs;
    const needed =
      serviceMs === undefined ? undefined : Math.ceil((arrivedPerSecond * serviceMs) / 1_000 + 1);
    const advice =
      needed === undefined || workers === 0 || needed <= workers
        ? ""
        : `; ${count(needed, "worker")} would do, there ${workers === 1 ? "is" : "are"} ${workers}`;
    return {
      name: "under-capacity",
      confidence: 0.8,
      sentence: `${sentence}, by workers that are all busy${advice}${slowness(situation)}${butOthers(situation)}${failuresOf(situation)}`,
      evidence: { arrivedPerSecond, servedPerSecond: served, serviceMs, workers, needed },
    };
  },
};

/** From so many taken items on their number is a rate. */
const ENOUGH = 3;

/**
 * What is served while items pile up: in all of that time, which is steadier, unless tasks have become slower since: then in its second
 * half. Where tasks take so long that it is hardly anything, what the usual ones would make.
 */
export function servedPerSecond(situation: Situation): number | undefined {
  const { backlog, rates, usualServiceMs, isRateLimited } = situation;
  // It lets items through now and then, many at once: only over a long time is that a rate.
  if (isRateLimited) return rates.takenPerSecond;
  // Thousands of free hands were filled: that is no rate, and says nothing of what comes next.
  if (backlog !== undefined && !areAllSeen(situation) && backlog.taken <= busyOf(situation)) return undefined;
  if (backlog !== undefined && backlog.taken >= ENOUGH) {
    const { takenPerSecond } = backlog.later;
    const takenLater = (takenPerSecond * backlog.windowMs) / 2_000;
    return areSlower(situation) && takenLater >= ENOUGH ? takenPerSecond : backlog.takenPerSecond;
  }
  const serviceMs = usualServiceMs ?? rates.serviceMs;
  return serviceMs === undefined ? undefined : (busyOf(situation) * 1_000) / serviceMs;
}
