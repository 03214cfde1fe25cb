import { setImmediate as turn } from "node:timers/promises";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import async from "async";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import {
  AlreadyInstrumentedError,
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  NotInstrumentableError,
} from "../../src/base/errors.js";
import { withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { MetricCapture, SpanCapture, signal } from "../support/telemetry-capture.js";
import { as, kept, ownOf, stopClock, unhandledIn, who, whoThroughout } from "./callers.js";
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
  name = `async-${count++}`;
  read = new Readings(metrics, spans, name);
});
afterEach(async () => {
  vi.useRealTimers();
  await spans.stop();
});

type Kind = "wrapped" | "bare";
type Style = "callback" | "async function";
const EVERY = (["callback", "async function"] as const).flatMap((style) =>
  (["wrapped", "bare"] as const).map((kind) => [style, kind] as [Style, Kind]),
);

function workerOf<F extends (...args: never[]) => unknown>(kind: Kind, worker: F): F {
  return kind === "wrapped" ? instrumentHandler(worker, { name }) : worker;
}

type Done = (error?: unknown, ...results: unknown[]) => void;

/** What async's types don't say: its nodes, and that a task's error needn't be an `Error`. */
type Inside = async.QueueObject<unknown> & {
  _tasks: object;
  workersList(): { data: unknown; callback: unknown }[];
  [Symbol.iterator](): Iterator<unknown>;
};
type Priority<T> = async.AsyncPriorityQueue<T> & { pushAsync(item: T, priority?: number): Promise<unknown> };

interface Manual {
  readonly worker: (...args: never[]) => unknown;
  /** What the worker has got so far. */
  readonly items: unknown[];
  /** Ends the oldest call of the worker that goes on, with an error if there is one, and lets the queue go on. */
  readonly end: (error?: unknown) => Promise<void>;
}

/** A worker whose tasks go on until they are told to end. */
function manual(style: Style, kind: Kind): Manual {
  const items: unknown[] = [];
  const going: ((error: unknown) => void)[] = [];
  const start = (item: unknown, end: (error: unknown) => void) => {
    items.push(item);
    going.push(end);
  };
  const workers = {
    callback: (item: unknown, done: Done) => start(item, done),
    "async function": async (item: unknown) => {
      const { promise, give } = signal<unknown>();
      start(item, give);
      const error = await promise;
      if (error !== undefined) throw error;
    },
  };
  const end = async (error?: unknown) => {
    going.shift()!(error);
    await turn();
  };
  return { worker: workerOf(kind, workers[style] as never), items, end };
}

function bareQueue(style: Style, kind: Kind, concurrency = 1) {
  const { worker, ...rest } = manual(style, kind);
  return { queue: async.queue(worker as never, concurrency) as unknown as Inside, ...rest };
}

function wrap<Q extends object>(queue: Q, options: Partial<InstrumentOptions> = {}): Q {
  return instrument(queue, { name, ...options });
}

function wrappedQueue(style: Style, kind: Kind, concurrency = 1, options: Partial<InstrumentOptions> = {}) {
  const made = bareQueue(style, kind, concurrency);
  wrap(made.queue, options);
  return made;
}

function priorityQueue(worker: (...args: never[]) => unknown, concurrency = 1): Priority<unknown> {
  return async.priorityQueue(worker as never, concurrency) as never;
}

function wrappedPriorityQueue(kind: Kind, options: Partial<InstrumentOptions> = {}) {
  const { worker, ...rest } = manual("callback", kind);
  return { queue: wrap(priorityQueue(worker), options), ...rest };
}

