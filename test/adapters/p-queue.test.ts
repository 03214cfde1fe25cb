import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import PQueue from "p-queue";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import {
  AlreadyInstrumentedError,
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  NotInstrumentableError,
} from "../../src/base/errors.js";
import { processWide } from "../../src/base/process-wide.js";
import { currentCorrelationId, withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { MetricCapture, SpanCapture, signal } from "../support/telemetry-capture.js";
import { idOf, parentOf, Readings, traceOf } from "./readings.js";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

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
  name = `p-queue-${count++}`;
  read = new Readings(metrics, spans, name);
});
afterEach(async () => {
  // The exporter of the spans calls back by a timer.
  if (vi.isFakeTimers()) await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers();
  await spans.stop();
});

type QueueOptions = NonNullable<ConstructorParameters<typeof PQueue>[0]>;

function wrap(options: QueueOptions = {}, more: Partial<InstrumentOptions> = {}): PQueue {
  return instrument(new PQueue(options), { name, ...more });
}

function one(): PQueue {
  return wrap({ concurrency: 1 });
}

function withTimers(): void {
  const toFake = [
    "performance",
    "Date",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
  ] as const;
  vi.useFakeTimers({ toFake: [...toFake] });
}

/** Work that goes on until it is told to end. */
function endless(): { job: () => Promise<string>; end: () => void; fail: (error: unknown) => void } {
  const over = signal<string>();
  const failure = signal<unknown>();
  const failed = failure.promise.then((error) => {
    throw error;
  });
  failed.catch(() => {});
  return {
    job: () => Promise.race([over.promise, failed]) as Promise<string>,
    end: () => over.give("done"),
    fail: failure.give,
  };
}

async function under<R>(span: string, fn: () => R | Promise<R>): Promise<R> {
  return spans.provider.getTracer("caller").startActiveSpan(span, async (active) => {
    try {
      return await fn();
    } finally {
      active.end();
    }
  });
}

const outcomes = () => read.by("queue.outcome", "queue.completed");
const drops = () => read.by("queue.reason", "queue.dropped");

it("a watchdog sees that a p-queue is paused, or held back by its rate limit", async () => {
  const queue = wrap({ intervalCap: 1, interval: 60_000 });
  const { probe } = processWide.instrumented.get(queue)!.watchables[0]!;
  expect([probe.isPaused, probe.isRateLimited]).toEqual([false, false]);
  await queue.add(() => {});
  void queue.add(() => {});
  await turn();
  expect(probe.isRateLimited).toBe(true);
  queue.pause();
  expect(probe.isPaused).toBe(true);
  queue.clear();
});

