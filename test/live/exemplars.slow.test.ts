import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { trace } from "@opentelemetry/api";
import { expect } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { startTelemetry } from "../../src/telemetry/sdk/start.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { OtlpReceiver } from "../support/otlp-receiver.js";
import { Prometheus } from "./prometheus.js";
import { itWith } from "./servers.js";

itWith("prometheus")(
  "Prometheus knows a trace of each bucket that has one, of waits and of handlers, and of failures apart",
  async ({ paths, lifetime }) => {
    const receiver = await OtlpReceiver.start();
    lifetime(() => receiver.stop());
    const { endpoint } = receiver;
    const telemetry = await startTelemetry({
      serviceName: "exemplars",
      prometheus: { port: 0 },
      otlp: { endpoint },
    });
    lifetime(() => telemetry.shutdown());
    const queue = instrument(new FifoQueue<boolean>(), { name: "exemplars" });
    const traces = { success: new Set<string>(), failure: new Set<string>() };
    const pool = new WorkerPool(
      queue,
      (isGood) => {
        const { traceId } = trace.getActiveSpan()!.spanContext();
        traces[isGood ? "success" : "failure"].add(traceId);
        if (!isGood) throw new Error("no");
      },
      { deadLetter: () => {} },
    );
    lifetime(() => pool.stop());
    await queue.putMany([true, false, true]);
    await queue.join();
    const { host, pathname } = new URL(telemetry.url!);
    const prometheus = await Prometheus.start(
      lifetime,
      paths.prometheus,
      (folder) => everySecond(folder, host, pathname),
      ["--enable-feature=exemplar-storage"],
    );
    const found = async (series: string, of: ReadonlySet<string>) => {
      const exemplars = await prometheus.until(`exemplars of ${series}`, async () => {
        const all = await prometheus.exemplars(series);
        return all.length > 0 ? all : undefined;
      });
      for (const { labels, value, timestamp } of exemplars) {
        expect(Object.keys(labels).sort()).toEqual(["span_id", "trace_id"]);
        expect(of).toContain(labels.trace_id);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(Math.abs(timestamp * 1_000 - Date.now())).toBeLessThan(3_600_000);
      }
    };
    await found("queue_wait_seconds_bucket", new Set([...traces.success, ...traces.failure]));
    await found('queue_process_seconds_bucket{queue_outcome="success"}', traces.success);
    await found('queue_process_seconds_bucket{queue_outcome="failure"}', traces.failure);
    // It was read as OpenMetrics without a fault.
    expect(await prometheus.query('up{job="exemplars"}')).toMatchObject([{ value: 1 }]);
    expect(await prometheus.query('queue_errors_total{error_type="Error"}')).toMatchObject([{ value: 1 }]);
  },
);

function everySecond(folder: string, host: string, path: string): string {
  const file = join(folder, "prometheus.yml");
  const scrape = { job_name: "exemplars", metrics_path: path, static_configs: [{ targets: [host] }] };
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [scrape] }));
  return file;
}