/** A queue with an async worker that is wrapped. */
function asked<T, R>(worker: (item: T) => Promise<R>, concurrency = 1, options = {}) {
  return wrap(async.queue<T>(instrumentHandler(worker, { name }), concurrency), options);
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

describe.each(EVERY)("the metrics of an async.queue whose worker is a %s, %s,", (style, kind) => {
  it("show what waits and what is in flight, and for how long", async () => {
    stopClock();
    const { queue, end } = wrappedQueue(style, kind, 2);
    void queue.push("a");
    await turn();
    vi.advanceTimersByTime(3_000);
    void queue.push(["b", "c", "d"]);
    await turn();
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
    const { queue, end } = wrappedQueue(style, kind);
    void queue.push("a");
    void queue.push("b");
    await turn();
    vi.advanceTimersByTime(2_500);
    await end();
    vi.advanceTimersByTime(4_000);
    await end(new Error("no"));
    const wait = await read.histogram("queue.wait.seconds");
    expect([wait?.count, wait?.sum]).toEqual([2, 2.5]);
    const put = await read.histogram("queue.put.seconds");
    expect([put?.count, put?.sum]).toEqual([2, 0]);
    expect(await read.counts("queue.outcome", "queue.process.seconds")).toEqual({ success: 1, failure: 1 });
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.sum).toBe(2.5);
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "failure" }))?.sum).toBe(4);
  });

  it("count what comes in, goes out and how it ends, each item of an array", async () => {
    const { queue, end, items } = wrappedQueue(style, kind);
    queue.pause();
    void queue.push(["a", "b"]);
    void queue.push("c", () => {});
    queue.pushAsync("d").catch(() => {});
    expect(await figures()).toMatchObject({ enqueued: 4, depth: 4, dequeued: 0, inFlight: 0 });
    queue.resume();
    await turn();
    expect(await figures()).toMatchObject({ enqueued: 4, depth: 3, dequeued: 1, inFlight: 1 });
    for (const error of [undefined, new Error("b"), undefined, new Error("d")]) await end(error);
    expect(await figures()).toEqual({
      enqueued: 4,
      depth: 0,
      dequeued: 4,
      inFlight: 0,
      success: 2,
      failure: 2,
    });
    expect(await read.number("queue.overtakes")).toBe(0);
    expect(await read.number("queue.context.lost")).toBe(kind === "bare" ? 3 : 0);
    expect(await read.number("queue.telemetry.errors")).toBe(0);
    expect(items).toEqual(["a", "b", "c", "d"]);
  });

  it("count whom those overtake that are put at the front", async () => {
    stopClock();
    const { queue, end, items } = wrappedQueue(style, kind);
    void queue.push("running");
    await turn();
    vi.advanceTimersByTime(1_000);
    void queue.push("back");
    vi.advanceTimersByTime(1_000);
    void queue.unshift(["front", "very front"]);
    queue.unshiftAsync("first").catch(() => {});
    for (let i = 0; i < 5; i++) await end();
    expect(items).toEqual(["running", "first", "very front", "front", "back"]);
    expect((await read.histogram("queue.wait.seconds"))?.sum).toBe(1);
    expect(await read.number("queue.overtakes")).toBe(1);
  });

  it("judge each task by the SLA", async () => {
    stopClock();
    const sla = { default: { targetMs: 1_000, objective: 0.9 } };
    const { queue, end } = wrappedQueue(style, kind, 1, { sla });
    void queue.push(["a", "b"]);
    await turn();
    vi.advanceTimersByTime(1_001);
    await end();
    await end();
    expect(await read.by("queue.result", "queue.sla.items")).toEqual({ met: 1, missed: 1 });
    expect(await read.number("queue.sla.target.seconds")).toBe(1);
    expect(await read.number("queue.sla.objective.ratio")).toBe(0.9);
  });

  it("show a pause, its end, and another concurrency", async () => {
    const { queue, end } = wrappedQueue(style, kind);
    queue.pause();
    void queue.push(["a", "b", "c", "d"]);
    await turn();
    expect(await figures()).toMatchObject({ depth: 4, inFlight: 0, dequeued: 0 });
    queue.concurrency = 3;
    queue.resume();
    await turn();
    expect(await figures()).toMatchObject({ depth: 1, inFlight: 3, dequeued: 3 });
    for (let i = 0; i < 4; i++) await end();
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 0, success: 4 });
  });

  it("count what remove takes out as evicted, and what kill throws away as shutdown", async () => {
    const { queue, end, items } = wrappedQueue(style, kind);
    void queue.push(["a", "b", "c", "d", "e"]);
    await turn();
    queue.remove(({ data }) => data === "b" || data === "d");
    expect(await figures()).toMatchObject({ depth: 2, inFlight: 1 });
    expect(await drops()).toEqual({ evicted: 2, shutdown: 0 });
    queue.kill();
    expect(await figures()).toMatchObject({ depth: 0, inFlight: 1 });
    expect(await drops()).toEqual({ evicted: 2, shutdown: 2 });
    await end();
    void queue.push("f");
    await turn();
    await end();
    expect(items).toEqual(["a", "f"]);
    expect(await figures()).toEqual({
      enqueued: 6,
      depth: 0,
      dequeued: 2,
      inFlight: 0,
      success: 2,
      failure: 0,
    });
  });

  it("are there also if the queue was uninstrumented before the first look", async () => {
    const { queue, end } = wrappedQueue(style, kind);
    void queue.push(["a", "b", "c"]);
    await turn();
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
    expect(await drops()).toEqual({ evicted: 0, shutdown: 1 });
    expect((await read.histogram("queue.wait.seconds"))?.count).toBe(2);
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.count).toBe(1);
  });

  it("know nothing of pulls, retries, capacity and other drops, and say so", async () => {
    const { queue, end } = wrappedQueue(style, kind);
    void queue.push("a");
    await turn();
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
  });
});

