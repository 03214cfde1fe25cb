import { context, SpanKind, trace } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { AlwaysOffSampler, type ReadableSpan, SamplingDecision } from "@opentelemetry/sdk-trace";
import PQueue from "p-queue";
import promClient from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import type { BrokerAdapter } from "../../src/contracts/index.js";
import { registerWith } from "../../src/prom-client.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import type { Format } from "../../src/telemetry/metrics/formats.js";
import { pointsInText } from "../../src/telemetry/metrics/text.js";
import { exposition } from "../../src/telemetry/sdk/exposition.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { MemoryBroker, memoryAdapter } from "../brokers/support/memory-broker.js";
import { SpanCapture } from "../support/telemetry-capture.js";

const exporter = new PrometheusExporter({ preventServerStart: true });
const provider = new MeterProvider({ readers: [exporter] });

let spans: SpanCapture;
let name: string;
let queues = 0;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  spans = new SpanCapture();
  name = `exemplars-${queues++}`;
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await spans.stop();
});

async function scraped(format: Format = "openmetrics"): Promise<string> {
  const { pieces, release } = await exposition(exporter, pointsInText, format, () => true);
  const text = Buffer.concat(pieces).toString();
  release();
  return text;
}

interface Example {
  readonly le: string;
  readonly count: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly seconds: number;
  readonly at: number;
}

const LINE =
  /^(\w+_bucket)\{(.*),le="([^"]+)"\} (\d+) # \{trace_id="([0-9a-f]{32})",span_id="([0-9a-f]{16})"\} (\S+) (\d+(?:\.\d{1,3})?)$/;

/** What this test's queue has examples of, by the series' labels. */
async function examples(series: string, label = ""): Promise<Example[]> {
  const lines = (await scraped()).split("\n").filter((line) => line.includes(" # {"));
  return lines.flatMap((line) => {
    const found = LINE.exec(line);
    if (found === null) throw new Error(`this is no exemplar as OpenMetrics has them: ${line}`);
    const [, of, labels, le, count, traceId, spanId, seconds, at] = found as unknown as string[];
    const isOurs =
      of === `${series}_bucket` && labels!.includes(`queue_name="${name}"`) && labels!.includes(label);
    if (!isOurs) return [];
    return [
      {
        le: le!,
        count: Number(count),
        traceId: traceId!,
        spanId: spanId!,
        seconds: Number(seconds),
        at: Number(at),
      },
    ];
  });
}

/** The examples that the spans are. */
function idsOf(all: readonly ReadableSpan[]) {
  return all.map((span) => ({ traceId: span.spanContext().traceId, spanId: span.spanContext().spanId }));
}

function named(options: Partial<InstrumentOptions> = {}, clock = new FakeClock()) {
  return { clock, queue: instrument(new FifoQueue<string>({ clock }), { name, ...options }) };
}

