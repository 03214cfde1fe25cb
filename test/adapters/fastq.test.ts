import { setImmediate as turn } from "node:timers/promises";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import fastq, { type done as Done, type queue as Queue } from "fastq";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import {
  AlreadyInstrumentedError,
  InvalidOptionTypeError,
  NotInstrumentableError,
} from "../../src/base/errors.js";
import { withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { MetricCapture, SpanCapture, signal } from "../support/telemetry-capture.js";
import { as, kept, stopClock, unhandledIn, who, whoThroughout } from "./callers.js";
import { idOf, parentOf, Readings, traceOf } from "./readings.js";

let spans: SpanCapture;
let metrics: MetricCapture;
let read: Readings;
let name: string;
let count = 0;

beforeAll(() => {
  metrics = new MetricCapture("producer");
});
afterAll(() => metrics.stop());
beforeEach(() => {
  spans = new SpanCapture();
  name = `fastq-${count++}`;
  read = new Readings(metrics, spans, name);
});
afterEach(async () => {
  vi.useRealTimers();
  await spans.stop();
});

type Kind = "wrapped" | "bare";
const KINDS: readonly Kind[] = ["wrapped", "bare"];

function workerOf<F extends (...args: never[]) => unknown>(kind: Kind, worker: F): F {
  return kind === "wrapped" ? instrumentHandler(worker, { name }) : worker;
}

/** Ends the oldest call of the worker that goes on, with an error if there is one. */
type End = (error?: unknown) => Promise<void>;

interface Manual {
  readonly queue: Queue<unknown, unknown>;
  /** What the worker has got so far. */
  readonly items: unknown[];
  readonly end: End;
}

/** With callbacks or with promises, a queue whose tasks go on until they are told to end. */
const STYLES = {
  callback(kind: Kind, concurrency: number): Manual {
    const items: unknown[] = [];
    const going: Done[] = [];
    const worker = (item: unknown, done: Done) => {
      items.push(item);
      going.push(done);
    };
    const queue = fastq(workerOf(kind, worker), concurrency);
    return { queue, items, end: async (error) => going.shift()!((error ?? null) as never) };
  },
  promise(kind: Kind, concurrency: number): Manual {
    const items: unknown[] = [];
    const going: ((error: unknown) => void)[] = [];
    const worker = async (item: unknown) => {
      items.push(item);
      const { promise, give } = signal<unknown>();
      going.push(give);
      const error = await promise;
      if (error !== undefined) throw error;
    };
    const queue = fastq.promise(workerOf(kind, worker), concurrency);
    const end: End = async (error) => {
      going.shift()!(error);
      await turn();
    };
    return { queue: queue as never, items, end };
  },
};
type Style = keyof typeof STYLES;
const EVERY = (["callback", "promise"] as const).flatMap((style) =>
  KINDS.map((kind) => [style, kind] as [Style, Kind]),
);

function wrap<Q extends object>(queue: Q, options: Partial<InstrumentOptions> = {}): Q {
  return instrument(queue, { name, ...options });
}

function manual(style: Style, kind: Kind, concurrency = 1, options: Partial<InstrumentOptions> = {}): Manual {
  const made = STYLES[style](kind, concurrency);
  wrap(made.queue, options);
  return made;
}

/** A queue with promises and a wrapped worker. */
function promised<T, R>(worker: (item: T) => Promise<R>, concurrency = 1, options = {}) {
  return wrap(fastq.promise(instrumentHandler(worker, { name }), concurrency), options);
}

const outcomes = () => read.by("queue.outcome", "queue.completed");
const drops = () => read.by("queue.reason", "queue.dropped");

/** What comes in, goes out, is over, waits, and is in flight. */
async function figures() {
  return {
    enqueued: await read.number("queue.enqueued"),
    depth: await read.number("queue.depth"),
    dequeued: await read.number("queue.dequeued"),
    inFlight: await read.number("queue.inflight"),
    ...(await outcomes()),
  };
}

describe.each(EVERY)("the metrics of a fastq with a %s, whose worker is %s,", (style, kind) => {
  it("show what waits and what is in flight, and for how long", async () => {
    stopClock();
    const { queue, end } = manual(style, kind, 2);
    queue.push("a");
    vi.advanceTimersByTime(3_000);
    for (const item of ["b", "c", "d"]) queue.push(item);
    vi.advanceTimersByTime(1_000);
    expect(await figures()).toMatchObject({ depth: 2, inFlight: 2 });
    expect(await read.number("queue.oldest.age.seconds")).toBe(1);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(4);
    await end();
    expect(await figures()).toMatchObject({ depth: 1, inFlight: 2 });
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(1);
    for (let i = 0; i < 3; i++) await end();
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 0 });
    expect(await read.number("queue.oldest.age.seconds")).toBe(0);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
  });

  it("tell how long tasks waited and how long they took, exactly", async () => {
    stopClock();
    const { queue, end } = manual(style, kind);
    queue.push("a");
    vi.advanceTimersByTime(2_000);
    queue.push("b");
    vi.advanceTimersByTime(500);
    await end();
    vi.advanceTimersByTime(4_000);
    await end(new Error("no"));
    const wait = await read.histogram("queue.wait.seconds");
    expect([wait?.count, wait?.sum]).toEqual([2, 0.5]);
    const put = await read.histogram("queue.put.seconds");
    expect([put?.count, put?.sum]).toEqual([2, 0]);
    expect(await read.counts("queue.outcome", "queue.process.seconds")).toEqual({ success: 1, failure: 1 });
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.sum).toBe(2.5);
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "failure" }))?.sum).toBe(4);
  });

  it("count what comes in, goes out and how it ends", async () => {
    const { queue, end, items } = manual(style, kind);
    for (const item of ["a", "b", "c"]) queue.push(item);
    expect(await figures()).toEqual({
      enqueued: 3,
      depth: 2,
      dequeued: 1,
      inFlight: 1,
      success: 0,
      failure: 0,
    });
    await end();
    await end(new Error("no"));
    await end();
    expect(await figures()).toEqual({
      enqueued: 3,
      depth: 0,
      dequeued: 3,
      inFlight: 0,
      success: 2,
      failure: 1,
    });
    expect(await read.number("queue.overtakes")).toBe(0);
    expect(await read.number("queue.context.lost")).toBe(kind === "bare" ? 2 : 0);
    expect(await read.number("queue.telemetry.errors")).toBe(0);
    expect(items).toEqual(["a", "b", "c"]);
  });

  it("follow who is put at the front, and count whom they overtake", async () => {
    stopClock();
    const { queue, end, items } = manual(style, kind);
    queue.push("running");
    for (const item of ["back", "front", "very front"]) {
      vi.advanceTimersByTime(1_000);
      if (item === "back") queue.push(item);
      else queue.unshift(item);
    }
    await end();
    expect(await read.number("queue.oldest.age.seconds")).toBe(2);
    await end();
    await end();
    await end();
    expect(items).toEqual(["running", "very front", "front", "back"]);
    expect((await read.histogram("queue.wait.seconds"))?.sum).toBe(3);
    expect(await read.number("queue.overtakes")).toBe(2);
    expect(await figures()).toMatchObject({ enqueued: 4, dequeued: 4, depth: 0, success: 4 });
  });

  it("judge each task by the SLA", async () => {
    stopClock();
    const { queue, end } = manual(style, kind, 1, {
      sla: { default: { targetMs: 1_000, objective: 0.9 } },
    });
    queue.push("a");
    queue.push("b");
    vi.advanceTimersByTime(1_001);
    await end();
    await end();
    expect(await read.by("queue.result", "queue.sla.items")).toEqual({ met: 1, missed: 1 });
    expect(await read.number("queue.sla.target.seconds")).toBe(1);
    expect(await read.number("queue.sla.objective.ratio")).toBe(0.9);
  });

  it("show a pause, and its end", async () => {
    const { queue, end } = manual(style, kind, 2);
    queue.pause();
    for (const item of ["a", "b", "c"]) queue.push(item);
    expect(await figures()).toMatchObject({ depth: 3, inFlight: 0, dequeued: 0 });
    queue.resume();
    expect(await figures()).toMatchObject({ depth: 1, inFlight: 2 });
    queue.pause();
    await end();
    expect(await figures()).toMatchObject({ depth: 1, inFlight: 1, dequeued: 2 });
    queue.resume();
    await end();
    await end();
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 0, dequeued: 3, success: 3 });
  });

  it("show at once that concurrency is raised, or lowered", async () => {
    const { queue, end } = manual(style, kind);
    for (let i = 0; i < 5; i++) queue.push(i);
    queue.concurrency = 3;
    expect(await figures()).toMatchObject({ depth: 2, inFlight: 3 });
    expect(await read.number("queue.dequeued")).toBe(3);
    queue.concurrency = 1;
    await end();
    expect(await figures()).toMatchObject({ depth: 2, inFlight: 2, dequeued: 3, success: 1 });
    for (let i = 0; i < 4; i++) await end();
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 0, dequeued: 5, success: 5 });
  });

  it.each(["kill", "killAndDrain"] as const)("count what %s throws away as shutdown", async (method) => {
    const { queue, end, items } = manual(style, kind);
    const drain = vi.fn();
    queue.drain = drain;
    queue.push("a");
    queue.push("b");
    queue.unshift("c");
    queue[method]();
    expect(drain).toHaveBeenCalledTimes(method === "kill" ? 0 : 1);
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 1, dequeued: 1 });
    expect(await drops()).toEqual({ shutdown: 2 });
    await end();
    queue.push("d");
    await end();
    expect(items).toEqual(["a", "d"]);
    expect(await figures()).toMatchObject({ enqueued: 4, depth: 0, dequeued: 2, success: 2, failure: 0 });
    expect(await drops()).toEqual({ shutdown: 2 });
    expect(drain).toHaveBeenCalledTimes(method === "kill" ? 0 : 1);
  });

  it("count what abort throws away as shutdown, and its callers hear of it", async () => {
    const { queue, end } = manual(style, kind);
    const heard: unknown[] = [];
    queue.error((error, item) => {
      if (error !== null) heard.push([item, error.message]);
    });
    const told: unknown[] = [];
    const put = (item: string) => {
      const done = (error: Error | null) => told.push([item, error?.message]);
      const promise = queue.push(item, done as never) as unknown as Promise<unknown> | undefined;
      promise?.then(
        () => done(null),
        (error: Error) => done(error),
      );
    };
    for (const item of ["a", "b", "c"]) put(item);
    queue.abort();
    await turn();
    expect(told).toEqual([
      ["b", "abort"],
      ["c", "abort"],
    ]);
    expect(heard).toEqual(told);
    await end();
    expect(told[2]).toEqual(["a", undefined]);
    expect(await drops()).toEqual({ shutdown: 2 });
    expect(await figures()).toEqual({
      enqueued: 3,
      depth: 0,
      dequeued: 1,
      inFlight: 0,
      success: 1,
      failure: 0,
    });
  });

  it("are there also if the queue was uninstrumented before the first look", async () => {
    const { queue, end } = manual(style, kind);
    for (const item of ["a", "b", "c"]) queue.push(item);
    await end();
    queue.kill();
    uninstrument(queue);
    expect(await figures()).toEqual({
      enqueued: 3,
      depth: 0,
      dequeued: 2,
      inFlight: undefined,
      success: 1,
      failure: 0,
    });
    expect(await drops()).toEqual({ shutdown: 1 });
    expect((await read.histogram("queue.wait.seconds"))?.count).toBe(2);
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.count).toBe(1);
  });

  it("know nothing of pulls, retries, capacity and other drops, and say so", async () => {
    const { queue, end } = manual(style, kind);
    queue.push("a");
    await end();
    expect(await read.metricNames()).toEqual([
      "queue.completed",
      "queue.context.lost",
      "queue.depth",
      "queue.dequeued",
      "queue.dropped",
      "queue.enqueued",
      "queue.errors",
      "queue.inflight",
      "queue.inflight.oldest.age.seconds",
      "queue.oldest.age.seconds",
      "queue.overtakes",
      "queue.process.seconds",
      "queue.put.seconds",
      "queue.telemetry.errors",
      "queue.unsettled.oldest.age.seconds",
      "queue.wait.seconds",
    ]);
    expect(await drops()).toEqual({ shutdown: 0 });
  });
});