describe("the metrics of an async.priorityQueue", () => {
  it.each(["wrapped", "bare"] as const)("have a tier for each priority, worker %s", async (kind) => {
    stopClock();
    const { queue, end, items } = wrappedPriorityQueue(kind);
    queue.pause();
    void queue.push("late", 9);
    vi.advanceTimersByTime(1_000);
    void queue.push(["one", "two"], 1);
    void queue.push("zero");
    queue.pushAsync("minus", -3).catch(() => {});
    expect(await read.byTier("queue.depth")).toEqual({ default: 1, "9": 1, "1": 2, "-3": 1 });
    expect(await read.byTier("queue.oldest.age.seconds")).toEqual({ default: 0, "9": 1, "1": 0, "-3": 0 });
    queue.resume();
    await turn();
    for (let i = 0; i < 5; i++) await end(i === 2 ? new Error("no") : undefined);
    expect(items).toEqual(["minus", "zero", "one", "two", "late"]);
    expect(await read.byTier("queue.enqueued")).toEqual({ default: 1, "9": 1, "1": 2, "-3": 1 });
    expect(await read.byTier("queue.dequeued")).toEqual({ default: 1, "9": 1, "1": 2, "-3": 1 });
    expect(await read.byTier("queue.overtakes")).toEqual({ default: 0, "9": 1, "1": 0, "-3": 0 });
    expect(await read.counts("queue.tier", "queue.wait.seconds")).toEqual({
      default: 1,
      "9": 1,
      "1": 2,
      "-3": 1,
    });
    expect((await read.histogram("queue.wait.seconds", { "queue.tier": "9" }))?.sum).toBe(1);
    expect(await outcomes()).toEqual({ success: 4, failure: 1 });
    expect(await read.byTier("queue.depth")).toEqual({ default: 0, "9": 0, "1": 0, "-3": 0 });
  });

  it("call priorities by the names that they are given, and count drops by them", async () => {
    const { queue } = wrappedPriorityQueue("wrapped", { tiers: { vip: 1, regular: 0, slow: 9 } });
    queue.pause();
    void queue.push(["a", "b"], 9);
    void queue.push(["c", "d"], 1);
    queue.remove(({ data }) => data === "b" || data === "c");
    expect(await read.byTier("queue.depth")).toEqual({ regular: 0, vip: 1, slow: 1 });
    expect(await read.byTier("queue.dropped", { "queue.reason": "evicted" })).toEqual({
      regular: 0,
      vip: 1,
      slow: 1,
    });
    queue.kill();
    expect(await read.byTier("queue.dropped", { "queue.reason": "shutdown" })).toEqual({
      regular: 0,
      vip: 1,
      slow: 1,
    });
    expect(await read.byTier("queue.depth")).toEqual({ regular: 0, vip: 0, slow: 0 });
  });

  it("judge each task by the SLA of its tier, and those beyond the 20th by that of the rest", async () => {
    stopClock();
    const { queue, end } = wrappedPriorityQueue("wrapped", {
      sla: { "2": { targetMs: 1_000 }, other: { targetMs: 9_000 }, default: { targetMs: 5_000 } },
    });
    queue.pause();
    for (let priority = 0; priority < 25; priority++) void queue.push(priority, priority);
    vi.advanceTimersByTime(6_000);
    queue.resume();
    await turn();
    for (let i = 0; i < 25; i++) await end();
    const met = await read.byTier("queue.sla.items", { "queue.result": "met" });
    const missed = await read.byTier("queue.sla.items", { "queue.result": "missed" });
    expect([met.default, met["2"], met.other]).toEqual([0, 0, 5]);
    expect([missed.default, missed["2"], missed["19"], missed.other]).toEqual([1, 1, 1, 0]);
    const targets = await read.byTier("queue.sla.target.seconds");
    expect([targets.default, targets["2"], targets["19"], targets.other]).toEqual([5, 1, 5, 9]);
  });

  it.each<[Partial<InstrumentOptions>, unknown, string]>([
    [{ tiers: { default: 5 } }, InvalidOptionRangeError, "names that aren't those of other tiers"],
    [{ tiers: { "10": 5 } }, InvalidOptionRangeError, "names that aren't those of other tiers"],
    [{ tiers: { other: 1 } }, InvalidOptionRangeError, "names that aren't those of other tiers"],
    [{ tiers: [] as never }, InvalidOptionTypeError, "an object of names and priorities"],
    [{ sla: { vip: { targetMs: 1 } } }, InvalidOptionRangeError, "keyed by a tier of the queue"],
  ])("refuse what would be confused: %o", (options, kind, message) => {
    const queue = async.priorityQueue(() => {}, 1);
    const before = ownOf(queue);
    const refused = () => instrument(queue, { name, ...options });
    expect(refused).toThrow(kind as never);
    expect(refused).toThrow(message);
    expect(ownOf(queue)).toEqual(before);
  });

  it.each<Partial<InstrumentOptions>>([
    { tiers: { default: 0, "10": 10, urgent: 1 } },
    { sla: { other: { targetMs: 1 } } },
    { tiers: { urgent: 1 }, sla: { urgent: { targetMs: 1 }, "7": { targetMs: 1 } } },
  ])("accept %o", (options) => {
    expect(() =>
      instrument(
        async.priorityQueue(() => {}, 1),
        { name, ...options },
      ),
    ).not.toThrow();
  });

  it("are for priorities only: a plain queue refuses names for them, and an SLA for the rest", () => {
    const queue = async.queue(() => {}, 1);
    expect(() => wrap(queue, { tiers: { urgent: 1 } })).toThrow(InvalidOptionTypeError);
    expect(() => wrap(queue, { tiers: { urgent: 1 } })).toThrow(/this queue has no priorities/);
    expect(() => wrap(queue, { sla: { other: { targetMs: 1 } } })).toThrow(InvalidOptionRangeError);
    expect(() => wrap(queue)).not.toThrow();
  });
});

