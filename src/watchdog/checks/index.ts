import type { Check } from "../situation.js";
import { burst } from "./burst.js";
import { consumersPaused } from "./consumers-paused.js";
import { consumersStuck } from "./consumers-stuck.js";
import { downstreamSaturated } from "./downstream-saturated.js";
import { eventLoopBlocked } from "./event-loop-blocked.js";
import { neverResumes } from "./never-resumes.js";
import { noConsumer } from "./no-consumer.js";
import { poisonItem } from "./poison-item.js";
import { priorityInversion } from "./priority-inversion.js";
import { producersBlocked } from "./producers-blocked.js";
import { starvedTier } from "./starved-tier.js";
import { underCapacity } from "./under-capacity.js";

/** All checks that there are, to be combined with own ones: `checks: [...CHECKS, mine]`. Of two that are as sure of their cause, the one that comes first here is named first. */
export const CHECKS: readonly Check[] = [
  eventLoopBlocked,
  noConsumer,
  consumersPaused,
  neverResumes,
  poisonItem,
  priorityInversion,
  downstreamSaturated,
  consumersStuck,
  starvedTier,
  underCapacity,
  burst,
  producersBlocked,
];
