import { describe, expect, it, onTestFinished } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import type { WatchdogOptions } from "../../src/watchdog/options.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { WorkerPool } from "../../src/worker/pool.js";

const MEGABYTE = 1_000_000;
let queues = 0;

/** A report on a queue with so many tasks in flight, and what it takes. */
async function reportOn(
  texts: { id: string; step: string },
  options: WatchdogOptions = {},
  tasks = 1_000,
): Promise<{ report: object & { toString(): string }; bytes: number }> {
  const queue = instrument(new FifoQueue<number>(), { name: `large-${queues++}` });
  const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, ...options }).watch(queue);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const pool = new WorkerPool(
    queue,
    (_, task) => {
      task.step(texts.step);
      return released;
    },
    { concurrency: tasks },
  );
  for (let i = 0; i < tasks + 20; i++) void queue.put(i, { correlationId: `${i}${texts.id}` });
  // A pool gives the event loop its turns.
  while (pool.running < tasks) await new Promise((resolve) => setImmediate(resolve));
  const [report] = dog.report();
  release();
  await pool.drain();
  return { report: report!, bytes: Buffer.byteLength(JSON.stringify(report, undefined, 2)) };
}

describe("a report takes less than a megabyte", () => {
  it("of a thousand tasks with long IDs and steps", async () => {
    const { report, bytes } = await reportOn({ id: "x".repeat(16_384), step: "s".repeat(1_000_000) });
    expect(bytes).toBeLessThan(MEGABYTE);
    expect(String(report)).toContain('1000x at step "sss');
    expect(String(report).length).toBeLessThan(10_000);
  });

  it("of texts that JSON writes six times as long, and says what it leaves out", async () => {
    const { report, bytes } = await reportOn(
      { id: "\u0001".repeat(16_384), step: "\u0002".repeat(16_384) },
      { payload: () => "\u0003".repeat(100_000) },
    );
    expect(bytes).toBeLessThan(MEGABYTE);
    expect(report).toMatchObject({ leftOut: { tasks: expect.any(Number), workers: expect.any(Number) } });
    const { groups, leftOut } = report as {
      groups: { count?: number; tasks: unknown[] }[];
      leftOut: { tasks: number };
    };
    const listed = groups.reduce((sum, { tasks }) => sum + tasks.length, 0);
    expect(listed + leftOut.tasks).toBe(1_000);
    expect(String(report)).toContain("1000x at step ");
  });

  it("of what redact makes longer", async () => {
    const { bytes } = await reportOn({ id: "", step: "work" }, { redact: () => "r".repeat(100_000) });
    expect(bytes).toBeLessThan(MEGABYTE);
  });

  it("of a check of the user's that tells everything", async () => {
    const ring: Record<string, unknown> = { big: 1n };
    ring.ring = ring;
    const check = {
      name: "chatty",
      look: () => ({
        name: "n".repeat(1_000_000),
        confidence: 1,
        sentence: "s".repeat(1_000_000),
        evidence: { ring, text: "t".repeat(10_000_000) },
      }),
    };
    const { report, bytes } = await reportOn({ id: "", step: "work" }, { checks: [check] }, 1);
    expect(bytes).toBeLessThan(MEGABYTE);
    expect(report).toMatchObject({ verdicts: [{ evidence: { ring: { big: "1", ring: "(circular)" } } }] });
  });
});

it("what is little is all there", async () => {
  const { report } = await reportOn({ id: "", step: "work" }, {}, 3);
  expect(report).toMatchObject({ leftOut: undefined, groups: [{ tasks: [{}, {}, {}] }] });
});

it("a thousand breaches at once leave turns to the event loop, and each is told", async () => {
  const clock = new FakeClock();
  const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, everyMs: 100, clock });
  onTestFinished(() => dog.stop());
  const told = new Set<string>();
  dog.on("breach", ({ queue }) => told.add(queue));
  const names = Array.from({ length: 1_100 }, (_, i) => `many-${i}`);
  for (const name of names) {
    const queue = instrument(new LifoQueue<number>({ clock }), {
      name,
      sla: { default: { targetMs: 50 } },
    });
    dog.watch(queue);
    void queue.put(1);
  }
  dog.start();
  clock.advance(200);
  const atOnce = told.size;
  let turns = 0;
  while (told.size < names.length) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
    clock.advance(100);
  }
  expect(atOnce).toBeLessThan(names.length);
  expect(turns).toBeGreaterThan(3);
  expect([...told].sort()).toEqual([...names].sort());
});

it("what is still to be told is told before the watchdog has stopped", async () => {
  const clock = new FakeClock();
  const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, everyMs: 100, clock });
  let told = 0;
  dog.on("breach", () => {
    told++;
    // So that not all fit into one turn, however fast the machine.
    const until = performance.now() + 2;
    while (performance.now() < until);
  });
  for (let i = 0; i < 30; i++) {
    const queue = instrument(new LifoQueue<number>({ clock }), {
      name: `stopped-${i}`,
      sla: { default: { targetMs: 50 } },
    });
    dog.watch(queue);
    void queue.put(1);
  }
  // All are late at the first tick: on a crowded machine the next one may find that one's work undone, and leave it at that.
  clock.advance(100);
  dog.start();
  clock.advance(1);
  expect(told).toBeLessThan(30);
  await dog.stop();
  expect(told).toBe(30);
});

it("checks that make up names for verdicts make no more than fifty series", async () => {
  const clock = new FakeClock();
  let looks = 0;
  const check = {
    name: "inventive",
    look: () => ({ name: `cause ${looks++}`, confidence: 1, sentence: "it is that", evidence: {} }),
  };
  const dog = new Watchdog({
    stallThresholdMs: Number.POSITIVE_INFINITY,
    everyMs: 100,
    minReportIntervalMs: 0,
    checks: [check],
    clock,
  });
  onTestFinished(() => dog.stop());
  const queue = instrument(new FifoQueue<number>({ clock }), {
    name: "inventive",
    sla: { default: { targetMs: 50 } },
  });
  dog.watch(queue).start();
  for (let i = 0; i < 100; i++) {
    await queue.put(1);
    clock.advance(200);
    queue.tryGet();
    clock.advance(100);
  }
  const { resourceMetrics } = await metricProducer().collect();
  const points = resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .find(({ descriptor }) => descriptor.name === "queue.sla.breaches")!
    .dataPoints.filter(({ attributes }) => attributes["queue.name"] === "inventive");
  expect(points.length).toBeLessThanOrEqual(51);
  expect(points.reduce((sum, { value }) => sum + (value as number), 0)).toBe(100);
});
