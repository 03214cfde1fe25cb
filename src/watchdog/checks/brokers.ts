import type { BrokerView } from "../../contracts/index.js";
import type { Check, Situation, Verdict } from "../situation.js";
import { count, duration, percent, perSecond } from "./format.js";
import { milliseconds, readThresholds, share, wholeNumber } from "./thresholds.js";

/*
 * Causes that lie between the processes: by what a broker tells of its queue, and by how deliveries came to this process. Where the
 * broker doesn't tell what a check goes by, the check says nothing.
 */

/** A check of queues in brokers. `see` gives the verdict, but for its name. */
function ofBroker(
  name: string,
  see: (broker: BrokerView, situation: Situation) => Omit<Verdict, "name"> | undefined,
): Check {
  return {
    name,
    scope: "broker",
    look(situation) {
      const { broker } = situation;
      const seen = broker === undefined ? undefined : see(broker, situation);
      return seen === undefined ? undefined : { name, ...seen };
    },
  };
}

function waiting({ waitMs, depth }: Situation): string {
  const messages = depth === 0 ? "" : `${count(depth, "message")} in the queue, `;
  return `${messages}the oldest ${waitMs === 0 ? "of unknown age" : `for ${duration(waitMs)}`}`;
}

/**
 * `no-consumer`: the broker knows of no consumer.
 *
 * @example
 * new Watchdog({ checks: [noBrokerConsumer(), ...CHECKS] });
 */
export function noBrokerConsumer(): Check {
  return ofBroker("no-consumer", (broker, situation) => {
    const { consumers, cancelledMsAgo, isPaused } = broker;
    if (consumers !== 0 || situation.depth === 0 || isPaused === true) return undefined;
    const cancelled =
      cancelledMsAgo === undefined
        ? ""
        : `; it cancelled that of this process ${duration(cancelledMsAgo)} ago`;
    return {
      confidence: 0.95,
      sentence: `the broker knows of no consumer: ${waiting(situation)}${cancelled}`,
      evidence: { consumers, depth: situation.depth, cancelledMsAgo },
    };
  });
}

/**
 * `consumers-paused`: the queue is paused in the broker, for all its consumers.
 *
 * @example
 * new Watchdog({ checks: [pausedInBroker(), ...CHECKS] });
 */
export function pausedInBroker(): Check {
  return ofBroker("consumers-paused", ({ isPaused, consumers }, situation) =>
    isPaused === true
      ? {
          confidence: 0.96,
          sentence: `the queue is paused in the broker, for all consumers: ${waiting(situation)}`,
          evidence: { isPaused, consumers },
        }
      : undefined,
  );
}

/**
 * `rate-limited`: the broker gives out nothing for now, because so much was given out lately.
 *
 * @example
 * rateLimited({ minMs: 5_000 }); // shorter limits are meant
 */
export function rateLimited(thresholds?: {
  /** Nothing is given out for at least this long, in milliseconds. Default: 0. */
  minMs?: number | undefined;
}): Check {
  const { minMs } = readThresholds(thresholds, { minMs: milliseconds(0) });
  return ofBroker("rate-limited", ({ rateLimitedMs, isPaused }, situation) =>
    rateLimitedMs === undefined || rateLimitedMs <= minMs || isPaused === true
      ? undefined
      : {
          confidence: 0.9,
          sentence: `the queue's rate limit is used up: nothing is given out for another ${duration(rateLimitedMs)}; ${waiting(situation)}`,
          evidence: { rateLimitedMs },
        },
  );
}

/**
 * `broker-blocked`: the broker takes nothing, for lack of memory or disk; or it does not answer, or did not while the oldest message waited.
 *
 * @example
 * brokerBlocked({ share: 0.2 }); // a short absence is enough to be the cause
 */
