import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument, uninstrument } from "../../src/adapters/instrument.js";
import { AlreadyInstrumentedError } from "../../src/base/errors.js";
import type { BrokerFacts } from "../../src/contracts/index.js";
import { currentCorrelationId, withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { usePropagators } from "../support/propagators.js";
import { MetricCapture, SpanCapture } from "../support/telemetry-capture.js";
import { MemoryBroker, type Message, memoryAdapter } from "./support/memory-broker.js";

let spans: SpanCapture;
let metrics: MetricCapture;
let broker: MemoryBroker;
let queue: string;
let count = 0;

beforeEach(() => {
  usePropagators();
  spans = new SpanCapture();
  metrics = new MetricCapture("producer");
  broker = new MemoryBroker();
  queue = `orders ${++count}`;
});

afterEach(async () => {
  await spans.stop();
  await metrics.stop();
});

/** A producer and a consumer, each by a client of its own, as in two processes. */
function pair(options: Partial<Parameters<typeof instrument>[1]> = {}) {
  const sides = [broker.connect(), broker.connect()] as const;
  for (const each of sides) {
    instrument(each, { adapter: memoryAdapter(), queues: { [queue]: {} }, ...options } as never);
  }
  return { producer: sides[0], consumer: sides[1] };
}

async function read(name: string, attributes: Record<string, string> = {}): Promise<number | undefined> {
  return (await metrics.collect()).number(name, { "queue.name": queue, ...attributes });
}

function linksOf(span: ReadableSpan): string[] {
  return span.links.map((link) => link.context.spanId);
}

describe("a message that is sent", () => {
  it("takes trace, baggage and correlation ID to its consumer, whose span is linked", async () => {
    const { producer, consumer } = pair();
    const seen: unknown[] = [];
    consumer.consume(queue, (message) => {
      const baggage = propagation.getBaggage(context.active());
      seen.push(currentCorrelationId(), baggage?.getEntry("tenant")?.value, baggage?.getAllEntries().length);
      consumer.ack(message);
    });
    const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
    context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
      withCorrelationId("request 7", () => producer.publish(queue, "a")),
    );
    expect(seen).toEqual(["request 7", "acme", 1]);
    const send = await spans.only(`send ${queue}`);
    const process = await spans.only(`process ${queue}`);
    expect(linksOf(process)).toEqual([send.spanContext().spanId]);
    expect(process.attributes).toMatchObject({
      "messaging.system.name": "memory",
      "messaging.message.conversation_id": "request 7",
      "queue.attempt": 1,
    });
    expect(process.attributes["queue.wait_ms"]).toBeGreaterThanOrEqual(0);
  });

  it("carries no correlation ID of its own where that is the trace's", () => {
    const { producer, consumer } = pair();
    let headers: Record<string, unknown> = {};
    let id: string | undefined;
    consumer.consume(queue, (message) => {
      headers = message.headers;
      id = currentCorrelationId();
    });
    producer.publish(queue, "a");
    expect(Object.keys(headers).sort()).toEqual(["queuescope-sent-at", "traceparent"]);
    expect(headers.traceparent).toContain(id);
  });

  it("leaves the user's headers as they are, frozen ones too", () => {
    const { producer, consumer } = pair();
    const headers = Object.freeze({ tenant: "acme", correlationId: "mine" });
    let got: Record<string, unknown> = {};
    consumer.consume(queue, (message) => {
      got = message.headers;
    });
    producer.publish(queue, "a", headers);
    expect(headers).toEqual({ tenant: "acme", correlationId: "mine" });
    expect(got).toMatchObject(headers);
  });

  it("goes out without its carrier where both together are too large, which is counted", async () => {
    const { producer, consumer } = pair();
    let got: Record<string, unknown> = {};
    consumer.consume(queue, (message) => {
      got = message.headers;
    });
    const headers = { text: "x".repeat(19_950) };
    producer.publish(queue, "a", headers);
    expect(got).toEqual(headers);
    expect(await read("queue.context.lost", { "queue.where": "too_large" })).toBe(1);
    expect(await read("queue.enqueued")).toBe(1);
  });

  it("goes out without baggage that is too large for any header, and with its trace", async () => {
    const { producer, consumer } = pair();
    let got: Record<string, unknown> = {};
    consumer.consume(queue, (message) => {
      got = message.headers;
    });
    const entries = Array.from({ length: 60 }, (_, i) => [`key${i}`, { value: "v".repeat(150) }]);
    const baggage = propagation.createBaggage(Object.fromEntries(entries));
    context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => producer.publish(queue, "a"));
    expect(String(got.baggage ?? "").length).toBeLessThanOrEqual(8_192);
    expect(got.traceparent).toBeDefined();
  });

  it("that is refused is an error of its span, and not counted as enqueued", async () => {
    const { producer } = pair();
    expect(() => producer.publish(queue, "a", { text: "x".repeat(30_000) })).toThrow(RangeError);
    expect((await spans.only(`send ${queue}`)).status.code).toBe(SpanStatusCode.ERROR);
    expect(await read("queue.enqueued")).toBe(0);
  });
});

