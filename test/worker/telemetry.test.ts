import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { context, createContextKey, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { currentCorrelationId, withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Gate } from "../../src/worker/gate.js";
import type { Policy } from "../../src/worker/policy.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { MetricCapture, SpanCapture } from "../support/telemetry-capture.js";
import { ByHand, settled } from "./by-hand.js";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

let spans: SpanCapture;
let metrics: MetricCapture;
let name: string;
let clock: FakeClock;
let queue: FifoQueue<number>;
let hand: ByHand<number>;
let count = 0;

beforeAll(() => {
  spans = new SpanCapture();
  metrics = new MetricCapture("producer");
});

afterAll(async () => {
  await spans.stop();
  await metrics.stop();
});

beforeEach(() => {
  spans.exporter.reset();
  name = `pools-${count++}`;
  clock = new FakeClock();
  queue = named(new FifoQueue<number>({ clock }));
  hand = new ByHand<number>();
});

function named<Q extends object>(each: Q, options: Partial<InstrumentOptions> = {}): Q {
  return instrument(each, { name, ...options });
}

async function read(metric: string, attributes: Record<string, string> = {}): Promise<number | undefined> {
  return (await metrics.collect()).number(metric, { "queue.name": name, ...attributes });
}

async function histogram(metric: string, attributes: Record<string, string> = {}) {
  return (await metrics.collect()).histogram(metric, { "queue.name": name, ...attributes });
}

async function workers(): Promise<Record<string, number>> {
  const points = (await metrics.collect()).points("queue.workers", { "queue.name": name });
  return Object.fromEntries(points.map(({ attributes, value }) => [attributes["queue.state"], value]));
}

const NONE = { idle: 0, processing: 0, backoff: 0, stalled: 0, stopped: 0 };
const fail = () => {
  throw new Error("no luck");
};

describe("the gauge of workers", () => {
  it("is absent where there never was a pool", async () => {
    expect(await workers()).toEqual({});
  });

  it("counts them by what they do, from the first to the last", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 3, timeoutMs: 100, stalledAfterMs: 10 });
    expect(await workers()).toEqual({ ...NONE, idle: 3 });
    await queue.putMany([1, 2]);
    await settled();
    expect(await workers()).toEqual({ ...NONE, idle: 1, processing: 2 });
    clock.advance(110);
    expect(await workers()).toEqual({ ...NONE, idle: 1, stalled: 2 });
    hand.of(1).done();
    await settled();
    expect(await workers()).toEqual({ ...NONE, idle: 2, stalled: 1 });
    const drained = pool.drain();
    hand.of(2).done();
    await drained;
    expect(await workers()).toEqual({ ...NONE, stopped: 3 });
  });

  it("follows a resize", async () => {
    const pool = new WorkerPool(queue, hand.handler, { concurrency: 2 });
    pool.resize(5);
    expect(await workers()).toMatchObject({ idle: 5 });
    pool.resize(1);
    expect(await workers()).toMatchObject({ idle: 1 });
    pool.resize(3);
    expect(await workers()).toMatchObject({ idle: 3 });
  });

  it("adds up all pools on the queue", async () => {
    new WorkerPool(queue, hand.handler, { concurrency: 2 });
    const other = new WorkerPool(queue, hand.handler);
    await queue.put(1);
    await settled();
    expect(await workers()).toMatchObject({ idle: 2, processing: 1 });
    other.resize(4);
    expect(await workers()).toMatchObject({ idle: 5, processing: 1 });
  });

  it("shows a pool that was there before the queue was instrumented", async () => {
    const late = new FifoQueue<number>({ clock });
    new WorkerPool(late, hand.handler, { concurrency: 2 });
    named(late, { name: `${name}-late` });
    name = `${name}-late`;
    expect(await workers()).toEqual({ ...NONE, idle: 2 });
  });
});

