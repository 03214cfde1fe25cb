import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { MetricCapture, SpanCapture } from "../support/telemetry-capture.js";
import { Readings } from "./readings.js";

const ALWAYS = [
  "queue.context.lost",
  "queue.depth",
  "queue.dequeued",
  "queue.enqueued",
  "queue.oldest.age.seconds",
  "queue.overtakes",
  "queue.put.seconds",
  "queue.sla.completion.target.seconds",
  "queue.sla.items",
  "queue.sla.objective.ratio",
  "queue.sla.target.seconds",
  "queue.telemetry.errors",
  "queue.wait.seconds",
];
const OF_WORKERS = [
  "queue.completed",
  "queue.errors",
  "queue.inflight",
  "queue.inflight.oldest.age.seconds",
  "queue.process.seconds",
  "queue.sla.completions",
  "queue.unsettled.oldest.age.seconds",
];

type Work = (good: boolean) => Promise<void>;
/** Puts a queue to one good and one bad use. */
type Use = (work: Work, options: InstrumentOptions) => Promise<unknown>;

function makeLine() {
  const items: boolean[] = [];
  return { items, put: (item: boolean) => void items.push(item), get: () => items.shift() };
}

/** What it makes possible beyond what is there always, and why items are dropped. */
const CASES: readonly (readonly [string, Use, readonly string[], readonly string[]])[] = [
  [
    "p-queue",
    async (work, options) => {
      const queue = instrument(new PQueue({ concurrency: 1 }), options);
      await Promise.allSettled([true, false].map((good) => queue.add(() => work(good))));
      return queue;
    },
    [...OF_WORKERS, "queue.dropped"],
    ["evicted", "shutdown"],
  ],
  [
    "fastq",
    async (work, options) => {
      const queue = instrument(fastq.promise(work, 1), options);
      await Promise.allSettled([true, false].map((good) => queue.push(good)));
      return queue;
    },
    [...OF_WORKERS, "queue.dropped"],
    ["shutdown"],
  ],
  [
    "async",
    async (work, options) => {
      const queue = instrument(async.queue(work, 1), options);
      await Promise.allSettled([true, false].map((good) => queue.pushAsync(good)));
      return queue;
    },
    [...OF_WORKERS, "queue.dropped"],
    ["evicted", "shutdown"],
  ],
  [
    "generic() with get",
    async (_, options) => {
      const adapter = generic({ put: "put", get: "get" });
      const queue = instrument(makeLine(), { ...options, adapter });
      queue.put(true);
      queue.get();
      return queue;
    },
    ["queue.get.seconds", "queue.waiters"],
    [],
  ],
  [
    "generic() with get and a wrapped worker",
    async (work, options) => {
      const handler = instrumentHandler(work, options);
      const adapter = generic({ put: "put", get: "get" });
      const queue = instrument(makeLine(), { ...options, adapter });
      for (const good of [true, false]) queue.put(good);
      await Promise.allSettled([handler(queue.get()!), handler(queue.get()!)]);
      return queue;
    },
    [...OF_WORKERS, "queue.get.seconds", "queue.waiters"],
    [],
  ],
  [
    "generic() with a wrapped worker",
    async (work, options) => {
      const handler = instrumentHandler(work, options);
      const adapter = generic({ put: "put" });
      const queue = instrument(makeLine(), { ...options, adapter });
      for (const good of [true, false]) queue.put(good);
      await Promise.allSettled(queue.items.map((item) => handler(item)));
      return queue;
    },
    [...OF_WORKERS, "queue.waiters"],
    [],
  ],
];

// In this order, because the metric producer ends the turn of the metrics API for good.
describe.each(["plain", "producer"] as const)(
  "by the way %s, what a library can't tell has no series:",
  (way) => {
    let metrics: MetricCapture;
    const spans = new SpanCapture({ register: false });
    beforeAll(() => {
      metrics = new MetricCapture(way);
    });
    afterAll(() => Promise.all([metrics.stop(), spans.stop()]));

    it.each(CASES)("%s", async (library, use, possible, reasons) => {
      const name = `${way} ${library}`;
      const work: Work = async (good) => {
        if (!good) throw new Error("no");
      };
      const queue = await use(work, { name, sla: { default: { targetMs: 60_000, completeMs: 60_000 } } });
      const read = new Readings(metrics, spans, name);
      expect(await read.metricNames()).toEqual([...ALWAYS, ...possible].sort());
      expect(Object.keys(await read.by("queue.reason", "queue.dropped"))).toEqual(reasons);
      if (possible.includes("queue.completed")) {
        expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 1 });
        expect(await read.counts("queue.outcome", "queue.process.seconds")).toEqual({
          success: 1,
          failure: 1,
        });
        expect(await read.number("queue.inflight")).toBe(0);
      }
      expect(await read.number("queue.dequeued")).toBe(library === "generic() with get" ? 1 : 2);
      expect(queue).toBeDefined();
    });
  },
);
