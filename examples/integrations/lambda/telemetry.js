import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { metricProducer } from "queuescope";

const spans = new BatchSpanProcessor({ exporter: new OTLPTraceExporter() });
const metrics = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter(),
  metricProducers: [metricProducer()],
});
new NodeSDK({ serviceName: "shop", spanProcessors: [spans], metricReaders: [metrics] }).start();

/** Sends everything there is: after the answer the function is frozen, and timers don't run. */
export async function flush() {
  await Promise.allSettled([spans.forceFlush(), metrics.forceFlush()]);
}