describe("what becomes of tasks", () => {
  it("is counted by outcome, with retries and dead letters apart", async () => {
    const dead: number[] = [];
    const pool = new WorkerPool(queue, (item, { attempt }) => (item > attempt ? fail() : undefined), {
      retry: { attempts: 2, backoff: { initialMs: 0 } },
      deadLetter: (item) => void dead.push(item),
      onFailed: (item) => (item === 9 ? "drop" : undefined),
    });
    await queue.putMany([1, 2, 3, 9]);
    await pool.drain();
    expect(dead).toEqual([3]);
    expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(2);
    expect(await read("queue.completed", { "queue.outcome": "failure" })).toBe(1);
    expect(await read("queue.retried")).toBe(2);
    expect(await read("queue.dead.lettered")).toBe(1);
    expect(await read("queue.enqueued", { "queue.tier": "default" })).toBe(6);
    expect(await read("queue.dequeued", { "queue.tier": "default" })).toBe(6);
    expect(await read("queue.inflight")).toBe(0);
    expect((await histogram("queue.process.seconds", { "queue.outcome": "failure" }))?.count).toBe(4);
  });

  it("takes the time from get to settle, deciding on a failure included", async () => {
    const pool = new WorkerPool(queue, hand.handler, {
      onFailed: () => hand.handler(100, undefined as never) as never,
    });
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(2_000);
    hand.of(1).done();
    await settled();
    clock.advance(1_000);
    hand.of(2).fail(new Error("no"));
    await settled();
    clock.advance(500);
    hand.of(100).done("drop");
    await settled();
    expect(await histogram("queue.process.seconds", { "queue.outcome": "success" })).toMatchObject({
      sum: 2,
    });
    expect(await histogram("queue.process.seconds", { "queue.outcome": "failure" })).toMatchObject({
      sum: 1.5,
    });
    await pool.drain();
  });

  it("counts what callbacks throw as errors of telemetry's, and warns of nothing", async () => {
    const pool = new WorkerPool(queue, fail, { onFailed: fail });
    await queue.putMany([1, 2]);
    await pool.drain();
    expect(await read("queue.telemetry.errors")).toBe(2);
  });
});

describe("waiting", () => {
  it("of a worker for items is the time of a get", async () => {
    new WorkerPool(queue, hand.handler);
    await settled();
    clock.advance(3_000);
    await queue.put(1);
    await settled();
    await queue.put(2);
    clock.advance(5_000);
    hand.of(1).done();
    await settled();
    expect(hand.items).toEqual([1, 2]);
    expect(await histogram("queue.get.seconds")).toMatchObject({ count: 2, sum: 3 });
    expect(await histogram("queue.wait.seconds", { "queue.tier": "default" })).toMatchObject({ sum: 5 });
    expect(await read("queue.waiters", { "queue.side": "get" })).toBe(0);
  });

  it("for a gate is no time of processing, but a metric of its own", async () => {
    const gate = new Gate({ name: "bank", concurrency: 1, clock });
    new WorkerPool(queue, hand.handler, { concurrency: 2, gate });
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(4_000);
    hand.of(1).done();
    await settled();
    clock.advance(1_000);
    hand.of(2).done();
    await settled();
    const process = await histogram("queue.process.seconds", { "queue.outcome": "success" });
    expect(process).toMatchObject({ count: 2, sum: 5 });
    const wait = await histogram("queue.gate.wait.seconds", { "queue.gate": "bank" });
    expect(wait).toMatchObject({ count: 2, sum: 4 });
  });

  it("for a gate that a handler goes through by itself is none either", async () => {
    const gate = new Gate({ name: "post", concurrency: 1, clock });
    new WorkerPool(queue, (item, task) => gate.run(() => hand.handler(item, task), { task }), {
      concurrency: 2,
    });
    await queue.putMany([1, 2]);
    await settled();
    clock.advance(2_000);
    hand.of(1).done();
    await settled();
    clock.advance(1_000);
    hand.of(2).done();
    await settled();
    expect(await histogram("queue.process.seconds", { "queue.outcome": "success" })).toMatchObject({
      sum: 3,
    });
    expect(await histogram("queue.gate.wait.seconds", { "queue.gate": "post" })).toMatchObject({ sum: 2 });
    expect(
      await metrics.collect().then((all) => all.number("queue.gate.limit", { "queue.gate": "post" })),
    ).toBe(1);
  });
});

