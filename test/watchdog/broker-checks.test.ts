import { describe, expect, it } from "vitest";
import * as checks from "../../src/checks.js";
import type { BrokerView } from "../../src/contracts/index.js";
import { diagnose } from "../../src/watchdog/checks/index.js";
import type { Situation } from "../../src/watchdog/situation.js";
import { situation, task } from "./situations.js";

const RECENT: BrokerView["recent"] = {
  windowMs: 60_000,
  taken: 0,
  redelivered: 0,
  stale: 0,
  lockLost: 0,
  repeated: 0,
  mostAttempts: 0,
  correlationId: undefined,
};

/** Of which nothing is known but what is given. */
function broker(told: Partial<BrokerView> = {}, recent: Partial<BrokerView["recent"]> = {}): BrokerView {
  return {
    system: "rabbitmq",
    depth: undefined,
    inFlight: undefined,
    consumers: undefined,
    skewMs: undefined,
    maxInFlight: undefined,
    isPaused: undefined,
    rateLimitedMs: undefined,
    blockedReason: undefined,
    outage: undefined,
    growth: undefined,
    overdue: undefined,
    schedulerOverdueMs: undefined,
    cancelledMsAgo: undefined,
    ...told,
    recent: { ...RECENT, ...recent },
  };
}

/** A queue in which messages are late, as far as the broker tells, and this process has taken none. */
function late(view: BrokerView, changes: Partial<Situation> = {}): Situation {
  const none = { takenEver: 0, lastTakenMsAgo: Number.POSITIVE_INFINITY, inFlight: 0, tasks: [] };
  return situation({ depth: 12, waitMs: 90_000, ...none, ...changes, broker: view });
}

/** The names of what is found, the surest first. */
function found(view: BrokerView, changes: Partial<Situation> = {}): string[] {
  const errors: unknown[] = [];
  const { verdicts } = diagnose(checks.CHECKS, late(view, changes), (error) => errors.push(error));
  expect(errors).toEqual([]);
  return verdicts.map(({ name }) => name);
}

function sentence(view: BrokerView, changes: Partial<Situation> = {}): string | undefined {
  return diagnose(checks.CHECKS, late(view, changes), () => {}).verdicts[0]?.sentence;
}

