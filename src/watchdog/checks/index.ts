import { errorLine } from "../../base/error-text.js";
import { cut, MAX_NAME, whole } from "../../base/limits.js";
import { shown } from "../../base/shown.js";
import { type Check, type Situation, UNKNOWN, type Verdict } from "../situation.js";
import { plainCopy } from "../values.js";
import {
  brokerBlocked,
  burstInBroker,
  clockSkew,
  consumersSaturated,
  delayedOverdue,
  idleThoughConnected,
  lockLost,
  noBrokerConsumer,
  pausedInBroker,
  poisonMessage,
  rateLimited,
  redeliveryStorm,
  schedulerDead,
  staleSettle,
  underBrokerCapacity,
} from "./brokers.js";
import { consumersPaused, consumersStuck, neverResumes, noConsumer } from "./consumers.js";
import { eventLoopBlocked, gcPressure, processorStarved } from "./event-loop.js";
import { downstreamSaturated, handlerFailing, poisonItem } from "./failures.js";
import { burst, priorityInversion, producersBlocked, starvedTier, underCapacity } from "./load.js";
import { dependencySlower } from "./slowness.js";

/**
 * The checks of a watchdog by default, each with its default thresholds. Of two that are equally sure of their cause, the first one here is
 * named first.
 *
 * @example
 * const nightly: Check = {
 *   name: "nightly_import",
 *   look: ({ depth }) =>
 *     depth < 10_000
 *       ? undefined
 *       : { name: "nightly_import", confidence: 0.9, sentence: `the import put ${depth} items`, evidence: { depth } },
 * };
 * const watchdog = new Watchdog({ checks: [nightly, ...CHECKS] });
 */
export const CHECKS: readonly Check[] = [
  ofConsumers(gcPressure()),
  ofConsumers(eventLoopBlocked()),
  // Of queues in brokers, from what only one process can do to what concerns all.
  lockLost(),
  staleSettle(),
  brokerBlocked(),
  pausedInBroker(),
  noBrokerConsumer(),
  rateLimited(),
  poisonMessage(),
  redeliveryStorm(),
  schedulerDead(),
  delayedOverdue(),
  idleThoughConnected(),
  consumersSaturated(),
  underBrokerCapacity(),
  burstInBroker(),
  clockSkew(),
  ofThisProcess(noConsumer()),
  ofThisProcess(consumersPaused()),
  neverResumes(),
  ofThisProcess(poisonItem()),
  handlerFailing(),
  ofThisProcess(priorityInversion()),
  dependencySlower(),
  downstreamSaturated(),
  consumersStuck(),
  ofConsumers(processorStarved()),
  ofThisProcess(starvedTier()),
  ofThisProcess(underCapacity()),
  ofThisProcess(burst()),
  ofThisProcess(producersBlocked()),
];

/** The same check, of queues that are in this process as a whole: elsewhere it would take one process's part for all there is. */
function ofThisProcess({ name, look }: Check): Check {
  return {
    name,
    scope: "process",
    look: (situation) => (situation.broker === undefined ? look(situation) : undefined),
  };
}

/** The same check, but of a queue in a broker only in processes that take from it: what holds up a producer makes no message late. */
function ofConsumers({ name, look }: Check): Check {
  const isConsumed = ({ broker, inFlight }: Situation) =>
    broker === undefined || broker.recent.taken > 0 || (inFlight ?? 0) > 0;
  return { name, look: (situation) => (isConsumed(situation) ? look(situation) : undefined) };
}

/** The verdict that a breach is counted under. */
export function verdictOf({ verdicts }: { readonly verdicts: readonly Verdict[] }): string {
  return verdicts[0]?.name ?? UNKNOWN;
}

/** Runs the checks: the causes that they found, the surest first, and those that can't be told yet. */
export function diagnose(
  checks: readonly Check[],
  situation: Situation,
  fault: (error: unknown) => void,
): { verdicts: Verdict[]; notYet: string[] } {
  const verdicts: Verdict[] = [];
  const notYet: string[] = [];
  for (const check of checks) {
    try {
      const found: unknown = check.look(situation);
      if (found === "not enough evidence yet") notYet.push(check.name);
      else if (isVerdict(found)) verdicts.push(bounded(found, fault));
      else if (found !== undefined && found !== null) refuse(check, found);
    } catch (error) {
      fault(error);
    }
  }
  // Stable: of two that are as sure, the check that stands first is the more specific one.
  verdicts.sort((a, b) => b.confidence - a.confidence);
  return { verdicts, notYet };
}

function isVerdict(found: unknown): found is Verdict {
  const { name, confidence, sentence } = (found ?? {}) as Partial<Verdict>;
  return typeof name === "string" && Number.isFinite(confidence) && typeof sentence === "string";
}

/** How long names and sentences may be, in characters. */
const MAX_SENTENCE = 2_000;

/** A check of the user's may tell at any length, and JSON has to be able to show it. The sentence is there to be read, wherever it is printed. */
function bounded(
  { name, confidence, sentence, evidence }: Verdict,
  fault: (error: unknown) => void,
): Verdict {
  let told: Verdict["evidence"] = {};
  try {
    told = (plainCopy(evidence) ?? {}) as Verdict["evidence"];
  } catch (error) {
    fault(error);
  }
  return {
    // A label of metrics.
    name: cut(whole(name), MAX_NAME),
    confidence,
    sentence: shown(sentence, MAX_SENTENCE),
    evidence: told,
  };
}

/** A check of the user's may give anything; what is no verdict would be in the way of those that are. */
function refuse(check: Check, found: unknown): never {
  // Its rejection would be unhandled.
  if (found instanceof Promise) found.catch(() => undefined);
  throw new TypeError(
    `the check "${shown(check.name)}" must give a verdict with name, confidence and sentence, undefined, or "not enough evidence yet", at once, not ${errorLine(found, 80)}`,
  );
}