describe("a delivery", () => {
  it("in flight is a local figure until it is settled", async () => {
    const { producer, consumer } = pair();
    const messages: Message[] = [];
    consumer.consume(queue, (message) => messages.push(message));
    producer.publish(queue, "a");
    expect(await read("queue.inflight")).toBe(1);
    consumer.ack(messages[0]!);
    expect(await read("queue.inflight")).toBe(0);
    expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(1);
  });

  it("that is given back is a retry; the next one is its second attempt, redelivered, without a wait", async () => {
    const { producer, consumer } = pair();
    let isFirst = true;
    consumer.consume(queue, (message) => {
      if (isFirst) {
        isFirst = false;
        consumer.nack(message, true);
      } else consumer.ack(message);
    });
    producer.publish(queue, "a");
    const [again, first] = await spans.named(`process ${queue}`);
    expect(first!.attributes).toMatchObject({ "queue.attempt": 1, "error.type": "retry" });
    expect(first!.status.code).toBe(SpanStatusCode.ERROR);
    expect(again!.attributes).toMatchObject({ "queue.attempt": 2 });
    expect(again!.attributes).not.toHaveProperty("queue.wait_ms");
    expect(linksOf(again!)).toEqual(linksOf(first!));
    expect(await read("queue.retried")).toBe(1);
    expect(await read("queue.redelivered")).toBe(1);
    const { "queue.wait.seconds": wait } = Object.fromEntries((await metrics.collect()).byName);
    const mine = wait!.points.filter(({ attributes }) => attributes["queue.name"] === queue);
    expect(mine).toMatchObject([{ value: { count: 1 } }]);
  });

  it("whose handler goes on after it was acknowledged has a span until that is over", async () => {
    const { producer, consumer } = pair();
    let finish!: () => void;
    const work = new Promise<void>((resolve) => {
      finish = resolve;
    });
    consumer.consume(queue, async (message) => {
      consumer.ack(message);
      await work;
    });
    producer.publish(queue, "a");
    expect(await spans.named(`process ${queue}`)).toEqual([]);
    finish();
    await new Promise(setImmediate);
    expect(await spans.named(`process ${queue}`)).toHaveLength(1);
  });

  it("that is lost with its connection is abandoned: neither success nor failure", async () => {
    const { producer, consumer } = pair();
    consumer.consume(queue, () => {});
    producer.publish(queue, "a");
    consumer.close();
    expect((await spans.only(`process ${queue}`)).attributes["error.type"]).toBe("abandoned");
    expect(await read("queue.inflight")).toBe(0);
    expect(await read("queue.completed", { "queue.outcome": "failure" })).toBe(0);
  });

  it("of a producer without telemetry has an ID of its own, runs in no trace, and counts as one without context", async () => {
    const { consumer } = pair();
    let id: string | undefined;
    consumer.consume(queue, (message) => {
      id = currentCorrelationId();
      consumer.ack(message);
    });
    await trace.getTracer("test").startActiveSpan("some request", async (span) => {
      broker.connect().publish(queue, "a");
      span.end();
    });
    expect(id).toEqual(expect.any(String));
    const process = await spans.only(`process ${queue}`);
    expect(process.parentSpanContext).toBeUndefined();
    expect(process.links).toEqual([]);
    expect(await read("queue.context.lost", { "queue.where": "get" })).toBe(1);
  });

  it("of a producer that had no context itself has lost none", async () => {
    const { producer, consumer } = pair({ traces: "with-parent" });
    let id: string | undefined;
    consumer.consume(queue, (message) => {
      id = currentCorrelationId();
      consumer.ack(message);
    });
    producer.publish(queue, "a");
    expect(id).toEqual(expect.any(String));
    expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(await read("queue.context.lost", { "queue.where": "get" })).toBe(0);
  });

  it("of a producer whose clock is ahead has waited 0, which is counted", async () => {
    const { producer, consumer } = pair();
    const messages: Message[] = [];
    consumer.consume(queue, (message) => messages.push(message));
    producer.publish(queue, "a", { "queuescope-sent-at": String(Date.now() + 5_000) });
    const bare = broker.connect();
    bare.publish(queue, "b", { "queuescope-sent-at": String(Date.now() + 5_000) });
    expect(await read("queue.negative.waits")).toBe(1);
    for (const each of messages) consumer.ack(each);
    const [, second] = await spans.named(`process ${queue}`);
    expect(second!.attributes["queue.wait_ms"]).toBe(0);
  });

  it.each([
    ["a number", 7],
    ["an object", {}],
    ["an array", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]],
    ["10 MB", "x".repeat(10_000_000)],
    ["a line feed", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"],
    ["half of a surrogate pair", "\ud800"],
    ["bytes without end", new Uint8Array(1_000_000)],
  ])(
    "whose traceparent is %s is handled all the same; the carrier counts as rejected",
    async (_, traceparent) => {
      const { consumer } = pair();
      let calls = 0;
      consumer.consume(queue, (message) => {
        calls++;
        consumer.ack(message);
      });
      broker.add({ queue, body: "a", headers: { traceparent }, deliveries: 0 });
      expect(calls).toBe(1);
      expect((await spans.only(`process ${queue}`)).links).toEqual([]);
      expect(await read("queue.context.lost", { "queue.where": "carrier" })).toBe(1);
    },
  );

  it("whose headers throw when they are read is handled all the same", async () => {
    const { consumer } = pair();
    let calls = 0;
    consumer.consume(queue, () => calls++);
    const headers = Object.defineProperty({}, "traceparent", {
      get() {
        throw new Error("no");
      },
    });
    broker.add({ queue, body: "a", headers, deliveries: 0 });
    expect(calls).toBe(1);
  });

  it("leaves a rejection that nothing handles unhandled", async () => {
    const { producer, consumer } = pair();
    const unhandled = new Promise((resolve) => {
      const listeners = process.rawListeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.once("unhandledRejection", (reason) => {
        for (const each of listeners) process.on("unhandledRejection", each as never);
        resolve(reason);
      });
    });
    const error = new Error("of the handler");
    consumer.consume(queue, async () => {
      throw error;
    });
    producer.publish(queue, "a");
    expect(await unhandled).toBe(error);
  });
});

