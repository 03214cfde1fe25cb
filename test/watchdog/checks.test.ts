import { describe, expect, it } from "vitest";
import * as checks from "../../src/checks.js";
import { groupsOf } from "../../src/watchdog/sampling/tasks.js";
import type { Check, Situation } from "../../src/watchdog/situation.js";
import { backlog, group, pool, processor, rates, situation, task, tier } from "./situations.js";

const burst = checks.burst();
const consumersPaused = checks.consumersPaused();
const consumersStuck = checks.consumersStuck();
const downstreamSaturated = checks.downstreamSaturated();
const eventLoopBlocked = checks.eventLoopBlocked();
const neverResumes = checks.neverResumes();
const noConsumer = checks.noConsumer();
const poisonItem = checks.poisonItem();
const priorityInversion = checks.priorityInversion();
const producersBlocked = checks.producersBlocked();
const starvedTier = checks.starvedTier();
const underCapacity = checks.underCapacity();

const NOT_YET = "not enough evidence yet";

/** How sure the check is; 0 where it is not that cause. */
function confidence(check: Check, changes: Partial<Situation>): number | string {
  const found = check.look(situation(changes));
  if (found === undefined) return 0;
  return typeof found === "string" ? found : found.confidence;
}

function sentence(check: Check, changes: Partial<Situation>): string {
  const found = check.look(situation(changes));
  if (typeof found !== "object") throw new Error(`${check.name}: ${found}`);
  return found.sentence;
}

const quiet = { recent: rates({ takenPerSecond: 0 }), lastTakenMsAgo: 2_000 };

describe("no-consumer", () => {
  it("is said where nothing is taken, no consumer waits and nothing is in flight", () => {
    expect(confidence(noConsumer, quiet)).toBe(0.95);
    expect(sentence(noConsumer, { ...quiet, takenEver: 0 })).toBe("no item was ever taken");
    expect(sentence(noConsumer, { ...quiet, lastFailure: "Error: no address" })).toBe(
      "no item is taken any more: the last one was taken 2.0 s ago; the last failure was: Error: no address",
    );
  });

  it("is not said of a consumer that took an item lately, is at work, or waits for one", () => {
    expect(confidence(noConsumer, { lastTakenMsAgo: 499 })).toBe(0);
    expect(confidence(noConsumer, { lastTakenMsAgo: 500 })).toBe(0.95);
    expect(confidence(noConsumer, { ...quiet, tasks: [task()] })).toBe(0);
    expect(confidence(noConsumer, { ...quiet, waitingGets: 1 })).toBe(0);
    expect(confidence(noConsumer, { ...quiet, pools: [pool({ idle: 1 })] })).toBe(0);
  });

  it("counts no delivery whose handler is over: its loop has died before it settled it", () => {
    const died = { ...quiet, tasks: [task({ isOver: true })] };
    expect(sentence(noConsumer, died)).toMatch(/; 1 delivery was taken and never settled$/);
  });

  it("is said at once where every worker has stopped", () => {
    const gone = { lastTakenMsAgo: 0, pools: [pool({ stopped: 2 }, "is stopped")] };
    expect(sentence(noConsumer, gone)).toMatch(/; "packers" is stopped$/);
  });

  it("is said of a pool that never began, which is then not paused", () => {
    const unstarted = {
      takenEver: 0,
      lastTakenMsAgo: Number.POSITIVE_INFINITY,
      pools: [pool({ idle: 2 }, "has not been started")],
    };
    expect(sentence(noConsumer, unstarted)).toBe('no item was ever taken; "packers" has not been started');
    expect(confidence(consumersPaused, unstarted)).toBe(0);
  });

  it("is said of a queue that was paused before it gave anything out, as that can't be told from one that was never started", () => {
    const unstarted = { takenEver: 0, lastTakenMsAgo: Number.POSITIVE_INFINITY, isPaused: true };
    expect(sentence(noConsumer, unstarted)).toBe(
      "no item was ever taken: the queue has not been started, or was paused from the beginning",
    );
    expect(confidence(consumersPaused, unstarted)).toBe(0.5);
  });

  it("is said of a pool that is stopping, whatever it still works on", () => {
    const last = task({ worker: "packers 1" });
    const stopping = { ...quiet, pools: [pool({ processing: 1 }, "is stopping")], tasks: [last] };
    expect(sentence(noConsumer, stopping)).toBe(
      'no item is taken any more: the last one was taken 2.0 s ago; "packers" is stopping, 1 task is still running',
    );
    expect(confidence(consumersPaused, stopping)).toBe(0);
    expect(confidence(underCapacity, { ...stopping, backlog: backlog(40) })).toBe(0);
    expect(confidence(noConsumer, { ...stopping, tasks: [last, task()] })).toBe(0);
  });

  it("stands behind consumers-stuck where a drain has given up on tasks that are stuck", () => {
    const stuck = [task({ worker: "packers 1", runningMs: 1_500 })];
    const drained = { ...quiet, tasks: stuck, lastEndedMsAgo: 1_500 };
    const givenUp = { ...drained, pools: [pool({ processing: 1 }, "is stopped")] };
    expect(confidence(noConsumer, givenUp)).toBe(0.8);
    expect(confidence(consumersStuck, givenUp)).toBe(0.85);
    expect(confidence(consumersPaused, givenUp)).toBe(0);
    expect(confidence(noConsumer, { ...drained, pools: [pool({ processing: 1 }, "is stopping")] })).toBe(
      0.95,
    );
  });
});

