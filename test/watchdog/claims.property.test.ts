import fc from "fast-check";
import { expect, it } from "vitest";
import { CHECKS } from "../../src/checks.js";
import { perSecond } from "../../src/watchdog/checks/format.js";
import { diagnose } from "../../src/watchdog/checks/index.js";
import { BreachReport } from "../../src/watchdog/report/report.js";
import type { Situation, Verdict } from "../../src/watchdog/situation.js";
import { group, pool, processor, rates, situation, task, tier } from "./situations.js";

/** What a text claims by words, and whether it is so. */
const CLAIMS: readonly {
  readonly says: RegExp;
  readonly isTrue: (seen: Situation, found: readonly string[]) => boolean;
}[] = [
  {
    says: /with all workers busy/,
    isTrue: ({ pools }) =>
      pools.length > 0 && pools.every(({ isTaking, workers }) => !isTaking || workers.idle === 0),
  },
  { says: /^LOOP .*not blocked/m, isTrue: ({ stalls, lateMs }) => stalls.length === 0 && lateMs < 50 },
  {
    says: /([\d.]+\/s) are served/,
    isTrue: ({ backlog, rates }, [rate]) =>
      [
        backlog?.takenPerSecond,
        backlog?.later.takenPerSecond,
        rates.takenPerSecond - rates.retriedPerSecond,
      ].some((known) => known !== undefined && perSecond(Math.max(0, known)) === rate),
  },
  {
    says: /([\d.]+\/s) arrive/,
    isTrue: ({ backlog }, [rate]) =>
      [backlog?.arrivedPerSecond, backlog?.later.arrivedPerSecond].some(
        (known) => known !== undefined && perSecond(known) === rate,
      ),
  },
  {
    says: /workers? would suffice, there (?:is|are)/,
    isTrue: ({ gates, loopUtilization, groups }) =>
      loopUtilization < 0.85 &&
      !gates.some(({ inFlight, limit, waiting }) => waiting > 0 && inFlight >= limit) &&
      !groups.some(({ states, tasks }) => states[0] === "waiting for a connection" && tasks.length >= 3),
  },
  {
    says: /none has ended for/,
    isTrue: ({ lastEndedMsAgo, sla }) => lastEndedMsAgo >= sla.targetMs / 2,
  },
  {
    says: /can never resume/,
    isTrue: ({ tasks }) => tasks.some(({ neverResumes }) => neverResumes === true),
  },
  {
    says: /the event loop was blocked for/,
    isTrue: ({ stalls, lateMs, pile }) => stalls.length > 0 || lateMs > 0 || pile.lateMs > 0,
  },
  {
    says: /the process did not run for/,
    isTrue: ({ starvedMs, pile }) => starvedMs > 0 || pile.starvedMs > 0,
  },
  {
    says: /others use it/,
    isTrue: ({ processor: { queuedMs } }) => queuedMs !== undefined && queuedMs > 0,
  },
  {
    says: /CPU quota was used up/,
    isTrue: ({ processor: { throttledShare } }) => (throttledShare ?? 0) >= 0.1,
  },
  { says: /garbage was collected/, isTrue: ({ processor: { gcMs } }) => gcMs > 0 },
  {
    says: /a task takes .* it took/,
    isTrue: ({ usualServiceMs, recent }) =>
      usualServiceMs !== undefined && recent.serviceMs !== undefined && recent.serviceMs > usualServiceMs,
  },
  {
    says: /fail in the handler itself/,
    isTrue({ lastFailure, recent, rates }) {
      const { failedPerSecond, retriedPerSecond } = recent.takenPerSecond > 0 ? recent : rates;
      return lastFailure !== undefined && failedPerSecond + retriedPerSecond > 0;
    },
  },
  {
    says: /the queue is full/,
    isTrue: ({ depth, capacity, waitingPuts }) => depth >= capacity && (waitingPuts ?? 0) > 0,
  },
  {
    says: /lets (\d+) calls? through/,
    isTrue: ({ gates }, [limit]) => gates.some((gate) => String(gate.limit) === limit),
  },
];