describe("an exemplar", () => {
  it("of a wait and of its processing is the handler's span, in the buckets that they fell in", async () => {
    const { queue, clock } = named();
    await queue.put("a");
    clock.advance(2_000);
    const delivery = await queue.receive();
    delivery.run(() => {});
    clock.advance(40);
    delivery.done();
    const [ids] = idsOf(await spans.named(`process ${name}`));
    expect(await examples("queue_wait_seconds")).toMatchObject([{ le: "2.5", count: 1, seconds: 2, ...ids }]);
    expect(await examples("queue_process_seconds")).toMatchObject([
      { le: "0.05", count: 1, seconds: 0.04, ...ids },
    ]);
  });

  it("is the newest of its bucket, and there is one for each", async () => {
    const { queue, clock } = named();
    const waits = [3, 400_000, 70, 4, 80, 0];
    for (const ms of waits) {
      await queue.put("a");
      clock.advance(ms);
      const delivery = await queue.receive();
      delivery.run(() => {});
      delivery.done();
    }
    const ids = idsOf(await spans.named(`process ${name}`));
    expect(await examples("queue_wait_seconds")).toMatchObject([
      { le: "0.001", seconds: 0, ...ids[5] },
      { le: "0.005", seconds: 0.004, ...ids[3] },
      { le: "0.1", seconds: 0.08, ...ids[4] },
      { le: "+Inf", seconds: 400, ...ids[1] },
    ]);
  });

  it("says by the wall clock when it was seen", async () => {
    const before = Math.floor(Date.now()) / 1_000;
    const { queue } = named();
    await queue.put("a");
    (await queue.receive()).run(() => {});
    const [{ at }] = (await examples("queue_wait_seconds")) as [Example];
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now() / 1_000 + 0.001);
  });

  it.each<[string, (queue: FifoQueue<string>) => Promise<unknown>]>([
    ["fails", async (queue) => (await queue.receive()).fail(new Error("no"))],
    ["is given back", async (queue) => (await queue.receive()).retry({ error: new Error("no") })],
    ["is a dead letter", async (queue) => (await queue.receive()).deadLettered(new Error("no"))],
  ])("of an attempt that %s is under failure", async (how, settle) => {
    const { queue } = named();
    await queue.put("a");
    const receive = queue.receive.bind(queue);
    queue.receive = async () => {
      const delivery = await receive();
      delivery.run(() => {});
      return delivery;
    };
    await settle(queue);
    const [ids] = idsOf(await spans.named(`process ${name}`));
    expect(await examples("queue_process_seconds", 'queue_outcome="failure"'), how).toMatchObject([ids]);
    expect(await examples("queue_process_seconds", 'queue_outcome="success"')).toEqual([]);
  });

  it("of a plain get is the put's span", async () => {
    const { queue } = named();
    await queue.put("a");
    await queue.get();
    expect(await examples("queue_wait_seconds")).toMatchObject(idsOf([await spans.only(`send ${name}`)]));
    expect(await examples("queue_process_seconds")).toEqual([]);
  });

  it("of a pool's items is there for each handler", async () => {
    const queue = instrument(new FifoQueue<string>(), { name });
    const seen: string[] = [];
    const pool = new WorkerPool(queue, () => {
      seen.push(trace.getActiveSpan()!.spanContext().spanId);
    });
    await queue.put("a");
    await pool.drain();
    expect((await examples("queue_process_seconds")).map(({ spanId }) => spanId)).toEqual(seen);
    expect((await examples("queue_wait_seconds")).map(({ spanId }) => spanId)).toEqual(seen);
  });

  it("of a p-queue's job is its span", async () => {
    const queue = instrument(new PQueue(), { name });
    await queue.add(async () => {});
    const ids = idsOf([await spans.only(`process ${name}`)]);
    expect(await examples("queue_process_seconds")).toMatchObject(ids);
    expect(await examples("queue_wait_seconds")).toMatchObject(ids);
  });

  it("of a broker's message is its consumer's span", async () => {
    const client = new MemoryBroker().connect();
    closing.push(() => client.close());
    instrument(client, { adapter: memoryAdapter(), queues: { [name]: { name } } });
    client.consume(name, (message) => client.ack(message));
    client.publish(name, "a");
    const [ids] = idsOf(
      (await spans.spans()).filter(({ kind, name: its }) => kind === SpanKind.CONSUMER && its.includes(name)),
    );
    expect(await examples("queue_process_seconds")).toMatchObject([ids]);
    expect(await examples("queue_wait_seconds")).toMatchObject([ids]);
  });
});

describe("an exemplar of a broker's message that another instrumentation traces", () => {
  let hub: Parameters<BrokerAdapter["attach"]>[1];
  const adapter: BrokerAdapter<object> = {
    system: "memory",
    attach: (_, given) => {
      hub = given;
      return () => {};
    },
  };

  it("is the span that is active where its handler is called", async () => {
    instrument({}, { adapter, queues: { [name]: { name } } });
    const facts = { queue: name, isTracedElsewhere: true, eligibleAt: Date.now() };
    const delivery = hub.deliver(() => undefined, facts);
    const theirs = trace.getTracer("theirs").startSpan("their process");
    context.with(trace.setSpan(context.active(), theirs), () => hub.run(delivery, () => {}, "awaits"));
    hub.settle(delivery, "success");
    const { traceId, spanId } = theirs.spanContext();
    expect(await examples("queue_process_seconds")).toMatchObject([{ traceId, spanId }]);
    expect(await examples("queue_wait_seconds")).toMatchObject([{ traceId, spanId }]);
    theirs.end();
  });

  it("is absent where none is active", async () => {
    instrument({}, { adapter, queues: { [name]: { name } } });
    const delivery = hub.deliver(() => undefined, { queue: name, isTracedElsewhere: true });
    hub.run(delivery, () => {}, "awaits");
    hub.settle(delivery, "success");
    expect(await examples("queue_process_seconds")).toEqual([]);
  });
});

