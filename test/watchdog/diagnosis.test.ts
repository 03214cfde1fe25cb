import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { CHECKS, type Check } from "../../src/checks.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { diagnose } from "../../src/watchdog/checks/index.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { type Handler, WorkerPool } from "../../src/worker/pool.js";
import { situation } from "./situations.js";

let clock: FakeClock;
let dog: Watchdog;
let queues = 0;

beforeEach(() => {
  clock = new FakeClock();
  dog = new Watchdog({ everyMs: 100, stallThresholdMs: Number.POSITIVE_INFINITY, clock });
});
afterEach(() => dog.stop());

/** A queue under watch, with an SLA of a second. */
function watched(): FifoQueue<string> {
  const queue = instrument(new FifoQueue<string>({ clock }), {
    name: `diagnosed-${queues++}`,
    sla: { default: { targetMs: 1_000 } },
    traces: "never",
  });
  dog.watch(queue).start();
  return queue;
}

/** Whatever can go on without the clock has gone on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    clock.advance(50);
    await settle();
  }
}

/** What could end them. Without it they could never resume, which the watchdog says as soon as garbage was collected. */
const endings: unknown[] = [];
const forEver: Handler<string> = () => new Promise((resolve) => endings.push(resolve));

describe("of two pools one of which is paused", () => {
  it("the other one's stuck workers are found, and count as all that there are", async () => {
    const queue = watched();
    new WorkerPool(queue, forEver, { name: "packers" });
    new WorkerPool(queue, forEver, { name: "helpers", concurrency: 3 }).pause();
    await queue.putMany(["a", "b"]);
    await pass(2_000);
    const [report] = dog.report();
    expect(report!.verdicts[0]!.name).toBe("consumers-stuck");
    expect(report!.verdicts[0]!.sentence).toMatch(/; "helpers" is paused$/);
    expect(report!.utilization).toBe(1);
  });
});

describe("a pool", () => {
  it("that is stopping, or has stopped, is not called paused", async () => {
    const queue = watched();
    const pool = new WorkerPool(queue, forEver, { name: "packers" });
    await queue.putMany(["a", "b"]);
    await settle();
    const stopped = pool.stop({ graceMs: 3_000 });
    await pass(2_000);
    expect(dog.report()[0]!.pools[0]).toMatchObject({ isTaking: false, notTakingReason: "is stopping" });
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["no-consumer", "consumers-stuck"]);
    await pass(2_000);
    await stopped;
    expect(dog.report()[0]!.pools[0]).toMatchObject({ notTakingReason: "is stopped" });
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["consumers-stuck", "no-consumer"]);
  });

  it("whose drain timed out on stuck tasks is said to be stuck", async () => {
    const queue = watched();
    const pool = new WorkerPool(queue, forEver, { name: "packers" });
    await queue.putMany(["a", "b"]);
    await settle();
    const drained = pool.drain({ timeoutMs: 1_500 });
    await pass(1_600);
    await drained;
    expect(dog.report()[0]!.verdicts[0]!.name).toBe("consumers-stuck");
  });

  it("that is paused before it has taken anything is paused, one that was never started is not", async () => {
    const queue = watched();
    const pool = new WorkerPool(queue, forEver, { name: "packers", autoStart: false });
    await queue.put("a");
    await pass(2_000);
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["no-consumer"]);
    pool.start();
    pool.pause();
    await pass(100);
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["consumers-paused"]);
    expect(dog.report()[0]!.utilization).toBe(0);
  });
});

describe("failures", () => {
  it("of all items alike are no poison item's, and the report has the error", async () => {
    const queue = watched();
    const fail: Handler<string> = () => {
      throw new Error("ECONNREFUSED bank");
    };
    const retry = { attempts: 20, backoff: { initialMs: 200, maxMs: 400 } };
    new WorkerPool(
      queue,
      (item, task) =>
        new Promise((resolve) => clock.setTimeout(() => resolve(0), 50)).then(() => fail(item, task)),
      { concurrency: 2, retry },
    );
    for (let i = 0; i < 100; i++) {
      await queue.put(`order ${i}`);
      await pass(50);
    }
    const [report] = dog.report();
    expect(report!.verdicts.map(({ name }) => name)).toEqual(["downstream-saturated"]);
    expect(report!.verdicts[0]!.sentence).toMatch(/^100 % of attempts .*Error: ECONNREFUSED bank$/);
    expect(String(report)).toMatch(/^RATE in .* out \d+\/s, \d+\/s retried, /m);
  });

  it("of all items, given back at once, are no poison item's, however often the oldest ones were tried", async () => {
    const queue = watched();
    void (async () => {
      for await (const delivery of queue.deliveries()) {
        await new Promise<void>((resolve) => clock.setTimeout(() => resolve(), 50));
        delivery.retry({ error: new Error("the database is starting up") });
      }
    })();
    await queue.put("the first, which is alone for a while");
    await pass(1_000);
    for (let i = 0; i < 40; i++) {
      await queue.put(`order ${i}`);
      await pass(50);
    }
    const [report] = dog.report();
    expect(report!.recent.firstRetriedPerSecond).toBeGreaterThan(0);
    expect(report!.verdicts.map(({ name }) => name)).toEqual(["downstream-saturated"]);
  });

  it("of one item are, with its error", async () => {
    const queue = watched();
    await queue.put("poison");
    void (async () => {
      for await (const delivery of queue.deliveries()) {
        await new Promise<void>((resolve) => clock.setTimeout(() => resolve(), 50));
        if (delivery.item === "poison") delivery.retry({ error: new Error("no JSON") });
        else delivery.done();
      }
    })();
    await pass(2_000);
    const [report] = dog.report();
    expect(report!.verdicts[0]).toMatchObject({
      name: "poison-item",
      evidence: { lastFailure: "Error: no JSON" },
    });
  });
});

