import {
  type ExporterConfig,
  PrometheusExporter,
  PrometheusSerializer,
} from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { describe, expect, it } from "vitest";
import { FifoQueue, instrument, PriorityQueue, Watchdog } from "../../src/index.js";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";
import { pointsInText } from "../../src/telemetry/metrics/text.js";
import { exposition } from "../../src/telemetry/sdk/exposition.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

/** Everything is there: labels that need escapes, histograms with and without values, several pieces. */
async function happen(): Promise<object[]> {
  const clock = new FakeClock();
  const queues: object[] = [];
  for (let i = 0; i < 200; i++) {
    const queue = instrument(new PriorityQueue<number>({ capacity: 9, tiers: { a: 0, b: 5 }, clock }), {
      name: `exposition "${i}" \\ ü\n`,
      sla: { default: { targetMs: 100 } },
    });
    await queue.put(i, { tier: "a" });
    clock.advance(i * 7);
    (await queue.receive()).done();
    queues.push(queue);
  }
  const alone = instrument(new FifoQueue<number>(), { name: "exposition" });
  await new Watchdog().watch(alone).start().stop();
  return [...queues, alone];
}

function exporterWith(options: ExporterConfig): PrometheusExporter {
  const exporter = new PrometheusExporter({ ...options, preventServerStart: true });
  new MeterProvider({ readers: [exporter] });
  return exporter;
}

async function lines(): Promise<string[]> {
  const { pieces, release } = await exposition(exporterWith({}), pointsInText, "text", () => true);
  const text = Buffer.concat(pieces).toString();
  release();
  return text.split("\n");
}

describe("what a scrape of startTelemetry's endpoint gives", () => {
  it("is line by line what the exporter would make of our metrics", async () => {
    const queues = await happen();
    const exporter = exporterWith({ metricProducers: [metricProducer()] });
    const { resourceMetrics } = await exporter.collect();
    const theirs = new PrometheusSerializer().serialize(resourceMetrics).split("\n");
    const ours = await lines();
    expect(theirs.length).toBeGreaterThan(10_000);
    expect(ours.length).toBe(theirs.length);
    expect(ours.toSorted()).toEqual(theirs.toSorted());
    expect(queues).toHaveLength(201);
  });

  it("has one head for each family, before its first line", async () => {
    let family = "";
    const seen = new Set<string>();
    for (const line of (await lines()).filter((each) => each !== "")) {
      const type = /^# TYPE (\S+)/.exec(line)?.[1];
      if (type !== undefined) {
        expect(seen.has(type)).toBe(false);
        seen.add(type);
        family = type;
      } else if (!line.startsWith("#")) expect(line.startsWith(family)).toBe(true);
    }
  });
});
