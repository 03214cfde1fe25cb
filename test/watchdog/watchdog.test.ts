import { readdirSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import PQueue from "p-queue";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { instrument, uninstrument } from "../../src/adapters/instrument.js";
import { InvalidOptionRangeError, InvalidOptionTypeError, NotWatchableError } from "../../src/base/errors.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import type { WatchdogOptions } from "../../src/watchdog/options.js";
import type { ClearedReport } from "../../src/watchdog/report/cleared.js";
import type { BreachReport } from "../../src/watchdog/report/report.js";
import type { Check } from "../../src/watchdog/situation.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { WorkerPool } from "../../src/worker/pool.js";

const SLA = { default: { targetMs: 1_000, objective: 0.99 } };

let clock: FakeClock;
let queues = 0;
const dogs: Watchdog[] = [];

beforeEach(() => {
  clock = new FakeClock();
});
afterEach(async () => {
  await Promise.all(dogs.splice(0).map((dog) => dog.stop()));
});

/** With time by hand, and without a thread. */
function watchdog(options: WatchdogOptions = {}) {
  const dog = new Watchdog({ everyMs: 100, stallThresholdMs: Number.POSITIVE_INFINITY, clock, ...options });
  dogs.push(dog);
  const breaches: BreachReport[] = [];
  const cleared: { tier: string; lastedMs: number }[] = [];
  const errors: unknown[] = [];
  dog.on("breach", (report) => breaches.push(report));
  dog.on("cleared", ({ tier, lastedMs }) => cleared.push({ tier, lastedMs }));
  dog.on("error", (error) => errors.push(error));
  return { dog, breaches, cleared, errors };
}

function fifo(name = `watched-${queues++}`) {
  return instrument(new FifoQueue<string>({ clock }), { name, sla: SLA });
}

/** How many were counted, by verdict. */
async function breachesOf(queue: string): Promise<Record<string, unknown>> {
  const { resourceMetrics } = await metricProducer().collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const points = metrics.find(({ descriptor }) => descriptor.name === "queue.sla.breaches")!.dataPoints;
  return Object.fromEntries(
    points
      .filter(({ attributes }) => attributes["queue.name"] === queue)
      .map(({ attributes, value }) => [attributes["queue.verdict"], value]),
  );
}

/** In steps, with turns in between in which handlers get on. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    await new Promise(setImmediate);
  }
}

describe("an SLA on completion", () => {
  const sla = { default: { targetMs: 1_000, completeMs: 10_000 } };
  const made = (name: string) => instrument(new FifoQueue<string>({ clock }), { name, sla });

  it("is breached by what fails, backs off and fails again, though nothing waits; until it is settled", async () => {
    const queue = made("outage");
    const { dog, breaches, cleared } = watchdog();
    dog.watch(queue).start();
    let isDown = true;
    const handler = () => (isDown ? Promise.reject(new Error("ECONNREFUSED bank")) : Promise.resolve());
    const pool = new WorkerPool(queue, handler, {
      concurrency: 4,
      retry: { attempts: 100, backoff: { initialMs: 500, maxMs: 2_000 } },
    });
    for (let i = 0; i < 20; i++) await queue.put(`order ${i}`);
    await pass(10_000);
    expect(breaches).toEqual([]);
    await pass(200);
    expect(breaches).toHaveLength(1);
    const [report] = breaches;
    expect(report).toMatchObject({ promise: "completion", targetMs: 10_000, depth: 0, tier: "default" });
    expect(report!.waitMs).toBeGreaterThan(10_000);
    expect(report!.verdicts.map(({ name }) => name)).toEqual(["downstream-saturated"]);
    expect(String(report)).toMatch(
      /^BREACH queue=outage tier=default an item is not settled after 10\.\d s \(SLA 10\.0 s\), depth 0, \d+ delayed, \d in flight\n/,
    );
    isDown = false;
    await pass(3_000);
    expect(queue.delayed).toBe(0);
    expect(cleared).toMatchObject([{ tier: "default" }]);
    await pool.stop();
  });

  it("is breached by a task that hangs, and by attempts that are hours apart", async () => {
    const hung = made("hung");
    const rare = made("rare");
    const { dog, breaches } = watchdog();
    dog.watch(hung).watch(rare).start();
    await hung.put("a");
    await hung.receive();
    await rare.putMany(["a", "b", "c", "d", "e"]);
    for (let i = 0; i < 5; i++) {
      (await rare.receive()).retry({ delayMs: 3_600_000, error: new Error("503 Service Unavailable") });
    }
    await pass(10_100);
    expect(breaches.map(({ queue, promise }) => [queue, promise])).toEqual([
      ["hung", "completion"],
      ["rare", "completion"],
    ]);
    expect(breaches[0]!.verdicts[0]!.name).toBe("consumers-stuck");
    expect(breaches[1]!.verdicts[0]).toMatchObject({
      name: "downstream-saturated",
      sentence: expect.stringMatching(/^all 5 items wait for another attempt, .* 503 Service Unavailable$/),
    });
  });

  it("may be given to the watchdog only, and is then looked after as well", async () => {
    const queue = instrument(new FifoQueue<string>({ clock }), { name: "given" });
    const { dog, breaches } = watchdog();
    dog.watch(queue, { sla }).start();
    await queue.put("a");
    await queue.receive();
    await pass(10_200);
    expect(breaches).toMatchObject([{ queue: "given", promise: "completion", waitMs: 10_100 }]);
  });
});

describe("without an SLA on completion", () => {
  const worked = (
    handler: (item: string, attempt: number) => Promise<void>,
    backoff = { initialMs: 500, maxMs: 60_000 },
    attempts = 100,
  ) => {
    const queue = fifo();
    const seen = watchdog();
    seen.dog.watch(queue).start();
    const pool = new WorkerPool(queue, (item, { attempt }) => handler(item, attempt), {
      concurrency: 4,
      retry: { attempts, backoff },
    });
    onTestFinished(() => pool.stop({ graceMs: 0 }).then(() => {}));
    return { queue, pool, ...seen };
  };
  const fail = (error: Error) => Promise.reject(error);

  it.each([
    ["downstream-saturated", new Error("connect ECONNREFUSED 10.0.0.1:5432")],
    ["handler-failing", new TypeError("Cannot read properties of undefined (reading 'id')")],
  ])("a total outage with retries is a breach, %s, until something is done", async (verdict, error) => {
    let isDown = true;
    const { queue, breaches, cleared } = worked(() => (isDown ? fail(error) : Promise.resolve()));
    await queue.putMany(Array.from({ length: 20 }, (_, i) => `order ${i}`));
    await pass(3_000);
    expect(breaches).toEqual([]);
    await pass(600);
    expect(breaches).toMatchObject([{ promise: "completion", targetMs: 1_000 }]);
    expect(breaches[0]!.verdicts[0]!.name).toBe(verdict);
    expect(String(breaches[0])).toMatch(/^BREACH .* an item is not settled after 3\.\d s \(SLA 1\.0 s\)/);
    // However rare the attempts have become by then.
    await pass(120_000);
    expect(cleared).toEqual([]);
    isDown = false;
    await pass(130_000);
    expect(queue.delayed).toBe(0);
    expect(cleared).toMatchObject([{ tier: "default" }]);
  });

  it.each<[string, (item: string, attempt: number) => Promise<void>]>([
    [
      "first attempts fail, and second ones don't",
      (_, attempt) => (attempt === 1 ? fail(new Error("503")) : Promise.resolve()),
    ],
    [
      "a few items fail, and others don't",
      (item) => (Number(item) < 3 ? fail(new Error("503")) : Promise.resolve()),
    ],
    [
      "half of the attempts fail",
      (item, attempt) => ((Number(item) + attempt) % 2 === 0 ? fail(new Error("503")) : Promise.resolve()),
    ],
  ])("is none where %s", async (_, handler) => {
    const { queue, breaches } = worked(handler);
    for (let i = 0; i < 60; i++) {
      await queue.put(`${i}`);
      await pass(200);
    }
    await pass(20_000);
    expect(breaches).toEqual([]);
  });

  it("is none where what failed is over, and what is there now only takes long", async () => {
    const handler = (item: string) =>
      item === "long" ? new Promise<void>(() => {}) : fail(new Error("503"));
    const { queue, breaches } = worked(handler, { initialMs: 500, maxMs: 500 }, 2);
    await pass(200);
    for (let i = 0; i < 10; i++) await queue.put(`${i}`);
    await pass(1_500);
    expect(queue.delayed).toBe(0);
    for (let i = 0; i < 4; i++) await queue.put("long");
    await pass(60_000);
    expect(breaches).toEqual([]);
  });

  it("is none where items are given back for later without an error", async () => {
    const queue = fifo();
    const { dog, breaches } = watchdog();
    dog.watch(queue).start();
    await queue.putMany(Array.from({ length: 20 }, (_, i) => `${i}`));
    for (let i = 0; i < 20; i++) (await queue.receive()).retry({ delayMs: 600_000 });
    await pass(60_000);
    expect(breaches).toEqual([]);
  });
});

describe("a breach", () => {
  it("is told at the first look at which the oldest item has waited for longer than its SLA", async () => {
    const queue = fifo("late");
    const { dog, breaches } = watchdog();
    dog.watch(queue).start();
    await queue.put("a", { correlationId: "request-1" });
    clock.advance(1_000);
    expect(breaches).toEqual([]);
    clock.advance(100);
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toMatchObject({ queue: "late", tier: "default", waitMs: 1_100, targetMs: 1_000 });
    expect(breaches[0]!.verdicts[0]!.name).toBe("no-consumer");
    expect(breaches[0]!.head).toMatchObject([{ correlationId: "request-1", waitMs: 1_100, attempt: 1 }]);
  });

  it("is told again only after a while, and counted once", async () => {
    const queue = fifo("lasting");
    const { dog, breaches, cleared } = watchdog({ minReportIntervalMs: 5_000 });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(6_000);
    expect(breaches).toHaveLength(1);
    clock.advance(100);
    expect(breaches).toHaveLength(2);
    queue.tryGet();
    clock.advance(100);
    expect(cleared).toEqual([{ tier: "default", lastedMs: 5_100 }]);
    expect(await breachesOf("lasting")).toMatchObject({ "no-consumer": 1 });
  });

  it("that is over and comes back is counted, and told before its time only if it has another cause", async () => {
    let cause = "one";
    const check: Check = {
      name: "cause",
      look: () => ({ name: cause, confidence: 1, sentence: "It is so.", evidence: {} }),
    };
    const queue = fifo("flapping");
    const { dog, breaches, cleared } = watchdog({ checks: [check], minReportIntervalMs: 60_000 });
    dog.watch(queue).start();
    const breach = async () => {
      await queue.put("a");
      clock.advance(1_200);
      queue.tryGet();
      clock.advance(100);
    };
    const causes = () => breaches.map(({ verdicts }) => verdicts[0]!.name);
    for (let i = 0; i < 3; i++) await breach();
    expect(causes()).toEqual(["one"]);
    expect(cleared).toHaveLength(1);
    cause = "another";
    for (let i = 0; i < 3; i++) await breach();
    cause = "one";
    await breach();
    expect(causes()).toEqual(["one", "another"]);
    expect(cleared).toHaveLength(2);
    expect(await breachesOf("flapping")).toMatchObject({ one: 4, another: 3 });
    clock.advance(60_000);
    await breach();
    expect(causes()).toEqual(["one", "another", "one"]);
  });

  it("whose cause two looks find to be another one is told again at once, and its end with what has changed", async () => {
    let cause = "one";
    const check: Check = {
      name: "cause",
      look: () => ({ name: cause, confidence: 1, sentence: "It is so.", evidence: {} }),
    };
    const queue = fifo("corrected");
    const { dog, breaches } = watchdog({ checks: [check], minReportIntervalMs: 3_600_000 });
    const ends: ClearedReport[] = [];
    dog.on("cleared", (end) => ends.push(end));
    dog.watch(queue).start();
    await queue.putMany(["a", "b"]);
    clock.advance(1_100);
    cause = "another";
    clock.advance(100);
    expect(breaches.map(({ corrects }) => corrects)).toEqual([undefined]);
    clock.advance(100);
    expect(breaches.map(({ corrects }) => corrects)).toEqual([undefined, "one"]);
    expect(String(breaches[1])).toMatch(
      /^BREACH .*\nNEWS the report before named one first; two looks since then have found what follows\nWHY {2}another /,
    );
    // What happens to a pool has the real time: a breach of minutes holds it, however crowded the machine is.
    clock.advance(180_000);
    const pool = new WorkerPool(queue, () => {}, { name: "packers", autoStart: false });
    pool.resize(3);
    pool.start();
    await pool.drain();
    clock.advance(100);
    expect(String(ends[0])).toMatch(
      /^CLEARED queue=corrected tier=default after 3 min \(another\), 2 items missed the SLA\nSINCE .*"packers" resized from 1 to 3; "packers" takes items/,
    );
    expect(await breachesOf("corrected")).toMatchObject({ another: 1 });
  });

  it("that was not told when it began is told as soon as it is due, or put down to something else", async () => {
    let cause = "one";
    const check: Check = {
      name: "cause",
      look: () => ({ name: cause, confidence: 1, sentence: "It is so.", evidence: {} }),
    };
    const queue = fifo("coming-back");
    const { dog, breaches } = watchdog({ checks: [check], minReportIntervalMs: 10_000 });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_100);
    queue.tryGet();
    await queue.put("b");
    clock.advance(9_900);
    expect(breaches).toHaveLength(1);
    clock.advance(100);
    expect(breaches).toHaveLength(2);
    queue.tryGet();
    await queue.put("c");
    clock.advance(2_000);
    expect(breaches).toHaveLength(2);
    cause = "another";
    clock.advance(100);
    expect(breaches).toHaveLength(3);
    expect(await breachesOf("coming-back")).toMatchObject({ one: 3 });
  });

  it("that stays unexplained costs one report, however often it is looked at", async () => {
    const queue = fifo();
    let payloads = 0;
    const { dog, breaches } = watchdog({ checks: [], payload: () => payloads++ });
    dog.watch(queue).start();
    for (let i = 0; i < 20; i++) await queue.put("a");
    clock.advance(10_000);
    expect(breaches).toHaveLength(1);
    expect(payloads).toBe(10);
  });

  it("of an unknown cause is told again as soon as that is known, and then not before its time", async () => {
    let isKnown = false;
    const check: Check = {
      name: "cause",
      look: () =>
        isKnown ? { name: "cause", confidence: 1, sentence: "It is known.", evidence: {} } : undefined,
    };
    const queue = fifo("undecided");
    const { dog, breaches } = watchdog({ checks: [check], minReportIntervalMs: 5_000 });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(2_000);
    expect(breaches.map(({ verdicts }) => verdicts.length)).toEqual([0]);
    expect(await breachesOf("undecided")).toEqual({ cause: 0, unknown: 1 });
    isKnown = true;
    clock.advance(100);
    expect(breaches.map(({ verdicts }) => verdicts.length)).toEqual([0, 1]);
    expect(await breachesOf("undecided")).toEqual({ cause: 1, unknown: 1 });
    clock.advance(4_900);
    expect(breaches).toHaveLength(2);
    clock.advance(100);
    expect(breaches).toHaveLength(3);
  });

  it("is one of a tier: the others have their own SLA", async () => {
    const queue = instrument(new PriorityQueue<string>({ clock, tiers: { vip: 0, regular: 10 } }), {
      name: `watched-${queues++}`,
      sla: { vip: { targetMs: 200 }, regular: { targetMs: 5_000 } },
    });
    const { dog, breaches } = watchdog();
    dog.watch(queue).start();
    await queue.put("a", { tier: "regular" });
    await queue.put("b", { tier: "vip" });
    clock.advance(1_000);
    expect(breaches.map(({ tier }) => tier)).toEqual(["vip"]);
  });

  it("is judged by the tier's own SLA, and each item counted once, also where metrics lump tiers together", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `tier-${i}`);
    const tiers = Object.fromEntries(names.map((name, i) => [name, i]));
    const queue = instrument(new PriorityQueue<string>({ clock, tiers }), {
      name: `watched-${queues++}`,
      sla: { ...SLA, "tier-29": { targetMs: 200 } },
    });
    const { dog, breaches } = watchdog();
    dog.watch(queue).start();
    for (let i = 0; i < 10; i++) {
      clock.advance(100);
      await queue.put("a", { tier: "tier-29" });
      await queue.get();
    }
    await queue.put("b", { tier: "tier-25" });
    clock.advance(900);
    expect(breaches).toEqual([]);
    clock.advance(200);
    expect(breaches).toMatchObject([{ tier: "tier-25", targetMs: 1_000 }]);
    expect(breaches[0]!.rates.arrivedPerSecond * breaches[0]!.rates.windowMs).toBeCloseTo(11_000);
  });

  it("is one of a queue, whatever others have the same name", async () => {
    const [one, other] = [fifo("twin"), fifo("twin")];
    const { dog, breaches } = watchdog();
    dog.watch(one).watch(other).start();
    await one.put("a", { correlationId: "of one" });
    await other.put("b", { correlationId: "of the other" });
    clock.advance(1_100);
    expect(breaches.map(({ head }) => head[0]!.correlationId)).toEqual(["of one", "of the other"]);
  });

  it("is judged by the SLA that the watchdog was given, before that of the queue", async () => {
    const queue = fifo();
    const { dog, breaches } = watchdog();
    dog.watch(queue, { name: "mails", sla: { default: { targetMs: 300 } } }).start();
    await queue.put("a");
    clock.advance(400);
    expect(breaches).toMatchObject([{ queue: "mails", targetMs: 300 }]);
  });
});

describe("a report", () => {
  it("is made on demand, breach or not", async () => {
    const queue = fifo();
    const { dog, breaches } = watchdog();
    dog.watch(queue).start();
    await queue.put("a");
    const [report] = dog.report();
    expect(String(report)).toMatch(/^REPORT queue=watched-\d+ tier=default head waited 0 ms \(SLA 1\.0 s\)/);
    expect(breaches).toEqual([]);
  });

  it("has these members, by version", async () => {
    const queue = fifo();
    const { dog } = watchdog();
    new WorkerPool(queue, () => new Promise(() => {}), { name: "packers" });
    dog.watch(queue).start();
    await queue.putMany(["a", "b"]);
    await Promise.resolve();
    clock.advance(500);
    const json = JSON.parse(JSON.stringify(dog.report()[0]));
    expect(json.version).toBe(1);
    expect(Object.keys(json).sort()).toMatchInlineSnapshot(`
      [
        "at",
        "capacity",
        "delayed",
        "depth",
        "drainMs",
        "gates",
        "groups",
        "head",
        "inFlight",
        "loop",
        "memory",
        "notEnoughEvidence",
        "pools",
        "promise",
        "queue",
        "rates",
        "recent",
        "senders",
        "targetMs",
        "tier",
        "tiers",
        "transitions",
        "utilization",
        "verdicts",
        "version",
        "waitMs",
        "waitingGets",
        "waitingPuts",
        "workers",
      ]
    `);
    expect(Object.keys(json.groups[0].tasks[0]).sort()).toMatchInlineSnapshot(`
      [
        "attempt",
        "correlationId",
        "isOver",
        "patienceMs",
        "runningMs",
        "state",
        "tier",
        "waits",
        "worker",
      ]
    `);
    expect(Object.keys(json.workers[0].workers[0]).sort()).toMatchInlineSnapshot(`
      [
        "id",
        "lastStartAt",
        "lastStartMsAgo",
        "state",
      ]
    `);
    expect(JSON.stringify(json)).not.toContain('"a"');
  });

  it("fits a terminal", async () => {
    const queue = fifo("orders");
    const { dog } = watchdog();
    // What could end the tasks: without it they could never resume, which is said as soon as garbage was collected.
    const endings: unknown[] = [];
    new WorkerPool(
      queue,
      (_, task) => {
        task.step("charge card");
        return new Promise((resolve) => endings.push(resolve));
      },
      { name: "packers", concurrency: 2 },
    );
    dog.watch(queue).start();
    for (const id of ["1", "2", "3"]) await queue.put("x", { correlationId: `request-${id}` });
    // The pool leaves the event loop a turn where time is short.
    while (queue.size > 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_500);
    const lines = String(dog.report()[0]).replace(/LOOP .*/, "LOOP …");
    expect(lines).toMatchInlineSnapshot(`
      "BREACH queue=orders tier=default head waited 1.5 s (SLA 1.0 s), depth 1
      WHY  consumers-stuck (0.85): all 2 tasks in flight have been running for 1.5 s to 1.5 s, and none was seen to end; 2 of them at step "charge card"
           downstream-saturated (0.50): 2 of 2 tasks in flight wait on charge card, the longest for 1.5 s
      2x at step "charge card", running for up to 1.5 s   request-1, request-2
      NEXT request-3 waited 1.5 s, tier default, attempt 1
      RATE in 0.0/s, out 0.0/s, workers 100 % busy; never empty, at these rates; what waits takes about 1 KiB
      POOL packers: 2 processing
      LOOP …"
    `);
  });

  it("goes through the redactor where it shows texts of the user's, and nowhere else", async () => {
    const queue = fifo("orders");
    const { dog } = watchdog({ redact: (text) => text.replaceAll("ann@example.com", "…") });
    dog.watch(queue).start();
    await queue.put("x", { correlationId: "of ann@example.com" });
    const report = dog.report()[0]!;
    expect(JSON.stringify(report) + String(report)).not.toContain("ann@");
    expect(report.head[0]!.correlationId).toBe("of …");
    expect(report.queue).toBe("orders");
  });

  it("has the time of the watchdog's clock", async () => {
    const { dog } = watchdog();
    dog.watch(fifo()).start();
    clock.advance(500);
    expect(dog.report()[0]!.at).toBe(clock.wallNow());
  });

  it("weighs what waits, with its place in the queue", async () => {
    const queue = fifo();
    const { dog } = watchdog();
    dog.watch(queue).start();
    for (let i = 0; i < 1_000; i++) await queue.put(i as never);
    const { bytes, sampled } = dog.report()[0]!.memory!;
    expect(bytes).toBe(24_000);
    // Fewer where the machine is so crowded that the time for weighing is over before.
    expect(sampled).toBeGreaterThan(0);
    expect(sampled).toBeLessThanOrEqual(64);
  });

  it("shows of an item a copy as plain data, through the redactor, too, and can always be written", async () => {
    const queue = instrument(new FifoQueue<unknown>({ clock }), { name: `watched-${queues++}` });
    const { dog, errors } = watchdog({ payload: (item) => item, redact: (text) => text.replace("Ann", "…") });
    dog.watch(queue).start();
    const ring: { name: string; self?: unknown } = { name: "Ann" };
    ring.self = ring;
    const bomb = {
      get bang() {
        throw new Error("a getter of the user's");
      },
    };
    await queue.putMany([ring, { n: 1n, at: new Date(0), pairs: new Map([["a", 1]]) }, bomb]);
    const [report] = dog.report();
    ring.name = "Bob";
    expect(JSON.parse(JSON.stringify(report)).head).toMatchObject([
      { payload: { name: "…", self: "(circular)" } },
      { payload: { n: "1", at: "1970-01-01T00:00:00.000Z", pairs: [["a", 1]] } },
      { waitMs: 0 },
    ]);
    expect(errors).toMatchObject([{ message: "a getter of the user's" }]);
  });

  it("is what a join that times out says", async () => {
    const queue = fifo();
    watchdog().dog.watch(queue).start();
    await queue.put("a");
    const joined = queue.join({ timeoutMs: 2_000 }).catch((error: unknown) => error);
    clock.advance(2_000);
    expect(await joined).toMatchObject({ report: { verdicts: [{ name: "no-consumer" }] } });
  });

  it("is what a join says while any watchdog runs, whichever came last", async () => {
    const queue = fifo();
    const [one, other] = [watchdog().dog, watchdog().dog];
    one.watch(queue).start();
    other.watch(queue).start();
    await queue.put("a");
    await other.stop();
    const first = queue.join({ timeoutMs: 2_000 }).catch((error: unknown) => error);
    clock.advance(2_000);
    expect(await first).toMatchObject({ report: { verdicts: [{ name: "no-consumer" }] } });
    await one.stop();
    const second = queue.join({ timeoutMs: 100 }).catch((error: unknown) => error);
    clock.advance(100);
    expect(await second).not.toHaveProperty("report");
    other.start();
    clock.advance(2_000);
    const third = queue.join({ timeoutMs: 100 }).catch((error: unknown) => error);
    clock.advance(100);
    expect(await third).toHaveProperty("report");
  });

  it("is on what is known: without a watchdog that runs a join has none, and no taken item is forgotten", async () => {
    const queue = fifo();
    const { dog } = watchdog();
    await queue.put("a");
    queue.tryGet();
    queue.taskDone();
    await queue.put("b");
    dog.watch(queue);
    clock.advance(2_000);
    expect(dog.report()[0]).toMatchObject({
      verdicts: [],
      notEnoughEvidence: expect.arrayContaining(["no-consumer"]),
    });
    expect(String(dog.report()[0])).toContain("(too early to tell: no-consumer");
    const joined = queue.join({ timeoutMs: 100 }).catch((error: unknown) => error);
    clock.advance(100);
    expect(await joined).not.toHaveProperty("report");
  });

  it("doesn't take the time between a stop and a start for one in which the process was held up", async () => {
    const queue = fifo();
    const { dog } = watchdog();
    dog.watch(queue).start();
    clock.advance(1_000);
    await dog.stop();
    await queue.put("a");
    clock.advance(10_000);
    dog.start();
    clock.advance(1_000);
    expect(dog.report()[0]!.rates.windowMs).toBe(1_000);
  });

  it("on a queue in which nothing waits misses no consumer", () => {
    const { dog } = watchdog();
    dog.watch(fifo()).start();
    clock.advance(1_000);
    const [report] = dog.report();
    expect(report!.verdicts).toEqual([]);
    expect(String(report)).toContain("WHY  nothing to explain: the SLA is met");
  });

  it("is printed when a signal asks for it, as long as the watchdog runs", async () => {
    const printed = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => printed.mockRestore());
    const { dog } = watchdog({ signal: "SIGUSR2" });
    const before = process.listenerCount("SIGUSR2");
    dog.watch(fifo("asked")).start();
    process.kill(process.pid, "SIGUSR2");
    await vi.waitFor(() => expect(printed).toHaveBeenCalled());
    expect(printed.mock.calls.join()).toMatch(/^REPORT queue=asked /);
    await dog.stop();
    expect(process.listenerCount("SIGUSR2")).toBe(before);
  });
});

