import { readFileSync } from "node:fs";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it } from "vitest";
import { BOUNDS, INSTRUMENTS } from "../../src/telemetry/metrics/instruments.js";
import { forgetProcessWide } from "../support/forget-process-wide.js";
import type { Collected } from "../support/telemetry-capture.js";

const DOCS = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");

/** The rows of the first table after the heading, as cells. */
function tableUnder(heading: string, nth = 0): string[][] {
  const start = DOCS.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`docs/telemetry.md has no heading "${heading}"`);
  const end = DOCS.indexOf("\n#", start + heading.length + 1);
  const section = DOCS.slice(start, end < 0 ? undefined : end);
  const table = section.match(/(?:^\|.*\|$\n?)+/gm)?.[nth];
  if (table === undefined) throw new Error(`there is no table ${nth} under "${heading}"`);
  const rows = table.trim().split("\n").slice(2);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

function unquoted(cell: string): string {
  return cell.replaceAll("`", "");
}

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly unit: string;
  /** Keys; with the values they may have, where the table says so. */
  readonly attributes: ReadonlyMap<string, readonly string[] | undefined>;
}

function metricsUnder(heading: string, nth = 0): Row[] {
  return tableUnder(heading, nth).map(([name, kind, unit, attributes]) => ({
    name: unquoted(name!),
    kind: kind!,
    unit: unquoted(unit!),
    attributes: new Map(
      attributes!
        .split(", ")
        .filter((attribute) => attribute !== "")
        .map((attribute) => {
          const [key, values] = attribute.split("=");
          return [key!, values?.split("\\|")];
        }),
    ),
  }));
}

const TABLE = metricsUnder("## Metrics");
/** Of queues in a broker; those that both have differ in attributes. */
const OF_BROKERS = [...metricsUnder("## Metrics of brokers"), ...metricsUnder("## Metrics of brokers", 1)];
const OF_BROKERS_ONLY = OF_BROKERS.filter(({ name }) => !TABLE.some((row) => row.name === name));

const captures: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const capture of captures.splice(0)) await capture.stop();
});

/** Sets up a library that was not used yet, and lets everything happen that there is to measure. */
async function run(way: "plain" | "producer") {
  forgetProcessWide();
  const { MetricCapture, SpanCapture } = await import("../support/telemetry-capture.js");
  const { FifoQueue, Gate, PriorityQueue, Watchdog, WorkerPool, instrument } = await import(
    "../../src/index.js"
  );
  const { plainExport } = await import("../../src/telemetry/metrics/plain-export.js");
  const { vitals } = await import("../../src/telemetry/metrics/vitals.js");
  const metrics = new MetricCapture(way);
  const spans = new SpanCapture();
  // It would go on looking for SDKs, and find the next run's.
  captures.push(metrics, spans, plainExport);
  const name = "contract";
  const orders = instrument(
    new PriorityQueue<string>({ capacity: 3, whenFull: "evict", tiers: { vip: 0, regular: 10 } }),
    { name, sla: { default: { targetMs: 1_000, objective: 0.9, completeMs: 5_000 } } },
  );
  const linked = instrument(new FifoQueue<string>({ capacity: 2, whenFull: "reject" }), {
    name,
    relation: "link",
  });
  const child = instrument(new FifoQueue<string>({ capacity: 1 }), { name, relation: "parent" });
  await trace.getTracer("caller").startActiveSpan("caller", async (caller) => {
    await orders.put("a", { tier: "vip" });
    await orders.putMany(["b", "c"]);
    await orders.put("d", { tier: "vip" });
    await orders.put("e", { tier: "vip", deadline: 1 });
    const [first] = await orders.getMany(2);
    expect(first).toBe("a");
    orders.shutdown({ immediate: true });
    await orders.get().catch(() => {});
    await linked.putMany(["f", "g"]);
    await linked.put("h").catch(() => {});
    await child.put("x");
    await child.get();
    caller.end();
  });
  const failed = await linked.receive();
  try {
    failed.run(() => {
      throw new Error("no");
    });
  } catch {
    failed.retry();
  }
  (await linked.receive()).done();
  (await linked.receive()).fail(new Error("again"));
  await child.put("i");
  const delivery = await child.receive();
  delivery.run(() => {});
  delivery.done();
  const pooled = instrument(new FifoQueue<string>({ capacity: 1 }), { name });
  const policy = { execute: async <R>(call: (context: object) => R | Promise<R>) => call({}) };
  const gate = new Gate({ name: "warehouse", concurrency: 1, policy });
  const pool = new WorkerPool(pooled, () => {}, { gate });
  await pooled.put("j");
  await pool.drain();
  const watchdog = new Watchdog().watch(orders).start();
  vitals.stalled(600);
  await watchdog.stop();
  return { metrics: await metrics.collect(), spans: await spans.spans() };
}

