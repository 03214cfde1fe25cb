import { type Context, context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterEach, describe, expect, it } from "vitest";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { SpanCapture } from "../support/telemetry-capture.js";

const captures: SpanCapture[] = [];

function capturing(sampler: Sampler): SpanCapture {
  const capture = new SpanCapture({ sampler });
  captures.push(capture);
  return capture;
}

afterEach(async () => {
  for (const capture of captures.splice(0)) await capture.stop();
});

const RELATIONS = ["auto", "link", "parent", undefined] as const;
/** One in ten: by the trace, unless that was decided before. */
const oneInTen = () => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) });
/** Decides on each span anew, whatever its parent is: no, yes, no, yes. */
function flipping(): Sampler {
  let count = 0;
  return {
    shouldSample: () => ({
      decision: count++ % 2 === 0 ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
    }),
    toString: () => "flipping",
  };
}

const remote = (traceFlags: number): Context =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: "1".repeat(32),
    spanId: "2".repeat(16),
    traceFlags,
    isRemote: true,
  });

let count = 0;
const named = (options: Partial<InstrumentOptions>) => ({ name: `sampling-${count++}`, ...options });

/** What there is to put something into, and get it handled: each handler makes a span, as a database's client does. */
const QUEUES: Record<string, (options: Partial<InstrumentOptions>) => (item: number) => Promise<unknown>> = {
  WorkerPool(options) {
    const queue = instrument(new FifoQueue<() => void>(), named(options));
    new WorkerPool(queue, (done) => {
      query();
      done();
    });
    return () => new Promise<void>((resolve) => void queue.put(resolve));
  },
  "WorkerPool whose first attempts fail"(options) {
    const queue = instrument(new FifoQueue<() => void>(), named(options));
    const retry = { attempts: 2, backoff: { initialMs: 0.001, maxMs: 0.001 } };
    const handler = (done: () => void, { attempt }: { attempt: number }) => {
      query();
      if (attempt === 1) throw new Error("once more");
      done();
    };
    new WorkerPool(queue, handler, { retry });
    return () => new Promise<void>((resolve) => void queue.put(resolve));
  },
  "putMany of a FifoQueue"(options) {
    const queue = instrument(new FifoQueue<number>(), named(options));
    return async (item) => {
      await queue.putMany([item, item]);
      for (let i = 0; i < 2; i++) {
        const delivery = await context.with(ROOT_CONTEXT, () => queue.receive());
        delivery.run(query);
        delivery.done();
      }
    };
  },
  "p-queue"(options) {
    const queue = instrument(new PQueue({ concurrency: 1 }), named(options));
    return () => queue.add(query);
  },
  fastq(options) {
    const settings = named(options);
    const queue = fastq.promise(
      instrumentHandler(async (_: number) => query(), settings),
      1,
    );
    instrument(queue, settings);
    return (item) => queue.push(item);
  },
};

function query(): void {
  trace.getTracer("database").startSpan("query").end();
}

describe.each(Object.entries(QUEUES))("with %s", (_, make) => {
  it.each(RELATIONS)(
    "at 10 %%, relation %s, every query belongs to a request that is sampled",
    async (relation) => {
      const capture = capturing(oneInTen());
      const put = make({ relation });
      for (let i = 0; i < 210; i++) {
        await trace.getTracer("http").startActiveSpan("request", async (span) => {
          await put(i);
          span.end();
        });
      }
      const all = await capture.spans();
      const requests = new Set(
        all.filter(({ name }) => name === "request").map((span) => span.spanContext().traceId),
      );
      expect(requests.size).toBeGreaterThan(3);
      const sends = all.filter(({ name }) => name.startsWith("send "));
      expect(sends.length).toBe(requests.size);
      for (const send of sends) expect(requests).toContain(send.spanContext().traceId);
      const children = new Set([...requests, ...sends.map((send) => send.spanContext().spanId)]);
      for (const span of all.filter(({ name }) => name.startsWith("process "))) {
        const origin = span.links[0]?.context.spanId ?? span.parentSpanContext?.spanId ?? "none";
        expect(children).toContain(origin);
      }
      if (relation === "parent") {
        for (const span of all) expect(requests).toContain(span.spanContext().traceId);
      }
    },
  );

  it.each(RELATIONS)(
    "relation %s: under an unsampled remote parent nothing is recorded",
    async (relation) => {
      for (const sampler of [new ParentBasedSampler({ root: new AlwaysOnSampler() }), oneInTen()]) {
        for (const traces of ["always", "with-parent"] as const) {
          const capture = capturing(sampler);
          const put = make({ relation, traces });
          await context.with(remote(0), () => put(1));
          expect(await capture.spans()).toEqual([]);
        }
      }
    },
  );

  it.each(RELATIONS)(
    "relation %s: an unsampled put has no sampled process, whatever the sampler",
    async (relation) => {
      const capture = capturing(flipping());
      const put = make({ relation });
      await put(1);
      expect((await capture.spans()).filter(({ name }) => name.startsWith("process "))).toEqual([]);
    },
  );

  it.each(RELATIONS)("relation %s: what no span has put is sampled as the sampler says", async (relation) => {
    const capture = capturing(oneInTen());
    const put = make({ relation });
    for (let i = 0; i < 300; i++) await put(i);
    const all = await capture.spans();
    const sends = all.filter(({ name }) => name.startsWith("send ")).length;
    expect(sends).toBeGreaterThan(0);
    expect(sends).toBeLessThan(150);
  });
});

describe("under an unsampled producer", () => {
  it.each(RELATIONS)("relation %s: a handler has its trace, baggage and correlation ID", async (relation) => {
    capturing(new ParentBasedSampler({ root: new AlwaysOffSampler() }));
    const queue = instrument(new FifoQueue<number>(), named({ relation }));
    const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
    await context.with(propagation.setBaggage(remote(0), baggage), () => queue.put(1));
    const delivery = await queue.receive();
    const seen = await delivery.run(async () => {
      const headers: Record<string, string> = {};
      propagation.inject(context.active(), headers);
      const { traceId, traceFlags } = trace.getActiveSpan()!.spanContext();
      return [traceId, traceFlags, propagation.getActiveBaggage()?.getEntry("tenant")?.value];
    });
    expect(seen).toEqual(["1".repeat(32), 0, "acme"]);
    expect(delivery.correlationId).toBe("1".repeat(32));
    delivery.done();
  });
});

describe("an item without any producer's span", () => {
  it.each(RELATIONS)("relation %s: may be sampled as a root", async (relation) => {
    const queue = instrument(new FifoQueue<number>(), named({ relation }));
    await queue.put(1);
    const capture = capturing(new AlwaysOnSampler());
    const delivery = await queue.receive();
    delivery.run(query);
    delivery.done();
    const names = (await capture.spans()).map(({ name }) => name.split(" ")[0]);
    expect(names).toEqual(["query", "process"]);
  });
});