describe.each(EVERY)("instrumenting a fastq with a %s, whose worker is %s,", (style, kind) => {
  it("that has items inside: they age from then on, are no loss, and none of them stays", async () => {
    stopClock();
    const { queue, end, items } = STYLES[style](kind, 1);
    for (const item of ["a", "b", "c"]) queue.push(item);
    vi.advanceTimersByTime(9_000);
    wrap(queue);
    vi.advanceTimersByTime(1_000);
    expect(await figures()).toMatchObject({ enqueued: 0, depth: 2, inFlight: 1 });
    expect(await read.number("queue.oldest.age.seconds")).toBe(1);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    for (let i = 0; i < 3; i++) await end();
    expect(items).toEqual(["a", "b", "c"]);
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 0, success: 0, failure: 0 });
    expect(await read.number("queue.oldest.age.seconds")).toBe(0);
    expect(await read.number("queue.context.lost")).toBe(0);
    expect(read.sends()).toEqual([]);
    queue.push("d");
    await end();
    expect(await figures()).toMatchObject({ enqueued: 1, dequeued: 3, depth: 0, inFlight: 0, success: 1 });
  });

  it("that has items inside, and gets more before those are over", async () => {
    const { queue, end } = STYLES[style](kind, 2);
    for (const item of ["a", "b", "c", "d"]) queue.push(item);
    wrap(queue);
    queue.push("e");
    queue.unshift("f");
    expect(await figures()).toMatchObject({ enqueued: 2, depth: 4, inFlight: 2 });
    for (const depth of [3, 2, 1, 0]) {
      await end();
      expect(await figures()).toMatchObject({ depth, inFlight: 2 });
    }
    await end();
    await end();
    expect(await figures()).toEqual({
      enqueued: 2,
      depth: 0,
      dequeued: 4,
      inFlight: 0,
      success: 2,
      failure: 0,
    });
  });

  it("is undone in the middle: all is restored, work goes on, spans of what runs are ended", async () => {
    const { queue, end, items } = STYLES[style](kind, 1);
    const before = Object.getOwnPropertyDescriptors(queue);
    wrap(queue);
    queue.push("a");
    queue.push("b");
    expect(await figures()).toMatchObject({ depth: 1, inFlight: 1 });
    expect(uninstrument(queue)).toBe(queue);
    expect(Object.getOwnPropertyDescriptors(queue)).toEqual(before);
    expect(Reflect.ownKeys(queue)).toEqual(Reflect.ownKeys(before));
    queue.push("c");
    for (let i = 0; i < 3; i++) await end();
    expect(items).toEqual(["a", "b", "c"]);
    expect(read.sends()).toHaveLength(2);
    expect(read.processes()).toHaveLength(kind === "wrapped" ? 1 : 0);
    expect(await figures()).toEqual({
      enqueued: 2,
      depth: 0,
      dequeued: 1,
      inFlight: 0,
      success: 1,
      failure: 0,
    });
  });

  it("can be undone and done again while items wait, without counting twice", async () => {
    const { queue, end, items } = manual(style, kind);
    for (const item of ["a", "b", "c"]) queue.push(item);
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 1, depth: 2, inFlight: 1 });
    wrap(uninstrument(queue));
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 1, depth: 2, inFlight: 1 });
    for (let i = 0; i < 3; i++) await end();
    expect(items).toEqual(["a", "b", "c"]);
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 0 });
    // Those that were inside before are taken, and how they end is not told.
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 3, success: 1, failure: 0 });
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    expect(await read.number("queue.context.lost")).toBe(0);
  });

  it("twice is an error that names the first, and changes nothing", async () => {
    const { queue, end } = manual(style, kind);
    const before = Object.getOwnPropertyDescriptors(queue);
    expect(() => instrument(queue, { name: "second" })).toThrow(AlreadyInstrumentedError);
    expect(() => instrument(queue, { name: "second" })).toThrow(`it is instrumented as "${name}"`);
    expect(Object.getOwnPropertyDescriptors(queue)).toEqual(before);
    queue.push("a");
    await end();
    expect(await figures()).toMatchObject({ enqueued: 1, success: 1 });
  });

  it.each([
    ["frozen", Object.freeze],
    ["sealed", Object.seal],
  ])("is a clear error where it is %s, and changes nothing", async (_, spoil) => {
    const { queue, items } = STYLES[style](kind, 1);
    const before = Object.getOwnPropertyDescriptors(spoil(queue));
    expect(() => wrap(queue)).toThrow(NotInstrumentableError);
    expect(() => wrap(queue)).toThrow(/"push" can't be replaced: it is frozen or sealed/);
    expect(Object.getOwnPropertyDescriptors(queue)).toEqual(before);
    expect(await read.metricNames()).toEqual([]);
    queue.push("a");
    expect(items).toEqual(["a"]);
  });

  it("refuses names for priorities: there are none", () => {
    const { queue } = STYLES[style](kind, 1);
    expect(() => wrap(queue, { tiers: { urgent: 1 } })).toThrow(InvalidOptionTypeError);
    expect(() => wrap(queue, { tiers: { urgent: 1 } })).toThrow(/this queue has no priorities/);
    expect(() => wrap(queue)).not.toThrow();
  });

  it("keeps no queue that nothing else holds, and no item that is over", async () => {
    const left = await kept(async () => {
      const { queue, end } = manual(style, kind);
      const items = Array.from({ length: 10 }, (_, i) => ({ i }));
      for (const item of items) queue.push(item);
      await figures();
      for (let i = 0; i < 5; i++) await end(i === 3 ? new Error("no") : undefined);
      return [queue, ...items];
    });
    expect(left).toBe(0);
    expect(await read.number("queue.depth")).toBe(0);
  });

  it("keeps no item that is over, as long as the queue is there", async () => {
    const { queue, end, items: seen } = manual(style, kind);
    const left = await kept(async () => {
      const items = Array.from({ length: 10 }, (_, i) => ({ i }));
      for (const item of items) queue.push(item);
      for (let i = 0; i < 9; i++) await end();
      seen.length = 0;
      return items;
    });
    expect(left).toBe(1);
    await end();
  });
});

