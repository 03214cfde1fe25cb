import { ProxyTracer, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { forgetProcessWide } from "../support/forget-process-wide.js";
import type { MetricCapture, SpanCapture } from "../support/telemetry-capture.js";

type Library = typeof import("../../src/adapters/instrument.js") &
  typeof import("../support/telemetry-capture.js");

/** A process in which the metric producer was not asked for yet. */
async function fresh(): Promise<Library> {
  forgetProcessWide();
  return {
    ...(await import("../../src/adapters/instrument.js")),
    ...(await import("../support/telemetry-capture.js")),
  };
}

const stops: (SpanCapture | MetricCapture)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const capture of stops.splice(0)) await capture.stop();
});

function stopping<C extends SpanCapture | MetricCapture>(capture: C): C {
  stops.push(capture);
  return capture;
}

async function pass(queue: FifoQueue<string>): Promise<void> {
  await queue.put("item");
  const delivery = await queue.receive();
  delivery.run(() => {});
  delivery.done();
}

const ORDERS = { "queue.name": "orders" };

describe("tracing that was never set up", () => {
  it("costs no unseen spans", async () => {
    const { instrument } = await fresh();
    const startSpan = vi.spyOn(ProxyTracer.prototype, "startSpan");
    const queue = instrument(new FifoQueue<string>(), { name: "orders", traces: "always" });
    await pass(queue);
    expect(startSpan).not.toHaveBeenCalled();
    startSpan.mockRestore();
  });
});

describe("tracing that comes late", () => {
  it("has spans of all that happens from then on", async () => {
    const { instrument, SpanCapture } = await fresh();
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    await queue.put("put before");
    const capture = stopping(new SpanCapture());
    (await queue.receive()).run(() => {});
    await pass(queue);
    const names = (await capture.spans()).map((span) => span.name);
    expect(names).toEqual(["process orders", "send orders", "process orders"]);
  });

  it("and is replaced has all later spans in the new place, none in the old one", async () => {
    const { instrument, SpanCapture } = await fresh();
    const first = stopping(new SpanCapture());
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    const second = stopping(new SpanCapture());
    await pass(queue);
    expect(await first.spans()).toHaveLength(2);
    expect(await second.spans()).toHaveLength(2);
  });

  it("and goes away again leaves queues that work", async () => {
    const { instrument, SpanCapture } = await fresh();
    const first = stopping(new SpanCapture());
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    trace.disable();
    await pass(queue);
    first.register();
    await pass(queue);
    expect(await first.spans()).toHaveLength(2);
  });
});

describe("metrics that come late, by the plain API", () => {
  it("have all counts from the beginning, and histograms from then on", async () => {
    const { instrument, MetricCapture } = await fresh();
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    const capture = stopping(new MetricCapture("plain"));
    await pass(queue);
    const collected = await capture.collect();
    expect(collected.number("queue.enqueued", ORDERS)).toBe(2);
    expect(collected.histogram("queue.wait.seconds", ORDERS)?.count).toBe(1);
    expect(collected.errors).toEqual([]);
  });

  it("are found within a second, even if nothing is put any more", async () => {
    vi.useFakeTimers();
    const { instrument, MetricCapture } = await fresh();
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await queue.put("a");
    const capture = stopping(new MetricCapture("plain"));
    expect((await capture.collect()).byName.size).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect((await capture.collect()).number("queue.depth", ORDERS)).toBe(1);
  });

  it("and are replaced go on in the new place", async () => {
    const { instrument, MetricCapture } = await fresh();
    const first = stopping(new MetricCapture("plain"));
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    const before = await first.collect();
    expect(before.histogram("queue.wait.seconds", ORDERS)?.count).toBe(1);
    const second = stopping(new MetricCapture("plain"));
    await pass(queue);
    const after = await second.collect();
    expect(after.number("queue.enqueued", ORDERS)).toBe(2);
    expect(after.histogram("queue.wait.seconds", ORDERS)?.count).toBe(1);
    // What an SDK was told last it goes on to tell; but nothing is added any more.
    const stale = await first.collect();
    expect(stale.number("queue.enqueued", ORDERS)).toBe(1);
    expect(stale.histogram("queue.wait.seconds", ORDERS)?.count).toBe(1);
  });
});

describe("metrics that come late, by the metric producer", () => {
  it("have everything from the beginning, histograms too", async () => {
    const { instrument, MetricCapture } = await fresh();
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    const capture = stopping(new MetricCapture("producer"));
    await pass(queue);
    const collected = await capture.collect();
    expect(collected.number("queue.enqueued", ORDERS)).toBe(2);
    expect(collected.histogram("queue.wait.seconds", ORDERS)?.count).toBe(2);
  });

  it("and a provider that is replaced lose nothing", async () => {
    const { instrument, MetricCapture } = await fresh();
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    stopping(new MetricCapture("producer"));
    await pass(queue);
    const second = stopping(new MetricCapture("producer"));
    await pass(queue);
    expect((await second.collect()).histogram("queue.wait.seconds", ORDERS)?.count).toBe(2);
  });

  it("are the switch: from then on nothing comes by the plain API", async () => {
    const { instrument, MetricCapture } = await fresh();
    const plain = stopping(new MetricCapture("plain"));
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    expect((await plain.collect()).number("queue.enqueued", ORDERS)).toBe(1);
    const producer = stopping(new MetricCapture("producer", { register: false }));
    producer.register();
    await pass(queue);
    const collected = await producer.collect();
    expect(collected.doubles).toEqual([]);
    expect(collected.number("queue.enqueued", ORDERS)).toBe(2);
    plain.register();
    await pass(queue);
    const stale = await plain.collect();
    // What an SDK was told last it goes on to tell; but nothing is added any more.
    expect(stale.number("queue.enqueued", ORDERS)).toBe(1);
    expect(stale.histogram("queue.wait.seconds", ORDERS)?.count).toBe(1);
  });

  it("do not come twice when the API's provider is there before the producer is asked for", async () => {
    const { instrument, MetricCapture } = await fresh();
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    await pass(queue);
    const capture = stopping(new MetricCapture("producer"));
    await pass(queue);
    await pass(queue);
    const collected = await capture.collect();
    expect(collected.doubles).toEqual([]);
    expect(collected.points("queue.put.seconds")).toHaveLength(1);
  });
});