describe("consumers-paused", () => {
  it("is said of a paused queue, and where all pools are paused", () => {
    expect(confidence(consumersPaused, { isPaused: true })).toBe(0.96);
    expect(confidence(consumersPaused, { pools: [pool({ idle: 1 }, "is paused")] })).toBe(0.96);
    expect(
      sentence(consumersPaused, { ...quiet, pools: [pool({ processing: 1 }, "is paused")], tasks: [task()] }),
    ).toBe('"packers" is paused; nothing was taken for 1.2 s, 1 task is still running');
  });

  it("is not said while one pool takes items, or a consumer waits for one, or of a pool that has stopped", () => {
    expect(confidence(consumersPaused, { pools: [pool({ idle: 1 }, "is paused"), pool({ idle: 1 })] })).toBe(
      0,
    );
    expect(confidence(consumersPaused, { pools: [pool({ idle: 1 }, "is paused")], waitingGets: 1 })).toBe(0);
    expect(confidence(consumersPaused, { pools: [pool({ stopped: 1 }, "is stopped")] })).toBe(0);
    expect(confidence(consumersPaused, {})).toBe(0);
  });

  it("names each pool, where they rest for different reasons", () => {
    const [one, two] = [pool({ idle: 1 }, "is paused"), pool({ idle: 2 }, "is paused")];
    const gone = { ...pool({ stopped: 1 }, "is stopped"), name: "labellers" };
    expect(sentence(consumersPaused, { pools: [one, two] })).toMatch(/^"packers", "packers" are paused; /);
    expect(sentence(consumersPaused, { pools: [one, gone] })).toMatch(
      /^"packers" is paused, "labellers" is stopped; /,
    );
    expect(confidence(noConsumer, { ...quiet, pools: [one, gone] })).toBe(0);
  });
});

describe("where one of two pools is paused", () => {
  const paused = { ...pool({ idle: 3 }, "is paused"), name: "helpers" };

  it("its idle workers are no free hands", () => {
    const stuck = { tasks: [task({ runningMs: 1_500 })], lastEndedMsAgo: 1_500 };
    expect(sentence(consumersStuck, { ...stuck, pools: [pool({ processing: 1 }), paused] })).toBe(
      'the only task in flight has been running for 1.5 s, and none has ended for 1.5 s; "helpers" is paused',
    );
    const busy = { tasks: [task()], pools: [pool({ processing: 1 }), paused] };
    expect(sentence(underCapacity, { ...busy, backlog: backlog(40) })).toBe(
      '40/s arrive and 20/s are served, with all workers busy; 3 workers would suffice, there is 1; "helpers" is paused',
    );
    expect(sentence(burst, { ...busy, backlog: backlog(10) })).toMatch(/; "helpers" is paused$/);
  });

  it("those of the other are", () => {
    const busy = { tasks: [task()], pools: [pool({ processing: 1, idle: 1 }), paused] };
    expect(confidence(underCapacity, { ...busy, backlog: backlog(40) })).toBe(0);
  });
});

describe("of a queue that has just come under watch", () => {
  const never = { lastTakenMsAgo: Number.POSITIVE_INFINITY, lastEndedMsAgo: Number.POSITIVE_INFINITY };

  it("it is too early to say that no items are taken any more, unless none ever was", () => {
    const look = (watchedMs: number, takenEver = 100) =>
      noConsumer.look(situation({ ...never, watchedMs, takenEver }));
    expect(look(0)).toBe("not enough evidence yet");
    expect(look(499)).toBe("not enough evidence yet");
    expect(look(500)).toMatchObject({ name: "no-consumer" });
    expect(look(0, 0)).toMatchObject({ name: "no-consumer" });
  });

  it("it is too early to say that its consumers are stuck", () => {
    const busy = { ...never, tasks: [task({ runningMs: 1_500 })] };
    expect(confidence(consumersStuck, { ...busy, watchedMs: 499 })).toBe(0);
    expect(confidence(consumersStuck, { ...busy, watchedMs: 500 })).toBe(0.85);
  });
});

describe("consumers-stuck", () => {
  const stuck = {
    lastEndedMsAgo: 1_500,
    tasks: [task({ runningMs: 1_500 }), task({ runningMs: 1_800 })],
    pools: [pool({ processing: 1, stalled: 1 })],
  };

  it("is said where every task runs for longer than its like, and none ends", () => {
    expect(sentence(consumersStuck, stuck)).toBe(
      "all 2 tasks in flight have been running for 1.5 s to 1.8 s, and none has ended for 1.5 s; 1 ignores that it was aborted",
    );
  });

  it("is said of one task in words for one", () => {
    const [only] = stuck.tasks;
    const alone = { ...stuck, tasks: [only!], inFlight: 1, pools: [pool({ processing: 1 })] };
    const at = group("http", "GET a.com/", [only!], 1_500);
    expect(sentence(consumersStuck, { ...alone, groups: [at] })).toBe(
      "the only task in flight has been running for 1.5 s, and none has ended for 1.5 s; it is waiting for GET a.com/",
    );
    expect(sentence(downstreamSaturated, { ...alone, groups: [at] })).toBe(
      "the only task in flight waits on GET a.com/, for 1.5 s",
    );
  });

  it("is not said when one of them is young, or of a tier whose tasks take that long, or unknown", () => {
    expect(confidence(consumersStuck, { ...stuck, tasks: [...stuck.tasks, task({ runningMs: 999 })] })).toBe(
      0,
    );
    const slow = stuck.tasks.map((each) => ({ ...each, patienceMs: 1_501 }));
    expect(confidence(consumersStuck, { ...stuck, tasks: slow })).toBe(0);
    const unknown = stuck.tasks.map((each) => ({ ...each, patienceMs: undefined }));
    expect(confidence(consumersStuck, { ...stuck, tasks: unknown })).toBe(0);
  });

  it("is not said when a task has just ended, a worker is free, or nothing runs", () => {
    expect(confidence(consumersStuck, { ...stuck, lastEndedMsAgo: 499 })).toBe(0);
    expect(confidence(consumersStuck, { ...stuck, pools: [pool({ processing: 2, idle: 1 })] })).toBe(0);
    expect(confidence(consumersStuck, {})).toBe(0);
  });
});