describe("the spans of a fastq", () => {
  it("are a send under the caller's and a process under that, with what the contract says", async () => {
    const queue = promised(async (item: string) => item);
    await spans.provider.getTracer("caller").startActiveSpan("caller", async (caller) => {
      await withCorrelationId("c-1", () => queue.push("a"));
      caller.end();
    });
    const [caller, send, process] = [
      await spans.only("caller"),
      await spans.only(`send ${name}`),
      await spans.only(`process ${name}`),
    ];
    const attributes = {
      "messaging.system.name": "fastq",
      "messaging.destination.name": name,
      "messaging.message.conversation_id": "c-1",
      "queue.tier": "default",
    };
    expect([send.kind, process.kind]).toEqual([SpanKind.PRODUCER, SpanKind.CONSUMER]);
    expect(parentOf(send)).toBe(idOf(caller));
    expect(send.attributes).toEqual({
      ...attributes,
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
    });
    expect(parentOf(process)).toBe(idOf(send));
    expect(process.links).toEqual([]);
    expect(process.attributes).toEqual({
      ...attributes,
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "queue.attempt": 1,
      "queue.wait_ms": 0,
    });
    expect(process.status.code).toBe(SpanStatusCode.UNSET);
  });

  it.each(["callback", "promise"] as const)(
    "last as long as the task, with a %s, and fail with it",
    async (style) => {
      const { queue, end } = manual(style, "wrapped");
      queue.push("a");
      queue.push("b");
      expect([read.sends().length, read.processes().length]).toEqual([2, 0]);
      await end(Object.assign(new Error("broken"), { code: "E_BROKEN" }));
      await end();
      const [failed, well] = read.processes();
      expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR, message: "broken" });
      expect(failed?.attributes["error.type"]).toBe("E_BROKEN");
      expect(failed?.events.map((event) => event.name)).toEqual(["exception"]);
      expect(well?.status.code).toBe(SpanStatusCode.UNSET);
      expect(read.links()).toEqual([0, 1]);
    },
  );

  it("are one trace with relation parent, and what the worker calls is in it", async () => {
    const queue = promised(async () => spans.provider.getTracer("worker").startSpan("call").end(), 1, {
      relation: "parent",
    });
    await queue.push(1);
    const [send, process, call] = [
      await spans.only(`send ${name}`),
      await spans.only(`process ${name}`),
      await spans.only("call"),
    ];
    expect([parentOf(process), parentOf(call)]).toEqual([idOf(send), idOf(process)]);
    expect(process.links).toEqual([]);
    expect(traceOf(call)).toBe(traceOf(send));
  });

  it("are one trace with relation auto, unless the task waited for a second", async () => {
    stopClock();
    const { queue, end } = manual("callback", "wrapped", 1, { relation: "auto" });
    queue.push("soon");
    queue.push("late");
    vi.advanceTimersByTime(1_000);
    await end();
    await end();
    const [soon, late] = read.processes();
    expect(parentOf(soon!)).toBe(idOf(read.sends()[0]!));
    expect(parentOf(late!)).toBeUndefined();
    expect(read.processes().map(({ links }) => links.length)).toEqual([0, 1]);
  });

  it("are not made with traces never, and the context travels all the same", async () => {
    const queue = promised(async () => trace.getActiveSpan()?.spanContext().spanId, 1, { traces: "never" });
    const inside = await spans.provider.getTracer("caller").startActiveSpan("caller", async (caller) => {
      const seen = await queue.push(1);
      caller.end();
      return seen;
    });
    const caller = await spans.only("caller");
    expect(inside).toBe(idOf(caller));
    expect(await spans.spans()).toEqual([caller]);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("are made with traces with-parent for those who have a span", async () => {
    const queue = promised(async () => {}, 1, { traces: "with-parent" });
    await queue.push(1);
    await spans.provider.getTracer("caller").startActiveSpan("caller", async (caller) => {
      await queue.push(2);
      caller.end();
    });
    expect(read.sends()).toHaveLength(1);
    expect(read.links()).toEqual([0]);
  });

  it("are only sends where the worker is not wrapped", async () => {
    const { queue, end } = manual("callback", "bare");
    queue.push("a");
    await end();
    expect(read.sends()).toHaveLength(1);
    expect(read.processes()).toEqual([]);
  });
});

