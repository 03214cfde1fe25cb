import promClient, { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InvalidOptionTypeError, MetricNameTakenError } from "../src/base/errors.js";
import { FifoQueue, instrument } from "../src/index.js";
import { type PromRegistry, type Registration, registerWith } from "../src/prom-client.js";
import { plainExport } from "../src/telemetry/metrics/plain-export.js";
import { forgetProcessWide } from "./support/forget-process-wide.js";
import { MetricCapture } from "./support/telemetry-capture.js";

let name: string;
let count = 0;
let registrations: Registration[] = [];

beforeEach(() => {
  name = `prom-client-${count++}`;
});

afterEach(() => {
  for (const each of registrations) each.unregister();
  registrations = [];
  promClient.register.clear();
});

function register(registry: PromRegistry = promClient.register): Registration {
  const registration = registerWith(registry);
  registrations.push(registration);
  return registration;
}

async function pass(): Promise<void> {
  const queue = instrument(new FifoQueue<string>({ capacity: 5 }), { name });
  await queue.put("item");
  const delivery = await queue.receive();
  delivery.run(() => {});
  delivery.done();
}

/** The value of the one sample whose labels are these, apart from the order. */
function sample(text: string, series: string, labels: Record<string, string> = {}): string | undefined {
  const wanted = Object.entries({ queue_name: name, ...labels }).map(([key, value]) => `${key}="${value}"`);
  const lines = text.split("\n").filter((line) => line.startsWith(`${series}{`));
  const found = lines.filter((line) => wanted.every((label) => line.includes(label)));
  expect(found.length).toBeLessThan(2);
  return found[0]?.split(" ").at(-1);
}

const DEFAULT = { queue_tier: "default" };