describe("never-resumes", () => {
  const lost = task({ neverResumes: true, runningMs: 3_000 });

  it("is sure where half of the workers are lost", () => {
    expect(confidence(neverResumes, { tasks: [lost, task()] })).toBe(0.95);
    expect(confidence(neverResumes, { tasks: [lost, task(), task()] })).toBe(0.5);
    expect(sentence(neverResumes, { tasks: [lost] })).toBe(
      "1 task of 1 can never resume: nothing can settle what it awaits; the longest has been running for 3.0 s",
    );
  });

  it("is not said without proof", () => {
    expect(confidence(neverResumes, { tasks: [task({ neverResumes: false }), task()] })).toBe(0);
  });
});

describe("poison-item", () => {
  const poison = {
    mostAttempts: { attempt: 51, correlationId: "event-7", alike: 1 },
    recent: rates({ retriedPerSecond: 10, takenPerSecond: 20 }),
  };

  it("is said of an item with many attempts, where half of what is taken is retried", () => {
    expect(sentence(poisonItem, { ...poison, lastFailure: "Error: no JSON" })).toBe(
      "one item (event-7) fails again and again: 51 attempts so far, and 50 % of takes (20/s) are retries; it failed with: Error: no JSON",
    );
  });

  it("is not said of the first attempts, or where retries are the exception", () => {
    const few = { attempt: 4, correlationId: "x", alike: 1 };
    const slow = rates({ retriedPerSecond: 0.6, takenPerSecond: 1 });
    expect(confidence(poisonItem, { mostAttempts: few, recent: slow })).toBe(0);
    expect(confidence(poisonItem, { mostAttempts: { ...few, attempt: 5 }, recent: slow })).toBe(0.93);
    expect(
      confidence(poisonItem, { ...poison, recent: rates({ retriedPerSecond: 9, takenPerSecond: 20 }) }),
    ).toBe(0);
  });

  it("is not said where the retries are more than a few items can come to, or where many items come back", () => {
    const of = (attempt: number, alike: number) => ({
      ...poison,
      mostAttempts: { attempt, correlationId: "x", alike },
    });
    // 50 retries: three items with 17 each, one more than that, and items of which many are seen.
    expect(confidence(poisonItem, of(18, 1))).toBe(0.93);
    expect(confidence(poisonItem, of(17, 1))).toBe(0);
    expect(confidence(poisonItem, of(51, 4))).toBe(0);
  });

  it("is not said where new items begin to fail all the time", () => {
    const begin = (retriedPerSecond: number, firstRetriedPerSecond: number) => ({
      mostAttempts: { attempt: 1_000, correlationId: "x", alike: 1 },
      recent: rates({ retriedPerSecond, firstRetriedPerSecond, takenPerSecond: retriedPerSecond }),
    });
    // Of the retries of five seconds three, then four; of very many a share of 4 %.
    expect(confidence(poisonItem, begin(10, 0.6))).toBe(0.93);
    expect(confidence(poisonItem, begin(10, 0.8))).toBe(0);
    expect(confidence(poisonItem, begin(100, 4))).toBe(0.93);
    expect(confidence(poisonItem, begin(100, 4.2))).toBe(0);
  });
});

describe("where everything fails and comes back", () => {
  const busy = { tasks: [task()], pools: [pool({ processing: 1 })], backlog: backlog(40) };
  const outage = {
    ...busy,
    mostAttempts: { attempt: 13, correlationId: "x", alike: 7 },
    recent: rates({ takenPerSecond: 192, endedPerSecond: 0, retriedPerSecond: 192 }),
    lastFailure: "Error: ECONNREFUSED bank",
  };

  it("what everything needs is accused, with the last error, and neither an item nor the number of workers", () => {
    expect(sentence(downstreamSaturated, outage)).toBe(
      "100 % of attempts (192/s) fail, and many items are retried: what they need is down, or refuses them; the last failed with: Error: ECONNREFUSED bank",
    );
    expect(confidence(downstreamSaturated, outage)).toBe(0.9);
    for (const check of [poisonItem, underCapacity, burst]) expect(confidence(check, outage)).toBe(0);
    const full = { ...outage, waitingPuts: 1, depth: 5, capacity: 5 };
    expect(confidence(producersBlocked, full)).toBe(0.4);
  });

  it("that is told before any item has had its second attempt, too", () => {
    const first = { ...outage, mostAttempts: { attempt: 1, correlationId: "x", alike: 0 } };
    expect(confidence(downstreamSaturated, first)).toBe(0.9);
  });

  it("also where items have two attempts, the second of which is the last", () => {
    const recent = rates({
      takenPerSecond: 100,
      endedPerSecond: 50,
      failedPerSecond: 50,
      retriedPerSecond: 50,
    });
    expect(confidence(downstreamSaturated, { ...outage, recent })).toBe(0.9);
  });

  it("is not said where half of the attempts succeed, where few come back, or of a few attempts", () => {
    const of = (endedPerSecond: number, failedPerSecond: number, retriedPerSecond: number) =>
      rates({ takenPerSecond: 100, endedPerSecond, failedPerSecond, retriedPerSecond });
    const said = (recent: Situation["recent"], lastFailure = "Error: no stock") =>
      confidence(downstreamSaturated, { ...outage, lastFailure, recent });
    expect(said(of(20, 0, 80))).toBe(0.9);
    expect(said(of(21, 0, 79))).toBe(0.86);
    expect(said(of(40, 0, 60))).toBe(0.86);
    expect(said(of(41, 0, 59))).toBe(0);
    expect(said(of(59, 0, 41), "Error: connect ECONNREFUSED 10.0.0.5:5432")).toBe(0.86);
    expect(said(of(59, 0, 41), "HTTPError: 503 Service Unavailable")).toBe(0.86);
    expect(said(of(61, 0, 39), "Error: connect ECONNREFUSED 10.0.0.5:5432")).toBe(0);
    expect(said(of(71, 71, 29))).toBe(0);
    expect(said({ ...of(0, 0, 100), windowMs: 49 })).toBe(0);
  });

  it("but not quite, or where nothing comes back, the number of workers is judged, and the share is told", () => {
    const recent = rates({ endedPerSecond: 20, failedPerSecond: 10, retriedPerSecond: 0 });
    const failing = { ...busy, recent, lastFailure: "Error: 500" };
    expect(sentence(underCapacity, failing)).toMatch(
      /; 50 % of attempts fail; the last failed with: Error: 500$/,
    );
    expect(sentence(burst, { ...failing, backlog: backlog(10) })).toMatch(/; 50 % of attempts fail; /);
    const less = { ...failing, recent: rates({ endedPerSecond: 20, failedPerSecond: 9 }) };
    expect(sentence(underCapacity, less)).not.toMatch(/fail/);
  });
});