describe("a task of a fastq runs in the context of its own push", () => {
  const everybody = ["a", "b", "c", "d", "e", "f"];

  it.each([1, 2, 5, 10])("with a concurrency of %d", async (concurrency) => {
    const queue = promised(whoThroughout, concurrency);
    expect(await Promise.all(everybody.map((each) => as(each, () => queue.push({}))))).toEqual(everybody);
  });

  it("whatever the items are", async () => {
    const queue = promised(whoThroughout);
    const object = {};
    const items = [7, 7, Number.NaN, Number.NaN, undefined, null, null, object, object, "x", "x"];
    const asked = items.map((item, i) => as(`caller ${i}`, () => queue.push(item as never)));
    expect(await Promise.all(asked)).toEqual(items.map((_, i) => `caller ${i}`));
    expect(read.links()).toEqual(items.map((_, i) => i));
  });

  it("with callbacks, which are called where fastq calls them", async () => {
    const seen: string[] = [];
    const going: (() => void)[] = [];
    const worker = (item: string, done: Done) => {
      seen.push(`${item} for ${who()}`);
      going.push(() => done(null));
    };
    const queue = wrap(fastq(instrumentHandler(worker, { name }), 2));
    for (const each of everybody) as(each, () => queue.push(each, () => seen.push(`done by ${who()}`)));
    while (going.length > 0) as("ender", going.shift()!);
    const expected = everybody.map((each) => `${each} for ${each}`);
    expect(seen.filter((each) => !each.startsWith("done"))).toEqual(expected);
    expect(seen.filter((each) => each.startsWith("done"))).toEqual(everybody.map(() => "done by ender"));
  });

  it("when others are put before it", async () => {
    const queue = promised(whoThroughout);
    queue.pause();
    const asked = everybody.map((each, i) =>
      as(each, () => (i % 2 === 0 ? queue.unshift("same") : queue.push("same"))),
    );
    as("resumer", () => queue.resume());
    expect(await Promise.all(asked)).toEqual(everybody);
  });

  it("with pause and resume by another caller, and concurrency raised by a third", async () => {
    const queue = promised(whoThroughout);
    as("pauser", () => queue.pause());
    const asked = everybody.map((each) => as(each, () => queue.push("same")));
    as("resumer", () => queue.resume());
    as("third", () => {
      queue.concurrency = 3;
    });
    await asked[0];
    as("pauser", () => queue.pause());
    await turn();
    as("resumer", () => queue.resume());
    expect(await Promise.all(asked)).toEqual(everybody);
  });

  it("when a worker pushes, also before it has returned", async () => {
    const seen: string[] = [];
    const inner: Promise<unknown>[] = [];
    const queue = promised(async (level: number) => {
      if (level < 3) inner.push(as(`level ${level + 1}`, () => queue.push(level + 1)));
      seen.push(await whoThroughout());
    }, 2);
    await as("level 0", () => queue.push(0));
    while (inner.length > 0) await inner.shift();
    expect(seen.sort()).toEqual(["level 0", "level 1", "level 2", "level 3"]);
  });

  it("when a worker is done at once, and pushes within", () => {
    const seen: string[] = [];
    const worker = (level: number, done: Done) => {
      if (level < 3) as(`level ${level + 1}`, () => queue.push(level + 1));
      seen.push(`${level} in ${who()}`);
      done(null);
    };
    const queue: Queue<number> = wrap(fastq(instrumentHandler(worker, { name }), 1));
    as("level 0", () => queue.push(0));
    expect(seen).toEqual([0, 1, 2, 3].map((level) => `${level} in level ${level}`));
  });

  it("after those before it were killed or aborted", async () => {
    const queue = promised(whoThroughout);
    const first = as("first", () => queue.push("same"));
    as("gone", () => queue.push("same"));
    queue.kill();
    const aborted = as("aborted", () => queue.push("same"));
    queue.abort();
    const last = as("last", () => queue.push("same"));
    await expect(aborted).rejects.toThrow("abort");
    expect(await Promise.all([first, last])).toEqual(["first", "last"]);
  });

  it("after those that were there before it was instrumented", async () => {
    const queue = fastq.promise(instrumentHandler(whoThroughout, { name }), 1);
    const early = as("early", () => [queue.push("same"), queue.push("same")]);
    wrap(queue);
    const late = [as("late", () => queue.push("same")), as("later", () => queue.push("same"))];
    await Promise.all(early);
    expect(await Promise.all(late)).toEqual(["late", "later"]);
    expect(read.links()).toEqual([0, 1]);
  });
});