export function brokerBlocked(thresholds?: {
  /** It did not answer for at least this share of the oldest message's wait; less than that, while it lasts, is a cause of confidence 0.6. Default: 0.5. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.5) });
  return ofBroker("broker-blocked", ({ blockedReason, outage, recent }, situation) => {
    if (blockedReason !== undefined) {
      return {
        confidence: 0.97,
        sentence: `the broker takes no messages (${blockedReason}): ${waiting(situation)}`,
        evidence: { blockedReason, taken: recent.taken },
      };
    }
    if (outage === undefined) return undefined;
    const { forMs, endedMsAgo, reason } = outage;
    // What has come since then it doesn't explain, nor what had been late before.
    const isCause = Math.min(forMs, situation.waitMs - (endedMsAgo ?? 0)) >= limits.share * situation.waitMs;
    if (endedMsAgo !== undefined && !isCause) return undefined;
    const until = endedMsAgo === undefined ? "" : `, until ${duration(endedMsAgo)} ago`;
    return {
      confidence: isCause ? 0.97 : 0.6,
      sentence: `the broker ${endedMsAgo === undefined ? "has not answered" : "did not answer"} for ${duration(forMs)}${until} (${reason}): ${waiting(situation)}`,
      evidence: { outage },
    };
  });
}

/**
 * `consumers-saturated`: as many messages are in flight as the consumers may have, by their prefetch or concurrency.
 *
 * @example
 * consumersSaturated({ share: 1 }); // only when not one more may be
 */
export function consumersSaturated(thresholds?: {
  /** At least this share of what may be in flight is. Default: 0.9. */
  share?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.9) });
  return ofBroker("consumers-saturated", ({ inFlight, maxInFlight, consumers }, situation) => {
    if (inFlight === undefined || maxInFlight === undefined || maxInFlight === 0) return undefined;
    if (situation.depth === 0 || inFlight < limits.share * maxInFlight) return undefined;
    const by = consumers === undefined ? "" : ` of ${count(consumers, "consumer")}`;
    return {
      confidence: 0.85,
      sentence: `${inFlight} of ${maxInFlight} messages that may be in flight${by} are: ${waiting(situation)}`,
      evidence: { inFlight, maxInFlight, consumers },
    };
  });
}

/** Whether something else keeps messages from being given out. */
function isHeldUp({ isPaused, rateLimitedMs, blockedReason, consumers }: BrokerView): boolean {
  return isPaused === true || (rateLimitedMs ?? 0) > 0 || blockedReason !== undefined || consumers === 0;
}

/**
 * `under-capacity`: consumers work, and the queue becomes deeper all the same.
 *
 * @example
 * underBrokerCapacity({ minGrowth: 0.1 }); // by a tenth of its depth from answer to answer, at least
 */
export function underBrokerCapacity(thresholds?: {
  /** It grows by at least this share of its depth, over the last few answers. Default: 0. */
  minGrowth?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { minGrowth: share(0) });
  return ofBroker("under-capacity", (broker, situation) => {
    const { growth, inFlight, consumers } = broker;
    const { depth } = situation;
    if (
      growth === undefined ||
      depth === 0 ||
      (inFlight ?? situation.inFlight ?? 0) === 0 ||
      isHeldUp(broker)
    )
      return undefined;
    const grown = (growth.perSecond * growth.overMs) / 1_000;
    if (grown < 0 || grown < limits.minGrowth * depth) return undefined;
    const by =
      consumers === undefined ? "the consumers finish" : `${count(consumers, "consumer")} can finish`;
    return {
      confidence: 0.75,
      sentence: `more messages come in than ${by}: ${perSecond(growth.perSecond)} more in the queue over ${duration(growth.overMs)}, and ${inFlight ?? situation.inFlight} in flight; ${waiting(situation)}`,
      evidence: { growth, inFlight, consumers, depth },
    };
  });
}

/**
 * `burst`: what has piled up is being worked off.
 *
 * @example
 * new Watchdog({ checks: [burstInBroker(), ...CHECKS] });
 */
export function burstInBroker(): Check {
  return ofBroker("burst", (broker, situation) => {
    const { growth, inFlight, consumers } = broker;
    const { depth } = situation;
    if (growth === undefined || growth.perSecond >= 0 || depth === 0 || isHeldUp(broker)) return undefined;
    if ((inFlight ?? situation.inFlight ?? 0) === 0) return undefined;
    const leftMs = (1_000 * depth) / -growth.perSecond;
    return {
      confidence: 0.7,
      sentence: `what has piled up is being worked off: ${perSecond(-growth.perSecond)} fewer in the queue over ${duration(growth.overMs)}, so that it is empty in about ${duration(leftMs)}; ${waiting(situation)}`,
      evidence: { growth, inFlight, consumers, depth },
    };
  });
}

/**
 * `idle-though-connected`: consumers are connected, and none of them has a message in hand.
 *
 * @example
 * idleThoughConnected({ minMs: 60_000 }); // the broker is asked once a minute
 */