describe("of more tasks than are looked at", () => {
  const old = Array.from({ length: 10 }, () => task({ runningMs: 1_500, neverResumes: true }));
  const many = { tasks: old, inFlight: 30, lastEndedMsAgo: 1_500 };

  it("consumers-stuck says of how many it speaks", () => {
    const at = group("step", "lock", old, 1_500);
    expect(sentence(consumersStuck, { ...many, groups: [at] })).toBe(
      'all 30 tasks in flight have been running for 1.5 s to 1.5 s, and none has ended for 1.5 s; 10 of 10 sampled at step "lock"',
    );
  });

  it("never-resumes is sure where the younger ones don't get on either", () => {
    expect(confidence(neverResumes, many)).toBe(0.95);
    expect(confidence(neverResumes, { ...many, lastEndedMsAgo: 499 })).toBe(0.5);
    expect(sentence(neverResumes, many)).toMatch(
      /^10 tasks of 10 sampled \(30 in flight\) can never resume: /,
    );
  });

  it("downstream-saturated says of how many it speaks", () => {
    const calls = group("http", "GET a.com/", old.slice(0, 8), 900);
    expect(sentence(downstreamSaturated, { ...many, groups: [calls] })).toMatch(
      /^8 of 10 sampled of 30 tasks in flight wait on GET a\.com\/, /,
    );
  });

  it("no rate is concluded from free hands that were filled", () => {
    const young = { tasks: [task()], inFlight: 100, backlog: { ...backlog(0), taken: 100 } };
    expect(confidence(burst, young)).toBe(NOT_YET);
    expect(confidence(underCapacity, young)).toBe(NOT_YET);
    expect(confidence(burst, { ...young, backlog: { ...backlog(0), taken: 101 } })).toBe(0.75);
  });

  it("priority-inversion is not said: what the others are is unknown", () => {
    const batch = task({ tier: "batch", runningMs: 1_200, patienceMs: 60_000 });
    const held = { tiers: [tier("vip"), tier("batch")], tasks: [batch, batch] };
    expect(confidence(priorityInversion, held)).toBe(0.92);
    expect(confidence(priorityInversion, { ...held, inFlight: 3 })).toBe(0);
  });
});

describe("downstream-saturated", () => {
  const gate = { name: "bank", limit: 2, inFlight: 2, waiting: 6, isOpen: undefined };
  const busy = { inFlight: 8, tasks: Array.from({ length: 8 }, () => task()) };
  const held = Array.from({ length: 4 }, () => task({ runningMs: 900 }));

  it("is said where most workers stand before a gate", () => {
    expect(sentence(downstreamSaturated, { ...busy, gates: [gate] })).toMatch(
      /^the gate "bank" lets 2 calls .* 6 more wait/,
    );
    expect(confidence(downstreamSaturated, { ...busy, gates: [{ ...gate, waiting: 3 }] })).toBe(0);
    expect(confidence(downstreamSaturated, { ...busy, gates: [{ ...gate, inFlight: 1 }] })).toBe(0);
  });

  it("is said where calls wait for an open circuit breaker", () => {
    expect(confidence(downstreamSaturated, { gates: [{ ...gate, isOpen: true, waiting: 1 }] })).toBe(0.94);
    expect(confidence(downstreamSaturated, { gates: [{ ...gate, isOpen: true, waiting: 0 }] })).toBe(0);
  });

  it("is said where most tasks wait for the same, for longer than tasks usually take", () => {
    const calls = group("http", "POST bank/charges", held, 900, ["connecting"]);
    expect(sentence(downstreamSaturated, { tasks: held, groups: [calls] })).toBe(
      '4 of 4 tasks in flight wait on POST bank/charges, the longest for 900 ms, "connecting"',
    );
    expect(confidence(downstreamSaturated, { tasks: held, groups: [calls], usualServiceMs: 301 })).toBe(0);
    const others = [...held, task(), task(), task()];
    expect(confidence(downstreamSaturated, { tasks: others, groups: [calls] })).toBe(0);
  });

  it("is said of calls that have just begun, where those that ended lately took three times as long as before, for a connection", () => {
    const begun = Array.from({ length: 4 }, () => task({ runningMs: 90 }));
    const pooled = [group("http", "the carrier", begun, 90, ["waiting for a connection"])];
    const calls = { tasks: begun, groups: pooled };
    const other = [group("http", "the carrier", begun, 90, ["sent, waiting for headers"])];
    const slower = { recent: rates({ serviceMs: 960 }) };
    expect(confidence(downstreamSaturated, { ...calls, ...slower, groups: other })).toBe(0);
    expect(confidence(checks.dependencySlower(), { ...calls, ...slower, groups: other })).toBe(0.83);
    expect(sentence(downstreamSaturated, { ...calls, recent: rates({ serviceMs: 960 }) })).toBe(
      '4 of 4 tasks in flight wait on the carrier, the longest for 90 ms, "waiting for a connection"; a task takes 960 ms now, it took 50 ms before',
    );
    expect(confidence(downstreamSaturated, calls)).toBe(0);
    const unknown = { ...calls, recent: rates({ serviceMs: 960 }), usualServiceMs: undefined };
    expect(confidence(downstreamSaturated, unknown)).toBe(0);
  });

  it("is said of what only so many can have at a time, by name: the others make them wait, and nothing has become slower of itself", () => {
    const begun = Array.from({ length: 4 }, () => task({ runningMs: 90 }));
    const slower = { tasks: begun, recent: rates({ serviceMs: 960 }) };
    for (const [kind, label, words] of [
      ["gate", "printer", 'the gate "printer"'],
      ["queue", "mails", 'room in the queue "mails"'],
      ["connection", "pg db:5432", "a connection of pg db:5432"],
    ] as const) {
      const slowest = { label, share: 0.8, usualShare: 0.1, looks: 4, atOnce: 3 };
      const situation = { ...slower, slowest, groups: [group(kind, label, begun, 90)] };
      expect(sentence(downstreamSaturated, situation)).toBe(
        `4 of 4 tasks in flight wait on ${words}, the longest for 90 ms; a task takes 960 ms now, it took 50 ms before`,
      );
      expect(confidence(checks.dependencySlower(), situation)).toBe(0);
      const query = [group("query", label, begun, 90)];
      expect(confidence(checks.dependencySlower(), { ...situation, groups: query })).toBe(0.92);
    }
  });

  it("is only a guess where tasks name a step", () => {
    const steps = group("step", "charge card", held, 900);
    expect(confidence(downstreamSaturated, { tasks: held, groups: [steps] })).toBe(0.5);
  });
});