describe("two fastqs of one name", () => {
  it("that have the same object inside, and are resumed the other way round", async () => {
    const worker = instrumentHandler(whoThroughout, { name });
    const [one, two] = [wrap(fastq.promise(worker, 1)), wrap(fastq.promise(worker, 1))];
    const item = {};
    one.pause();
    two.pause();
    const asked = [as("one", () => one.push(item)), as("two", () => two.push(item))];
    two.resume();
    one.resume();
    expect(await Promise.all(asked)).toEqual(["one", "two"]);
    expect(await figures()).toEqual({
      enqueued: 2,
      depth: 0,
      dequeued: 2,
      inFlight: 0,
      success: 2,
      failure: 0,
    });
  });

  it.each(["callback", "promise"] as const)(
    "that take the same thing from their queues, the second one first, with a %s",
    async (style) => {
      const seen: string[] = [];
      const going = new Map<string, () => void>();
      const start = (item: string, end: () => void) => {
        seen.push(`${item} in ${who()}`);
        going.set(who(), end);
      };
      const workers = {
        callback: (item: string, done: Done) => start(item, () => done(null)),
        promise: (item: string) => new Promise<void>((resolve) => start(item, resolve)),
      };
      const worker = instrumentHandler(workers[style] as never, { name });
      const make = (): Pick<Queue<string>, "push"> =>
        wrap(style === "callback" ? fastq(worker, 1) : (fastq.promise(worker, 1) as never));
      const queues = { one: make(), two: make() };
      for (const [each, queue] of Object.entries(queues)) {
        as(`${each} running`, () => queue.push(`first of ${each}`));
        as(`${each} waiting`, () => queue.push("same"));
        as(`${each} last`, () => queue.push("same"));
      }
      const ends = ["two running", "one running", "two waiting", "two last", "one waiting", "one last"];
      for (const each of ends) {
        going.get(each)!();
        await turn();
      }
      const order = ["two waiting", "one waiting", "two last", "one last"];
      expect(seen.slice(2)).toEqual(order.map((each) => `same in ${each}`));
      expect(await figures()).toMatchObject({ enqueued: 6, dequeued: 6, success: 6, depth: 0, inFlight: 0 });
      expect(read.processes()).toHaveLength(6);
    },
  );

  it("of which only the second has a wrapped worker", () => {
    const seen: string[] = [];
    const going: (() => void)[] = [];
    const bare = wrap(fastq((_: string) => {}, 1));
    const worker = (item: string, done: Done) => {
      seen.push(`${item} in ${who()}`);
      going.push(() => done(null));
    };
    const wrapped = wrap(fastq(instrumentHandler(worker, { name }), 1));
    for (const item of ["first", "same"]) {
      as("bare", () => bare.push(item));
      as("wrapped", () => wrapped.push(item));
    }
    while (going.length > 0) going.shift()!();
    expect(seen).toEqual(["first in wrapped", "same in wrapped"]);
  });

  it("add up", async () => {
    const [one, two] = [manual("callback", "bare"), manual("callback", "bare")];
    one.queue.push("a");
    two.queue.push("b");
    two.queue.push("c");
    expect(await figures()).toMatchObject({ enqueued: 3, depth: 1, dequeued: 2, inFlight: 2 });
    uninstrument(two.queue);
    expect(await figures()).toMatchObject({ enqueued: 3, depth: 0, dequeued: 2, inFlight: 1 });
  });
});

