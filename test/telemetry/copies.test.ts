import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as errors from "../../src/base/errors.js";
import { forgetProcessWide } from "../support/forget-process-wide.js";
import type { MetricCapture } from "../support/telemetry-capture.js";

/** The library as one package of an app has it. */
type Copy = typeof import("../../src/index.js") & typeof import("../support/telemetry-capture.js");

let app: Copy;
let dependency: Copy;
const captures: MetricCapture[] = [];
const warn = vi.fn<(warning: Error) => void>();
process.on("warning", warn);

async function copy(): Promise<Copy> {
  vi.resetModules();
  const library = await import("../../src/index.js");
  return { ...library, ...(await import("../support/telemetry-capture.js")) };
}

beforeEach(async () => {
  warn.mockClear();
  forgetProcessWide();
  app = await copy();
  dependency = await copy();
});

afterEach(async () => {
  for (const capture of captures.splice(0)) await capture.stop();
  forgetProcessWide();
});

function reader(of: Copy, ...args: ConstructorParameters<typeof MetricCapture>): MetricCapture {
  const capture = new of.MetricCapture(...args);
  captures.push(capture);
  return capture;
}

/** One item through a queue of that copy. */
async function pass({ FifoQueue, instrument }: Copy, name = "orders"): Promise<void> {
  const queue = instrument(new FifoQueue<string>(), { name });
  await queue.put("item");
  await queue.get();
}

const ORDERS = { "queue.name": "orders" };

it("there are two copies", () => {
  expect(dependency.instrument).not.toBe(app.instrument);
});

describe("a name that queues of both copies have", () => {
  it("is one series by the metric producer of either", async () => {
    const readers = [reader(app, "producer"), reader(dependency, "producer", { register: false })];
    for (const each of [app, dependency]) await pass(each);
    for (const each of readers) {
      const collected = await each.collect();
      expect(collected.doubles).toEqual([]);
      expect(collected.number("queue.enqueued", ORDERS)).toBe(2);
      expect(collected.histogram("queue.wait.seconds", ORDERS)?.count).toBe(2);
    }
  });

  it("is one series by the metrics API", async () => {
    const plain = reader(app, "plain");
    for (const each of [app, dependency]) await pass(each);
    const collected = await plain.collect();
    expect(collected.doubles).toEqual([]);
    expect(collected.number("queue.enqueued", ORDERS)).toBe(2);
    expect(collected.histogram("queue.wait.seconds", ORDERS)?.count).toBe(2);
  });
});

it("queues of each copy are exported by the other one", async () => {
  const producer = reader(dependency, "producer");
  await pass(app, "of the app");
  await pass(dependency, "of the dependency");
  const collected = await producer.collect();
  for (const name of ["of the app", "of the dependency"]) {
    expect(collected.number("queue.enqueued", { "queue.name": name })).toBe(1);
  }
});

it("the metric producer of one copy ends the export of the other one by the metrics API", async () => {
  await pass(dependency);
  const both = reader(app, "producer");
  await pass(dependency);
  const collected = await both.collect();
  expect(collected.doubles).toEqual([]);
  expect(collected.number("queue.enqueued", ORDERS)).toBe(2);
  expect(collected.histogram("queue.wait.seconds", ORDERS)?.count).toBe(2);
});

describe("several metric producers", () => {
  it("in one reader give every metric once, each time", async () => {
    const { MeterProvider, MetricReader } = await import("@opentelemetry/sdk-metrics");
    class Reader extends MetricReader {
      protected override async onForceFlush() {}
      protected override async onShutdown() {}
    }
    const producers = [app, dependency, app].map((each) => each.metricProducer());
    const all = new Reader({ metricProducers: producers });
    new MeterProvider({ readers: [all] });
    for (const each of [app, dependency]) await pass(each);
    for (let i = 0; i < 3; i++) {
      const { resourceMetrics } = await all.collect();
      const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      const names = metrics.map(({ descriptor }) => descriptor.name);
      expect(new Set(names).size).toBe(names.length);
      const enqueued = metrics.find(({ descriptor }) => descriptor.name === "queue.enqueued");
      expect(enqueued?.dataPoints.map(({ value }) => value)).toEqual([2]);
    }
  });

  it("in readers of their own give everything, also at the same time once they were read apart", async () => {
    const readers = [reader(app, "producer"), reader(dependency, "producer"), reader(app, "producer")];
    await pass(app);
    for (let i = 0; i < 2; i++) {
      for (const each of readers) expect((await each.collect()).number("queue.enqueued", ORDERS)).toBe(1);
    }
    const together = await Promise.all(readers.map((each) => each.collect()));
    expect(together.map((each) => each.number("queue.enqueued", ORDERS))).toEqual([1, 1, 1]);
  });

  it("may be one producer in several readers", async () => {
    const producer = app.metricProducer();
    await pass(dependency);
    const both = await Promise.all([producer.collect(), producer.collect()]);
    expect(both.map(({ resourceMetrics }) => resourceMetrics.scopeMetrics.length)).toEqual([1, 1]);
  });
});