describe("a gate", () => {
  it("shows its limit, what is through, and whether its breaker is open", async () => {
    let isOpen = false;
    const policy: Policy = {
      execute: async (fn) => {
        if (isOpen) throw new Error("open");
        return fn({});
      },
    };
    const gate = new Gate({ name: "warehouse", concurrency: 3, policy, clock });
    const other = named(new FifoQueue<number>({ clock }), { name: `${name}-other` });
    new WorkerPool(queue, hand.handler, { concurrency: 2, gate });
    new WorkerPool(other, hand.handler, { concurrency: 2, gate });
    await queue.put(1);
    await other.put(2);
    await settled();
    const of = { "queue.gate": "warehouse" };
    let all = await metrics.collect();
    // A gate belongs to no queue: one series, however many share it.
    expect(all.number("queue.gate.limit", of)).toBe(3);
    expect(all.number("queue.gate.inflight", of)).toBe(2);
    expect(await read("queue.breaker.open", of)).toBe(0);
    isOpen = true;
    await queue.put(3);
    await settled();
    expect(await read("queue.breaker.open", of)).toBe(1);
    expect(await workers()).toMatchObject({ processing: 1, backoff: 1 });
    isOpen = false;
    clock.advance(1_000);
    await settled();
    expect(await read("queue.breaker.open", of)).toBe(0);
    expect(await workers()).toMatchObject({ processing: 2, backoff: 0 });
    for (const call of hand.open) call.done();
    await settled();
    all = await metrics.collect();
    expect(all.number("queue.gate.inflight", of)).toBe(0);
  });
});

describe("a gate within a handler", () => {
  it("shows an open breaker from the first call that waits for it, and no longer than 30 s after the last one gave up", async () => {
    const policy: Policy = { execute: () => Promise.reject(new Error("open")) };
    const gate = new Gate({ name: "carrier", policy, clock });
    const pool = new WorkerPool(queue, (_, task) => gate.run(() => {}, { task }), { timeoutMs: 5_000 });
    pool.on("failed", () => {});
    await queue.put(1);
    await settled();
    const of = { "queue.gate": "carrier" };
    expect(await read("queue.breaker.open", of)).toBe(1);
    clock.advance(5_000);
    await settled();
    expect(pool.counts.failed).toBe(1);
    expect(await read("queue.breaker.open", of)).toBe(1);
    clock.advance(30_000);
    expect(await read("queue.breaker.open", of)).toBe(0);
  });
});