describe("a wrapped fastq behaves as before", () => {
  it("is the same object, of the same type, with the same methods to the eye", () => {
    const bare = fastq.promise<unknown, string, number>(async (item) => item.length, 1);
    const shape = () =>
      Object.entries(Object.getOwnPropertyDescriptors(bare)).map(([key, { value, ...rest }]) => [
        key,
        typeof value === "function" ? [value.name, value.length] : typeof value,
        rest.enumerable,
        rest.configurable,
      ]);
    const before = shape();
    const queue = wrap(bare);
    expect(queue).toBe(bare);
    expect(shape()).toEqual(before);
    expectTypeOf(queue).toEqualTypeOf<fastq.queueAsPromised<string, number>>();
    expectTypeOf(queue.push("a")).resolves.toEqualTypeOf<number>();
    expectTypeOf(instrumentHandler(async (item: string) => item.length, { name })).toEqualTypeOf<
      (item: string) => Promise<number>
    >();
  });

  it.each(KINDS)("calls back, drains and tells of errors, and shows its items, worker %s", (kind) => {
    const live = (isInstrumented: boolean) => {
      const log: unknown[] = [];
      const that = { its: "context" };
      const going: Done[] = [];
      const worker = function (this: unknown, item: unknown, done: Done) {
        log.push(["worker", this === that, item]);
        going.push(done);
      };
      const queue = fastq(that, workerOf(kind, worker), 1);
      if (isInstrumented) wrap(queue);
      queue.saturated = () => log.push(["saturated"]);
      queue.empty = () => log.push(["empty"]);
      queue.drain = () => log.push(["drain"]);
      queue.error((error, item) => log.push(["error", error, item]));
      const callback = (item: unknown) =>
        function (this: unknown, ...results: unknown[]) {
          log.push(["callback", item, this === that, ...results]);
        };
      const state = () => log.push([queue.running(), queue.length(), queue.getQueue(), queue.idle()]);
      for (const item of ["a", "b"]) log.push(queue.push(item, callback(item) as never));
      log.push(queue.unshift("c", callback("c") as never), queue.push("d"), queue.push("d"));
      state();
      const ends: [unknown, unknown?][] = [
        [null, "fine"],
        ["text"],
        [0, "zero"],
        [undefined],
        [new Error("e")],
      ];
      for (const [error, result] of ends) {
        going.shift()!(error as never, result as never);
        state();
      }
      log.push(queue.concurrency, queue.paused);
      expect(() => {
        queue.concurrency = 0;
      }).toThrow("fastqueue concurrency must be equal to or greater than 1");
      return log;
    };
    const expected = live(false);
    expect(live(true)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(20);
  });

  it.each(KINDS)("gives results and rejections as they are, worker %s", async (kind) => {
    const settled = (queue: fastq.queueAsPromised<() => unknown, unknown>, job: () => unknown) =>
      queue.push(job).then(
        (value) => ["fulfilled", value],
        (error: unknown) => ["rejected", error],
      );
    const make = () =>
      fastq.promise(
        workerOf(kind, async (job: () => unknown) => job()),
        1,
      );
    const [bare, queue] = [make(), wrap(make())];
    const result = {};
    for (const value of [result, undefined, 0]) {
      expect(await settled(queue, () => value)).toEqual(["fulfilled", value]);
    }
    for (const error of [new Error("e"), "text", 0, null, undefined, { code: 1 }]) {
      const job = () => {
        throw error;
      };
      const got = await settled(queue, job);
      expect(got).toEqual(await settled(bare, job));
      if (error) expect(got[1]).toBe(error);
    }
    expect(await outcomes()).toEqual({ success: 6, failure: 3 });
  });

  it.each(KINDS)("tells when it is drained, worker %s", async (kind) => {
    const made = STYLES.promise(kind, 1);
    const queue = wrap(made.queue) as unknown as fastq.queueAsPromised;
    let isDrained = false;
    queue.push("a");
    queue.push("b");
    const drained = queue.drained().then(() => {
      isDrained = true;
    });
    await made.end();
    expect(isDrained).toBe(false);
    await made.end();
    await drained;
  });

  it.each(KINDS)("leaves handled what fastq marks as handled, worker %s", async (kind) => {
    const unhandled = await unhandledIn(async () => {
      const { queue, end } = manual("promise", kind);
      queue.push("nobody looks");
      await end(new Error("no"));
    });
    expect(unhandled).toEqual([]);
  });

  it.each(KINDS)("throws what its worker throws at once, worker %s", async (kind) => {
    const error = new Error("at once");
    const worker = () => {
      throw error;
    };
    const [bare, queue] = [fastq(worker, 2), wrap(fastq(workerOf(kind, worker), 2))];
    expect(() => bare.push("a")).toThrow(error);
    expect(() => queue.push("a")).toThrow(error);
    expect([queue.running(), queue.length()]).toEqual([bare.running(), bare.length()]);
    expect(await figures()).toMatchObject({ enqueued: 1, dequeued: 1, depth: 0, failure: 1 });
    expect(read.processes()).toHaveLength(kind === "wrapped" ? 1 : 0);
  });
});

describe.each(KINDS)("the books of a fastq add up, worker %s,", (kind) => {
  const noop = () => {};

  it("where what stands in a callback's place is no function: that fails in fastq's own words", async () => {
    const fail = (queue: Queue) => {
      try {
        return queue.push(1, 5 as never);
      } catch (error) {
        return `${error}`;
      }
    };
    const worker = (_: unknown, done: Done) => done(null);
    const words = fail(fastq(worker, 1));
    expect(words).toMatch("TypeError");
    expect(fail(wrap(fastq(workerOf(kind, worker), 1)))).toBe(words);
  });

  it("where a callback throws: its slot stays taken, in fastq too", async () => {
    const worker = (item: string, done: Done) => void (item === "sync" && done(null));
    const queue = wrap(fastq(workerOf(kind, worker), 2));
    const error = new Error("the callback's");
    const fail = () => {
      throw error;
    };
    expect(() => queue.push("sync", fail)).toThrow(error);
    expect(await figures()).toMatchObject({ enqueued: 1, dequeued: 1, depth: 0, inFlight: 1, success: 1 });
    queue.push("a", noop);
    queue.push("b", noop);
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 2, depth: 1, inFlight: 2 });
  });

  it("where a worker resumes and then throws: the error is its own", async () => {
    const error = new Error("the worker's");
    const ends: Done[] = [];
    const worker = (item: string, done: Done) => {
      if (item === "throws") {
        queue.resume();
        throw error;
      }
      if (item === "pushes") queue.push("sync", noop);
      if (item === "sync") done(null);
      else ends.push(done);
    };
    const queue = wrap(fastq(workerOf(kind, worker), 2)) as Queue<string>;
    queue.push("a", noop);
    expect(() => queue.push("throws", noop)).toThrow(error);
    queue.push("pushes", noop);
    queue.push("b", noop);
    queue.concurrency = 10;
    while (ends.length > 0) ends.shift()!(null);
    expect(await figures()).toMatchObject({ enqueued: 5, dequeued: 5, depth: 0, success: 4, failure: 1 });
    expect(await read.number("queue.telemetry.errors")).toBe(0);
  });

  it("where one is done at once while another concurrency lets two of them start", async () => {
    const ends: Done[] = [];
    const worker = (item: string, done: Done) => void (item === "sync" ? done(null) : ends.push(done));
    const queue = wrap(fastq(workerOf(kind, worker), 1)) as Queue<string>;
    for (const item of ["a", "c"]) queue.push(item, noop);
    for (const item of ["sync", "b"]) queue.unshift(item, noop);
    for (const concurrency of [2, 3]) queue.concurrency = concurrency;
    while (ends.length > 0) ends.shift()!(null);
    expect(await figures()).toMatchObject({ enqueued: 4, dequeued: 4, depth: 0, success: 4 });
  });

  it("where another concurrency lets one start, another one goes to the front, and is killed", async () => {
    const { queue, end } = manual("callback", kind);
    for (const item of ["a", "b"]) queue.push(item, noop);
    queue.concurrency = 2;
    queue.unshift("c", noop);
    queue.kill();
    for (let i = 0; i < 2; i++) await end();
    expect(await drops()).toEqual({ shutdown: 1 });
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 2, depth: 0, inFlight: 0, success: 2 });
  });

  it("where one starts, and changes the queue, before the end of the last promise is told", async () => {
    const worker = async (item: number) => {
      if (item !== 2) return;
      void queue.unshift(3);
      queue.kill();
    };
    const queue = wrap(fastq.promise(workerOf(kind, worker), 1));
    void queue.push(1);
    await queue.push(2);
    expect(await drops()).toEqual({ shutdown: 1 });
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 2, depth: 0, inFlight: 0, success: 2 });
  });
});