describe.each(EVERY)("instrumenting an async.queue whose worker is a %s, %s,", (style, kind) => {
  it("that has items inside: they age from then on, are no loss, and none of them stays", async () => {
    stopClock();
    const { queue, end, items } = bareQueue(style, kind);
    void queue.push(["a", "b", "c"]);
    await turn();
    vi.advanceTimersByTime(9_000);
    wrap(queue);
    vi.advanceTimersByTime(1_000);
    expect(await figures()).toMatchObject({ enqueued: 0, depth: 2, inFlight: 1 });
    expect(await read.number("queue.oldest.age.seconds")).toBe(1);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    void queue.push("d");
    for (const depth of [2, 1, 0, 0]) {
      await end();
      expect(await figures()).toMatchObject({ depth });
    }
    expect(items).toEqual(["a", "b", "c", "d"]);
    expect(await figures()).toEqual({
      enqueued: 1,
      depth: 0,
      dequeued: 3,
      inFlight: 0,
      success: 3,
      failure: 0,
    });
    expect(await read.number("queue.oldest.age.seconds")).toBe(0);
    expect(await read.number("queue.context.lost")).toBe(kind === "bare" ? 1 : 0);
    expect(read.sends()).toHaveLength(1);
  });

  it("is undone in the middle: all is restored, work goes on, spans of what runs are ended", async () => {
    const { queue, end, items } = bareQueue(style, kind);
    const before = ownOf(queue);
    const tasks = Reflect.ownKeys(queue._tasks);
    wrap(queue);
    void queue.push(["a", "b"]);
    await turn();
    expect(await figures()).toMatchObject({ depth: 1, inFlight: 1 });
    expect(uninstrument(queue)).toBe(queue);
    const started = { value: true, writable: true, enumerable: true, configurable: true };
    expect(ownOf(queue)).toEqual(before.map(([key, own]) => [key, key === "started" ? started : own]));
    expect(Reflect.ownKeys(queue._tasks)).toEqual(tasks);
    void queue.push("c");
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
    const { queue, end, items } = wrappedQueue(style, kind);
    void queue.push(["a", "b", "c"]);
    await turn();
    wrap(uninstrument(queue));
    expect(await figures()).toMatchObject({ enqueued: 3, dequeued: 1, depth: 2, inFlight: 1 });
    void queue.push("d");
    for (let i = 0; i < 4; i++) await end();
    expect(items).toEqual(["a", "b", "c", "d"]);
    expect(await figures()).toEqual({
      enqueued: 4,
      depth: 0,
      dequeued: 4,
      inFlight: 0,
      success: 4,
      failure: 0,
    });
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    expect(await read.number("queue.context.lost")).toBe(kind === "bare" ? 1 : 0);
    if (kind === "wrapped") expect(read.links()).toEqual([0, undefined, undefined, 3]);
  });

  it("twice is an error that names the first, and changes nothing", async () => {
    const { queue, end } = wrappedQueue(style, kind);
    const before = ownOf(queue);
    expect(() => instrument(queue, { name: "second" })).toThrow(AlreadyInstrumentedError);
    expect(() => instrument(queue, { name: "second" })).toThrow(`it is instrumented as "${name}"`);
    expect(ownOf(queue)).toEqual(before);
    void queue.push("a");
    await turn();
    await end();
    expect(await figures()).toMatchObject({ enqueued: 1, success: 1 });
  });

  it.each<[string, (queue: Inside) => void, string]>([
    ["it is frozen", Object.freeze, "_createTaskItem"],
    ["it is sealed", Object.seal, "_createTaskItem"],
    ["what it has inside is frozen", ({ _tasks }) => Object.freeze(_tasks), "shift"],
  ])("is a clear error where %s, and changes nothing", async (_, spoil, method) => {
    const { queue } = bareQueue(style, kind);
    spoil(queue);
    const state = () => [queue, queue._tasks].map(ownOf);
    const before = state();
    expect(() => wrap(queue)).toThrow(NotInstrumentableError);
    expect(() => wrap(queue)).toThrow(`"${method}" can't be replaced: it is frozen or sealed`);
    expect(state()).toEqual(before);
    expect(await read.metricNames()).toEqual([]);
  });

  it("keeps no queue that nothing else holds, and no item that is over", async () => {
    const left = await kept(async () => {
      const { queue, end } = wrappedQueue(style, kind);
      const items = Array.from({ length: 10 }, (_, i) => ({ i }));
      void queue.push(items);
      await turn();
      await figures();
      for (let i = 0; i < 5; i++) await end(i === 3 ? new Error("no") : undefined);
      return [queue, ...items];
    });
    expect(left).toBe(0);
    expect(await read.number("queue.depth")).toBe(0);
  });

  it("keeps no item that is over, as long as the queue is there", async () => {
    const { queue, end, items: seen } = wrappedQueue(style, kind);
    const left = await kept(async () => {
      const items = Array.from({ length: 10 }, (_, i) => ({ i }));
      void queue.push([...items]);
      await turn();
      for (let i = 0; i < 9; i++) await end();
      seen.length = 0;
      return items;
    });
    expect(left).toBe(1);
    await end();
  });
});