describe("a handler", () => {
  it("runs in its producer's trace context and correlation ID, inside a process span, and makes no receive span", async () => {
    const seen: unknown[] = [];
    const pool = new WorkerPool(queue, async (_, task) => {
      await settled();
      seen.push(currentCorrelationId(), task.correlationId);
      seen.push(propagation.getActiveBaggage()?.getEntry("user")?.value);
      trace.getTracer("handler").startSpan("inner").end();
    });
    const baggage = propagation.createBaggage({ user: { value: "ann" } });
    await context.with(propagation.setBaggage(context.active(), baggage), () =>
      withCorrelationId("c-7", () => queue.put(1)),
    );
    await pool.drain();
    expect(seen).toEqual(["c-7", "c-7", "ann"]);
    const send = await spans.only(`send ${name}`);
    const process = await spans.only(`process ${name}`);
    const inner = await spans.only("inner");
    expect(process.parentSpanContext?.spanId).toBe(send.spanContext().spanId);
    expect(inner.parentSpanContext?.spanId).toBe(process.spanContext().spanId);
    expect(process.attributes).toMatchObject({
      "messaging.message.conversation_id": "c-7",
      "queue.attempt": 1,
    });
    expect(await spans.named(`receive ${name}`)).toEqual([]);
  });

  it("runs in its own producer's context, never in that of the last put, gated or not", async () => {
    for (const gate of [undefined, new Gate({ name: "any", concurrency: 1, clock })]) {
      const shop = new PriorityQueue<number>({ clock });
      instrument(shop, { name: `${name}-${gate === undefined ? "direct" : "gated"}` });
      const seen: [number, unknown][] = [];
      const pool = new WorkerPool(shop, (item) => void seen.push([item, currentCorrelationId()]), {
        concurrency: 2,
        gate,
      });
      await settled();
      for (const item of [1, 2, 3, 4]) void withCorrelationId(`c-${item}`, () => shop.put(item));
      await pool.drain();
      expect(seen.sort()).toEqual([1, 2, 3, 4].map((item) => [item, `c-${item}`]));
    }
  });

  it("does not run in the trace context in which its pool was made", async () => {
    const key = createContextKey("of the one who constructs");
    let seen: unknown = "not called";
    const pool = await context.with(context.active().setValue(key, "constructor"), async () => {
      return new WorkerPool(queue, () => {
        seen = context.active().getValue(key);
      });
    });
    await queue.put(1);
    await pool.drain();
    expect(seen).toBeUndefined();
  });

  it("that fails gives its span the status and the exception; each attempt has a span of its own", async () => {
    const pool = new WorkerPool(queue, (_, { attempt }) => (attempt === 1 ? fail() : undefined), {
      retry: { attempts: 2, backoff: { initialMs: 0 } },
    });
    await withCorrelationId("c-1", () => queue.put(1));
    await pool.drain();
    const [first, second] = await spans.named(`process ${name}`);
    expect(first!.status.code).toBe(SpanStatusCode.ERROR);
    expect(first!.events).toMatchObject([{ name: "exception" }]);
    expect(second!.status.code).not.toBe(SpanStatusCode.ERROR);
    expect([first, second].map((span) => span!.attributes["queue.attempt"])).toEqual([1, 2]);
    const send = await spans.only(`send ${name}`);
    const sent = send.spanContext().spanId;
    expect([first!.parentSpanContext?.spanId, second!.links[0]?.context.spanId]).toEqual([sent, sent]);
    for (const span of [first!, second!]) {
      expect(span.attributes["messaging.message.conversation_id"]).toBe("c-1");
    }
  });

  it("that waits for a gate has a span that begins when it is through", async () => {
    const gate = new Gate({ name: "slow", concurrency: 1, clock });
    new WorkerPool(queue, hand.handler, { concurrency: 2, gate });
    await queue.putMany([1, 2]);
    await settled();
    expect(await spans.named(`process ${name}`)).toHaveLength(0);
    hand.of(1).done();
    await settled();
    expect(await spans.named(`process ${name}`)).toHaveLength(1);
    hand.of(2).done();
    await settled();
    expect(await spans.named(`process ${name}`)).toHaveLength(2);
  });

  it("hands the correlation ID on to a dead-letter queue", async () => {
    const dead = new FifoQueue<number>({ clock });
    const pool = new WorkerPool(queue, fail, { deadLetter: dead });
    pool.on("failed", () => {});
    await withCorrelationId("c-1", () => queue.put(1));
    await pool.drain();
    expect((await dead.receive()).correlationId).toBe("c-1");
  });
});

describe("instrumenting while a pool works", () => {
  it("breaks nothing, whether it comes or goes", async () => {
    const plain = new FifoQueue<number>({ clock });
    const pool = new WorkerPool(plain, hand.handler);
    await plain.putMany([1, 2, 3]);
    await settled();
    name = `${name}-later`;
    named(plain);
    hand.of(1).done();
    await settled();
    uninstrument(plain);
    hand.of(2).done();
    await settled();
    hand.of(3).done();
    await pool.drain();
    expect(pool.counts.done).toBe(3);
    expect(await read("queue.telemetry.errors")).toBe(0);
    // The first was done while it was counted, the second was not.
    expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(1);
  });
});

describe("a queue and its pools without any reference", () => {
  it("are collected, although they were instrumented and are idle", async () => {
    const make = async () => {
      const gone = instrument(new FifoQueue<object>({ clock }), { name: `${name}-gone` });
      const pool = new WorkerPool(gone, () => {});
      await gone.put({});
      await settled();
      return [new WeakRef(gone), new WeakRef(pool)];
    };
    const refs = await make();
    for (let i = 0; i < 5; i++) {
      await settled();
      collect();
    }
    expect(refs.map((ref) => ref.deref() === undefined)).toEqual([true, true]);
    expect(await read("queue.workers")).toBeUndefined();
  });
});