describe("the metrics of a p-queue", () => {
  it("show what waits, and for how long, by priority", async () => {
    withTimers();
    const queue = wrap({ autoStart: false });
    void queue.add(() => {});
    vi.advanceTimersByTime(1_500);
    void queue.add(() => {}, { priority: 7 });
    void queue.add(() => {}, { priority: 7 });
    vi.advanceTimersByTime(500);
    expect(await read.byTier("queue.depth")).toEqual({ default: 1, "7": 2 });
    expect(await read.byTier("queue.oldest.age.seconds")).toEqual({ default: 2, "7": 0.5 });
    queue.start();
    await queue.onIdle();
    expect(await read.byTier("queue.depth")).toEqual({ default: 0, "7": 0 });
    expect(await read.byTier("queue.oldest.age.seconds")).toEqual({ default: 0, "7": 0 });
  });

  it("show what is in flight, and for how long", async () => {
    withTimers();
    const queue = wrap({ concurrency: 2 });
    const [first, second] = [endless(), endless()];
    const adds = [queue.add(first.job)];
    vi.advanceTimersByTime(3_000);
    adds.push(queue.add(second.job), queue.add(() => {}) as Promise<never>);
    vi.advanceTimersByTime(1_000);
    expect(await read.number("queue.inflight")).toBe(2);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(4);
    first.end();
    await adds[0];
    await adds[2];
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(1);
    second.end();
    await queue.onIdle();
    expect(await read.number("queue.inflight")).toBe(0);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
  });

  it("tell how long tasks waited and how long they took, exactly", async () => {
    withTimers();
    const queue = one();
    const [good, bad] = [endless(), endless()];
    const adds = [queue.add(good.job), queue.add(bad.job, { priority: 3 }).catch(() => {})];
    vi.advanceTimersByTime(2_000);
    good.end();
    await adds[0];
    await turn();
    vi.advanceTimersByTime(4_000);
    bad.fail(new Error("bad"));
    await queue.onIdle();
    expect((await read.histogram("queue.wait.seconds", { "queue.tier": "default" }))?.sum).toBe(0);
    expect((await read.histogram("queue.wait.seconds", { "queue.tier": "3" }))?.sum).toBe(2);
    expect(await read.counts("queue.tier", "queue.wait.seconds")).toEqual({ default: 1, "3": 1 });
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.sum).toBe(2);
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "failure" }))?.sum).toBe(4);
    const put = await read.histogram("queue.put.seconds");
    expect([put?.count, put?.sum]).toEqual([2, 0]);
  });

  it("count what comes in, goes out and how it ends, by priority and outcome", async () => {
    const queue = wrap({ concurrency: 1, autoStart: false });
    const adds = [
      queue.add(() => {}),
      queue.add(() => {}, { priority: 1 }),
      queue.add(() => Promise.reject(new Error("no")), { priority: 1 }).catch(() => {}),
    ];
    expect(await read.byTier("queue.enqueued")).toEqual({ default: 1, "1": 2 });
    expect(await read.byTier("queue.dequeued")).toEqual({ default: 0, "1": 0 });
    queue.start();
    await Promise.all(adds);
    expect(await read.byTier("queue.dequeued")).toEqual({ default: 1, "1": 2 });
    expect(await outcomes()).toEqual({ success: 2, failure: 1 });
    expect(await read.byTier("queue.overtakes")).toEqual({ default: 1, "1": 0 });
    expect(await read.number("queue.context.lost")).toBe(0);
    expect(await read.number("queue.telemetry.errors")).toBe(0);
  });

  it("judge each task by the SLA of its tier", async () => {
    withTimers();
    const queue = wrap(
      { concurrency: 1, autoStart: false },
      { tiers: { urgent: 10 }, sla: { urgent: { targetMs: 500 }, default: { targetMs: 5_000 } } },
    );
    void queue.add(() => {}, { priority: 10 });
    void queue.add(() => {});
    void queue.add(() => {}, { priority: 4 });
    vi.advanceTimersByTime(600);
    queue.start();
    await queue.onIdle();
    expect(await read.byTier("queue.sla.items", { "queue.result": "met" })).toEqual({
      urgent: 0,
      default: 1,
      "4": 1,
    });
    expect(await read.byTier("queue.sla.items", { "queue.result": "missed" })).toEqual({
      urgent: 1,
      default: 0,
      "4": 0,
    });
    expect(await read.byTier("queue.sla.target.seconds")).toEqual({ urgent: 0.5, default: 5, "4": 5 });
    expect(await read.byTier("queue.sla.objective.ratio")).toEqual({
      urgent: 0.99,
      default: 0.99,
      "4": 0.99,
    });
  });

  it("take an SLA for a priority that has no name", async () => {
    const queue = wrap({ autoStart: false }, { sla: { "-5": { targetMs: 60_000 } } });
    void queue.add(() => {}, { priority: -5 });
    queue.start();
    await queue.onIdle();
    expect(await read.byTier("queue.sla.items", { "queue.result": "met" })).toEqual({ "-5": 1 });
  });

  it("call priorities by the names that they are given, 0 too", async () => {
    const queue = wrap({ autoStart: false }, { tiers: { urgent: 10, regular: 0 } });
    expect(await read.byTier("queue.depth")).toEqual({ urgent: 0, regular: 0 });
    void queue.add(() => {}, { priority: 10 });
    void queue.add(() => {});
    void queue.add(() => {}, { priority: -1 });
    expect(await read.byTier("queue.depth")).toEqual({ urgent: 1, regular: 1, "-1": 1 });
  });

  it("lump together what comes after 20 priorities", async () => {
    const queue = wrap({ concurrency: 1, autoStart: false });
    for (let priority = 0; priority < 30; priority++) void queue.add(() => {}, { priority });
    const depth = await read.byTier("queue.depth");
    expect(Object.keys(depth)).toHaveLength(21);
    expect(depth.other).toBe(10);
    expect(depth["19"]).toBe(1);
    queue.start();
    await queue.onIdle();
    expect(await read.number("queue.dequeued", { "queue.tier": "other" })).toBe(10);
    expect(await read.number("queue.depth", { "queue.tier": "other" })).toBe(0);
  });

  it("need no more memory for a new priority with each task", async () => {
    const queue = wrap({ concurrency: 1 }, { traces: "never" });
    const add = async (from: number) => {
      for (let i = 0; i < 20_000; i++) void queue.add(() => {}, { priority: from + i + 0.5 });
      await queue.onIdle();
      await turn();
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await add(0);
    const before = await add(100_000);
    const after = await add(200_000);
    expect(after - before).toBeLessThan(1_000_000);
    expect(Object.keys(await read.byTier("queue.enqueued"))).toHaveLength(21);
  });

  it("show a task that is put off or preferred in the tier of its new priority, at its old age", async () => {
    withTimers();
    const queue = wrap({ concurrency: 1, autoStart: false });
    const order: string[] = [];
    const put = (what: string) => () => void order.push(what);
    void queue.add(put("a"), { id: "a", priority: 1 });
    vi.advanceTimersByTime(1_000);
    void queue.add(put("b"), { id: "b", priority: 5 });
    void queue.add(put("c"), { priority: 5 });
    queue.setPriority("a", 5);
    queue.setPriority("b", -2);
    expect(await read.byTier("queue.depth")).toEqual({ default: 0, "1": 0, "5": 2, "-2": 1 });
    expect(await read.byTier("queue.oldest.age.seconds")).toEqual({ default: 0, "1": 0, "5": 1, "-2": 0 });
    expect(() => queue.setPriority("nobody", 1)).toThrow(ReferenceError);
    expect(() => queue.setPriority("a", Number.NaN)).toThrow(TypeError);
    queue.start();
    await queue.onIdle();
    expect(order).toEqual(["c", "a", "b"]);
    expect(await read.byTier("queue.dequeued")).toEqual({ default: 0, "1": 0, "5": 2, "-2": 1 });
    expect(() => queue.setPriority("a", 1)).toThrow(ReferenceError);
  });
});