describe.each(["plain", "producer"] as const)("what a run exports by way of the %s export", (way) => {
  let collected: Collected;

  it("is the table of metrics: every name, and no other", async () => {
    collected = (await run(way)).metrics;
    const names = [...collected.byName.keys()].sort();
    expect(names).toEqual(TABLE.map((row) => row.name).sort());
    expect(collected.doubles).toEqual([]);
    expect(collected.errors).toEqual([]);
  });

  it.each(TABLE)(
    "$name has the kind, unit and attributes of the table",
    ({ name, kind, unit, attributes }) => {
      const metric = collected.byName.get(name);
      expect(metric).toMatchObject({ kind, unit });
      const points = metric?.points ?? [];
      expect(points.length).toBeGreaterThan(0);
      for (const point of points) {
        expect(Object.keys(point.attributes).sort()).toEqual([...attributes.keys()].sort());
      }
      for (const [key, values] of attributes) {
        const seen = new Set(points.map((point) => point.attributes[key]));
        if (values !== undefined) expect([...seen].sort()).toEqual([...values].sort());
      }
    },
  );

  it("has the histogram bounds that the docs name", () => {
    const documented = DOCS.match(/^Histogram bounds, in seconds: (.+)\.$/m)?.[1]
      ?.split(", ")
      .map(Number);
    expect(documented).toEqual(BOUNDS.seconds);
    for (const { name } of TABLE.filter((row) => row.kind === "histogram")) {
      for (const { value } of collected.points(name)) {
        expect(value).toMatchObject({ buckets: { boundaries: documented } });
      }
    }
  });

  it("is under the name and version of this library", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const { SCOPE } = await import("../../src/telemetry/version.js");
    expect(SCOPE).toEqual({ name: "queuescope", version });
  });
});

describe("a queue of a broker", () => {
  let collected: Collected;

  it("has its own metrics by the names of its table, beside those of every queue", async () => {
    forgetProcessWide();
    const { MetricCapture } = await import("../support/telemetry-capture.js");
    const { MemoryBroker, memoryAdapter } = await import("../brokers/support/memory-broker.js");
    const { instrument } = await import("../../src/index.js");
    const { plainExport } = await import("../../src/telemetry/metrics/plain-export.js");
    const metrics = new MetricCapture("producer");
    captures.push(metrics, plainExport);
    const client = new MemoryBroker().connect();
    const adapter = memoryAdapter({ inFlight: 3, delayed: 2, consumers: 1, brokerNow: 0 });
    instrument(client, { adapter, queues: { contract: {} } });
    client.publish("contract", "a");
    client.consume("contract", (message) => client.ack(message));
    await adapter.answered;
    collected = await metrics.collect();
    for (const { name } of OF_BROKERS) expect([name, collected.byName.has(name)]).toEqual([name, true]);
    expect(collected.byName.has("queue.overtakes")).toBe(false);
  });

  it.each(OF_BROKERS)("$name has the kind, unit and attributes of the table", (row) => {
    const metric = collected.byName.get(row.name);
    expect(metric).toMatchObject({ kind: row.kind, unit: row.unit });
    const keys = [...row.attributes.keys()].sort();
    const points = metric!.points.filter(
      ({ attributes }) => "queue.scope" in attributes || !row.attributes.has("queue.scope"),
    );
    expect(points.length).toBeGreaterThan(0);
    for (const { attributes } of points) expect(Object.keys(attributes).sort()).toEqual(keys);
    for (const [key, values] of row.attributes) {
      if (values === undefined) continue;
      const seen = new Set(points.map(({ attributes }) => attributes[key]));
      expect([...seen].sort()).toEqual([...values].sort());
    }
  });
});