describe("of a task that has a span open as well", () => {
  const lock = { kind: "label" as const, label: "lock", state: "in line", forMs: 900 };
  const span = { kind: "span" as const, label: "beat", state: "some-lib", forMs: 20 };

  it("the wait counts by which it is grouped: its age and its state", () => {
    const held = [task({ waits: [lock, span], runningMs: 950 })];
    const groups = groupsOf(held, 10_000);
    expect(groups).toMatchObject([{ kind: "label", label: "lock", states: ["in line"], forMs: [900] }]);
    expect(sentence(downstreamSaturated, { tasks: held, groups })).toBe(
      'the only task in flight waits on lock, for 900 ms, "in line"',
    );
  });

  it("its step counts from when it began", () => {
    const held = [task({ waits: [span], step: "charge card", runningMs: 950 })];
    expect(groupsOf(held, 10_000)).toMatchObject([{ kind: "step", label: "charge card", forMs: [950] }]);
  });

  it("where it is unknown what it waits for, its time runs from its beginning", () => {
    expect(groupsOf([task({ runningMs: 950 }), task({ runningMs: undefined })], 10_000)).toMatchObject([
      { kind: undefined, label: undefined, forMs: [950, undefined] },
    ]);
  });
});

describe("under-capacity and burst", () => {
  const busy = { tasks: [task()], pools: [pool({ processing: 1 })] };

  it("tell by whether it still comes in, in the second half of the time in which items piled up", () => {
    expect(confidence(underCapacity, { ...busy, backlog: backlog(18) })).toBe(0.8);
    expect(confidence(burst, { ...busy, backlog: backlog(18) })).toBe(0);
    expect(confidence(underCapacity, { ...busy, backlog: backlog(17.9) })).toBe(0);
    expect(confidence(burst, { ...busy, backlog: backlog(17.9) })).toBe(0.75);
  });

  it("say what would do, and when it is over", () => {
    expect(sentence(underCapacity, { ...busy, backlog: backlog(40) })).toBe(
      "40/s arrive and 20/s are served, with all workers busy; 3 workers would suffice, there is 1",
    );
    expect(sentence(burst, { ...busy, backlog: backlog(10) })).toMatch(/the queue is empty in 2\.0 s$/);
  });

  it("go by what is served now, where consumers have become slower since items began to pile up", () => {
    const less = { ...backlog(13, 30), later: { arrivedPerSecond: 13, takenPerSecond: 13 } };
    const slower = { ...busy, backlog: less, recent: rates({ serviceMs: 150 }) };
    expect(sentence(underCapacity, slower)).toMatch(/^40\/s arrive and 13\/s are served/);
    expect(confidence(burst, slower)).toBe(0);
    const tooFew = { ...less, later: { arrivedPerSecond: 2, takenPerSecond: 2 } };
    expect(sentence(burst, { ...slower, backlog: tooFew })).toMatch(/2\.0\/s arrive and 30\/s are served/);
    // Less was taken by chance: nothing says that the consumers are to blame.
    expect(sentence(burst, { ...busy, backlog: less })).toMatch(/13\/s arrive and 30\/s are served/);
  });

  it("say that tasks have become slower, where they take three times as long as before", () => {
    const recent = rates({ serviceMs: 150 });
    expect(sentence(underCapacity, { ...busy, backlog: backlog(40), recent })).toMatch(
      /; a task takes 150 ms now, it took 50 ms before$/,
    );
    const usual = { ...busy, backlog: backlog(40), recent: rates({ serviceMs: 149 }) };
    expect(sentence(underCapacity, usual)).not.toMatch(/before/);
  });

  it("go by what a rate limit lets through over a long time, where there is one", () => {
    const limited = {
      isRateLimited: true,
      recent: rates({ takenPerSecond: 0 }),
      rates: rates({ takenPerSecond: 5 }),
    };
    expect(sentence(underCapacity, { ...limited, backlog: backlog(20) })).toBe(
      "40/s arrive and 5.0/s are served: the queue's rate limit lets no more through",
    );
    expect(confidence(underCapacity, { ...limited, backlog: backlog(4) })).toBe(0);
    expect(confidence(burst, { ...limited, backlog: backlog(4) })).toBe(0.75);
    expect(confidence(noConsumer, { ...limited, ...quiet, takenEver: 0 })).toBe(0);
  });

  it("go by usual tasks where these take so long that hardly any was taken", () => {
    const slow = { ...backlog(40), taken: 2, takenPerSecond: 1 };
    const few = { ...busy, backlog: slow, recent: rates({ serviceMs: undefined }) };
    expect(sentence(underCapacity, { ...few, usualServiceMs: 500 })).toMatch(
      /2\.0\/s could be served, by how long tasks take, with/,
    );
    const old = { tasks: [task({ runningMs: 16 })], usualServiceMs: 5 };
    expect(confidence(underCapacity, { ...few, ...old })).toBe(NOT_YET);
    const unknown = { ...few, usualServiceMs: undefined };
    const none = { rates: rates({ serviceMs: undefined }) };
    expect(confidence(underCapacity, { ...unknown, ...none })).toBe(NOT_YET);
    expect(confidence(burst, { ...unknown, ...none })).toBe(NOT_YET);
  });

  it("need samples", () => {
    expect(confidence(underCapacity, busy)).toBe(NOT_YET);
    expect(confidence(burst, busy)).toBe(NOT_YET);
  });

  it("are not said while a consumer is free, none is there, or nothing gets on", () => {
    for (const check of [underCapacity, burst]) {
      expect(confidence(check, { ...busy, backlog: backlog(40), pools: [pool({ idle: 1 })] })).toBe(0);
      expect(confidence(check, { ...busy, backlog: backlog(40), waitingGets: 1 })).toBe(0);
      const stuck = { tasks: [task({ runningMs: 1_500 })], lastEndedMsAgo: 1_500 };
      expect(confidence(check, { ...busy, ...stuck, backlog: backlog(40) })).toBe(0);
      expect(confidence(check, { backlog: backlog(40), recent: rates({ takenPerSecond: 0 }) })).toBe(0);
    }
  });
});