describe("there is no exemplar", () => {
  async function handleOne(options: Partial<InstrumentOptions> = {}): Promise<void> {
    const { queue } = named(options);
    await queue.put("a");
    const delivery = await queue.receive();
    delivery.run(() => {});
    delivery.done();
    await queue.put("b");
    await queue.get();
  }

  it("of what is not sampled", async () => {
    await spans.stop();
    spans = new SpanCapture({ sampler: new AlwaysOffSampler() });
    await handleOne();
    expect(await examples("queue_wait_seconds")).toEqual([]);
    expect(await examples("queue_process_seconds")).toEqual([]);
  });

  it("of what is recorded, and not sampled", async () => {
    await spans.stop();
    spans = new SpanCapture({ sampler: { shouldSample: () => ({ decision: SamplingDecision.RECORD }) } });
    await handleOne();
    expect(await examples("queue_wait_seconds")).toEqual([]);
    expect(await examples("queue_process_seconds")).toEqual([]);
  });

  it("where no spans are made", async () => {
    await handleOne({ traces: "never" });
    expect(await examples("queue_wait_seconds")).toEqual([]);
    expect(await examples("queue_process_seconds")).toEqual([]);
  });

  it("without an SDK", async () => {
    await spans.stop();
    await handleOne();
    expect(await examples("queue_wait_seconds")).toEqual([]);
  });

  it("in the text format, in which all else is the same", async () => {
    const { queue, clock } = named();
    await queue.put("a");
    clock.advance(30_000);
    const delivery = await queue.receive();
    delivery.run(() => {});
    delivery.done();
    const text = await scraped("text");
    expect(text).not.toContain("trace_id");
    expect(text).toContain('le="30"');
    const openMetrics = await scraped();
    const points = (all: string) => all.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const plain = points(openMetrics).map((line) =>
      line.replace(/ # \{.*/, "").replace(/le="(\d+)\.0"/, 'le="$1"'),
    );
    expect(plain).toEqual(points(text));
  });
});

describe("a scrape in OpenMetrics", () => {
  it("ends with EOF, has one head for each family before its points, and calls counters without _total there", async () => {
    const meter = provider.getMeter("theirs");
    meter.createCounter("their.jobs", { description: 'say "hi" \\ there\nnow', unit: "By" }).add(1, {
      text: 'x,le="5"} y',
    });
    meter.createHistogram("their.seconds", { unit: "s" }).record(7, { text: 'x"} le="5"} ' });
    meter.createHistogram("their.sizes", { unit: "By" }).record(7);
    meter.createUpDownCounter("their.balance").add(-3);
    const { queue } = named();
    await queue.put("a");
    (await queue.receive()).done();
    const text = await scraped();
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    const lines = text.slice(0, -"# EOF\n".length).trimEnd().split("\n");
    const seen = new Set<string>();
    let family = "";
    let type = "";
    for (const line of lines) {
      const head = /^# (TYPE|UNIT|HELP) (\S+) (.+)$/.exec(line);
      if (head?.[1] === "TYPE") {
        [, , family, type] = head as unknown as [string, string, string, string];
        expect(seen).not.toContain(family);
        seen.add(family);
      } else if (head !== null) {
        expect(head[2]).toBe(family);
        if (head[1] === "UNIT") expect(family.endsWith(`_${head[3]}`)).toBe(true);
        if (head[1] === "HELP") expect(head[3]).not.toMatch(/(?<!\\)"/);
      } else {
        const suffixes = { counter: "_total", histogram: "_(?:bucket|sum|count)", info: "_info", gauge: "" };
        expect(line).toMatch(new RegExp(`^${family}${suffixes[type as keyof typeof suffixes]}[{ ]`));
        expect(line).not.toMatch(/[{,]le="-?\d+"\} /);
      }
    }
    expect(text).toContain("# TYPE target info\n");
    expect(text).toContain('# TYPE their_jobs counter\n# HELP their_jobs say \\"hi\\" \\\\ there\\nnow\n');
    expect(text).toContain('their_jobs_total{text="x,le=\\"5\\"} y"');
    expect(text).toContain("# TYPE their_seconds histogram\n# UNIT their_seconds seconds\n");
    expect(text).toMatch(/their_seconds_bucket\{text="x\\"\} le=\\"5\\"\} ",.*le="10\.0"\} 1/);
    expect(text).toContain("# TYPE their_sizes histogram\n# HELP");
    expect(text).toContain("# UNIT queue_wait_seconds seconds\n");
  });
});

describe("a registry of prom-client", () => {
  it.each([
    ["OpenMetrics", promClient.Registry.OPENMETRICS_CONTENT_TYPE, 1],
    ["text", promClient.Registry.PROMETHEUS_CONTENT_TYPE, 0],
  ] as const)("in %s has as many exemplars of a bucket: %s, %i", async (_, contentType, count) => {
    const registry = new promClient.Registry();
    registry.setContentType(contentType as never);
    const registration = registerWith(registry as never);
    closing.push(() => registration.unregister());
    const { queue, clock } = named();
    await queue.put("a");
    clock.advance(2_000);
    const delivery = await queue.receive();
    delivery.run(() => {});
    delivery.done();
    const lines = (await registry.metrics()).split("\n").filter((line) => line.includes(`"${name}"`));
    const [{ traceId, spanId }] = idsOf(await spans.named(`process ${name}`)) as [Example];
    const found = lines.filter(
      (line) =>
        line.startsWith("queue_wait_seconds_bucket") &&
        line.includes(` 1 # {trace_id="${traceId}",span_id="${spanId}"} 2 `),
    );
    expect(found).toHaveLength(count);
    if (count === 0) expect(lines.join()).not.toContain("trace_id");
  });
});
