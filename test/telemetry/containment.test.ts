import { type ContextManager, context, metrics, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { type Sampler, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { currentCorrelationId } from "../../src/telemetry/context/correlation.js";
import { ERRORS, seriesOf } from "../../src/telemetry/metrics/series.js";
import { forgetProcessWide } from "../support/forget-process-wide.js";
import { DiagCapture, registerContextManager, SpanCapture } from "../support/telemetry-capture.js";

let name: string;
let count = 0;
let diagnosis: DiagCapture;

beforeEach(() => {
  name = `contained-${count++}`;
  diagnosis = new DiagCapture();
});

afterEach(() => {
  for (const api of [trace, metrics, context]) api.disable();
  diagnosis.stop();
});

function errors(): number {
  return seriesOf(name).counts[ERRORS]!;
}

const boom = (): never => {
  throw new Error("boom");
};

/** All that can happen to an item; every result must be as without telemetry. */
async function exercise(queue: FifoQueue<string>): Promise<void> {
  await queue.put("a", { correlationId: "c-a" });
  expect(queue.tryPut("b")).toBe(true);
  await queue.putMany(["c", "d", "e"]);
  expect(await queue.get()).toBe("a");
  queue.taskDone();
  expect(queue.tryGet()).toBe("b");
  queue.taskDone();
  expect(await queue.getMany(1)).toEqual(["c"]);
  queue.taskDone();
  const delivery = await queue.receive();
  let runs = 0;
  expect(
    delivery.run(() => {
      runs++;
      return 42;
    }),
  ).toBe(42);
  const failure = new Error("the handler's own");
  expect(() =>
    delivery.run(() => {
      runs++;
      throw failure;
    }),
  ).toThrow(failure);
  await expect(
    delivery.run(() => {
      runs++;
      return Promise.reject(failure);
    }),
  ).rejects.toBe(failure);
  expect(await delivery.run(async () => "async")).toBe("async");
  expect(runs).toBe(3);
  delivery.retry();
  for (let left = 2; left > 0; left--) (await queue.receive()).done();
  await queue.join();
  const waiting = queue.get();
  await queue.put("f");
  expect(await waiting).toBe("f");
  queue.taskDone();
  queue.shutdown();
  await expect(queue.put("g")).rejects.toMatchObject({ code: "QUEUE_SHUT_DOWN" });
  await expect(queue.get()).rejects.toMatchObject({ code: "QUEUE_SHUT_DOWN" });
}

function expectContained(): void {
  expect(errors()).toBeGreaterThan(0);
  const ours = diagnosis.warnings.filter(([text]) => String(text).startsWith("queuescope:"));
  expect(ours).toHaveLength(1);
  expect(String(ours[0]?.[0])).toContain(`queue "${name}"`);
}

async function underSpan(fn: () => Promise<void>): Promise<void> {
  const span = trace.wrapSpanContext({ traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 });
  await context.with(trace.setSpan(ROOT_CONTEXT, span), fn);
}

describe("a sampler that throws", () => {
  const sampler: Sampler = { shouldSample: boom, toString: () => "throws" };

  it("never reaches the user, is counted, and warned of once", async () => {
    new SpanCapture({ sampler });
    const queue = instrument(new FifoQueue<string>(), { name });
    await exercise(queue);
    expectContained();
  });

  it("costs the span, but neither the context nor the correlation ID", async () => {
    new SpanCapture({ sampler });
    const queue = instrument(new FifoQueue<string>(), { name });
    const key = Symbol("key");
    await context.with(ROOT_CONTEXT.setValue(key, "travels"), () => queue.put("a", { correlationId: "c-1" }));
    const delivery = await queue.receive();
    delivery.run(() => {
      expect(context.active().getValue(key)).toBe("travels");
      expect(currentCorrelationId()).toBe("c-1");
    });
  });
});

describe("a span processor that throws", () => {
  const processor = (broken: Partial<SpanProcessor>): SpanProcessor => ({
    onStart: () => {},
    onEnd: () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
    ...broken,
  });

  it.each([
    ["at the start of a span", processor({ onStart: boom })],
    ["at the end of a span", processor({ onEnd: boom })],
  ])("%s never reaches the user", async (_, broken) => {
    registerContextManager();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [broken] }));
    const queue = instrument(new FifoQueue<string>(), { name });
    await underSpan(() => exercise(queue));
    expectContained();
  });

  it("at the end of a span costs no number", async () => {
    registerContextManager();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor({ onEnd: boom })] }));
    const queue = instrument(new FifoQueue<string>(), { name });
    await queue.put("a");
    await underSpan(async () => {
      await queue.get();
    });
    const { put, get } = seriesOf(name);
    expect(put.counts.reduce((a, b) => a + b)).toBe(1);
    expect(get.counts.reduce((a, b) => a + b)).toBe(1);
  });
});

it("an exporter that throws never reaches the user", async () => {
  const capture = new SpanCapture();
  capture.exporter.export = boom;
  const queue = instrument(new FifoQueue<string>(), { name });
  await exercise(queue);
  await capture.spans().catch(() => {});
});