export function idleThoughConnected(thresholds?: {
  /** The oldest message waits for at least this long, in milliseconds: what the broker told may be as old. Default: 30,000. */
  minMs?: number | undefined;
}): Check {
  const { minMs } = readThresholds(thresholds, { minMs: milliseconds(30_000) });
  return ofBroker("idle-though-connected", (broker, situation) => {
    const { consumers, inFlight, isPaused, rateLimitedMs, blockedReason, recent } = broker;
    if (consumers === undefined || consumers === 0 || inFlight !== 0 || situation.depth === 0)
      return undefined;
    if (isPaused === true || (rateLimitedMs ?? 0) > 0 || blockedReason !== undefined) return undefined;
    if (situation.waitMs < minMs || situation.lastTakenMsAgo < minMs) return undefined;
    return {
      confidence: 0.85,
      sentence: `${count(consumers, "consumer is", "consumers are")} connected, and none has a message in hand: ${waiting(situation)}`,
      evidence: { consumers, inFlight, taken: recent.taken },
    };
  });
}

/**
 * `poison-item`: a message, or a few, come back again and again.
 *
 * @example
 * poisonMessage({ minAttempts: 10 }); // ten attempts are usual here
 */
export function poisonMessage(thresholds?: {
  /** The message has had at least this many attempts. Default: 5. */
  minAttempts?: number | undefined;
  /** At least this share of deliveries had been delivered before. Default: 0.3. */
  share?: number | undefined;
  /** At most this many messages with three attempts and more. Default: 3. */
  maxMessages?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, {
    minAttempts: wholeNumber(5),
    share: share(0.3),
    maxMessages: wholeNumber(3),
  });
  return ofBroker("poison-item", ({ recent }, { lastFailure }) => {
    const { taken, redelivered, repeated, mostAttempts, correlationId } = recent;
    if (mostAttempts < limits.minAttempts || repeated > limits.maxMessages) return undefined;
    if (redelivered < limits.share * taken) return undefined;
    const failure = lastFailure === undefined ? "" : `; it failed with: ${lastFailure}`;
    return {
      confidence: 0.93,
      sentence: `one message (${correlationId}) comes back again and again: ${count(mostAttempts, "attempt")} so far, and ${percent(redelivered / taken)} of deliveries had been delivered before${failure}`,
      evidence: { attempt: mostAttempts, correlationId, share: redelivered / taken, lastFailure },
    };
  });
}

/**
 * `redelivery-storm`: most deliveries had been delivered before, of many messages.
 *
 * @example
 * redeliveryStorm({ share: 0.8 }); // one retry for each message is usual here
 */
export function redeliveryStorm(thresholds?: {
  /** More than this share of deliveries had been delivered before. Default: 0.5. */
  share?: number | undefined;
  /** There were at least this many deliveries in the last minute. Default: 20. */
  minDeliveries?: number | undefined;
}): Check {
  const limits = readThresholds(thresholds, { share: share(0.5), minDeliveries: wholeNumber(20) });
  return ofBroker("redelivery-storm", ({ recent }, { lastFailure }) => {
    const { taken, redelivered, windowMs } = recent;
    if (taken < limits.minDeliveries || redelivered <= limits.share * taken) return undefined;
    const failure = lastFailure === undefined ? "" : `; the last failure was: ${lastFailure}`;
    return {
      confidence: 0.9,
      sentence: `${redelivered} of ${taken} deliveries in ${duration(windowMs)} had been delivered before: messages are given back, or not acknowledged in time, and come again at once${failure}`,
      evidence: { taken, redelivered, windowMs, lastFailure },
    };
  });
}

/**
 * `lock-lost`: locks of messages ran out while their handlers worked, so that they are delivered again. A blocked event loop, which can't
 * renew them, is named as its cause.
 *
 * @example
 * new Watchdog({ checks: [lockLost(), ...CHECKS] });
 */