it("a gauge that was shown stays, whichever copy exports", async () => {
  const readers = [reader(app, "producer"), reader(dependency, "producer")];
  const queue = app.instrument(new app.FifoQueue<string>(), { name: "orders" });
  expect((await readers[0]!.collect()).number("queue.inflight", ORDERS)).toBe(0);
  dependency.uninstrument(queue);
  expect((await readers[1]!.collect()).number("queue.inflight", ORDERS)).toBe(0);
});

it("a stall that the watchdogs of both copies see is counted once, and the next one, too", async () => {
  forgetProcessWide();
  const one = await import("../../src/telemetry/metrics/vitals.js");
  vi.resetModules();
  const other = await import("../../src/telemetry/metrics/vitals.js");
  expect(one.vitals).toBe(other.vitals);
  one.vitals.stalled(300, 1_000);
  other.vitals.stalled(290, 1_005);
  other.vitals.stalled(200, 2_000);
  expect(one.vitals.stalls.counts.reduce((a, b) => a + b)).toBe(2);
});

describe("an error of one copy", () => {
  it("is an instance of the other one's class, and of no other class", () => {
    const error = new app.QueueFullError(3, { item: 1 });
    expect(error instanceof dependency.QueueFullError).toBe(true);
    expect(error instanceof dependency.QueueShutDownError).toBe(false);
    expect(new app.PutManyAbortedError("why", {}) instanceof dependency.PutManyAbortedError).toBe(true);
    expect(error instanceof Error && error.name === "QueueFullError").toBe(true);
    for (const none of [undefined, null, 1, "x", {}, new Error("no"), Object.create(null)]) {
      expect(none instanceof dependency.QueueFullError).toBe(false);
    }
  });

  it.each(Object.entries(errors))("is told by its brand: %s", async (name, each) => {
    vi.resetModules();
    const copies: Record<string, typeof each> = await import("../../src/base/errors.js");
    expect(copies[name]).not.toBe(each);
    const error = Object.create(copies[name]!.prototype);
    expect(Object.values(errors).filter((other) => error instanceof other)).toEqual([each]);
  });

  it("is none of a class that extends it", () => {
    class Own extends dependency.QueueFullError {}
    expect(new app.QueueFullError(3, {}) instanceof Own).toBe(false);
    expect(new Own(3, {}) instanceof Own).toBe(true);
    expect(new Own(3, {}) instanceof app.QueueFullError).toBe(true);
  });
});

describe("a copy whose state has another form", () => {
  it("stays apart, says so once, and shares with those of its own form", async () => {
    forgetProcessWide();
    Object.defineProperty(globalThis, Symbol.for("queuescope"), {
      value: { version: 0 },
      configurable: true,
    });
    const [one, other] = [await copy(), await copy()];
    await new Promise((resolve) => setImmediate(resolve));
    expect(warn.mock.calls.map(([{ name, message }]) => [name, message])).toEqual([
      [
        "QueuescopeWarning",
        expect.stringMatching(/^queuescope: two versions of this package .*form is 0 and 2.*npm ls/),
      ],
    ]);
    one.withCorrelationId("id", () => expect(other.currentCorrelationId()).toBe("id"));
    expect((globalThis as Record<symbol, unknown>)[Symbol.for("queuescope")]).toEqual({ version: 0 });
    Reflect.deleteProperty(globalThis, Symbol.for("queuescope@2"));
  });

  it("works where the global object is frozen: each copy alone", async () => {
    forgetProcessWide();
    const { defineProperty } = Object;
    const define = vi
      .spyOn(Object, "defineProperty")
      .mockImplementation(<T>(...args: [T, PropertyKey, PropertyDescriptor]): T => {
        if (args[0] === globalThis) throw new TypeError("frozen");
        return defineProperty(...args);
      });
    const alone = await copy();
    define.mockRestore();
    const producer = reader(alone, "producer");
    await pass(alone);
    expect((await producer.collect()).number("queue.enqueued", ORDERS)).toBe(1);
  });
});

it("the registry has the form that its version stands for: a released form that changes raises VERSION in process-wide.ts", async () => {
  const { processWide } = await import("../../src/base/process-wide.js");
  await pass(app);
  const series = processWide.series.get("orders")!;
  const form = (value: object | undefined) =>
    Object.keys(value ?? {})
      .sort()
      .join(" ");
  expect({
    version: processWide.version,
    registry: form(processWide),
    series: form(series),
    tier: form(series.tier("default")),
    histogram: form(series.put),
    plainExport: form(processWide.plainExport),
    activeTaskMonitor: form(processWide.activeTaskMonitor),
  }).toMatchInlineSnapshot(`
    {
      "activeTaskMonitor": "current end users",
      "histogram": "bounds examples instrument labels numbers sinks",
      "plainExport": "isReplaced isStopped provider sinks suspensions timer unbind",
      "registry": "activeTaskMonitor claimants collectors correlation handlers inspection instrumented key placeSampling plainExport promRegistries recorder reports sdk series signalGroups stallAnswers startedAt version vitals warned",
      "series": "counts errors exports firstRetried gates get isLocal labels lastError messaging name onFailure process put shown sinks sweepAt tiers told verdicts waitBounds watched",
      "tier": "breaches counts isKnown labels sla tier wait",
      "version": 2,
    }
  `);
});