describe("with priorities", () => {
  it("each is a tier, named or by its number", async () => {
    const options = { adapter: memoryAdapter(undefined, { priorities: true }) };
    const client = broker.connect();
    instrument(client, { ...options, queues: { [queue]: { tiers: { urgent: 9 } } } });
    for (const priority of [9, 5, undefined]) client.publish(queue, "a", { priority });
    for (const tier of ["urgent", "5", "default"]) {
      expect(await read("queue.enqueued", { "queue.tier": tier })).toBe(1);
    }
  });
});

describe("queues that aren't declared", () => {
  it("count as the queue `other`", async () => {
    const { producer } = pair();
    producer.publish("never heard of", "a");
    expect(await read("queue.enqueued", { "queue.name": "other" })).toBeGreaterThan(0);
    expect(await spans.named("send never heard of")).toHaveLength(1);
  });
});

describe("figures of the broker", () => {
  it("are shared: of two that ask, the higher counts, and nothing doubles", async () => {
    const adapters = [memoryAdapter({ depth: 7, consumers: 2 }), memoryAdapter({ depth: 5, consumers: 1 })];
    for (const adapter of adapters) instrument(broker.connect(), { adapter, queues: { [queue]: {} } });
    await Promise.all(adapters.map(({ answered }) => answered));
    const collected = await metrics.collect();
    const points = collected.points("queue.depth", { "queue.name": queue });
    expect(points).toEqual([
      { attributes: { "queue.name": queue, "queue.tier": "default", "queue.scope": "shared" }, value: 7 },
    ]);
    expect(await read("queue.consumers")).toBe(2);
  });

  it("are asked for once by all clients of one adapter", async () => {
    const adapter = memoryAdapter({ depth: 7 });
    for (let i = 0; i < 3; i++) instrument(broker.connect(), { adapter, queues: { [queue]: {} } });
    await adapter.answered;
    expect(adapter.asked).toBe(1);
  });

  it("that are unknown are absent", async () => {
    const adapter = memoryAdapter({ depth: undefined, oldestAt: undefined });
    instrument(broker.connect(), { adapter, queues: { [queue]: {} } });
    await adapter.answered;
    for (const name of ["queue.depth", "queue.oldest.age.seconds", "queue.consumers", "queue.delayed"]) {
      expect([name, (await metrics.collect()).points(name, { "queue.name": queue })]).toEqual([name, []]);
    }
  });

  it("are not asked for with poll: false", async () => {
    const adapter = memoryAdapter({ depth: 7 });
    instrument(broker.connect(), { adapter, queues: { [queue]: {} }, poll: false });
    await new Promise(setImmediate);
    expect(adapter.asked).toBe(0);
  });

  it("are asked for outside of any trace and any task", async () => {
    let seen: unknown = "nothing";
    const adapter = memoryAdapter(async () => {
      seen = [currentCorrelationId(), trace.getTracer("test").startSpan("of the poller").isRecording()];
      return {};
    });
    trace.getTracer("test").startActiveSpan("some request", (span) => {
      withCorrelationId("request 7", () =>
        instrument(broker.connect(), { adapter, queues: { [queue]: {} } }),
      );
      span.end();
    });
    await adapter.answered;
    expect(seen).toEqual([undefined, false]);
  });

  it("can't be had while the broker is away: the error is contained and counted", async () => {
    const adapter = memoryAdapter(async () => {
      throw new Error("connection refused");
    });
    instrument(broker.connect(), { adapter, queues: { [queue]: {} } });
    await adapter.answered;
    expect(await read("queue.telemetry.errors")).toBe(1);
  });
});