describe("the names", () => {
  it("are those of the code", () => {
    const names = [...TABLE, ...OF_BROKERS_ONLY].map((row) => row.name);
    expect(names.sort()).toEqual(Object.keys(INSTRUMENTS).sort());
  });

  it.each([...TABLE, ...OF_BROKERS_ONLY])(
    "$name: the unit stands in it, and is never 1",
    ({ name, unit, kind }) => {
      expect(name).toMatch(/^(queue|messaging)(\.[a-z]+)+$/);
      expect(unit).toMatch(/^(s|\{[a-z]+\})$/);
      // Those of the conventions are called as they are there.
      if (name.startsWith("queue.")) expect(unit === "s").toBe(name.endsWith(".seconds"));
      if (kind === "counter") expect(name).not.toMatch(/total$/);
    },
  );

  it("in Prometheus are the same with underscores, and _total for counters", async () => {
    forgetProcessWide();
    const { FifoQueue, Gate, instrument, Watchdog, WorkerPool } = await import("../../src/index.js");
    const { startTelemetry } = await import("../../src/telemetry/sdk/start.js");
    const queue = instrument(new FifoQueue<string>({ capacity: 1 }), {
      name: "scraped",
      sla: { default: { targetMs: 1, completeMs: 1_000 } },
    });
    const policy = { execute: async <R>(call: (context: object) => R | Promise<R>) => call({}) };
    const fail = () => {
      throw new Error("no");
    };
    const pool = new WorkerPool(queue, fail, {
      gate: new Gate({ name: "warehouse", concurrency: 1, policy }),
      deadLetter: () => {},
    });
    await queue.put("a");
    await pool.drain();
    await new Watchdog().watch(queue).start().stop();
    const telemetry = await startTelemetry({ serviceName: "contract", prometheus: { port: 0 } });
    const text = await (await fetch(telemetry.url as string)).text();
    await telemetry.shutdown();
    const types = [...text.matchAll(/^# TYPE (queue_\S+) (\S+)$/gm)].map(
      ([, name, kind]) => `${name} ${kind}`,
    );
    const expected = TABLE.map(({ name, kind }) => {
      return `${name.replaceAll(".", "_")}${kind === "counter" ? "_total" : ""} ${kind}`;
    });
    expect(types.sort()).toEqual(expected.sort());
  });

  it("in the docs' queries exist", () => {
    const queries = [...DOCS.matchAll(/```promql\n([\s\S]*?)```/g)].map(([, query]) => query!);
    const mapped = tableUnder("## Questions").map(([, query]) => query!);
    const series = new Set(
      TABLE.flatMap(({ name, kind }) => {
        const base = name.replaceAll(".", "_");
        if (kind === "counter") return `${base}_total`;
        return kind === "gauge" ? base : ["bucket", "sum", "count"].map((suffix) => `${base}_${suffix}`);
      }),
    );
    const labels = new Set(
      TABLE.flatMap((row) => [...row.attributes.keys()].map((key) => key.replaceAll(".", "_"))),
    );
    const used = [...queries, ...mapped].flatMap((query) => query.match(/\bqueue_\w+/g) ?? []);
    expect(queries.length).toBeGreaterThan(3);
    expect(used.filter((name) => !series.has(name) && !labels.has(name))).toEqual([]);
  });
});

describe("spans", () => {
  const ROWS = tableUnder("## Spans").map(([span, kind, name, parent, link]) => ({
    span: unquoted(span!),
    kind: kind!,
    name: unquoted(name!).replace("{queue}", "contract"),
    parent: parent!,
    link: link!,
  }));
  const ATTRIBUTES = tableUnder("## Spans", 1).map(([name, on]) => ({
    name: unquoted(name!),
    on: on!.split(", "),
  }));
  let spans: readonly ReadableSpan[] = [];

  /** Who a span points to, in the words of the table. */
  function word(id: string | undefined): string {
    if (id === undefined) return "none";
    const target = spans.find((span) => span.spanContext().spanId === id);
    return target?.name === "caller"
      ? "caller"
      : target?.name === "send contract"
        ? "put"
        : `${target?.name}`;
  }

  it("of a run are those of the table, and no others", async () => {
    spans = (await run("producer")).spans;
    const names = new Set(spans.map((span) => span.name));
    expect([...names].sort()).toEqual([...new Set(["caller", ...ROWS.map((row) => row.name)])].sort());
  });

  it.each(ROWS)("of a $span have the kind of the table", ({ name, kind }) => {
    for (const span of spans.filter((each) => each.name === name)) expect(SpanKind[span.kind]).toBe(kind);
  });

  it.each(ROWS)("of a $span have the relations of the table", ({ name, parent, link }) => {
    const found = spans
      .filter((span) => span.name === name)
      .map((span) => [word(span.parentSpanContext?.spanId), word(span.links[0]?.context.spanId)]);
    expect(found).toContainEqual([parent, link]);
  });

  it.each([
    ["put", "send contract"],
    ["pull", "receive contract"],
    ["handler", "process contract"],
  ])("of a %s have the attributes of the table, all of them and no others", (on, name) => {
    const seen = new Set(
      spans.filter((span) => span.name === name).flatMap((span) => Object.keys(span.attributes)),
    );
    const documented = ATTRIBUTES.filter((row) => row.on.includes(on)).map((row) => row.name);
    expect([...seen].sort()).toEqual(documented.sort());
  });

  it("that failed have status ERROR, an exception and error.type, and no others have", () => {
    for (const span of spans) {
      const failed = span.attributes["error.type"] !== undefined;
      expect(span.status.code === SpanStatusCode.ERROR).toBe(failed);
      expect(span.events.some((event) => event.name === "exception")).toBe(failed);
    }
  });
});
