import { context, metrics } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { NodeTracerProvider, type SpanProcessor } from "@opentelemetry/sdk-trace-node";
import { metricProducer } from "queuescope";

/** Collects when asked, and is never asked: what is measured is the recording. */
class SilentReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** Takes every recorded span and drops it, so that no exporter's cost, or its overflowing buffer, is measured. */
const discard: SpanProcessor = {
  onStart() {},
  onEnd() {},
  async forceFlush() {},
  async shutdown() {},
};

/** An SDK with a reader that has our producer. */
export function registerMetrics(): void {
  const reader = new SilentReader({ metricProducers: [metricProducer()] });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
}

/** A context manager as an SDK has one, and nothing else. */
export function registerContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

/** An SDK that records every span. */
export function registerTracing(): void {
  new NodeTracerProvider({ spanProcessors: [discard] }).register();
}