const share = fc.double({ min: 0, max: 1, noNaN: true });
const ms = fc.integer({ min: 0, max: 3_000 });
const rate = fc.integer({ min: 0, max: 60 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const aRate = fc
  .record({
    arrivedPerSecond: rate,
    takenPerSecond: rate,
    endedPerSecond: rate,
    failedPerSecond: rate,
    retriedPerSecond: rate,
    firstRetriedPerSecond: rate,
    serviceMs: maybe(ms),
  })
  .map((changes) =>
    rates({ ...changes, failedPerSecond: Math.min(changes.failedPerSecond, changes.endedPerSecond) }),
  );

const aSituation = fc
  .record({
    running: fc.array(fc.record({ runningMs: ms, neverResumes: maybe(fc.boolean()) }), { maxLength: 6 }),
    isNamed: fc.boolean(),
    state: fc.constantFrom("connecting", "waiting for a connection"),
    pools: fc.array(
      fc.record({
        idle: fc.integer({ min: 0, max: 2 }),
        processing: fc.integer({ min: 0, max: 6 }),
        isPaused: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
    gate: maybe(
      fc.record({ inFlight: fc.integer({ min: 0, max: 2 }), waiting: fc.integer({ min: 0, max: 5 }) }),
    ),
    rest: fc.record({
      waitMs: fc.integer({ min: 1_001, max: 5_000 }),
      depth: fc.integer({ min: 1, max: 50 }),
      waitingPuts: fc.integer({ min: 0, max: 2 }),
      waitingGets: fc.integer({ min: 0, max: 1 }),
      capacity: fc.constantFrom(10, Number.POSITIVE_INFINITY),
      isRateLimited: fc.boolean(),
      rates: aRate,
      recent: aRate,
      lastEndedMsAgo: ms,
      lastTakenMsAgo: ms,
      usualServiceMs: maybe(ms),
      lateMs: ms,
      starvedMs: ms,
      loopUtilization: share,
      processorShare: share,
      lastFailure: maybe(
        fc.constantFrom("TypeError: x is not a function", "TypeError: fetch failed", "Error: 503"),
      ),
      failingForMs: maybe(ms),
    }),
    backlog: maybe(fc.tuple(rate, rate, rate, rate, fc.integer({ min: 0, max: 60 }))),
    pile: fc.record({ forMs: fc.integer({ min: 5_000, max: 9_000 }), lateMs: ms, starvedMs: ms }),
    processor: fc.record({
      windowMs: fc.integer({ min: 3_000, max: 4_000 }),
      ranMs: maybe(ms),
      queuedMs: maybe(ms),
      throttledShare: maybe(share),
      gcMs: ms,
    }),
    stalls: fc.array(fc.record({ endedMsAgo: ms, durationMs: fc.integer({ min: 500, max: 2_000 }) }), {
      maxLength: 2,
    }),
  })
  .map(({ running, isNamed, state, pools, gate, rest, backlog, pile, processor: cpu, stalls }) => {
    const tasks = running.map((changes) => task(changes));
    const { ranMs, queuedMs } = cpu;
    return situation({
      ...rest,
      tasks,
      tiers: [tier("default", { depth: rest.depth, waitMs: rest.waitMs })],
      groups: tasks.length === 0 || !isNamed ? [] : [group("http", "GET a.com/", tasks, 800, [state])],
      pools: pools.map(({ idle, processing, isPaused }) =>
        pool({ idle, processing }, isPaused ? "is paused" : undefined),
      ),
      gates: gate === undefined ? [] : [{ name: "bank", limit: 2, isOpen: undefined, ...gate }],
      backlog: backlog && {
        windowMs: 2_000,
        arrivedPerSecond: backlog[0],
        takenPerSecond: backlog[1],
        taken: backlog[4],
        later: { arrivedPerSecond: backlog[2], takenPerSecond: backlog[3] },
      },
      pile,
      // Both are known, or neither.
      processor: processor({ ...cpu, queuedMs: ranMs === undefined ? undefined : queuedMs }),
      stalls: stalls.map((stall) => ({
        ...stall,
        where: undefined,
        isNative: false,
        correlationId: undefined,
      })),
    });
  });

it("what a report says is so, as far as the snapshot shows, whatever that is", () => {
  const said = new Set<RegExp>();
  const check = (seen: Situation, text: string, verdict?: Verdict) => {
    for (const { says, isTrue } of CLAIMS) {
      const found = says.exec(text);
      if (found === null) continue;
      said.add(says);
      expect(isTrue(seen, found.slice(1)), `${verdict?.name ?? "report"}: ${text}`).toBe(true);
    }
  };
  fc.assert(
    fc.property(aSituation, (seen) => {
      const { verdicts, notYet } = diagnose(CHECKS, seen, (error) => {
        throw error;
      });
      for (const verdict of verdicts) {
        expect(verdict.sentence).not.toMatch(/NaN|undefined|Infinity|-\d/);
        check(seen, verdict.sentence, verdict);
      }
      check(
        seen,
        String(
          new BreachReport(
            seen,
            verdicts,
            notYet,
            {
              heads: [],
              workers: [],
              memory: undefined,
              senders: { sampled: 0, tenants: [], correlationIds: [] },
            },
            0,
          ),
        ),
      );
    }),
    { numRuns: 3_000 },
  );
  // A claim that is never made is not tested.
  expect(CLAIMS.filter(({ says }) => !said.has(says)).map(({ says }) => String(says))).toEqual([]);
});