describe("a task that p-queue does not run to its end", () => {
  it("is dropped by clear, and counts as shutdown", async () => {
    const queue = one();
    const running = endless();
    const first = queue.add(running.job);
    queue.add(() => {}).catch(() => {});
    queue.add(() => {}, { priority: 2 }).catch(() => {});
    queue.clear();
    expect(await read.byTier("queue.dropped", { "queue.reason": "shutdown" })).toEqual({
      default: 1,
      "2": 1,
    });
    expect(await read.byTier("queue.depth")).toEqual({ default: 0, "2": 0 });
    expect(await read.number("queue.inflight")).toBe(1);
    running.end();
    expect(await first).toBe("done");
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("has left when its signal aborts while it waits, and counts as evicted", async () => {
    const queue = wrap({ concurrency: 1, autoStart: false }, { sla: { default: { targetMs: 1_000 } } });
    const controller = new AbortController();
    const add = queue.add(() => {}, { signal: controller.signal, priority: 2 });
    const reason = new Error("changed my mind");
    controller.abort(reason);
    await expect(add).rejects.toBe(reason);
    expect(await read.number("queue.dropped", { "queue.tier": "2", "queue.reason": "evicted" })).toBe(1);
    expect(await read.byTier("queue.depth")).toEqual({ default: 0, "2": 0 });
    expect(await read.number("queue.enqueued", { "queue.tier": "2" })).toBe(1);
    expect(await outcomes()).toEqual({ success: 0, failure: 0 });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("is refused when its signal has aborted before: no item, no drop, but a put that failed", async () => {
    const queue = wrap({ concurrency: 1 });
    const ran = vi.fn();
    const reason = new Error("too late");
    await expect(queue.add(ran, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(ran).not.toHaveBeenCalled();
    expect(await read.number("queue.enqueued")).toBe(0);
    expect(await drops()).toEqual({ evicted: 0, shutdown: 0 });
    expect(await read.number("queue.depth")).toBe(0);
    const [send] = read.sends();
    expect(send?.status.code).toBe(SpanStatusCode.ERROR);
    expect(read.processes()).toEqual([]);
  });

  it("is refused also if another one starts while it is added", async () => {
    const queue = wrap({ concurrency: 1 });
    const running = endless();
    void queue.add(running.job);
    void queue.add(() => {
      queue.add(() => {}, { signal: AbortSignal.abort() }).catch(() => {});
    });
    void queue.add(() => {});
    queue.concurrency = 2;
    running.end();
    await queue.onIdle();
    expect(await read.number("queue.enqueued")).toBe(3);
    expect(await read.number("queue.dequeued")).toBe(3);
    expect(await read.number("queue.depth")).toBe(0);
  });

  it.each(["another one", "it"])("came in, also where %s is aborted while it is added", async (which) => {
    const queue = wrap({ concurrency: 1 });
    const running = endless();
    void queue.add(running.job);
    const controller = new AbortController();
    const aborted = () => queue.add(() => {}, { signal: controller.signal }).catch(() => {});
    if (which === "another one") void aborted();
    const event = "on" in queue ? queue : (queue as EventTarget);
    const abort = () => controller.abort();
    if ("on" in event) event.once("add", abort);
    else event.addEventListener("add", abort, { once: true });
    if (which === "it") void aborted();
    void queue.add(() => {});
    running.end();
    await queue.onIdle();
    expect(await read.number("queue.enqueued")).toBe(3);
    expect(await read.number("queue.dequeued")).toBe(2);
    expect(await drops()).toEqual({ evicted: 1, shutdown: 0 });
    expect(await outcomes()).toEqual({ success: 2, failure: 0 });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("has failed when its signal aborts while it runs, and its late end changes nothing", async () => {
    const queue = one();
    const controller = new AbortController();
    const running = endless();
    const add = queue.add(running.job, { signal: controller.signal });
    controller.abort(Object.assign(new Error("stop"), { code: "STOP" }));
    await expect(add).rejects.toThrow("stop");
    await queue.onIdle();
    expect(await outcomes()).toEqual({ success: 0, failure: 1 });
    expect(await read.number("queue.inflight")).toBe(0);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    running.end();
    await turn();
    expect(await outcomes()).toEqual({ success: 0, failure: 1 });
    const [process] = read.processes();
    expect(process?.attributes["error.type"]).toBe("STOP");
  });

  it("has failed when a signal aborts that it shares with one that rejects with its reason by itself", async () => {
    const queue = wrap({ concurrency: 3 });
    const controller = new AbortController();
    const { signal: shared } = controller;
    const obeys = () =>
      new Promise((_, reject) => {
        shared.addEventListener("abort", () => reject(shared.reason));
      });
    const adds = [obeys, endless().job, obeys].map((job) => queue.add(job, { signal: shared }));
    controller.abort();
    expect((await Promise.allSettled(adds)).map(({ status }) => status)).toEqual(Array(3).fill("rejected"));
    await turn();
    expect(await outcomes()).toEqual({ success: 0, failure: 3 });
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
  });

  it("has failed when it aborts its own signal while it starts", async () => {
    const queue = one();
    const controller = new AbortController();
    const never = new Promise(() => {});
    const add = queue.add(
      () => {
        controller.abort(new Error("stop"));
        return never;
      },
      { signal: controller.signal },
    );
    await expect(add).rejects.toThrow("stop");
    await queue.onIdle();
    expect(await outcomes()).toEqual({ success: 0, failure: 1 });
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    expect(read.processes()).toHaveLength(1);
  });

  it("has failed when p-queue gives it up after its timeout, and its late end changes nothing", async () => {
    withTimers();
    const queue = one();
    const running = endless();
    const add = queue.add(running.job, { timeout: 1_000 });
    const gaveUp = expect(add).rejects.toMatchObject({ name: "TimeoutError" });
    await vi.advanceTimersByTimeAsync(1_000);
    await gaveUp;
    expect(await outcomes()).toEqual({ success: 0, failure: 1 });
    expect(await read.number("queue.inflight")).toBe(0);
    expect(await read.number("queue.inflight.oldest.age.seconds")).toBe(0);
    expect((await read.histogram("queue.process.seconds", { "queue.outcome": "failure" }))?.sum).toBe(1);
    running.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(await outcomes()).toEqual({ success: 0, failure: 1 });
    const [process] = read.processes();
    expect(process?.attributes["error.type"]).toBe("TimeoutError");
  });

  it("is told apart from others with timeouts of their own", async () => {
    withTimers();
    const queue = wrap({ concurrency: 3, timeout: 5_000 });
    const [slow, fast, good] = [endless(), endless(), endless()];
    const adds = [
      queue.add(slow.job),
      queue.add(fast.job, { timeout: 1_000, priority: 1 }),
      queue.add(good.job, { timeout: 2_000, priority: 2 }),
    ];
    for (const add of adds) add.catch(() => {});
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(adds[1]).rejects.toMatchObject({ name: "TimeoutError" });
    good.end();
    await adds[2];
    expect(await outcomes()).toEqual({ success: 1, failure: 1 });
    const [first, second] = read.processes();
    expect(first?.attributes["queue.tier"]).toBe("1");
    expect(first?.status.code).toBe(SpanStatusCode.ERROR);
    expect(second?.attributes["queue.tier"]).toBe("2");
    expect(second?.status.code).toBe(SpanStatusCode.UNSET);
    await vi.advanceTimersByTimeAsync(4_000);
    await expect(adds[0]).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await outcomes()).toEqual({ success: 1, failure: 2 });
  });

  it("is told apart also from one that was busy before it returned its promise", async () => {
    withTimers();
    const queue = wrap({ concurrency: 2 });
    const [busy, quick] = [endless(), endless()];
    const adds = [
      queue.add(
        () => {
          vi.advanceTimersByTime(40);
          return busy.job();
        },
        { timeout: 80, priority: 1 },
      ),
      queue.add(quick.job, { timeout: 50, priority: 2 }),
    ];
    const gaveUp: string[] = [];
    adds.forEach((add, i) => {
      add.catch(() => {
        gaveUp.push(String(i + 1));
        // The first to be given up lets the other one end well.
        [quick, busy][i]!.end();
      });
    });
    await vi.advanceTimersByTimeAsync(200);
    // p-queue 9 counts from when the task has returned, p-queue 10 from its call.
    expect(gaveUp).toHaveLength(1);
    const failed = read.processes().filter((span) => span.status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ attributes }) => attributes["queue.tier"])).toEqual(gaveUp);
    expect(await outcomes()).toEqual({ success: 1, failure: 1 });
  });

  it("is not mistaken for one that throws a TimeoutError itself", async () => {
    withTimers();
    const queue = wrap({ concurrency: 2, timeout: 60_000 });
    const running = endless();
    const add = queue.add(running.job);
    const theirs = Object.assign(new Error("upstream"), { name: "TimeoutError" });
    await expect(queue.add(() => Promise.reject(theirs), { priority: 1 })).rejects.toBe(theirs);
    await expect(
      queue.add(
        () => {
          throw theirs;
        },
        { priority: 1 },
      ),
    ).rejects.toBe(theirs);
    const aborted = queue.add(() => new Promise(() => {}), {
      signal: AbortSignal.abort(theirs),
      priority: 1,
    });
    await expect(aborted).rejects.toBe(theirs);
    expect(await outcomes()).toEqual({ success: 0, failure: 2 });
    expect(await read.number("queue.inflight")).toBe(1);
    running.end();
    expect(await add).toBe("done");
    await queue.onIdle();
    expect(await outcomes()).toEqual({ success: 1, failure: 2 });
  });

  it("with a bad option never came in", async () => {
    const queue = one();
    await expect(queue.add(() => {}, { timeout: -1 })).rejects.toThrow(TypeError);
    await expect(queue.add(() => {}, null as never)).rejects.toThrow(TypeError);
    expect(await read.number("queue.enqueued")).toBe(0);
    expect(await read.number("queue.depth")).toBe(0);
  });

  it("fails in p-queue's own words when it is no function", async () => {
    const bare = new PQueue();
    const queue = one();
    const outcome = (add: Promise<unknown>) =>
      add.then(
        () => "fulfilled",
        (error) => `${error}`,
      );
    expect(await outcome(queue.add("job" as never))).toBe(await outcome(bare.add("job" as never)));
    expect(await read.number("queue.inflight")).toBe(0);
  });
});

describe("the spans of a p-queue", () => {
  it("are a send under the caller's and a process under that, with what the contract says", async () => {
    const queue = one();
    await under("caller", () => withCorrelationId("c-1", () => queue.add(() => "result", { priority: 4 })));
    const [caller, send, process] = [
      await spans.only("caller"),
      await spans.only(`send ${name}`),
      await spans.only(`process ${name}`),
    ];
    const attributes = {
      "messaging.system.name": "p-queue",
      "messaging.destination.name": name,
      "messaging.message.conversation_id": "c-1",
      "queue.tier": "4",
    };
    expect(send.kind).toBe(SpanKind.PRODUCER);
    expect(parentOf(send)).toBe(idOf(caller));
    expect(send.attributes).toEqual({
      ...attributes,
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
    });
    expect(process.kind).toBe(SpanKind.CONSUMER);
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

  it("last as long as the task, and fail with it", async () => {
    const queue = one();
    const running = endless();
    const add = queue.add(running.job);
    expect(read.sends()).toHaveLength(1);
    expect(read.processes()).toEqual([]);
    running.fail(Object.assign(new Error("broken"), { code: "E_BROKEN" }));
    await expect(add).rejects.toThrow("broken");
    const [process] = read.processes();
    expect(process?.status).toEqual({ code: SpanStatusCode.ERROR, message: "broken" });
    expect(process?.attributes["error.type"]).toBe("E_BROKEN");
    expect(process?.events.map((event) => event.name)).toEqual(["exception"]);
  });

  it("are one trace with relation parent", async () => {
    const queue = wrap({ concurrency: 1 }, { relation: "parent" });
    await under("caller", () => queue.add(() => under("call", () => {})));
    const [send, process, call] = [
      await spans.only(`send ${name}`),
      await spans.only(`process ${name}`),
      await spans.only("call"),
    ];
    expect(parentOf(process)).toBe(idOf(send));
    expect(process.links).toEqual([]);
    expect(parentOf(call)).toBe(idOf(process));
    expect(traceOf(call)).toBe(traceOf(await spans.only("caller")));
  });

  it("are one trace with relation auto, unless the task waited for a second", async () => {
    withTimers();
    const queue = wrap({ autoStart: false, concurrency: 1 }, { relation: "auto" });
    void queue.add(() => {});
    vi.advanceTimersByTime(10);
    queue.start();
    await queue.onIdle();
    queue.pause();
    void queue.add(() => {});
    vi.advanceTimersByTime(1_000);
    queue.start();
    await queue.onIdle();
    const sends = read.sends();
    const [soon, late] = read.processes();
    expect(parentOf(soon!)).toBe(idOf(sends[0]!));
    expect(parentOf(late!)).toBeUndefined();
    expect(read.processes().map(({ links }) => links.length)).toEqual([0, 1]);
  });

  it("are not made with traces never, and the context travels all the same", async () => {
    const queue = wrap({ concurrency: 1 }, { traces: "never" });
    const inside = await under("caller", () => queue.add(() => trace.getActiveSpan()?.spanContext().spanId));
    const caller = await spans.only("caller");
    expect(inside).toBe(idOf(caller));
    expect(await spans.spans()).toEqual([caller]);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("are made with traces with-parent for those who have a span", async () => {
    const queue = wrap({ concurrency: 1 }, { traces: "with-parent" });
    await queue.add(() => {});
    await under("caller", () => queue.add(() => {}));
    expect(read.sends()).toHaveLength(1);
    expect(read.links()).toEqual([0]);
  });
});

describe("a task of a p-queue runs in the context of its own add", () => {
  const storage = new AsyncLocalStorage<string>();
  const key = Symbol.for("test.key");

  /** What a task can see of its context: the correlation ID, a store of the user's own, a value in OTel's context. */
  const seen = () => [currentCorrelationId(), storage.getStore(), context.active().getValue(key)].join();
  const as = <R>(who: string, fn: () => R): R =>
    withCorrelationId(who, () =>
      storage.run(who, () => context.with(context.active().setValue(key, who), fn)),
    );
  const of = (who: string) => [who, who, who].join();
  const later = async () => {
    const before = seen();
    await turn();
    return before === seen() ? before : `${before}, then ${seen()}`;
  };

  it.each([1, 2, 5, Number.POSITIVE_INFINITY])("with a concurrency of %d", async (concurrency) => {
    const queue = wrap({ concurrency });
    const who = ["a", "b", "c", "d", "e", "f"];
    const all = await Promise.all(who.map((each) => as(each, () => queue.add(later))));
    expect(all).toEqual(who.map(of));
  });

  it("with priorities, pause and start by another caller", async () => {
    const queue = wrap({ concurrency: 2, autoStart: false });
    const who = ["a", "b", "c", "d", "e"];
    const adds = who.map((each, priority) => as(each, () => queue.add(later, { priority })));
    as("starter", () => queue.start());
    as("pauser", () => queue.pause());
    await adds[4];
    await adds[3];
    as("starter", () => queue.start());
    expect(await Promise.all(adds)).toEqual(who.map(of));
  });

  it("when it is added by another task", async () => {
    const queue = wrap({ concurrency: 1 });
    let inner: Promise<unknown> | undefined;
    const outer = as("outer", () =>
      queue.add(() => {
        inner = as("inner", () => queue.add(later));
        return later();
      }),
    );
    const sibling = as("sibling", () => queue.add(later));
    expect(await outer).toBe(of("outer"));
    expect(await sibling).toBe(of("sibling"));
    expect(await inner).toBe(of("inner"));
  });

  it("when it is added by addAll", async () => {
    const queue = wrap({ concurrency: 1 });
    const all = [as("a", () => queue.addAll([later, later])), as("b", () => queue.addAll([later]))];
    expect(await Promise.all(all)).toEqual([[of("a"), of("a")], [of("b")]]);
    expect(await read.number("queue.enqueued")).toBe(3);
  });

  it("when it has got another priority meanwhile, and when the task before it was aborted", async () => {
    const queue = wrap({ concurrency: 1, autoStart: false });
    const controller = new AbortController();
    as("gone", () => queue.add(later, { signal: controller.signal, priority: 9 })).catch(() => {});
    const adds = [as("a", () => queue.add(later, { id: "a" })), as("b", () => queue.add(later, { id: "b" }))];
    as("mover", () => queue.setPriority("b", 5));
    as("aborter", () => controller.abort());
    as("starter", () => queue.start());
    expect(await Promise.all(adds)).toEqual([of("a"), of("b")]);
  });

  it("when an interval cap lets it start from a timer", async () => {
    const queue = wrap({ intervalCap: 1, interval: 5 });
    const who = ["a", "b", "c"];
    expect(await Promise.all(who.map((each) => as(each, () => queue.add(later))))).toEqual(who.map(of));
    expect(await read.counts("queue.tier", "queue.wait.seconds")).toEqual({ default: 3 });
  });

  it("whose async resource is gone when the task is", async () => {
    const open = new Set<number>();
    const hook = createHook({
      init: (id, type) => void (type === "queuescope.task" && open.add(id)),
      destroy: (id) => void open.delete(id),
    }).enable();
    const queue = wrap({ concurrency: 2 });
    const seen: number[] = [];
    await queue.addAll(Array.from({ length: 5 }, () => () => seen.push(open.size)));
    await vi.waitFor(() => expect(open.size).toBe(0));
    hook.disable();
    expect(seen).toHaveLength(5);
    expect(Math.min(...seen)).toBeGreaterThan(0);
  });

  it("with its baggage, and inside its own process span", async () => {
    const queue = wrap({ concurrency: 1 });
    const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
    const inside = await context.with(propagation.setBaggage(context.active(), baggage), () =>
      queue.add(async () => {
        await turn();
        return [
          propagation.getActiveBaggage()?.getEntry("tenant")?.value,
          trace.getActiveSpan()?.spanContext().spanId,
        ];
      }),
    );
    expect(inside).toEqual(["acme", idOf(await spans.only(`process ${name}`))]);
  });

  it("without a correlation ID of the caller has that of its trace", async () => {
    const queue = wrap({ concurrency: 1 });
    const id = await queue.add(() => currentCorrelationId());
    expect(id).toBe(traceOf(await spans.only(`send ${name}`)));
  });

  it("links each process to its own send, whatever the order", async () => {
    const queue = wrap({ concurrency: 1, autoStart: false });
    for (const priority of [0, 5, 1, 5]) void queue.add(() => {}, { priority });
    queue.start();
    await queue.onIdle();
    expect(read.links()).toEqual([1, 3, 2, 0]);
  });
});

describe("a wrapped p-queue behaves as before", () => {
  it("is the same object, of the same type", () => {
    const bare = new PQueue({ concurrency: 1 });
    const queue = instrument(bare, { name });
    expect(queue).toBe(bare);
    expectTypeOf(queue).toEqualTypeOf<PQueue>();
    expectTypeOf(queue.add(() => 7)).resolves.toEqualTypeOf<number>();
    expect([queue.add.name, queue.add.length]).toEqual([
      PQueue.prototype.add.name,
      PQueue.prototype.add.length,
    ]);
    expect(Object.keys(queue)).toEqual(Object.keys(new PQueue({ concurrency: 1 })));
  });

  it("returns what the task returns, or rejects with what it throws, be it what it may", async () => {
    const queue = one();
    const result = {};
    expect(await queue.add(() => result)).toBe(result);
    expect(await queue.add(async () => result)).toBe(result);
    for (const error of [new Error("e"), "text", 0, null, undefined, { code: 1 }]) {
      const thrown = queue.add(() => {
        throw error;
      });
      await expect(thrown.catch((caught) => [caught])).resolves.toEqual([error]);
      await expect(queue.add(() => Promise.reject(error)).catch((caught) => [caught])).resolves.toEqual([
        error,
      ]);
    }
    expect(await outcomes()).toEqual({ success: 2, failure: 12 });
  });

  it("calls the task once, with the options that p-queue gives it", async () => {
    const queue = one();
    const controller = new AbortController();
    const job = vi.fn((..._: unknown[]) => {});
    await queue.add(job, { signal: controller.signal });
    expect(job.mock.calls).toEqual([[{ signal: controller.signal }]]);
  });

  it("awaits a thenable once", async () => {
    const queue = one();
    let calls = 0;
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: a lazy thenable, as query builders have them
      then(fulfilled: (value: string) => void) {
        calls++;
        fulfilled("rows");
      },
    };
    expect(await queue.add(() => lazy as PromiseLike<string>)).toBe("rows");
    expect(calls).toBe(1);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("calls `then` of a promise of the user's class once, and not at once", async () => {
    class Own extends Promise<string> {
      static calls = 0;
      // biome-ignore lint/suspicious/noThenProperty: how often it is called is what we want to see
      override then<A = string, B = never>(
        fulfilled?: ((value: string) => A | PromiseLike<A>) | null,
        rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
      ): Promise<A | B> {
        Own.calls++;
        return super.then(fulfilled, rejected);
      }
    }
    const added = one().add(() => new Own((resolve) => resolve("own")));
    expect(Own.calls).toBe(0);
    expect(await added).toBe("own");
    expect(Own.calls).toBe(1);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("leaves an unhandled rejection unhandled, and makes none", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
    const queue = one();
    void queue.add(() => Promise.reject("nobody looks"));
    queue.add(() => Promise.reject("somebody looks")).catch(() => {});
    await queue.onIdle();
    await turn();
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
    expect(unhandled).toEqual(["nobody looks"]);
  });

  it("says when it is empty, idle, or smaller than a limit", async () => {
    const queue = wrap({ concurrency: 1 });
    const running = endless();
    const told: string[] = [];
    void queue.add(running.job);
    void queue.add(() => {});
    const all = [
      queue.onSizeLessThan(1).then(() => told.push("small")),
      queue.onIdle().then(() => told.push("idle")),
      queue.onEmpty().then(() => told.push("empty")),
    ];
    await turn();
    expect(told).toEqual([]);
    running.end();
    await Promise.all(all);
    expect([...told].sort()).toEqual(["empty", "idle", "small"]);
    expect(told.at(-1)).toBe("idle");
  });

  it.each([8, 100])(
    "leaves no listener on a signal that %d tasks share, and warns of none",
    async (tasks) => {
      const warnings: unknown[] = [];
      const note = (warning: { target?: unknown } & Error) => warnings.push(warning.target);
      process.on("warning", note);
      const run = async (queue: PQueue) => {
        const { signal: shared } = new AbortController();
        const adds = Array.from({ length: tasks }, (_, i) =>
          queue.add(() => (i % 3 === 0 ? Promise.reject(new Error("third")) : turn()), { signal: shared }),
        );
        for (const add of adds) add.catch(() => {});
        await adds[1];
        queue.clear();
        await queue.onIdle();
        await turn();
        expect(getEventListeners(shared, "abort")).toEqual([]);
        return warnings.includes(shared);
      };
      const options = { concurrency: 2, timeout: 60_000 };
      // p-queue 9 has a listener for each task itself.
      const bare = await run(new PQueue(options));
      expect(await run(wrap(options))).toBe(bare);
      process.off("warning", note);
    },
  );
});

describe("instrumenting a p-queue", () => {
  it("that has tasks inside: they are there, age from then on, and are no lost context", async () => {
    withTimers();
    const queue = new PQueue({ concurrency: 1, autoStart: false });
    const ran = vi.fn();
    void queue.add(ran);
    void queue.add(ran, { priority: 3 });
    vi.advanceTimersByTime(5_000);
    instrument(queue, { name });
    vi.advanceTimersByTime(1_000);
    void queue.add(ran, { priority: 3 });
    expect(await read.byTier("queue.depth")).toEqual({ default: 2, "3": 1 });
    expect(await read.number("queue.oldest.age.seconds", { "queue.tier": "default" })).toBe(1);
    expect(read.sends()).toHaveLength(1);
    queue.start();
    await queue.onIdle();
    expect(ran).toHaveBeenCalledTimes(3);
    expect(await read.byTier("queue.depth")).toEqual({ default: 0, "3": 0 });
    expect(await read.number("queue.context.lost")).toBe(0);
    expect(read.links()).toEqual([0]);
  });

  it("that has tasks running: they are in flight, and their ends are not counted", async () => {
    const queue = new PQueue({ concurrency: 1 });
    const running = endless();
    void queue.add(running.job);
    instrument(queue, { name });
    const next = queue.add(() => "next");
    expect(await read.number("queue.inflight")).toBe(1);
    expect(await read.number("queue.depth")).toBe(1);
    running.end();
    expect(await next).toBe("next");
    await queue.onIdle();
    expect(await read.number("queue.inflight")).toBe(0);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
  });

  it("is undone by a task that starts while another one is added: no listener is left", async () => {
    const queue = one();
    const { signal: shared } = new AbortController();
    const addAnother = () => void queue.add(() => {}, { signal: shared });
    if ("once" in queue) queue.once("add", addAnother);
    else (queue as EventTarget).addEventListener("add", addAnother, { once: true });
    void queue.add(() => void uninstrument(queue));
    await queue.onIdle();
    expect(getEventListeners(shared, "abort")).toEqual([]);
  });

  it("is undone in the middle: all is restored, work goes on, spans of what runs are ended", async () => {
    const queue = new PQueue({ concurrency: 1, timeout: 60_000 });
    const before = Object.getOwnPropertyDescriptors(queue);
    instrument(queue, { name });
    const running = endless();
    const { signal: shared } = new AbortController();
    const adds = [queue.add(running.job), queue.add(() => "next", { signal: shared })];
    expect(await read.number("queue.inflight")).toBe(1);
    expect(uninstrument(queue)).toBe(queue);
    const after = Object.getOwnPropertyDescriptors(queue);
    expect(Reflect.ownKeys(after)).toEqual(Reflect.ownKeys(before));
    for (const method of ["add", "clear", "setPriority"] as const) {
      expect(queue[method]).toBe(PQueue.prototype[method]);
    }
    const third = queue.add(() => "third");
    running.end();
    expect(await Promise.all(adds)).toEqual(["done", "next"]);
    expect(await third).toBe("third");
    await queue.onIdle();
    expect(read.processes()).toHaveLength(1);
    expect(await read.number("queue.enqueued")).toBe(2);
    expect(await read.number("queue.depth")).toBe(0);
    expect(await read.number("queue.inflight")).toBe(0);
    expect(getEventListeners(shared, "abort")).toEqual([]);
  });

  it("counts nothing of a task that waited when it was undone, not even its abort", async () => {
    const queue = wrap({ autoStart: false });
    const controller = new AbortController();
    const add = queue.add(() => {}, { signal: controller.signal });
    expect(await drops()).toEqual({ evicted: 0, shutdown: 0 });
    uninstrument(queue);
    controller.abort();
    await expect(add).rejects.toThrow();
    expect(await drops()).toEqual({ evicted: 0, shutdown: 0 });
  });

  it("that was undone before the first look has its numbers all the same", async () => {
    const queue = one();
    await queue.add(() => {});
    uninstrument(queue);
    expect(await read.number("queue.enqueued")).toBe(1);
    expect(await read.number("queue.dequeued")).toBe(1);
    expect(await outcomes()).toEqual({ success: 1, failure: 0 });
    expect(await drops()).toEqual({ evicted: 0, shutdown: 0 });
    expect((await read.histogram("queue.wait.seconds"))?.count).toBe(1);
  });

  it("can be undone and done again, under any name, without counting twice", async () => {
    const queue = wrap({ concurrency: 1, autoStart: false });
    void queue.add(() => {});
    instrument(uninstrument(queue), { name });
    void queue.add(() => {});
    expect(await read.number("queue.depth")).toBe(2);
    queue.start();
    await queue.onIdle();
    expect(await read.number("queue.enqueued")).toBe(2);
    expect(await read.number("queue.completed", { "queue.outcome": "success" })).toBe(1);
  });

  it("twice is an error that names the first, and changes nothing", async () => {
    const queue = one();
    const { add } = queue;
    expect(() => instrument(queue, { name: "second" })).toThrow(AlreadyInstrumentedError);
    expect(() => instrument(queue, { name: "second" })).toThrow(`it is instrumented as "${name}"`);
    expect(queue.add).toBe(add);
    await queue.add(() => {});
    expect(await read.number("queue.enqueued")).toBe(1);
  });

  it.each([
    ["frozen", Object.freeze],
    ["sealed", Object.seal],
    ["not extensible", Object.preventExtensions],
  ])("is a clear error where it is %s, and changes nothing", async (_, spoil) => {
    const queue = new PQueue();
    const before = Reflect.ownKeys(queue);
    spoil(queue);
    expect(() => instrument(queue, { name })).toThrow(NotInstrumentableError);
    expect(() => instrument(queue, { name })).toThrow(/"add" can't be replaced: it is frozen or sealed/);
    expect(Reflect.ownKeys(queue)).toEqual(before);
    expect(await read.metricNames()).toEqual([]);
    expect(await queue.add(() => "works")).toBe("works");
  });

  it.each<[string, Partial<InstrumentOptions>, unknown, string]>([
    [
      "tiers",
      { tiers: [] as never },
      InvalidOptionTypeError,
      "tiers must be an object of names and priorities",
    ],
    ["tiers.a", { tiers: { a: "1" as never } }, InvalidOptionTypeError, "tiers.a must be a finite number"],
    ["tiers.a", { tiers: { a: Number.NaN } }, InvalidOptionRangeError, "tiers.a must be a finite number"],
    ["tiers", { tiers: { default: 5 } }, InvalidOptionRangeError, "names that aren't those of other tiers"],
    ["tiers", { tiers: { "10": 5 } }, InvalidOptionRangeError, "names that aren't those of other tiers"],
    ["tiers", { tiers: { other: 1 } }, InvalidOptionRangeError, "names that aren't those of other tiers"],
    ["tiers.b", { tiers: { a: 1, b: 1 } }, InvalidOptionRangeError, 'another priority than that of "a"'],
    [
      "sla",
      { sla: { vip: { targetMs: 1 } } },
      InvalidOptionRangeError,
      'keyed by a tier of the queue: "default"',
    ],
    [
      "sla",
      { tiers: { urgent: 1 }, sla: { vip: { targetMs: 1 } } },
      InvalidOptionRangeError,
      'keyed by a tier of the queue: "urgent", "default"',
    ],
  ])("refuses a bad option: %s in %o", (option, options, kind, message) => {
    const queue = new PQueue();
    const refused = () => instrument(queue, { name, ...options });
    expect(refused).toThrow(kind as never);
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ option }));
    expect(Object.hasOwn(queue, "add")).toBe(false);
  });

  it.each<Partial<InstrumentOptions>>([
    { tiers: { default: 0, "10": 10 } },
    { sla: { other: { targetMs: 1 } } },
  ])("takes %o", (options) => {
    expect(() => instrument(new PQueue(), { name, ...options })).not.toThrow();
  });

  it("holds no queue that nothing else holds, and no task that is over", async () => {
    const make = async () => {
      const queue = wrap({ concurrency: 2, timeout: 60_000 });
      const jobs = Array.from({ length: 20 }, () => () => {});
      await queue.addAll(jobs, { signal: new AbortController().signal });
      queue.pause();
      const waiting = () => {};
      void queue.add(waiting);
      return [queue, waiting, ...jobs].map((each) => new WeakRef(each));
    };
    const refs = await make();
    await turn();
    collectGarbage();
    await turn();
    collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
    expect(await read.number("queue.depth")).toBe(0);
  });
});

describe("what p-queue is given besides options", () => {
  const throwing = (error: Error) => ({
    get priority(): never {
      throw error;
    },
  });
  const odd: readonly (readonly [string, () => unknown])[] = [
    ["a number, as from map", () => 3],
    ["a text", () => "urgent"],
    ["a boolean", () => true],
    ["a symbol", () => Symbol("s")],
    ["a bigint", () => 5n],
    ["a function", () => () => {}],
    ["an array", () => [1]],
    ["null", () => null],
    ["a getter that throws", () => throwing(new Error("no priority"))],
    ["a signal without listeners", () => ({ signal: { aborted: false } })],
    ["a signal that is a number", () => ({ signal: 5 })],
    ["a signal that is null", () => ({ signal: null })],
    ["an ID that is no text", () => ({ id: Symbol("id") })],
    [
      "a signal that can't be looked at",
      () => ({
        signal: {
          get aborted(): never {
            throw new Error("no look");
          },
        },
      }),
    ],
    ["a timeout that is inherited", () => Object.create({ timeout: -1 })],
    ["a timeout that is a text", () => ({ timeout: "5" })],
    ["a priority that is a text", () => ({ priority: "high" })],
  ];
  const told = async (queue: PQueue, options: unknown) => {
    const ran: unknown[] = [];
    let result: string;
    try {
      const promise = queue.add((...args) => void ran.push(args.length), options as never);
      result = await Promise.race([promise.then(() => "fulfilled"), turn().then(() => "waits")]);
    } catch (error) {
      result = `rejected: ${error}`;
    }
    return [result, ran.length, queue.size, queue.pending];
  };

  it.each(odd)(
    "%s: it takes or refuses that as it does bare, and nothing stays booked",
    async (_, options) => {
      const queue = wrap();
      expect(await told(queue, options())).toEqual(await told(new PQueue(), options()));
      await turn();
      expect(await read.number("queue.depth")).toBe(0);
      expect(await read.number("queue.oldest.age.seconds")).toBe(0);
      expect(await read.number("queue.inflight")).toBe(0);
      // p-queue keeps what it can't listen for, and fails unheard when it is that one's turn.
      queue.clear();
      expect(await told(queue, {})).toEqual(["fulfilled", 1, 0, 0]);
      expect(await read.number("queue.depth")).toBe(0);
    },
  );

  it("each option is read as often as one who spreads them reads it, and no more often", async () => {
    const reads = async (queue: PQueue) => {
      const seen: unknown[] = [];
      const options = new Proxy(
        { priority: 1, timeout: 1_000, id: "a" },
        {
          get(all, key) {
            seen.push(key);
            return Reflect.get(all, key);
          },
        },
      );
      await queue.add(() => {}, options);
      return seen.sort();
    };
    expect(await reads(wrap())).toEqual(await reads(new PQueue()));
  });

  it("tasks are added by map", async () => {
    const queue = one();
    expect(await Promise.all([() => 1, () => 2].map(queue.add as never, queue))).toEqual([1, 2]);
    expect(await outcomes()).toEqual({ success: 2, failure: 0 });
  });

  it("an add of a subclass that throws at once leaves nothing in the books", async () => {
    class Bounded extends PQueue {
      override add(): never {
        throw new Error("full");
      }
    }
    const queue = instrument(new Bounded(), { name });
    expect(() => queue.add()).toThrow("full");
    expect(() => (queue as PQueue).add(() => {})).toThrow("full");
    expect(await read.number("queue.depth")).toBe(0);
    expect(await read.number("queue.inflight")).toBe(0);
  });
});

it("a signal has as many listeners at every moment as it has bare", async () => {
  const moments = async (queue: PQueue) => {
    const controllers = [new AbortController(), new AbortController()];
    const counts: number[] = [];
    const look = () => {
      for (const { signal: each } of controllers) counts.push(getEventListeners(each, "abort").length);
    };
    const [first, second] = controllers as [AbortController, AbortController];
    const running = endless();
    const hear = (add: Promise<unknown>) => add.catch(() => {});
    const lookAndRun = () => {
      look();
      return running.job();
    };
    hear(queue.add(lookAndRun, { signal: first.signal }));
    look();
    hear(queue.add(() => {}, { signal: first.signal }));
    hear(queue.add(() => {}, { signal: second.signal }));
    look();
    queue.clear();
    look();
    hear(queue.add(look, { signal: second.signal }));
    look();
    running.end();
    look();
    await turn();
    look();
    queue.pause();
    hear(queue.add(look, { signal: first.signal }));
    hear(queue.add(look, { signal: first.signal }));
    look();
    first.abort();
    look();
    await turn();
    look();
    return counts;
  };
  const queue = one();
  expect(await moments(queue)).toEqual(await moments(new PQueue({ concurrency: 1 })));
  expect(await read.number("queue.depth")).toBe(0);
  expect(await drops()).toEqual({ evicted: 2, shutdown: 2 });
});