it("the probe's head of a fastq is what is served next, also once concurrency was raised", async () => {
  const { fastq: adapter } = await import("../../src/adapters/fastq.js");
  const { readOptions } = await import("../../src/telemetry/options.js");
  const { Telemetry } = await import("../../src/telemetry/telemetry.js");
  stopClock();
  const { queue } = STYLES.callback("bare", 1);
  const telemetry = new Telemetry(readOptions({ name }, { tiers: ["default"] }), ["default"], "fastq");
  const { probe } = adapter.attach(queue as never, telemetry);
  const startedAt = probe.now();
  expect(probe.headAt()).toBeUndefined();
  for (const put of ["push", "push", "push", "unshift"] as const) {
    queue[put](put);
    vi.advanceTimersByTime(1_000);
  }
  expect(probe.headAt()).toBe(startedAt + 3_000);
  queue.concurrency = 2;
  expect(probe.headAt()).toBe(startedAt + 1_000);
  expect(probe.oldestAt(0)).toBe(startedAt + 1_000);
  expect(probe.inFlight).toBe(2);
});

describe.each(["without a context manager", "with one"])(
  "a wrapped worker that calls back at once, %s,",
  (which) => {
    beforeEach(() => {
      if (which === "without a context manager") context.disable();
    });

    it.each(["never", "always"] as const)(
      "has at most twice the frames of a bare one on the stack for each item that has waited, where traces are %s",
      (traces) => {
        const bare = framesEach(fastq((_: unknown, done: Done) => framesOf(done), 1));
        const worker = instrumentHandler((_: unknown, done: Done) => framesOf(done), { name });
        const wrapped = framesEach(instrument(fastq(worker, 1), { name, traces }));
        expect(wrapped).toBeLessThanOrEqual(2 * bare);
      },
    );
  },
);