describe("starved-tier", () => {
  const tiers = [tier("vip"), tier("regular", { depth: 7 })];
  const starved = (taken: number, overtook: number) => ({ tier: 1, tiers, sinceHead: { taken, overtook } });

  it("is said of a tier whose turns others take that came in later", () => {
    expect(confidence(starvedTier, starved(20, 15))).toBe(0.88);
    expect(confidence(starvedTier, starved(20, 14))).toBe(0);
    expect(confidence(starvedTier, starved(5, 5))).toBe(0.88);
    expect(confidence(starvedTier, starved(4, 4))).toBe(0);
    expect(sentence(starvedTier, starved(20, 15))).toBe(
      '"regular" is hardly served: 7 items wait, the oldest for 1.2 s, and 75 % of the 20 taken meanwhile arrived later, in other tiers; aging (agingMs of a PriorityQueue; a shorter one where it is set) would raise the priority of items that wait',
    );
  });

  it("is less sure where the others are late, too", () => {
    const late = tier("vip", { waitMs: 600, sla: { targetMs: 500, objective: 0.9 } });
    expect(confidence(starvedTier, { ...starved(20, 20), tiers: [late, tier("regular")] })).toBe(0.6);
  });
});

describe("priority-inversion", () => {
  const tiers = [tier("vip"), tier("batch")];
  const long = task({ tier: "batch", runningMs: 1_200, patienceMs: 60_000 });
  const held = { tiers, tasks: [long, long], pools: [pool({ processing: 2 })] };

  it("is said where less urgent tasks hold every worker", () => {
    expect(sentence(priorityInversion, held)).toBe(
      '"vip" waits while 2 less urgent tasks of "batch" hold every worker, for at least 1.2 s',
    );
  });

  it("is not said when one holder is as urgent, a worker is free, or they are through in no time", () => {
    const vip = task({ tier: "vip", runningMs: 1_200 });
    expect(confidence(priorityInversion, { ...held, tasks: [long, vip] })).toBe(0);
    expect(confidence(priorityInversion, { ...held, pools: [pool({ processing: 2, idle: 1 })] })).toBe(0);
    const short = task({ tier: "batch", runningMs: 499, patienceMs: 60_000 });
    expect(confidence(priorityInversion, { ...held, tasks: [short, short] })).toBe(0);
  });

  it("is not said where the holders are stuck, or wait for a gate", () => {
    const stuck = { ...long, patienceMs: 1_000 };
    expect(confidence(priorityInversion, { ...held, tasks: [stuck, stuck], lastEndedMsAgo: 1_200 })).toBe(0);
    const gate = { name: "bank", limit: 1, inFlight: 1, waiting: 1, isOpen: undefined };
    expect(confidence(priorityInversion, { ...held, gates: [gate] })).toBe(0);
  });

  it("goes by the queue's own order of tiers", () => {
    expect(confidence(priorityInversion, { ...held, isMoreUrgent: (one, other) => one > other })).toBe(0);
  });
});

describe("producers-blocked", () => {
  const full = { waitingPuts: 3, depth: 50, capacity: 50, tasks: [task()], backlog: backlog(20) };

  it("is the cause where the queue is full, and work goes on", () => {
    expect(sentence(producersBlocked, full)).toBe(
      "the queue is full and 3 producers wait for room: at 20/s an item waits 2.5 s behind 50 others; a capacity of 20 would keep the wait within the SLA, more workers would shorten it",
    );
  });

  it("speaks of no SLA where there is none", () => {
    const none = { targetMs: Number.POSITIVE_INFINITY, objective: 0 };
    expect(sentence(producersBlocked, { ...full, sla: none })).toMatch(
      / behind 50 others; more workers would shorten it$/,
    );
  });

  it("is a symptom where there is room, or nothing moves", () => {
    expect(confidence(producersBlocked, { ...full, depth: 49 })).toBe(0.4);
    const stuck = { tasks: [task({ runningMs: 1_500 })], lastEndedMsAgo: 1_500 };
    expect(confidence(producersBlocked, { ...full, ...stuck })).toBe(0.4);
  });

  it("is not said where no producer waits, or that is unknown", () => {
    expect(confidence(producersBlocked, { ...full, waitingPuts: 0 })).toBe(0);
    expect(confidence(producersBlocked, { ...full, waitingPuts: undefined })).toBe(0);
  });
});