describe("files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "queuescope-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("are whole, never more than so many, and foreign files are not touched", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    const queue = fifo();
    const { dog } = watchdog({ reportDir: folder, maxReports: 3 });
    dog.watch(queue).start();
    for (let i = 0; i < 5; i++) dog.report();
    await dog.stop();
    const files = (await readdir(folder)).sort();
    expect(files).toHaveLength(4);
    expect(files[0]).toBe("notes.txt");
    for (const file of files.slice(1)) {
      expect(file).toMatch(/^queuescope-.*\.json$/);
      expect(JSON.parse(await readFile(join(folder, file), "utf8")).version).toBe(1);
    }
    expect(files.at(-1)).toContain("-000005-");
  });

  it("are there when a listener hears of the report: it may end the process", async () => {
    const queue = fifo();
    const { dog } = watchdog({ reportDir: folder });
    const files: string[][] = [];
    dog.watch(queue).start();
    dog.on("breach", () => files.push(readdirSync(folder)));
    await queue.put("a");
    clock.advance(1_100);
    expect(files).toEqual([[expect.stringMatching(/^queuescope-.*\.json$/)]]);
  });

  it("that can't be written are an error event, and the watchdog goes on", async () => {
    await writeFile(join(folder, "file"), "");
    const queue = fifo();
    const { dog, breaches, errors } = watchdog({ reportDir: join(folder, "file", "reports") });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_100);
    await dog.stop();
    expect(breaches).toHaveLength(1);
    expect(errors).toMatchObject([{ code: "ENOTDIR" }]);
  });
});