it("a wrapped worker that calls back at once has each item in its own context, however many are on one stack", async () => {
  const seen: string[] = [];
  const worker = instrumentHandler(
    (item: string, done: Done) => {
      seen.push(`${item} ${who()}`);
      done(null);
      // What is on the stack above it changes nothing of that.
      seen.push(`${item} ${who()} again`);
    },
    { name },
  );
  const queue = instrument(fastq(worker, 1), { name });
  queue.pause();
  for (const item of ["a", "b", "c", "d"]) as(item, () => queue.push(item, () => {}));
  as("somebody else", () => queue.resume());
  expect(seen).toEqual(["a a", "b b", "c c", "d d", "d d again", "c c again", "b b again", "a a again"]);
  expect((await spans.named(`process ${name}`)).length).toBe(4);
});

it("a wrapped worker that throws, on the stack of others, has failed once, with its own error", async () => {
  const error = new Error("bad item");
  const worker = instrumentHandler(
    (item: string, done: Done) => {
      if (item === "c") throw error;
      done(null);
    },
    { name },
  );
  const queue = instrument(fastq(worker, 1), { name });
  queue.pause();
  for (const item of ["a", "b", "c"]) queue.push(item, () => {});
  expect(() => queue.resume()).toThrow(error);
  expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 2, failure: 1 });
  const failed = (await spans.named(`process ${name}`)).filter(({ status }) => status.code !== 0);
  expect(failed.map(({ status }) => status.message)).toEqual(["bad item"]);
});

let frames: number[] = [];

function framesOf(done: Done): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  frames.push(new Error("here").stack!.split("\n").length);
  Error.stackTraceLimit = stackTraceLimit;
  done(null);
}

/** How many more frames are on the stack with each item, once a paused queue goes on. */
function framesEach(queue: Queue<unknown, unknown>): number {
  frames = [];
  queue.pause();
  for (let item = 0; item < 3; item++) queue.push(item, () => {});
  queue.resume();
  return frames[2]! - frames[1]!;
}
