import type { Check } from "../situation.js";
import {
  brokerBlocked,
  clockSkew,
  consumersSaturated,
  delayedOverdue,
  idleThoughConnected,
  lockLost,
  noBrokerConsumer,
  ofConsumers,
  ofThisProcess,
  pausedInBroker,
  poisonMessage,
  rateLimited,
  redeliveryStorm,
  schedulerDead,
  staleSettle,
} from "./brokers.js";
import { consumersPaused, consumersStuck, neverResumes, noConsumer } from "./consumers.js";
import { eventLoopBlocked } from "./event-loop.js";
import { downstreamSaturated, poisonItem } from "./failures.js";
import { burst, priorityInversion, producersBlocked, starvedTier, underCapacity } from "./load.js";

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
  clockSkew(),
  ofThisProcess(noConsumer()),
  ofThisProcess(consumersPaused()),
  neverResumes(),
  ofThisProcess(poisonItem()),
  ofThisProcess(priorityInversion()),
  downstreamSaturated(),
  consumersStuck(),
  ofThisProcess(starvedTier()),
  ofThisProcess(underCapacity()),
  ofThisProcess(burst()),
  ofThisProcess(producersBlocked()),
];
