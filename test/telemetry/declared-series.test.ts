import PQueue from "p-queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKS } from "../../src/checks.js";
import { FifoQueue, Gate, instrument, PriorityQueue, Watchdog, WorkerPool } from "../../src/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { MetricCapture } from "../support/telemetry-capture.js";

let capture: MetricCapture;
let count = 0;

beforeAll(() => {
  capture = new MetricCapture("producer");
});

afterAll(() => capture.stop());

function newName(): string {
  return `declared-${count++}`;
}

/** What the attribute is in the queue's points, of each point. */
async function seen(name: string, metric: string, attribute: string): Promise<unknown[]> {
  const points = (await capture.collect()).points(metric);
  const own = points.filter(({ attributes }) => attributes["queue.name"] === name);
  return own.map(({ attributes }) => attributes[attribute]);
}

const PER_TIER = [
  "queue.depth",
  "queue.oldest.age.seconds",
  "queue.wait.seconds",
  "queue.enqueued",
  "queue.dequeued",
  "queue.overtakes",
] as const;

describe("a tier has series from the start", () => {
  it("if the queue declares it", async () => {
    const name = newName();
    instrument(new PriorityQueue({ tiers: { vip: 0, regular: 1 } }), { name });
    for (const metric of PER_TIER) expect(await seen(name, metric, "queue.tier")).toEqual(["vip", "regular"]);
  });

  it("if its priority is given a name or an SLA, and no other one until its first item comes", async () => {
    const name = newName();
    const sla = { 7: { targetMs: 100 }, default: { targetMs: 1_000 } };
    const queue = instrument(new PQueue({ autoStart: false }), { name, tiers: { urgent: 10 }, sla });
    const declared = ["urgent", "7"];
    for (const metric of [...PER_TIER, "queue.sla.target.seconds"]) {
      expect(await seen(name, metric, "queue.tier")).toEqual(declared);
    }
    void queue.add(async () => {});
    for (const metric of [...PER_TIER, "queue.sla.target.seconds"]) {
      expect((await seen(name, metric, "queue.tier")).sort()).toEqual(["7", "default", "urgent"]);
    }
    queue.start();
    await queue.onIdle();
    expect(await seen(name, "queue.depth", "queue.tier")).toHaveLength(3);
  });

  it("if items were in it before", async () => {
    const name = newName();
    const queue = new PQueue({ autoStart: false });
    void queue.add(async () => {});
    instrument(queue, { name, tiers: { urgent: 10 } });
    expect(await seen(name, "queue.enqueued", "queue.tier")).toEqual(["default", "urgent"]);
  });

  it("at most twenty of them, however many SLAs are given", async () => {
    const name = newName();
    const sla = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i + 1}`, { targetMs: 100 }]));
    instrument(new PQueue(), { name, sla });
    const tiers = await seen(name, "queue.depth", "queue.tier");
    expect(tiers).toHaveLength(21);
    expect(tiers).toContain("other");
  });
});

describe("drops have series for the reasons that the options allow for", () => {
  it.each([
    ["wait", ["expired", "shutdown"]],
    ["reject", ["expired", "rejected", "shutdown"]],
    ["evict", ["evicted", "expired", "shutdown"]],
  ] as const)("whenFull %s: %s", async (whenFull, reasons) => {
    const name = newName();
    instrument(new FifoQueue({ capacity: 1, whenFull }), { name });
    expect((await seen(name, "queue.dropped", "queue.reason")).sort()).toEqual(reasons);
  });

  it("of all queues of the name", async () => {
    const name = newName();
    instrument(new FifoQueue({ capacity: 1, whenFull: "reject" }), { name });
    instrument(new FifoQueue({ capacity: 1, whenFull: "evict" }), { name });
    expect(await seen(name, "queue.dropped", "queue.reason")).toHaveLength(4);
  });
});

describe("breaches have series, from the watch on,", () => {
  const VERDICTS = CHECKS.filter(({ scope }) => scope !== "broker").length + 1;

  it("for each verdict of the checks and each tier that has an SLA, and for no other", async () => {
    const name = newName();
    const queue = instrument(new PriorityQueue({ tiers: { vip: 0, regular: 1 } }), {
      name,
      sla: { vip: { targetMs: 100 } },
    });
    const watchdog = new Watchdog().watch(queue);
    expect(await seen(name, "queue.sla.breaches", "queue.tier")).toEqual(Array(VERDICTS).fill("vip"));
    watchdog.watch(queue, { sla: { regular: { targetMs: 100 } } });
    expect(await seen(name, "queue.sla.breaches", "queue.tier")).toHaveLength(2 * VERDICTS);
  });

  it("not for a queue without an SLA", async () => {
    const name = newName();
    const queue = instrument(new FifoQueue(), { name });
    new Watchdog().watch(queue);
    expect(await seen(name, "queue.sla.breaches", "queue.tier")).toEqual([]);
  });

  it("also for a tier that comes up later", async () => {
    const name = newName();
    const queue = instrument(new PQueue({ autoStart: false }), { name, sla: { default: { targetMs: 100 } } });
    new Watchdog().watch(queue);
    void queue.add(async () => {}, { priority: 3 });
    const tiers = await seen(name, "queue.sla.breaches", "queue.tier");
    expect(tiers.filter((tier) => tier === "3")).toHaveLength(VERDICTS);
    queue.clear();
  });
});

it("a gate has a histogram of waits as soon as a pool has it", async () => {
  const name = newName();
  const queue = instrument(new FifoQueue<string>({ clock: new FakeClock() }), { name });
  const gates = [new Gate({ name: "warehouse", concurrency: 1 })];
  const pool = new WorkerPool(queue, () => {}, { gate: gates[0], autoStart: false });
  expect(await seen(name, "queue.gate.wait.seconds", "queue.gate")).toEqual(["warehouse"]);
  await pool.stop();
});