export function lockLost(): Check {
  return ofBroker("lock-lost", ({ recent }, { stalls, lateMs, waitMs }) => {
    if (recent.lockLost === 0) return undefined;
    const [longest] = stalls
      .filter(({ endedMsAgo }) => endedMsAgo <= recent.windowMs)
      .sort((a, b) => b.durationMs - a.durationMs);
    // Of an event loop that was blocked meanwhile this says more than `event-loop-blocked` does.
    const isCauseNow = stalls.some(({ endedMsAgo }) => endedMsAgo < waitMs) || lateMs > 1_000;
    const cause =
      longest === undefined
        ? lateMs > 1_000
          ? `; the event loop was late by ${duration(lateMs)}, and locks are renewed by timers`
          : ""
        : `; the event loop was blocked for ${duration(longest.durationMs)}${longest.where === undefined ? "" : ` by ${longest.where}`}, and locks are renewed by timers`;
    return {
      confidence: isCauseNow ? 0.98 : 0.92,
      sentence: `the locks of ${count(recent.lockLost, "message")} ran out while ${recent.lockLost === 1 ? "it was" : "they were"} worked on: the outcome is discarded, and ${recent.lockLost === 1 ? "it comes" : "they come"} again${cause}`,
      evidence: { lockLost: recent.lockLost, stalls: stalls.length, longestStallMs: longest?.durationMs },
    };
  });
}

/**
 * `stale-settle`: deliveries were acknowledged whose channel was gone.
 *
 * @example
 * new Watchdog({ checks: [staleSettle(), ...CHECKS] });
 */
export function staleSettle(): Check {
  return ofBroker("stale-settle", ({ recent }) => {
    const stale = recent.stale - recent.lockLost;
    if (stale <= 0) return undefined;
    return {
      confidence: 0.9,
      sentence: `${count(stale, "delivery was", "deliveries were")} acknowledged after ${stale === 1 ? "its" : "their"} channel was gone: ${stale === 1 ? "it comes" : "they come"} again, and the acknowledgement may have hit another message, which then is lost`,
      evidence: { stale },
    };
  });
}

/**
 * `delayed-overdue`: messages whose planned delay is over can't be taken.
 *
 * @example
 * delayedOverdue({ minMessages: 10 });
 */
export function delayedOverdue(thresholds?: {
  /** At least this many are overdue. Default: 1. */
  minMessages?: number | undefined;
}): Check {
  const { minMessages } = readThresholds(thresholds, { minMessages: wholeNumber(1) });
  return ofBroker("delayed-overdue", ({ overdue, consumers, isPaused, inFlight }, { depth }) =>
    overdue === undefined || overdue < minMessages || isPaused === true || consumers === 0
      ? undefined
      : {
          // Workers that are busy promote nothing either; and where nothing else waits, this is what is late.
          confidence: (inFlight ?? 0) > 0 ? 0.4 : depth === overdue ? 0.87 : 0.8,
          sentence: `${count(overdue, "message")} whose planned delay is over ${overdue === 1 ? "has" : "have"} not been made ready: no worker promotes ${overdue === 1 ? "it" : "them"}`,
          evidence: { overdue, consumers },
        },
  );
}

/**
 * `scheduler-dead`: a scheduler's next message is long overdue.
 *
 * @example
 * schedulerDead({ minMs: 600_000 });
 */
export function schedulerDead(thresholds?: {
  /** For at least this long, in milliseconds. Default: 60,000. */
  minMs?: number | undefined;
}): Check {
  const { minMs } = readThresholds(thresholds, { minMs: milliseconds(60_000) });
  return ofBroker("scheduler-dead", ({ schedulerOverdueMs }, { depth }) =>
    schedulerOverdueMs === undefined || schedulerOverdueMs < minMs
      ? undefined
      : {
          // What waits does so for another cause.
          confidence: depth === 0 ? 0.85 : 0.7,
          sentence: `a scheduler's next message has been due for ${duration(schedulerOverdueMs)}, and none of it is in the queue: the chain of its messages has been cut`,
          evidence: { schedulerOverdueMs },
        },
  );
}

/**
 * `clock-skew`: this process's clock and the broker's differ so much that ages and waits may be wrong.
 *
 * @example
 * clockSkew({ minMs: 10_000 });
 */
export function clockSkew(thresholds?: {
  /** The clocks differ by at least this much, in milliseconds; and by half of the SLA. Default: 1,000. */
  minMs?: number | undefined;
}): Check {
  const { minMs } = readThresholds(thresholds, { minMs: milliseconds(1_000) });
  return ofBroker("clock-skew", ({ skewMs }, { sla }) => {
    if (skewMs === undefined || Math.abs(skewMs) < Math.max(minMs, sla.targetMs / 2)) return undefined;
    return {
      // That work is late it doesn't explain, only that it may not be.
      confidence: 0.6,
      sentence: `this process's clock is ${duration(Math.abs(skewMs))} ${skewMs > 0 ? "ahead of" : "behind"} the broker's: waits that it measures may be wrong by that`,
      evidence: { skewMs },
    };
  });
}
