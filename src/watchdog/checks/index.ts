import type { Check } from "../situation.js";
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
  eventLoopBlocked(),
  noConsumer(),
  consumersPaused(),
  neverResumes(),
  poisonItem(),
  priorityInversion(),
  downstreamSaturated(),
  consumersStuck(),
  starvedTier(),
  underCapacity(),
  burst(),
  producersBlocked(),
];