describe("event-loop-blocked", () => {
  const stall = {
    endedMsAgo: 100,
    durationMs: 600,
    where: "parse (a.js:3)",
    isNative: true,
    correlationId: undefined,
  };

  it("is said where stalls make up half of the wait", () => {
    expect(sentence(eventLoopBlocked, { stalls: [stall] })).toBe(
      "the event loop was blocked for 600 ms of the 1.2 s wait (1 stall), mostly in parse (a.js:3) (native call)",
    );
    expect(confidence(eventLoopBlocked, { stalls: [{ ...stall, durationMs: 599 }] })).toBe(0);
  });

  it("is said where they were as long as the SLA, however long the item waits by now", () => {
    const long = { waitMs: 20_000, stalls: [{ ...stall, durationMs: 1_000 }] };
    expect(confidence(eventLoopBlocked, long)).toBe(0.97);
  });

  it("is not said of stalls that were over before the item came", () => {
    expect(confidence(eventLoopBlocked, { stalls: [{ ...stall, endedMsAgo: 1_200 }] })).toBe(0);
  });

  it("is said of a stall that was nearly over when the item came, as what that held up comes first", () => {
    const before = { ...stall, durationMs: 10_000 };
    expect(confidence(eventLoopBlocked, { stalls: [{ ...before, endedMsAgo: 601 }] })).toBe(0.87);
    expect(sentence(eventLoopBlocked, { stalls: [{ ...before, endedMsAgo: 600 }] })).toMatch(
      /^the event loop was blocked for 600 ms of the 1\.2 s/,
    );
  });

  it("is said where no stall was seen, but the watchdog's own looks were that late", () => {
    expect(confidence(eventLoopBlocked, { lateMs: 600 })).toBe(0.97);
    expect(confidence(eventLoopBlocked, { lateMs: 599 })).toBe(0);
  });

  it("is said of a loop that has no time left, unless it only lacks a processor", () => {
    expect(confidence(eventLoopBlocked, { loopUtilization: 0.99, processorShare: 0.9 })).toBe(0.83);
    expect(confidence(eventLoopBlocked, { loopUtilization: 0.99, processorShare: 0.5 })).toBe(0);
  });
});

