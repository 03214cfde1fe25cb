import { metricProducer } from "queuescope";
import { type RunningTelemetry, startTelemetry } from "queuescope/sdk";

const telemetry: RunningTelemetry = await startTelemetry({
  serviceName: "consumer",
  prometheus: { port: 0 },
});
export const url: string | undefined = telemetry.url;
await telemetry.shutdown();

// For those who have an SDK of their own.
export const reader = { metricProducers: [metricProducer()] };
