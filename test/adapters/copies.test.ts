import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as one from "../../src/index.js";
import { MetricCapture, SpanCapture } from "../support/telemetry-capture.js";
import { idOf, Readings } from "./readings.js";

/** The library once more, as it comes in by two dependencies: each module has its own state. What isn't ours is there once. */
vi.resetModules();
const two: typeof one = await import("../../src/index.js");
const { MetricCapture: OtherCapture } = await import("../support/telemetry-capture.js");

const COPIES = [
  ["the first", one, two],
  ["the second", two, one],
] as const;

let spans: SpanCapture;
let metrics: readonly [MetricCapture, MetricCapture];
let name: string;
let count = 0;

beforeAll(() => {
  metrics = [new MetricCapture("producer"), new OtherCapture("producer", { register: false })];
});
afterAll(() => Promise.all(metrics.map((each) => each.stop())));
beforeEach(() => {
  spans = new SpanCapture();
  name = `copies-${count++}`;
});
afterEach(() => spans.stop());

/** What that copy says of the queue. */
function readings(copy: typeof one): Readings {
  return new Readings(metrics[copy === one ? 0 : 1], spans, name);
}

const QUEUES: [string, (copy: typeof one) => object][] = [
  ["a p-queue", () => new PQueue()],
  ["a fastq", () => fastq.promise(async () => {}, 1)],
  ["an async.queue", () => async.queue(async () => {}, 1)],
  ["an async.priorityQueue", () => async.priorityQueue(() => {}, 1)],
  ["a queue of ours", (copy) => new copy.PriorityQueue()],
];

function own(object: object): [PropertyKey, unknown][] {
  return Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)]);
}

it("there are two copies", () => {
  expect(two.instrument).not.toBe(one.instrument);
  expect(two.AlreadyInstrumentedError).not.toBe(one.AlreadyInstrumentedError);
});

describe.each(COPIES)("what was instrumented by %s copy", (_, copy, other) => {
  it.each(QUEUES)("is an error for the other one that names the first: %s", (_, make) => {
    const queue = copy.instrument(make(copy), { name: `${name} first` });
    const before = own(queue);
    const again = () => other.instrument(queue, { name: `${name} second` });
    expect(again).toThrow(other.AlreadyInstrumentedError);
    expect(again).toThrow(`it is instrumented as "${name} first"`);
    expect(again).toThrow(expect.objectContaining({ code: "QUEUE_ALREADY_INSTRUMENTED" }));
    expect(own(queue)).toEqual(before);
  });

  it.each(QUEUES)("can be restored by the other one, and instrumented by it: %s", (_, make) => {
    const queue = make(copy);
    const before = own(queue);
    copy.instrument(queue, { name });
    expect(other.uninstrument(queue)).toBe(queue);
    if (_ !== "a queue of ours") expect(own(queue)).toEqual(before);
    expect(() => other.instrument(queue, { name: `${name} now` })).not.toThrow();
    expect(() => copy.instrument(queue, { name })).toThrow(`it is instrumented as "${name} now"`);
  });

  it("is counted, whichever copy exports, until the other one uninstruments it", async () => {
    const queue = copy.instrument(
      fastq.promise(async () => {}, 1),
      { name },
    );
    await queue.push(1);
    other.uninstrument(queue);
    await queue.push(2);
    expect(await readings(copy).number("queue.enqueued")).toBe(1);
    expect(await readings(copy).number("queue.depth")).toBe(0);
    expect(await readings(other).number("queue.enqueued")).toBe(1);
  });
});

describe.each(COPIES)("a handler that was wrapped by %s copy", (_, copy, other) => {
  it.each<[string, (worker: (item: number) => Promise<unknown>) => { push(item: number): unknown }]>([
    ["a fastq", (worker) => other.instrument(fastq.promise(worker, 2), { name })],
    [
      "an async.queue",
      (worker) => {
        const queue = other.instrument(async.queue(worker, 2), { name });
        return { push: (item) => queue.pushAsync(item) };
      },
    ],
    [
      "an object with generic()",
      (worker) => {
        const queue = { push: (item: number) => worker(item) };
        return other.instrument(queue, { name, adapter: other.generic({ put: "push" }) });
      },
    ],
  ])("serves a queue that was instrumented by the other one: %s", async (_, make) => {
    const worker = copy.instrumentHandler(async (_: number) => copy.currentCorrelationId(), { name });
    const queue = make(worker);
    const asked = ["a", "b", "c"].map((id) => other.withCorrelationId(id, () => queue.push(7)));
    expect(await Promise.all(asked)).toEqual(["a", "b", "c"]);
    const read = readings(other);
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 3, failure: 0 });
    expect(read.links()).toEqual([0, 1, 2]);
    expect(read.sends().map(idOf)).toHaveLength(3);
    expect(await readings(copy).metricNames()).toEqual(await read.metricNames());
  });
});

describe.each(COPIES)("a correlation ID that %s copy has set", (_, copy, other) => {
  it("is that of the other one too", () => {
    copy.withCorrelationId("c-1", () => {
      expect(other.currentCorrelationId()).toBe("c-1");
      other.withCorrelationId("c-2", () => expect(copy.currentCorrelationId()).toBe("c-2"));
      expect(copy.currentCorrelationId()).toBe("c-1");
    });
    expect(other.currentCorrelationId()).toBeUndefined();
  });

  it("travels through a queue that the other one has instrumented", async () => {
    const queue = other.instrument(new PQueue(), { name });
    const seen = await copy.withCorrelationId("c-1", () => queue.add(() => copy.currentCorrelationId()));
    expect(seen).toBe("c-1");
  });

  it("travels through its own queue that the other one has instrumented", async () => {
    const queue = other.instrument(new copy.FifoQueue<string>(), { name });
    await copy.withCorrelationId("c-1", () => queue.put("a"));
    const delivery = await queue.receive();
    expect(delivery.correlationId).toBe("c-1");
    expect(delivery.run(() => copy.currentCorrelationId())).toBe("c-1");
    delivery.done();
    expect(await readings(other).by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 0 });
  });
});