/** Each threshold of each check: a situation, the verdict by default, and one with that threshold on its other side. */
describe("a threshold decides:", () => {
  const lost = task({ neverResumes: true });
  const busy = { tasks: [task()], pools: [pool({ processing: 1 })], backlog: backlog(10) };
  const stuck = { tasks: [task({ runningMs: 1_500 })], lastEndedMsAgo: 900 };
  const poison = {
    mostAttempts: { attempt: 51, correlationId: "event-7", alike: 2 },
    recent: rates({ retriedPerSecond: 12, takenPerSecond: 20 }),
  };
  const outage = {
    mostAttempts: { attempt: 13, correlationId: "x", alike: 7 },
    recent: rates({ takenPerSecond: 100, endedPerSecond: 10, retriedPerSecond: 90 }),
  };
  const held = Array.from({ length: 4 }, () => task({ runningMs: 200 }));
  const calls = { tasks: held, groups: [group("http", "GET a.com/", held.slice(1), 200)] };
  const holder = task({ tier: "batch", runningMs: 600, patienceMs: 60_000 });
  const starved = {
    tier: 1,
    tiers: [tier("vip"), tier("regular")],
    sinceHead: { taken: 10, overtook: 8 },
  };

  it.each<[string, Check, Check, Partial<Situation>, number, number]>([
    [
      "eventLoopBlocked share",
      eventLoopBlocked,
      checks.eventLoopBlocked({ share: 0.7 }),
      { lateMs: 700 },
      0.97,
      0,
    ],
    [
      "eventLoopBlocked utilization",
      eventLoopBlocked,
      checks.eventLoopBlocked({ utilization: 0.9 }),
      { loopUtilization: 0.95, processorShare: 0.9 },
      0,
      0.83,
    ],
    [
      "eventLoopBlocked cpuShare",
      eventLoopBlocked,
      checks.eventLoopBlocked({ cpuShare: 0.5 }),
      { loopUtilization: 0.99, processorShare: 0.6 },
      0,
      0.83,
    ],
    [
      "gcPressure share",
      checks.gcPressure(),
      checks.gcPressure({ share: 0.5 }),
      { processor: processor({ gcMs: 400 }) },
      0.89,
      0,
    ],
    [
      "processorStarved share",
      checks.processorStarved(),
      checks.processorStarved({ share: 0.7 }),
      { starvedMs: 700 },
      0.84,
      0,
    ],
    [
      "processorStarved queuedShare",
      checks.processorStarved(),
      checks.processorStarved({ queuedShare: 0.6 }),
      { processor: processor({ ranMs: 600, queuedMs: 600 }) },
      0.84,
      0,
    ],
    [
      "processorStarved busyShare",
      checks.processorStarved(),
      checks.processorStarved({ busyShare: 0.5 }),
      { processor: processor({ ranMs: 300, queuedMs: 400 }) },
      0,
      0.84,
    ],
    [
      "noConsumer quietShare",
      noConsumer,
      checks.noConsumer({ quietShare: 1 }),
      { ...quiet, lastTakenMsAgo: 900 },
      0.95,
      0,
    ],
    [
      "consumersPaused quietMs",
      consumersPaused,
      checks.consumersPaused({ quietMs: 1_000 }),
      { isPaused: true, lastTakenMsAgo: 999 },
      0.96,
      0,
    ],
    [
      "neverResumes share",
      neverResumes,
      checks.neverResumes({ share: 0.3 }),
      { tasks: [lost, task(), task()] },
      0.5,
      0.95,
    ],
    ["consumersStuck quietShare", consumersStuck, checks.consumersStuck({ quietShare: 1 }), stuck, 0.85, 0],
    ["poisonItem minAttempts", poisonItem, checks.poisonItem({ minAttempts: 52 }), poison, 0.93, 0],
    ["poisonItem share", poisonItem, checks.poisonItem({ share: 0.7 }), poison, 0.93, 0],
    ["poisonItem maxItems", poisonItem, checks.poisonItem({ maxItems: 1 }), poison, 0.93, 0],
    [
      "downstreamSaturated share",
      downstreamSaturated,
      checks.downstreamSaturated({ share: 0.8 }),
      calls,
      0.9,
      0,
    ],
    [
      "downstreamSaturated slowdown",
      downstreamSaturated,
      checks.downstreamSaturated({ slowdown: 5 }),
      calls,
      0.9,
      0,
    ],
    [
      "downstreamSaturated failingShare",
      downstreamSaturated,
      checks.downstreamSaturated({ failingShare: 0.95 }),
      outage,
      0.9,
      0,
    ],
    [
      "downstreamSaturated retriedShare",
      downstreamSaturated,
      checks.downstreamSaturated({ retriedShare: 0.95 }),
      outage,
      0.9,
      0,
    ],
    [
      "downstreamSaturated minRetries",
      downstreamSaturated,
      checks.downstreamSaturated({ minRetries: 500 }),
      outage,
      0.9,
      0,
    ],
    [
      "priorityInversion share",
      priorityInversion,
      checks.priorityInversion({ share: 0.7 }),
      { tiers: [tier("vip"), tier("batch")], tasks: [holder] },
      0.92,
      0,
    ],
    [
      "consumersStuck share",
      consumersStuck,
      checks.consumersStuck({ share: 0.9 }),
      { tasks: [...[1, 2, 3].map(() => task({ runningMs: 2_000 })), task()] },
      0.85,
      0,
    ],
    [
      "dependencySlower slowdown",
      checks.dependencySlower(),
      checks.dependencySlower({ slowdown: 4 }),
      { tasks: [task()], recent: rates({ serviceMs: 150 }) },
      0.83,
      0,
    ],
    [
      "dependencySlower utilization",
      checks.dependencySlower(),
      checks.dependencySlower({ utilization: 0.5 }),
      { tasks: [task()], recent: rates({ serviceMs: 150 }), loopUtilization: 0.6 },
      0.83,
      0,
    ],
    [
      "handlerFailing share",
      checks.handlerFailing(),
      checks.handlerFailing({ share: 0.5 }),
      {
        lastFailure: "TypeError: x is not a function",
        recent: rates({ endedPerSecond: 12, retriedPerSecond: 8 }),
      },
      0.92,
      0,
    ],
    [
      "handlerFailing minFailures",
      checks.handlerFailing(),
      checks.handlerFailing({ minFailures: 41 }),
      {
        lastFailure: "TypeError: x is not a function",
        recent: rates({ endedPerSecond: 12, retriedPerSecond: 8 }),
      },
      0.92,
      0,
    ],
    ["starvedTier share", starvedTier, checks.starvedTier({ share: 0.9 }), starved, 0.88, 0],
    ["starvedTier minTaken", starvedTier, checks.starvedTier({ minTaken: 11 }), starved, 0.88, 0],
    ["underCapacity share", underCapacity, checks.underCapacity({ share: 0.5 }), busy, 0, 0.8],
    ["burst share", burst, checks.burst({ share: 0.5 }), busy, 0.75, 0],
    [
      "producersBlocked minWaiting",
      producersBlocked,
      checks.producersBlocked({ minWaiting: 3 }),
      { waitingPuts: 2 },
      0.4,
      0,
    ],
  ])("%s", (_, standard, changed, changes, before, after) => {
    expect([confidence(standard, changes), confidence(changed, changes)]).toEqual([before, after]);
  });

  it("one that cannot be is refused, by name", () => {
    const make = (thresholds: object) => () => checks.downstreamSaturated(thresholds);
    expect(make({ share: 60 })).toThrow("share must be a share, from 0 to 1, not 60");
    expect(make({ share: "60 %" })).toThrow('share must be a share, from 0 to 1, not "60 %"');
    expect(make({ slowdown: 0.5 })).toThrow("slowdown must be a factor, from 1, not 0.5");
    expect(make({ minRetries: 0 })).toThrow("minRetries must be a whole number, from 1, not 0");
    expect(make({ shares: 0.6 })).toThrow("shares is not an option; did you mean share?");
    expect(() => checks.consumersPaused({ quietMs: -1 })).toThrow(
      "quietMs must be milliseconds, from 0, not -1",
    );
    expect(() => checks.burst(null as never)).toThrow("thresholds must be an object");
    expect(make({ share: undefined })().name).toBe("downstream-saturated");
  });

  it("all checks are in CHECKS, in the order of which is named first", () => {
    expect(checks.CHECKS.map(({ name }) => name)).toEqual([
      "gc-pressure",
      "event-loop-blocked",
      "lock-lost",
      "stale-settle",
      "broker-blocked",
      "consumers-paused",
      "no-consumer",
      "rate-limited",
      "poison-item",
      "redelivery-storm",
      "scheduler-dead",
      "delayed-overdue",
      "idle-though-connected",
      "consumers-saturated",
      "under-capacity",
      "burst",
      "clock-skew",
      "no-consumer",
      "consumers-paused",
      "never-resumes",
      "poison-item",
      "handler-failing",
      "priority-inversion",
      "dependency-slower",
      "downstream-saturated",
      "consumers-stuck",
      "processor-starved",
      "starved-tier",
      "under-capacity",
      "burst",
      "producers-blocked",
    ]);
  });
});
