import type { BrokerFacts } from "../../contracts/index.js";
import type { Answer, WaitingJob } from "./script.js";

/** What BullMQ writes as the count of a span of time in which nothing is to be taken. */
const NOTHING_MORE = Number.MAX_SAFE_INTEGER;
/** What numbers are in scripts of Redis has 14 digits when it comes here. */
const ABOUT = 0.999_999;

/** What follows from the script's answer. `max` is how many jobs may be taken in some time, where a worker of this process says so. */
export function factsFrom(answer: Answer, max: number | undefined): BrokerFacts {
  const { now, waiting, prioritized, active, delayed, due, concurrency } = answer;
  // Each worker promotes what is due before it takes anything, so that can be taken now.
  const depth = waiting + prioritized + due;
  return {
    depth,
    oldestAt: depth === 0 ? null : oldestAt(answer),
    inFlight: active,
    delayed: delayed - due,
    maxInFlight: concurrency,
    isPaused: answer.isPaused,
    rateLimitedMs: rateLimitedMs(answer, answer.max ?? max),
    overdue: due,
    schedulerOverdueSince: answer.deadSince,
    brokerNow: now,
  };
}

/** Undefined where no job tells since when it could be taken. */
function oldestAt({ lanes = [], due, dueAt, now }: Answer): number | undefined {
  let oldest = due > 0 && dueAt !== undefined ? dueAt : Number.POSITIVE_INFINITY;
  for (const lane of lanes) for (const job of lane) oldest = Math.min(oldest, eligibleAt(job));
  return oldest === Number.POSITIVE_INFINITY ? undefined : Math.min(oldest, now);
}

/**
 * When a job could first be taken in its present attempt; infinite where that can't be known. A retry could be taken after its last start
 * and its backoff, if that is one of BullMQ's own; of a job that its handler has put off, that was stalled, or that waited for others, nothing tells when it came back.
 */
function eligibleAt(job: WaitingJob): number {
  const { timestamp, started, failed, processedOn, delay, backoff } = job;
  if (timestamp === undefined || (started === 0 && job.isParent)) return Number.POSITIVE_INFINITY;
  if (started === 0) return timestamp + (typeof delay === "number" ? delay : 0);
  if (processedOn === undefined) return Number.POSITIVE_INFINITY;
  const hasFailedOnly = started === failed;
  const backoffMs = hasFailedOnly ? backoffOf(backoff, failed) : undefined;
  return backoffMs === undefined ? Number.POSITIVE_INFINITY : processedOn + backoffMs;
}

/** In milliseconds; undefined where the user's own function decides. */
function backoffOf(backoff: unknown, failed: number): number | undefined {
  if (backoff === undefined || backoff === null) return 0;
  if (typeof backoff === "number") return backoff;
  const { type, delay } = backoff as { type?: unknown; delay?: unknown };
  if (typeof delay !== "number") return undefined;
  if (type === "fixed") return delay;
  return type === "exponential" ? Math.round(2 ** (failed - 1) * delay) : undefined;
}

/**
 * How long nothing is given out for; 0 if something may be. BullMQ counts what is taken in a span of time even where only a worker knows
 * how much that may be: then it is unknown, unless nothing at all was counted, or all was forbidden.
 */
function rateLimitedMs({ limited, limitedForMs }: Answer, max: number | undefined): number | undefined {
  if (limitedForMs <= 0) return 0;
  if (limited >= NOTHING_MORE * ABOUT) return limitedForMs;
  if (max === undefined) return undefined;
  return limited >= max ? limitedForMs : 0;
}