describe("what throws", () => {
  it("a check: is told, and the others still speak", async () => {
    const broken: Check = {
      name: "broken",
      look() {
        throw new Error("a check of the user's");
      },
    };
    const sure: Check = {
      name: "sure",
      look: () => ({ name: "sure", confidence: 1, sentence: "it is so", evidence: {} }),
    };
    const unsure: Check = { name: "unsure", look: () => "not enough evidence yet" };
    const queue = fifo();
    const { dog, breaches, errors } = watchdog({ checks: [broken, sure, unsure] });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_100);
    expect(breaches[0]!.verdicts.map(({ name }) => name)).toEqual(["sure"]);
    expect(breaches[0]!.notEnoughEvidence).toEqual(["unsure"]);
    expect(errors).toMatchObject([{ message: "a check of the user's" }]);
  });

  it("a listener: is told, and the watchdog looks on", async () => {
    const queue = fifo();
    const { dog, breaches, errors } = watchdog({ minReportIntervalMs: 0 });
    dog.on("breach", () => {
      throw new Error("a listener of the user's");
    });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_200);
    expect(breaches).toHaveLength(2);
    expect(errors).toHaveLength(2);
  });

  it("a listener: does not keep those after it from hearing", async () => {
    const queue = fifo();
    const { dog, breaches, cleared } = watchdog();
    const broken = () => {
      throw new Error("a listener of the user's");
    };
    dog.prependListener("breach", broken).prependListener("cleared", broken).prependListener("error", broken);
    const once: string[] = [];
    dog.once("breach", ({ tier }) => once.push(tier));
    dog.watch(queue, { sla: { default: { targetMs: 100 } } }).start();
    await queue.put("a");
    clock.advance(200);
    queue.tryGet();
    clock.advance(100);
    expect(breaches).toHaveLength(1);
    expect(cleared).toHaveLength(1);
    expect(once).toEqual(["default"]);
    expect(dog.listenerCount("breach")).toBe(2);
  });

  it("a clock: does not end the watchdog", async () => {
    const queue = fifo();
    let isBroken = true;
    const broken = <R>(works: R): R => {
      if (isBroken) throw new Error("a clock of the user's");
      return works;
    };
    const { dog, breaches, errors } = watchdog({
      everyMs: 10,
      clock: {
        now: () => broken(clock.now()),
        wallNow: () => broken(clock.wallNow()),
        setTimeout: (callback, delayMs) => broken(clock.setTimeout(callback, delayMs)),
        clearTimeout: (timer) => clock.clearTimeout(timer),
      },
    });
    dog.watch(queue).start();
    expect(errors).toMatchObject([{ message: "a clock of the user's" }]);
    await queue.put("a");
    isBroken = false;
    // Until now it was the system's clock that it went by.
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    clock.advance(1_100);
    expect(breaches).toHaveLength(1);
    isBroken = true;
    clock.advance(100);
    isBroken = false;
    await vi.waitFor(() => expect(clock.pending).toBe(1));
  });

  it("an async listener: is told, and no rejection is left unhandled", async () => {
    const queue = fifo();
    const { dog, errors } = watchdog();
    dog.on("breach", async () => {
      throw new Error("a listener of the user's");
    });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_100);
    dog.on("error", () => Promise.reject(new Error("one that is told of errors")));
    await vi.waitFor(() => expect(errors).toMatchObject([{ message: "a listener of the user's" }]));
    await new Promise(setImmediate);
    expect(errors).toHaveLength(1);
  });

  it("a redactor: shows nothing, and the breach is told", async () => {
    const queue = fifo();
    const { dog, breaches, errors } = watchdog({
      redact: () => {
        throw new Error("a redactor of the user's");
      },
    });
    dog.watch(queue).start();
    await queue.put("a", { correlationId: "secret" });
    clock.advance(1_100);
    expect(breaches).toMatchObject([{ head: [{ correlationId: "…" }] }]);
    expect(JSON.stringify(breaches)).not.toContain("secret");
    expect(errors[0]).toMatchObject({ message: "a redactor of the user's" });
  });

  it("what makes payloads: shows none, and the breach is told", async () => {
    const queue = fifo();
    const { dog, breaches, errors } = watchdog({
      payload: () => {
        throw new Error("a payload of the user's");
      },
    });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_100);
    expect(breaches).toMatchObject([{ head: [{ waitMs: 1_100, payload: undefined }] }]);
    expect(errors).toMatchObject([{ message: "a payload of the user's" }]);
  });

  it("a listener that is told of one breach's end: does not hide that of another", async () => {
    const queue = instrument(new PriorityQueue<string>({ clock, tiers: { vip: 0, regular: 10 } }), {
      name: `watched-${queues++}`,
      sla: SLA,
    });
    const { dog, cleared, errors } = watchdog();
    dog.on("cleared", () => {
      throw new Error("a listener of the user's");
    });
    dog.watch(queue).start();
    await queue.put("a", { tier: "vip" });
    await queue.put("b", { tier: "regular" });
    clock.advance(1_100);
    await queue.getMany(2);
    clock.advance(100);
    expect(cleared.map(({ tier }) => tier)).toEqual(["vip", "regular"]);
    expect(errors).toHaveLength(2);
  });

  it("one queue: does not blind it for the others", async () => {
    const [one, other] = [fifo(), fifo()];
    const { dog, breaches, errors } = watchdog();
    dog.watch(one).watch(other).start();
    await other.put("a");
    const { watched } = dog as unknown as { watched: Map<object, { sample: unknown }[]> };
    watched.get(one)![0]!.sample = () => {
      throw new Error("a broken queue");
    };
    clock.advance(1_100);
    expect(errors.length).toBeGreaterThan(0);
    expect(breaches).toHaveLength(1);
  });
});

