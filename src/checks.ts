/** The causes of a breach that a watchdog looks for, with their thresholds, and what a check of your own goes by: see docs/diagnosis.md. */

export type { BrokerView } from "./contracts/index.js";
export {
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
} from "./watchdog/checks/brokers.js";
export { consumersPaused, consumersStuck, neverResumes, noConsumer } from "./watchdog/checks/consumers.js";
export { eventLoopBlocked, gcPressure, processorStarved } from "./watchdog/checks/event-loop.js";
export { downstreamSaturated, handlerFailing, poisonItem } from "./watchdog/checks/failures.js";
export { CHECKS } from "./watchdog/checks/index.js";
export {
  burst,
  priorityInversion,
  producersBlocked,
  starvedTier,
  underCapacity,
} from "./watchdog/checks/load.js";
export { dependencySlower } from "./watchdog/checks/slowness.js";
export type { ClearedReport } from "./watchdog/report/cleared.js";
export type { TaskGroupReport, TaskReport } from "./watchdog/report/groups.js";
export type { WorkerReport } from "./watchdog/report/report.js";
export type {
  Backlog,
  Check,
  HottestItem,
  MostAttempts,
  Pile,
  PoolNow,
  ProcessorNow,
  Rates,
  Situation,
  SlowestWait,
  StallNow,
  TaskGroup,
  TaskNow,
  TierNow,
  Turns,
  Verdict,
  WaitNow,
} from "./watchdog/situation.js";