describe("of a queue in a broker", () => {
  it("nothing is said where nothing is known: one process's part is not all there is", () => {
    expect(found(broker())).toEqual([]);
  });

  it("no consumer is said where the broker knows of none, and not where it can't tell", () => {
    expect(found(broker({ consumers: 0 }))).toEqual(["no-consumer"]);
    expect(found(broker({ consumers: undefined }))).toEqual([]);
    expect(sentence(broker({ consumers: 0, cancelledMsAgo: 5_000 }))).toBe(
      "the broker knows of no consumer: 12 messages in the queue, the oldest for 90.0 s; it cancelled that of this process 5.0 s ago",
    );
  });

  it("a pause in the broker comes before the lack of consumers that goes with it", () => {
    expect(found(broker({ consumers: 0, isPaused: true }))).toEqual(["consumers-paused"]);
  });

  it("a rate limit is said while it holds", () => {
    expect(found(broker({ consumers: 2, rateLimitedMs: 4_000 }))).toEqual(["rate-limited"]);
    expect(found(broker({ consumers: 2, rateLimitedMs: 0, inFlight: 2 }))).toEqual([]);
  });

  it("an alarm of the broker's is said with its reason", () => {
    expect(sentence(broker({ consumers: 1, blockedReason: "low on memory" }))).toMatch(
      /^the broker takes no messages \(low on memory\)/,
    );
  });

  it("a broker that does not answer is the cause, also for a while after, of what waited meanwhile", () => {
    const outage = { forMs: 4_000, endedMsAgo: undefined, reason: "Error: connect ECONNREFUSED" };
    expect(found(broker({ outage }))).toEqual(["broker-blocked"]);
    expect(sentence(broker({ outage }))).toMatch(
      /^the broker has not answered for 4\.0 s \(Error: connect ECONN/,
    );
    const over = { ...outage, endedMsAgo: 2_000 };
    expect(sentence(broker({ outage: over, consumers: 1, overdue: 1 }), { waitMs: 5_000 })).toMatch(
      /^the broker did not answer for 4\.0 s, until 2\.0 s ago/,
    );
    expect(found(broker({ outage: over }), { waitMs: 1_500 })).toEqual([]);
  });

  it("saturated consumers have in flight what they may, idle ones nothing", () => {
    expect(found(broker({ consumers: 2, inFlight: 20, maxInFlight: 20 }))).toEqual(["consumers-saturated"]);
    expect(found(broker({ consumers: 2, inFlight: 17, maxInFlight: 20 }))).toEqual([]);
    expect(found(broker({ consumers: 2, inFlight: 0, maxInFlight: 20 }))).toEqual(["idle-though-connected"]);
    expect(found(broker({ consumers: 2, inFlight: 0 }), { waitMs: 29_000 })).toEqual([]);
  });

  it("a queue that becomes deeper while consumers work has too few, one that becomes shallower is worked off", () => {
    const busy = { consumers: 2, inFlight: 4 };
    const growth = { perSecond: 20, overMs: 4_000 };
    expect(found(broker({ ...busy, growth }))).toEqual(["under-capacity"]);
    expect(sentence(broker({ ...busy, growth }))).toMatch(
      /^more messages come in than 2 consumers can finish: 20\/s more in the queue over 4\.0 s, and 4 in flight/,
    );
    const shrinking = { perSecond: -4, overMs: 4_000 };
    expect(found(broker({ ...busy, growth: shrinking }))).toEqual(["burst"]);
    expect(sentence(broker({ ...busy, growth: shrinking }))).toMatch(/empty in about 3\.0 s/);
    expect(found(broker({ ...busy, inFlight: 0, growth }), { waitMs: 2_000 })).toEqual([]);
    expect(found(broker({ ...busy, isPaused: true, growth }))).toEqual(["consumers-paused"]);
  });

  it("one message that comes again and again is poison, many are a storm", () => {
    const poison = { taken: 10, redelivered: 8, repeated: 1, mostAttempts: 8, correlationId: "order 7" };
    expect(found(broker({}, poison))).toEqual(["poison-item"]);
    expect(sentence(broker({}, poison))).toMatch(/^one message \(order 7\).*8 attempts so far, and 80 %/);
    const storm = { taken: 100, redelivered: 90, repeated: 40, mostAttempts: 8, correlationId: "order 7" };
    expect(found(broker({}, storm))).toEqual(["redelivery-storm"]);
    expect(found(broker({}, { taken: 19, redelivered: 19, mostAttempts: 2 }))).toEqual([]);
  });

  it("a lost lock is said with the blocked event loop that has lost it", () => {
    const stall = {
      endedMsAgo: 500,
      durationMs: 40_000,
      where: "zip (/app/zip.js:7)",
      isNative: false,
      correlationId: undefined,
    };
    const view = broker({ consumers: 1 }, { taken: 1, stale: 1, lockLost: 1 });
    expect(found(view)).toEqual(["lock-lost"]);
    expect(sentence(view)).toMatch(/^the locks of 1 message ran out while it was worked on/);
    expect(found(view, { stalls: [stall] })).toEqual(["lock-lost", "event-loop-blocked"]);
    expect(sentence(view, { stalls: [stall] })).toMatch(
      /the event loop was blocked for 40\.0 s by zip \(\/app\/zip\.js:7\)/,
    );
    const longAgo = { ...stall, endedMsAgo: 100_000 };
    expect(sentence(view, { stalls: [longAgo] })).not.toContain("zip");
  });

  it("an acknowledgement on a channel that is gone is said, but not twice where a lock was lost", () => {
    expect(found(broker({}, { taken: 3, stale: 1 }))).toEqual(["stale-settle"]);
    expect(found(broker({}, { taken: 3, stale: 1, lockLost: 1 }))).toEqual(["lock-lost"]);
  });

  it("delayed messages that are overdue, and a scheduler that is dead, are said", () => {
    expect(found(broker({ consumers: 1, overdue: 3 }))).toEqual(["delayed-overdue"]);
    expect(found(broker({ consumers: 1, schedulerOverdueMs: 59_000 }))).toEqual([]);
    expect(found(broker({ consumers: 1, schedulerOverdueMs: 61_000 }))).toEqual(["scheduler-dead"]);
  });

  it("what busy workers haven't promoted yet, and a scheduler of which nothing waits, are not the first to be said", () => {
    const saturated = { consumers: 1, inFlight: 1, maxInFlight: 1 };
    expect(found(broker({ ...saturated, overdue: 12 }))).toEqual(["consumers-saturated", "delayed-overdue"]);
    expect(found(broker({ ...saturated, schedulerOverdueMs: 61_000 }))).toEqual([
      "consumers-saturated",
      "scheduler-dead",
    ]);
    const idle = broker({ consumers: 1, inFlight: 0, overdue: 12 });
    expect(found(idle)).toEqual(["delayed-overdue", "idle-though-connected"]);
  });

  it("clocks that differ by more than half of the SLA are said, last of all", () => {
    const sla = { targetMs: 1_000, objective: 0.99 };
    expect(found(broker({ skewMs: -2_000 }), { sla })).toEqual(["clock-skew"]);
    expect(sentence(broker({ skewMs: -2_000 }), { sla })).toMatch(/clock is 2\.0 s behind the broker's/);
    expect(found(broker({ skewMs: 2_000 }), { sla: { ...sla, targetMs: 60_000 } })).toEqual([]);
    expect(found(broker({ skewMs: 2_000, consumers: 0 }), { sla })).toEqual(["no-consumer", "clock-skew"]);
  });

  it("a blocked event loop of a process that only sends is not the cause", () => {
    const stall = {
      endedMsAgo: 10,
      durationMs: 60_000,
      where: undefined,
      isNative: false,
      correlationId: undefined,
    };
    expect(found(broker({ consumers: 1 }), { stalls: [stall] })).toEqual([]);
    const taking = broker({ consumers: 1 }, { taken: 5 });
    expect(found(taking, { stalls: [stall] })).toEqual(["event-loop-blocked"]);
  });

  it("handlers that hang are said by the process that they hang in", () => {
    const hanging = task({ runningMs: 80_000, patienceMs: 1_000 });
    const changes = { tasks: [hanging], inFlight: 1, lastEndedMsAgo: 80_000, watchedMs: 100_000 };
    expect(found(broker({ consumers: 1, inFlight: 1 }, { taken: 1 }), changes)).toEqual(["consumers-stuck"]);
  });
});

describe("of a queue in this process", () => {
  it("none of the brokers' causes is said", () => {
    const names = checks.CHECKS.flatMap((check) => {
      const verdict = check.look(situation({ depth: 0, tasks: [], inFlight: 0 }));
      return typeof verdict === "object" ? [verdict.name] : [];
    });
    expect(names).not.toContain("consumers-saturated");
  });
});