describe("the spans of an async queue", () => {
  it("are a send under the caller's and a process under that, with what the contract says", async () => {
    const queue = wrap(
      priorityQueue(
        instrumentHandler(async (item: string) => item, { name }),
        1,
      ),
    );
    await spans.provider.getTracer("caller").startActiveSpan("caller", async (caller) => {
      await withCorrelationId("c-1", () => queue.pushAsync("a", 4));
      caller.end();
    });
    const [caller, send, process] = [
      await spans.only("caller"),
      await spans.only(`send ${name}`),
      await spans.only(`process ${name}`),
    ];
    const attributes = {
      "messaging.system.name": "async",
      "messaging.destination.name": name,
      "messaging.message.conversation_id": "c-1",
      "queue.tier": "4",
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
      "queue.wait_ms": expect.any(Number),
    });
    expect(process.status.code).toBe(SpanStatusCode.UNSET);
  });

  it.each(["callback", "async function"] as const)(
    "last as long as the task of a %s, and fail with it",
    async (style) => {
      const { queue, end } = wrappedQueue(style, "wrapped");
      void queue.push(["a", "b"]);
      await turn();
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
    const call = async () => spans.provider.getTracer("worker").startSpan("call").end();
    await asked(call, 1, { relation: "parent" }).pushAsync(1);
    const [send, process, inner] = [
      await spans.only(`send ${name}`),
      await spans.only(`process ${name}`),
      await spans.only("call"),
    ];
    expect([parentOf(process), parentOf(inner)]).toEqual([idOf(send), idOf(process)]);
    expect(process.links).toEqual([]);
    expect(traceOf(inner)).toBe(traceOf(send));
  });

  it("are one trace with relation auto, unless the task waited for a second", async () => {
    stopClock();
    const { queue, end } = wrappedQueue("callback", "wrapped", 1, { relation: "auto" });
    void queue.push(["soon", "late"]);
    await turn();
    vi.advanceTimersByTime(1_000);
    await end();
    await end();
    const [soon, late] = read.processes();
    expect(parentOf(soon!)).toBe(idOf(read.sends()[0]!));
    expect(parentOf(late!)).toBeUndefined();
    expect(read.processes().map(({ links }) => links.length)).toEqual([0, 1]);
  });

  it("are not made with traces never, and the context travels all the same", async () => {
    const queue = asked(async () => trace.getActiveSpan()?.spanContext().spanId, 1, { traces: "never" });
    const inside = await spans.provider.getTracer("caller").startActiveSpan("caller", async (caller) => {
      const seen = await queue.pushAsync(1);
      caller.end();
      return seen;
    });
    const caller = await spans.only("caller");
    expect(inside).toBe(idOf(caller));
    expect(await spans.spans()).toEqual([caller]);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("are made with traces with-parent for those who have a span", async () => {
    const queue = asked(async () => {}, 1, { traces: "with-parent" });
    await queue.pushAsync(1);
    await spans.provider.getTracer("caller").startActiveSpan("caller", async (caller) => {
      await queue.pushAsync(2);
      caller.end();
    });
    expect(read.sends()).toHaveLength(1);
    expect(read.links()).toEqual([0]);
  });

  it("are only sends where the worker is not wrapped", async () => {
    const { queue, end } = wrappedQueue("callback", "bare");
    void queue.push("a");
    await turn();
    await end();
    expect(read.sends()).toHaveLength(1);
    expect(read.processes()).toEqual([]);
  });
});

describe("a task of an async queue runs in the context of its own push", () => {
  const everybody = ["a", "b", "c", "d", "e", "f"];

  it.each([1, 2, 5, 10])("with a concurrency of %d", async (concurrency) => {
    const queue = asked(whoThroughout, concurrency);
    const all = everybody.map((each) => as(each, () => queue.pushAsync({})));
    expect(await Promise.all(all)).toEqual(everybody);
  });

  it("whatever the items are", async () => {
    const queue = asked(whoThroughout);
    const object = {};
    const items = [7, 7, Number.NaN, Number.NaN, undefined, null, null, object, object, "x", "x"];
    const all = items.map((item, i) => as(`caller ${i}`, () => queue.pushAsync(item as never)));
    expect(await Promise.all(all)).toEqual(items.map((_, i) => `caller ${i}`));
    expect(read.links()).toEqual(items.map((_, i) => i));
  });

  it("with callbacks, which are called where async calls them", async () => {
    const seen: string[] = [];
    const going: (() => void)[] = [];
    const worker = (item: string, done: () => void) => {
      seen.push(`${item} for ${who()}`);
      going.push(done);
    };
    const queue = wrap(async.queue(instrumentHandler(worker, { name }), 2));
    for (const each of everybody) {
      as(each, () => {
        void queue.push(each, () => seen.push(`done by ${who()}`));
      });
    }
    await turn();
    while (going.length > 0) as("ender", going.shift()!);
    const expected = everybody.map((each) => `${each} for ${each}`);
    expect(seen.filter((each) => !each.startsWith("done"))).toEqual(expected);
    expect(seen.filter((each) => each.startsWith("done"))).toEqual(everybody.map(() => "done by ender"));
  });

  it("in arrays, at the front, and after others were removed", async () => {
    const queue = asked(whoThroughout);
    queue.pause();
    const array = as("array", () =>
      queue.pushAsync(["same", "same"] as never),
    ) as unknown as Promise<string>[];
    as("gone", () => queue.pushAsync("gone").catch(() => {}));
    const front = as("front", () => queue.unshiftAsync("same"));
    as("remover", () => queue.remove(({ data }) => data === "gone"));
    as("resumer", () => queue.resume());
    expect(await Promise.all([...array, front])).toEqual(["array", "array", "front"]);
  });

  it("with priorities, pause and resume by another caller", async () => {
    const queue = wrap(priorityQueue(instrumentHandler(whoThroughout, { name }), 2));
    as("pauser", () => queue.pause());
    const all = everybody.map((each, i) => as(each, () => queue.pushAsync("same", (i * 7) % 4)));
    as("resumer", () => queue.resume());
    expect(await Promise.all(all)).toEqual(everybody);
    const order = [0, 4, 3, 2, 1, 5];
    expect(read.links()).toEqual(order);
  });

  it("when a worker pushes", async () => {
    const seen: string[] = [];
    const inner: Promise<unknown>[] = [];
    const queue = asked(async (level: number) => {
      if (level < 3) inner.push(as(`level ${level + 1}`, () => queue.pushAsync(level + 1)));
      seen.push(await whoThroughout());
    }, 2);
    await as("level 0", () => queue.pushAsync(0));
    while (inner.length > 0) await inner.shift();
    expect(seen.sort()).toEqual(["level 0", "level 1", "level 2", "level 3"]);
  });

  it("after those before it were killed", async () => {
    const queue = asked(whoThroughout);
    as("gone", () => queue.pushAsync("same").catch(() => {}));
    queue.kill();
    expect(await as("last", () => queue.pushAsync("same"))).toBe("last");
  });

  it("after those that were there before it was instrumented", async () => {
    const queue = async.queue(instrumentHandler(whoThroughout, { name }), 1);
    queue.pause();
    const early = as("early", () => queue.pushAsync("same"));
    wrap(queue);
    const late = as("late", () => queue.pushAsync("same"));
    queue.resume();
    expect(await early).not.toBe("late");
    expect(await late).toBe("late");
  });
});

describe("two async queues of one name", () => {
  it("of which only the second has a wrapped worker, take the same thing each from its own", async () => {
    const seen: string[] = [];
    const bare = wrap(async.queue(async (_: string) => {}, 1));
    const worker = instrumentHandler(async (_: string) => void seen.push(who()), { name });
    const wrapped = wrap(async.queue(worker, 1));
    await as("bare", () => bare.pushAsync("same"));
    await as("wrapped", () => wrapped.pushAsync("same"));
    const both = [
      as("bare", () => bare.pushAsync("same")),
      as("wrapped again", () => wrapped.pushAsync("same")),
    ];
    await Promise.all(both);
    expect(seen).toEqual(["wrapped", "wrapped again"]);
    expect(await figures()).toMatchObject({ enqueued: 4, dequeued: 4, success: 4, depth: 0, inFlight: 0 });
  });

  it("that share a worker, and have the same object inside", async () => {
    const worker = instrumentHandler(whoThroughout, { name });
    const [one, two] = [wrap(async.queue(worker, 1)), wrap(async.queue(worker, 1))];
    one.pause();
    const item = {};
    const all = [
      as("one", () => one.pushAsync(item)),
      as("two", () => two.pushAsync(item)),
      as("one later", () => one.pushAsync(item)),
      as("two later", () => two.pushAsync(item)),
    ];
    await all[1];
    one.resume();
    expect(await Promise.all(all)).toEqual(["one", "two", "one later", "two later"]);
  });
});

describe("a wrapped async queue behaves as before", () => {
  it("is the same object, of the same type, with the same methods to the eye", () => {
    const bare = async.queue<string>(async () => {}, 1);
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
    expectTypeOf(queue).toEqualTypeOf<async.QueueObject<string>>();
    const priority = wrap(async.priorityQueue<number>(() => {}, 1));
    expectTypeOf(priority).toEqualTypeOf<async.AsyncPriorityQueue<number>>();
  });

  it.each(["wrapped", "bare"] as const)(
    "calls back, and tells of all its events, in the same order, worker %s",
    async (kind) => {
      const live = async (isInstrumented: boolean) => {
        const log: unknown[] = [];
        const { queue, items, end } = bareQueue("callback", kind, 2);
        if (isInstrumented) wrap(queue);
        for (const event of ["saturated", "unsaturated", "empty", "drain"] as const) {
          queue[event](() => void log.push([event]));
        }
        queue.error((error, item) => void log.push(["error", error, item]));
        const state = () =>
          log.push([queue.running(), queue.length(), queue.idle(), queue.started, [...items], [...queue]]);
        const callback = (...results: unknown[]) => void log.push(["callback", ...results]);
        log.push(queue.push(["a", "b"] as never, callback), queue.unshift("c", callback));
        log.push(await Promise.all([queue.push([] as never)]));
        queue.pushAsync("d").then(
          (value) => log.push(["resolved", value]),
          (error: unknown) => log.push(["rejected", error]),
        );
        void queue.push("e").then((value) => log.push(["pushed", value]));
        state();
        await turn();
        for (const error of [null, new Error("text"), 0, new Error("four"), undefined]) {
          state();
          await end(error);
        }
        state();
        expect(() => queue.push("f", "callback" as never)).toThrow("task callback must be a function");
        log.push(queue.concurrency, queue.payload, queue.buffer, queue.paused);
        return log;
      };
      const expected = await live(false);
      expect(await live(true)).toEqual(expected);
      expect(expected.length).toBeGreaterThan(20);
    },
  );

  it("shows its workers as they are: items and callbacks of the user's, in the same array each time", async () => {
    const { queue, end } = wrappedQueue("callback", "wrapped", 2);
    const callbacks = [() => {}, () => {}];
    const objects = [{ a: 1 }, { b: 2 }];
    const list = queue.workersList();
    expect(list).toEqual([]);
    for (const [i, object] of objects.entries()) void queue.push(object, callbacks[i]!);
    await turn();
    expect(queue.workersList()).toBe(list);
    expect(list.map(({ data }) => data)).toEqual(objects);
    expect(list.map((node) => (node as { callback?: unknown }).callback)).toEqual(callbacks);
    const [first, second] = list;
    await end();
    expect(queue.workersList()).toBe(list);
    expect(list).toEqual([second]);
    expect(list[0]).toBe(second);
    expect(first).not.toBe(second);
    await end();
    expect(queue.workersList()).toEqual([]);
  });

  it("is seen as it is, wherever it is seen: among what waits, among what runs, and by its callback", async () => {
    const { queue, end } = wrappedQueue("callback", "wrapped");
    queue.pause();
    const nodes: object[] = [];
    const see = () => queue.remove((node) => nodes.push(node) === 0);
    const callback = function (this: object) {
      nodes.push(this);
    };
    void queue.push(1, callback as never);
    see();
    void queue.push(2);
    expect(Object.keys(nodes[0]!)).toEqual(["data", "callback", "next"]);
    queue.resume();
    await turn();
    await turn();
    expect(queue.workersList()).toEqual([nodes[0]]);
    nodes.push(queue.workersList()[0]!);
    await end();
    expect(nodes.length).toBe(3);
    for (const node of nodes) {
      expect(node).toBe(nodes[0]);
      expect((node as { callback?: unknown }).callback).toBe(callback);
    }
    expect(Reflect.ownKeys(nodes[0]!)).toEqual(["data", "callback", "next", "prev"]);
  });

  it("shows remove what waits, items and callbacks of the user's", async () => {
    const { queue } = wrappedQueue("callback", "wrapped");
    queue.pause();
    const callback = () => {};
    const object = {};
    void queue.push(object, callback);
    const seen: unknown[] = [];
    queue.remove((node) => {
      seen.push(
        node.data,
        (node as { callback?: unknown }).callback,
        Reflect.ownKeys(node).filter((key) => typeof key === "symbol"),
      );
      return false;
    });
    expect(seen).toEqual([object, callback, []]);
    expect(queue.length()).toBe(1);
  });

  it("leaves an unhandled rejection unhandled, and makes none", async () => {
    const unhandled = await unhandledIn(async () => {
      const { queue, end } = wrappedQueue("async function", "wrapped");
      void queue.push("promise that resolves");
      void queue.pushAsync("nobody looks");
      queue.pushAsync("somebody looks").catch(() => {});
      await turn();
      for (let i = 0; i < 3; i++) await end(new Error(`${i}`));
    });
    expect(unhandled).toEqual([new Error("1")]);
    expect(await outcomes()).toEqual({ success: 0, failure: 3 });
  });

  it("gives several results as async does", async () => {
    const worker = (item: number, done: Done) => done(null, item, item + 1);
    const queue = wrap(async.queue(instrumentHandler(worker, { name }) as never, 1));
    expect(await queue.push(1)).toEqual([1, 2]);
    const results: unknown[] = [];
    queue.push(2, (...all: unknown[]) => void results.push(...all));
    await queue.drain();
    expect(results).toEqual([null, 2, 3]);
    expect(await outcomes()).toEqual({ success: 2, failure: 0 });
  });

  it("counts for a cargo each item, and runs its worker as before", async () => {
    const loads: unknown[] = [];
    const worker = (items: number[], done: Done) => {
      loads.push(items);
      setImmediate(done);
    };
    const queue = wrap(async.cargo(worker as never, 2));
    void queue.push([1, 2, 3]);
    await queue.drain();
    expect(loads).toEqual([[1, 2], [3]]);
    expect(await figures()).toEqual({
      enqueued: 3,
      depth: 0,
      dequeued: 3,
      inFlight: 0,
      success: 3,
      failure: 0,
    });
  });
});

describe("the probe's head", () => {
  async function probeOf(queue: object, isPriority: boolean) {
    const { asyncQueue, asyncPriorityQueue } = await import("../../src/adapters/async.js");
    const { readOptions } = await import("../../src/telemetry/options.js");
    const { Telemetry } = await import("../../src/telemetry/telemetry.js");
    const telemetry = new Telemetry(readOptions({ name }, { tiers: ["default"] }), ["default"], "async");
    return (isPriority ? asyncPriorityQueue : asyncQueue).attach(queue as never, telemetry).probe;
  }

  it("of an async.queue is what is served next, also what was put at the front", async () => {
    stopClock();
    const { queue } = bareQueue("callback", "bare");
    const probe = await probeOf(queue, false);
    queue.pause();
    const startedAt = probe.now();
    expect(probe.headAt()).toBeUndefined();
    void queue.push("back");
    vi.advanceTimersByTime(1_000);
    void queue.unshift("front");
    expect(probe.headAt()).toBe(startedAt + 1_000);
    expect(probe.oldestAt(0)).toBe(startedAt);
    queue.remove(({ data }) => data === "front");
    expect(probe.headAt()).toBe(startedAt);
    queue.kill();
    expect(probe.headAt()).toBeUndefined();
    expect(probe.oldestAt(0)).toBeUndefined();
  });

  it("of an async.priorityQueue is the most urgent one", async () => {
    stopClock();
    const queue = async.priorityQueue(() => {}, 1);
    const probe = await probeOf(queue, true);
    queue.pause();
    const startedAt = probe.now();
    for (const priority of [5, 1, 3]) {
      void queue.push(priority, priority);
      vi.advanceTimersByTime(1_000);
    }
    expect(probe.headAt()).toBe(startedAt + 1_000);
    queue.remove(({ data }) => data === 1);
    expect(probe.headAt()).toBe(startedAt + 2_000);
    queue.kill();
    expect(probe.headAt()).toBeUndefined();
  });
});