describe("of thousands of tasks", () => {
  it("the oldest and the youngest are looked at, and what is said of them is not said of the others", async () => {
    const queue = watched();
    new WorkerPool(queue, forEver, { concurrency: 2_000 });
    await queue.putMany(Array.from({ length: 1_200 }, () => "old"));
    await pass(1_500);
    await queue.putMany(Array.from({ length: 900 }, () => "young"));
    await pass(500);
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).not.toContain("consumers-stuck");
    expect(String(dog.report()[0])).toMatch(/^1001x .*\n {5}and 999 more tasks in flight, not sampled$/m);
    await pass(1_500);
    const [stuck] = dog.report()[0]!.verdicts.filter(({ name }) => name === "consumers-stuck");
    expect(stuck!.sentence).toMatch(/^all 2000 tasks in flight have been running for 2\.0 s to 3\.5 s, /);
  });
});

describe("on demand, of a queue without an SLA", () => {
  it("that is full, the report speaks of no SLA", async () => {
    const queue = instrument(new FifoQueue<string>({ clock, capacity: 2 }), {
      name: `diagnosed-${queues++}`,
    });
    dog.watch(queue).start();
    new WorkerPool(queue, () => new Promise((resolve) => clock.setTimeout(() => resolve(0), 50)));
    for (let i = 0; i < 20; i++) {
      void queue.put("a");
      await pass(50);
      void queue.put("a");
    }
    const [report] = dog.report();
    expect(report!.verdicts.map(({ name }) => name)).toContain("producers-blocked");
    expect(String(report)).not.toMatch(/Infinity|SLA/);
  });
});

describe("a loop that is dead", () => {
  const dies: Record<string, () => unknown> = {
    "whose handler rejected": () => Promise.reject(new Error("no address")),
    "whose handler threw": () => {
      throw new Error("no address");
    },
  };
  it.each(Object.entries(dies))("%s leaves a delivery, with the error", async (_, handler) => {
    const queue = watched();
    const loop = (async () => {
      for await (const delivery of queue.deliveries()) await delivery.run(handler);
    })();
    await queue.putMany(["a", "b"]);
    await expect(loop).rejects.toThrow("no address");
    await pass(2_000);
    const [verdict] = dog.report()[0]!.verdicts;
    expect(verdict!.sentence).toMatch(
      /; 1 delivery was taken and never settled, and the handler failed with: Error: no address$/,
    );
  });
});

describe("a check of the user's", () => {
  it("stands beside those that there are", async () => {
    await dog.stop();
    const mine: Check = {
      name: "too-deep",
      look: ({ depth }) => ({ name: "too-deep", confidence: 0.99, sentence: `${depth} wait`, evidence: {} }),
    };
    dog = new Watchdog({
      everyMs: 100,
      stallThresholdMs: Number.POSITIVE_INFINITY,
      clock,
      checks: [...CHECKS, mine],
    });
    const queue = watched();
    await queue.put("a");
    await pass(2_000);
    expect(dog.report()[0]!.verdicts.map(({ name }) => name)).toEqual(["too-deep", "no-consumer"]);
  });

  it("that gives what is no verdict is told, and hides no other's", () => {
    const faults: unknown[] = [];
    const known = { name: "known", confidence: 0.5, sentence: "It is known.", evidence: {} };
    const gives = (found: unknown): Check => ({ name: "odd", look: () => found as never });
    const odd = [
      "nonsense",
      { ...known, confidence: Number.NaN },
      { ...known, confidence: undefined },
      { ...known, name: 1 },
      { ...known, sentence: undefined },
      Promise.reject(new Error("too late")),
    ];
    const checks = [...odd.map(gives), gives(null), gives(undefined), gives(known)];
    expect(diagnose(checks, situation(), (error) => faults.push(error))).toEqual({
      verdicts: [known],
      notYet: [],
    });
    expect(faults.map(String)).toEqual(
      odd.map(() => expect.stringContaining('TypeError: the check "odd" must give')),
    );
  });

  it("has a name that metrics can tell from others: halves of surrogate pairs are replaced", () => {
    const verdict = { name: "odd \ud800", confidence: 0.5, sentence: "It is odd.", evidence: {} };
    const { verdicts } = diagnose([{ name: "odd", look: () => verdict }], situation(), () => {});
    expect(verdicts).toEqual([{ ...verdict, name: "odd \ufffd" }]);
  });
});