describe("a registry that has our metrics", () => {
  it("serves all of them, by their names, with what the user has", async () => {
    register();
    new Counter({ name: "own_total", help: "own" }).inc(7);
    await pass();
    const text = await promClient.register.metrics();
    expect(sample(text, "queue_enqueued_total", DEFAULT)).toBe("1");
    expect(sample(text, "queue_depth", DEFAULT)).toBe("0");
    expect(sample(text, "queue_capacity")).toBe("5");
    expect(sample(text, "queue_completed_total", { queue_outcome: "success" })).toBe("1");
    expect(sample(text, "queue_wait_seconds_count", DEFAULT)).toBe("1");
    expect(sample(text, "queue_wait_seconds_bucket", { ...DEFAULT, le: "+Inf" })).toBe("1");
    expect(sample(text, "queue_wait_seconds_bucket", { ...DEFAULT, le: "300" })).toBe("1");
    expect(text).toMatch(/^# TYPE queue_enqueued_total counter$/m);
    expect(text).toMatch(/^# TYPE queue_depth gauge$/m);
    expect(text).toMatch(/^# TYPE queue_wait_seconds histogram$/m);
    expect(text).toMatch(/^own_total 7$/m);
  });

  it("has them before there is a queue, and without any OpenTelemetry SDK", async () => {
    register();
    const text = await promClient.register.metrics();
    expect(text).toMatch(/^# HELP queue_depth Items waiting$/m);
    await pass();
    expect(sample(await promClient.register.metrics(), "queue_enqueued_total", DEFAULT)).toBe("1");
  });

  it("gives them as OpenMetrics, and as the other format again", async () => {
    const registry = new Registry<
      typeof Registry.OPENMETRICS_CONTENT_TYPE | typeof Registry.PROMETHEUS_CONTENT_TYPE
    >();
    register(registry);
    await pass();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (let i = 0; i < 2; i++) {
      const open = await registry.metrics();
      expect(open).toMatch(/^# TYPE queue_enqueued counter$/m);
      expect(sample(open, "queue_enqueued_total", DEFAULT)).toBe("1");
      expect(open.endsWith("# EOF\n")).toBe(true);
      expect(open).not.toContain("_total_total");
    }
    registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
    const text = await registry.metrics();
    expect(text).toMatch(/^# TYPE queue_enqueued_total counter$/m);
    expect(sample(text, "queue_enqueued_total", DEFAULT)).toBe("1");
  });

  it("gives them as JSON, one by one, and as a string", async () => {
    register();
    await pass();
    const json = await promClient.register.getMetricsAsJSON();
    const enqueued = json.find((metric) => metric.name === "queue_enqueued_total");
    expect(enqueued).toMatchObject({ type: "counter", help: "Items that came in", aggregator: "sum" });
    const ours = (values: readonly { labels: object }[]) =>
      values.filter(({ labels }) => (labels as Record<string, string>).queue_name === name);
    expect(ours(enqueued?.values ?? [])).toEqual([
      { value: 1, labels: { queue_name: name, queue_tier: "default" } },
    ]);
    const one = await promClient.register.getSingleMetric("queue_enqueued_total")?.get();
    expect(ours(one?.values ?? [])).toHaveLength(1);
    expect(
      sample(await promClient.register.getSingleMetricAsString("queue_depth"), "queue_depth", DEFAULT),
    ).toBe("0");
  });

  it("gives them its default labels", async () => {
    register();
    promClient.register.setDefaultLabels({ app: "shop" });
    await pass();
    for (let i = 0; i < 2; i++) {
      const text = await promClient.register.metrics();
      expect(sample(text, "queue_enqueued_total", { ...DEFAULT, app: "shop" })).toBe("1");
      await promClient.register.getMetricsAsJSON();
    }
  });

  it("can't reset them, since the counts are the queues' own", async () => {
    register();
    await pass();
    const gauge = new Gauge({ name: "own", help: "own" });
    gauge.set(3);
    promClient.register.resetMetrics();
    const text = await promClient.register.metrics();
    expect(text).toMatch(/^own 0$/m);
    expect(sample(text, "queue_enqueued_total", DEFAULT)).toBe("1");
  });

  it("loses them by clear(), and gets them back when it is registered with again", async () => {
    const first = register();
    promClient.register.clear();
    expect((await promClient.register.metrics()).trim()).toBe("");
    expect(register()).toBe(first);
    await pass();
    expect(sample(await promClient.register.metrics(), "queue_enqueued_total", DEFAULT)).toBe("1");
    promClient.register.clear();
    expect(() => first.unregister()).not.toThrow();
  });

  it("can be merged with others", async () => {
    const ours = new Registry();
    const theirs = new Registry();
    register(ours);
    new Counter({ name: "own_total", help: "own", registers: [theirs] });
    await pass();
    const merged = Registry.merge([theirs, ours]);
    const text = await merged.metrics();
    expect(sample(text, "queue_enqueued_total", DEFAULT)).toBe("1");
    expect(text).toMatch(/^own_total 0$/m);
  });

  it("can be added up with those of other workers of a cluster", async () => {
    register();
    await pass();
    const json = structuredClone(await promClient.register.getMetricsAsJSON());
    const text = await AggregatorRegistry.aggregate([json, structuredClone(json)]).metrics();
    expect(sample(text, "queue_enqueued_total", DEFAULT)).toBe("2");
    expect(sample(text, "queue_wait_seconds_count", DEFAULT)).toBe("2");
    expect(sample(text, "queue_capacity")).toBe("10");
    expect(sample(text, "queue_oldest_age_seconds", DEFAULT)).toBe("0");
  });

  it("escapes what names have in them", async () => {
    register();
    name = 'a "quoted"\\name\nof two lines';
    await pass();
    const text = await promClient.register.metrics();
    expect(text).toContain(`queue_capacity{queue_name="a \\"quoted\\"\\\\name\\nof two lines"} 5`);
  });
});

describe("registering", () => {
  it("twice changes nothing", async () => {
    const first = register();
    const before = promClient.register.getMetricsAsArray();
    expect(register()).toBe(first);
    expect(promClient.register.getMetricsAsArray()).toEqual(before);
  });

  it("with several registries serves all of them", async () => {
    const other = new Registry();
    register();
    register(other);
    await pass();
    for (const each of [promClient.register, other]) {
      expect(sample(await each.metrics(), "queue_enqueued_total", DEFAULT)).toBe("1");
    }
  });

  it("by two copies of the package is registering twice", async () => {
    const first = register();
    vi.resetModules();
    const copy = await import("../src/prom-client.js");
    expect(copy.registerWith).not.toBe(registerWith);
    expect(copy.registerWith(promClient.register)).toBe(first);
    await pass();
    expect(sample(await promClient.register.metrics(), "queue_enqueued_total", DEFAULT)).toBe("1");
  });

  it("can be taken back, and leaves what the user has", async () => {
    new Counter({ name: "own_total", help: "own" });
    const registration = register();
    registration.unregister();
    registration.unregister();
    expect(promClient.register.getMetricsAsArray().map((metric) => metric.name)).toEqual(["own_total"]);
    register();
    await pass();
    expect(sample(await promClient.register.metrics(), "queue_enqueued_total", DEFAULT)).toBe("1");
  });

  it("where names are taken is an error that names them, and changes nothing", () => {
    new Gauge({ name: "queue_depth", help: "theirs" });
    new Counter({ name: "queue_dropped_total", help: "theirs" });
    let error: unknown;
    try {
      register();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MetricNameTakenError);
    expect(error).toMatchObject({
      name: "MetricNameTakenError",
      code: "QUEUE_METRIC_NAME_TAKEN",
      names: ["queue_depth", "queue_dropped_total"],
    });
    expect((error as Error).message).toMatch(/queue_depth, queue_dropped_total; rename/);
    expect(promClient.register.getMetricsAsArray()).toHaveLength(2);
    expect(plainExport.isStopped).toBe(false);
  });

  it.each([undefined, null, {}, new Map(), promClient, "registry", () => {}])(
    "with what is no registry is an error: %o",
    (registry) => {
      expect(() => registerWith(registry as never)).toThrow(InvalidOptionTypeError);
      expect(() => registerWith(registry as never)).toThrow(/^registry must be a Registry of prom-client/);
    },
  );
});

describe("beside OpenTelemetry", () => {
  it("the metrics API hears nothing any more, until the last registry is left", async () => {
    const plain = new MetricCapture("plain");
    await pass();
    expect((await plain.collect()).number("queue.enqueued", { "queue.name": name })).toBe(1);
    const two = [register(), register(new Registry())];
    await pass();
    // What an SDK was told last it goes on to tell.
    expect((await plain.collect()).number("queue.enqueued", { "queue.name": name })).toBe(1);
    two[0]!.unregister();
    expect((await plain.collect()).number("queue.enqueued", { "queue.name": name })).toBe(1);
    two[1]!.unregister();
    expect((await plain.collect()).number("queue.enqueued", { "queue.name": name })).toBe(2);
    await pass();
    const collected = await plain.collect();
    expect(collected.number("queue.enqueued", { "queue.name": name })).toBe(3);
    expect(collected.doubles).toEqual([]);
    await plain.stop();
  });

  it("a metric producer goes on, and what a registry gives back is not given to the API", async () => {
    // It would go on looking for SDKs, and find this one.
    const { plainExport } = await import("../src/telemetry/metrics/plain-export.js");
    plainExport.stop();
    forgetProcessWide();
    const fresh = await import("../src/prom-client.js");
    const library = await import("../src/index.js");
    const { MetricCapture } = await import("./support/telemetry-capture.js");
    const producer = new MetricCapture("producer");
    const registration = fresh.registerWith(promClient.register);
    const queue = library.instrument(new library.FifoQueue<number>(), { name });
    await queue.put(1);
    expect((await producer.collect()).number("queue.enqueued", { "queue.name": name })).toBe(1);
    expect(sample(await promClient.register.metrics(), "queue_enqueued_total", DEFAULT)).toBe("1");
    registration.unregister();
    const collected = await producer.collect();
    expect(collected.doubles).toEqual([]);
    expect(collected.number("queue.enqueued", { "queue.name": name })).toBe(1);
    await producer.stop();
    forgetProcessWide();
  });
});
