import type { DeliveryFacts } from "../../contracts/index.js";
import type { Job } from "./clients.js";
import { isFlowParent } from "./metadata.js";

/** What a job tells of its delivery. */
export function factsOf(queue: string, job: Job, isScheduled: boolean): DeliveryFacts {
  const { processedOn, attemptsStarted = job.attemptsMade + 1, stalledCounter } = job;
  // Before 5.40, only the options have it.
  const priority = job.priority || job.opts?.priority;
  const isFirst = attemptsStarted <= 1 && !stalledCounter;
  return {
    queue,
    attempt: attemptsStarted,
    isRedelivered: !isFirst,
    eligibleAt: isFirst ? eligibleAt(job) : null,
    takenAt: processedOn,
    priority: typeof priority === "number" && priority !== 0 ? priority : undefined,
    hasNoProducer:
      isScheduled || (!job.opts?.telemetry?.metadata && job.opts?.telemetry?.omitContext === true),
    attributes: { "messaging.message.id": job.id ?? "", "bullmq.job.name": job.name },
  };
}

/**
 * When a job that nothing has taken before could first be taken, in epoch milliseconds of its producer's clock. `null` where that can't be
 * known: of a job that has waited for its children, or was promoted before its delay was over.
 */
function eligibleAt({ timestamp, opts, processedOn }: Job): number | null {
  if (isFlowParent(opts?.telemetry?.metadata)) return null;
  const delayMs = typeof opts?.delay === "number" ? opts.delay : 0;
  const at = timestamp + delayMs;
  return delayMs > 0 && processedOn !== undefined && processedOn < at ? null : at;
}