describe("watching", () => {
  it("takes an instrumented queue, or a pool that works on one", () => {
    const { dog } = watchdog();
    const queue = fifo();
    const pool = new WorkerPool(queue, () => {}, { autoStart: false });
    expect(dog.watch(pool)).toBe(dog);
    expect(dog.watch(queue).report()).toHaveLength(1);
  });

  it("ends with the instrumentation: of what isn't counted any more there is nothing to tell", async () => {
    const queue = fifo();
    const { dog, breaches, cleared } = watchdog({ minReportIntervalMs: 1_000 });
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(1_200);
    uninstrument(queue);
    clock.advance(5_000);
    expect(breaches).toHaveLength(1);
    expect(cleared).toEqual([{ tier: "default", lastedMs: 200 }]);
    expect(dog.report()).toEqual([]);
    const joined = queue.join({ timeoutMs: 100 }).catch((error: unknown) => error);
    clock.advance(100);
    expect(await joined).not.toHaveProperty("report");
  });

  it("goes on where it was when options come later, of which those that are not given stay", async () => {
    const queue = fifo();
    const { dog, breaches, cleared } = watchdog();
    dog.watch(queue, { sla: { default: { targetMs: 300 } } }).start();
    await queue.put("a");
    clock.advance(400);
    expect(breaches).toHaveLength(1);
    dog.watch(queue, { name: "renamed" });
    clock.advance(100);
    expect(dog.report()).toMatchObject([{ queue: "renamed", targetMs: 300 }]);
    dog.watch(queue, { sla: { default: { targetMs: 60_000 } } });
    clock.advance(100);
    expect(cleared).toEqual([{ tier: "default", lastedMs: 200 }]);
    expect(dog.report()).toMatchObject([{ queue: "renamed", targetMs: 60_000, rates: { windowMs: 600 } }]);
    expect(breaches).toHaveLength(1);
  });

  it("knows the tiers that a p-queue may come to have", async () => {
    const queue = instrument(new PQueue({ concurrency: 1 }), {
      name: `watched-${queues++}`,
      tiers: { urgent: 5 },
    });
    const { dog } = watchdog();
    dog.watch(queue, { sla: { "10": { targetMs: 100 }, urgent: { targetMs: 50 } } });
    expect(() => dog.watch(queue, { sla: { vip: { targetMs: 100 } } })).toThrow(/"vip"/);
    expect(() => dog.watch(fifo(), { sla: { "10": { targetMs: 100 } } })).toThrow(
      /keyed by a tier of the queue: "default", not "10"/,
    );
  });

  it("goes on when the queue is instrumented anew", async () => {
    const queue = fifo();
    const { dog, breaches } = watchdog();
    dog.watch(queue).start();
    instrument(uninstrument(queue), { name: "anew", sla: SLA });
    dog.watch(queue);
    await queue.put("a");
    clock.advance(1_200);
    expect(breaches).toMatchObject([{ queue: "anew" }]);
  });

  it("takes nothing else", () => {
    const { dog } = watchdog();
    expect(() => dog.watch(new FifoQueue())).toThrow(NotWatchableError);
    expect(() => dog.watch({})).toThrow(NotWatchableError);
    expect(() => dog.watch("orders" as never)).toThrow(InvalidOptionTypeError);
    expect(() => dog.watch(fifo(), { sla: { vip: { targetMs: 5 } } })).toThrow(InvalidOptionRangeError);
    expect(() => dog.watch(fifo(), { sla: { default: { targetMs: 0 } } })).toThrow(InvalidOptionRangeError);
    expect(() => dog.watch(fifo(), { name: 5 as never })).toThrow(InvalidOptionTypeError);
    expect(() => dog.watch(fifo(), { slas: {} } as never)).toThrow(/slas is not an option; did you mean sla/);
  });

  it("refuses options that are none", () => {
    expect(() => new Watchdog({ everyMs: 9 })).toThrow(InvalidOptionRangeError);
    expect(() => new Watchdog({ everyMs: "10" as never })).toThrow(InvalidOptionTypeError);
    expect(() => new Watchdog({ everyMs: null as never })).toThrow(InvalidOptionTypeError);
    expect(() => new Watchdog({ everyMs: 2 ** 31 })).toThrow(InvalidOptionRangeError);
    for (const stackEvery of [-1, 1.5])
      expect(() => new Watchdog({ stackEvery })).toThrow(InvalidOptionRangeError);
    for (const stackEvery of ["64", null])
      expect(() => new Watchdog({ stackEvery: stackEvery as never })).toThrow(InvalidOptionTypeError);
    expect(() => new Watchdog({ stallThresholdMs: 3e9 })).toThrow(/stallThresholdMs/);
    expect(() => new Watchdog({ reportDir: "" })).toThrow(InvalidOptionTypeError);
    expect(() => new Watchdog({ maxReports: 0 })).toThrow(InvalidOptionRangeError);
    expect(() => new Watchdog({ minReportIntervalMs: -1 })).toThrow(InvalidOptionRangeError);
    for (const signal of ["USR2", "SIGUSER2", "SIGKILL"]) {
      expect(() => new Watchdog({ signal: signal as never })).toThrow(InvalidOptionTypeError);
    }
    for (const check of [{}, { look() {} }]) {
      expect(() => new Watchdog({ checks: [check] as never })).toThrow(InvalidOptionTypeError);
    }
    expect(() => new Watchdog({ redact: true as never })).toThrow(InvalidOptionTypeError);
    expect(() => new Watchdog({ print: 1 as never })).toThrow(InvalidOptionTypeError);
  });

  it("begins and ends as often as one likes", async () => {
    const { dog, breaches } = watchdog();
    const queue = fifo();
    await dog.stop();
    dog.watch(queue).start().start();
    expect(clock.pending).toBe(1);
    await dog.stop();
    await dog.stop();
    expect(clock.pending).toBe(0);
    await queue.put("a");
    clock.advance(5_000);
    expect(breaches).toEqual([]);
    dog.start();
    clock.advance(0);
    expect(breaches).toHaveLength(1);
  });

  it("tells a breach that was there before it to those who listen only after the start", async () => {
    const queue = fifo();
    await queue.put("a");
    clock.advance(5_000);
    const { dog } = watchdog();
    dog.watch(queue).start();
    const late: BreachReport[] = [];
    dog.on("breach", (report) => late.push(report));
    clock.advance(0);
    expect(late).toHaveLength(1);
  });

  it("is ended by a listener, in the midst of a look, and begun again", async () => {
    const queue = fifo();
    const { dog } = watchdog();
    dog.once("breach", () => void dog.stop());
    dog.watch(queue).start();
    await queue.put("a");
    clock.advance(2_000);
    expect(clock.pending).toBe(0);
    dog.once("cleared", () => {
      void dog.stop();
      dog.start();
    });
    dog.start();
    queue.tryGet();
    clock.advance(1_000);
    expect(clock.pending).toBe(1);
  });

  it("doesn't end before everything is written, however often it is asked to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "queuescope-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { dog } = watchdog({ reportDir: folder });
    dog.watch(fifo()).start();
    dog.report();
    void dog.stop();
    await dog.stop();
    expect(await readdir(folder)).toHaveLength(1);
  });

  it("tells what it held back for the thread's word when it is stopped before that", async () => {
    const queue = fifo();
    const { dog, breaches } = watchdog({ stallThresholdMs: 500 });
    dog.watch(queue);
    // Without its thread, which would look at the real event loop.
    Object.assign(dog, { stalls: undefined });
    dog.start();
    await queue.put("a");
    clock.advance(100);
    clock.block(2_000);
    clock.advance(0);
    expect(breaches).toEqual([]);
    await dog.stop();
    expect(breaches).toHaveLength(1);
  });
});