describe("instrument", () => {
  it("says by which names a client is instrumented already", () => {
    const client = broker.connect();
    const options = { adapter: memoryAdapter(), queues: { [queue]: {}, mails: {} } };
    instrument(client, options);
    expect(() => instrument(client, options)).toThrow(AlreadyInstrumentedError);
    expect(() => instrument(client, options)).toThrow(`"${queue}, mails"`);
    uninstrument(client);
    expect(Object.hasOwn(client, "publish")).toBe(false);
    instrument(client, options);
  });

  it.each([
    [{ name: "orders" }, /name.*left out.*queues/],
    [{ queues: [] }, /queues.*an object/],
    [{ queues: { orders: 7 } }, /queues\.orders/],
    [{ queues: { orders: { slo: {} } } }, /did you mean queues\.orders\.sla/],
    [{ queues: { orders: { tiers: { vip: 1 } } } }, /tiers.*left out/],
    [{ poll: true }, /poll.*false or/],
    [{ poll: { everyMs: 5 } }, /poll\.everyMs.*100/],
    [
      { queues: { mails: { sla: { default: { targetMs: 5, completeMs: 9 } } } } },
      /queues\.mails\.sla\.default\.completeMs.*left out: a broker doesn't tell when/,
    ],
    [{ asyncContext: "producer" }, /asyncContext/],
  ])("refuses %j at once", (options, message) => {
    const act = () => instrument(broker.connect(), { adapter: memoryAdapter(), ...options } as never);
    expect(act).toThrow(message);
  });

  it("restores nothing half: an adapter that throws leaves no poller behind", async () => {
    const adapter = memoryAdapter({ depth: 1 });
    const broken = {
      ...adapter,
      attach() {
        throw new Error("can't be patched");
      },
    };
    expect(() => instrument(broker.connect(), { adapter: broken, queues: { [queue]: {} } })).toThrow(
      "patched",
    );
  });
});

describe("a watchdog", () => {
  it("says of a message that was late when it was taken that it was, though the broker tells no age", async () => {
    const clock = new FakeClock();
    const client = broker.connect();
    const sla = { default: { targetMs: 1_000 } };
    instrument(client, { adapter: memoryAdapter(), queues: { [queue]: { sla } } });
    const watchdog = new Watchdog({ clock, stallThresholdMs: Number.POSITIVE_INFINITY })
      .watch(client)
      .start();
    const waits: number[] = [];
    const cleared: unknown[] = [];
    watchdog.on("breach", ({ waitMs }) => waits.push(waitMs)).on("cleared", (each) => cleared.push(each));
    client.consume(queue, (message) => client.ack(message));
    const sentAt = (msAgo: number) => ({ "queuescope-sent-at": String(Date.now() - msAgo) });
    broker.add({ queue, body: "in time", headers: sentAt(500), deliveries: 0 });
    clock.advance(1_000);
    expect(waits).toEqual([]);
    broker.add({ queue, body: "late", headers: sentAt(5_000), deliveries: 0 });
    clock.advance(1_000);
    expect(waits).toEqual([expect.any(Number)]);
    expect(waits[0]).toBeGreaterThanOrEqual(5_000);
    clock.advance(1_000);
    expect(cleared).toHaveLength(1);
    await watchdog.stop();
  });

  it("watches all declared queues of a client, by what the broker tells", async () => {
    const clock = new FakeClock();
    const facts: BrokerFacts = {
      depth: 3,
      oldestAt: Date.now() - 60_000,
      brokerNow: Date.now(),
      consumers: 0,
    };
    const adapter = memoryAdapter(facts);
    const client = broker.connect();
    const sla = { default: { targetMs: 1_000 } };
    instrument(client, { adapter, queues: { [queue]: { sla }, [`mails ${count}`]: { sla } } });
    await adapter.answered;
    const watchdog = new Watchdog({ clock, stallThresholdMs: Number.POSITIVE_INFINITY })
      .watch(client)
      .start();
    const breaches: string[] = [];
    watchdog.on("breach", (report) => breaches.push(report.queue));
    clock.advance(1_000);
    await watchdog.stop();
    expect(breaches.sort()).toEqual([`mails ${count}`, queue].sort());
  });
});