it("a tracer provider that throws never reaches the user", async () => {
  registerContextManager();
  trace.setGlobalTracerProvider({ getTracer: boom });
  const queue = instrument(new FifoQueue<string>(), { name });
  await exercise(queue);
  expectContained();
});

describe("a context manager that fails", () => {
  function manager(broken: Partial<ContextManager>): ContextManager {
    return Object.assign(new AsyncLocalStorageContextManager().enable(), broken);
  }

  it("runs a handler once, even if it calls twice", async () => {
    const twice = (_: unknown, fn: () => unknown) => [fn(), fn()][0];
    context.disable();
    context.setGlobalContextManager(manager({ with: twice as ContextManager["with"] }));
    const queue = instrument(new FifoQueue<string>(), { name });
    queue.tryPut("a");
    const delivery = await queue.receive();
    const handler = vi.fn(() => 42);
    expect(delivery.run(handler)).toBe(42);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["when asked for the active context", { active: boom }],
    ["when asked to run something", { with: boom }],
    ["by not calling", { with: (() => undefined) as ContextManager["with"] }],
    [
      "after it ran something",
      {
        with: ((_: unknown, fn: () => unknown) => {
          fn();
          boom();
        }) as ContextManager["with"],
      },
    ],
  ])("%s never reaches the user, and the handler runs once", async (_, broken) => {
    const capture = new SpanCapture();
    context.disable();
    context.setGlobalContextManager(manager(broken));
    const queue = instrument(new FifoQueue<string>(), { name });
    await exercise(queue);
    expectContained();
    await capture.stop();
  });

  it("keeps the correlation ID, which is ours", async () => {
    context.setGlobalContextManager(manager({ active: boom, with: boom }));
    const queue = instrument(new FifoQueue<string>(), { name });
    await queue.put("a", { correlationId: "c-1" });
    const delivery = await queue.receive();
    expect(delivery.run(currentCorrelationId)).toBe("c-1");
  });
});

describe("a meter provider that throws", () => {
  it("never reaches the user", async () => {
    metrics.setGlobalMeterProvider({ getMeter: boom });
    const queue = instrument(new FifoQueue<string>(), { name });
    await exercise(queue);
    expectContained();
  });

  it("does not end the process when it comes late and only the timer sees it", async () => {
    vi.useFakeTimers();
    try {
      forgetProcessWide();
      const fresh = await import("../../src/adapters/instrument.js");
      fresh.instrument(new FifoQueue<string>(), { name });
      metrics.disable();
      metrics.setGlobalMeterProvider({ getMeter: boom });
      expect(() => vi.advanceTimersByTime(5_000)).not.toThrow();
      expect(diagnosis.warnings).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a histogram of the metrics API that throws", () => {
  it("never reaches the user, and the put span ends all the same", async () => {
    const capture = new SpanCapture();
    const noop = metrics.getMeter("noop");
    const meter = Object.assign(Object.create(noop), { createHistogram: () => ({ record: boom }) });
    metrics.setGlobalMeterProvider({ getMeter: () => meter });
    const queue = instrument(new FifoQueue<string>(), { name });
    await exercise(queue);
    expectContained();
    expect(await capture.named(`send ${name}`)).not.toHaveLength(0);
    await capture.stop();
  });
});

it("a diag logger that throws never reaches the user", async () => {
  diagnosis.stop();
  diagnosis = new DiagCapture(boom);
  registerContextManager();
  trace.setGlobalTracerProvider({ getTracer: boom });
  const queue = instrument(new FifoQueue<string>(), { name });
  await exercise(queue);
  expect(errors()).toBeGreaterThan(1);
});

describe("a callback of the user's that throws", () => {
  it("in onDrop is counted and does not reach the put that evicted", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1, whenFull: "reject", onDrop: boom }), {
      name,
    });
    await queue.put("a");
    await expect(queue.put("b")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await expect(queue.put("c")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(errors()).toBe(2);
    expectContained();
  });

  it("in an onDrop that rejects is counted as well", async () => {
    const dropped = vi.fn(async () => boom());
    const queue = instrument(new FifoQueue<string>({ capacity: 1, whenFull: "reject", onDrop: dropped }), {
      name,
    });
    await queue.put("a");
    await expect(queue.put("b")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await Promise.allSettled(dropped.mock.results.map((result) => result.value));
    expect(errors()).toBe(1);
  });

  it("in evictWhen means that nothing is evicted", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1, whenFull: "evict", evictWhen: boom }), {
      name,
    });
    await queue.put("a");
    const waiting = queue.put("b");
    expect(await queue.get()).toBe("a");
    await waiting;
    expect(errors()).toBeGreaterThan(0);
  });
});

it("two queues each warn once, and count for themselves", async () => {
  trace.setGlobalTracerProvider({ getTracer: boom });
  const first = instrument(new FifoQueue<string>(), { name });
  const second = instrument(new FifoQueue<string>(), { name: `${name}-too` });
  for (const queue of [first, first, second]) await queue.put("a");
  expect(errors()).toBe(2);
  expect(seriesOf(`${name}-too`).counts[ERRORS]).toBe(1);
  expect(diagnosis.warnings).toHaveLength(2);
});
