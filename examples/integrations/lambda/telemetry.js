import { startTelemetry } from "queuescope/sdk";

const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint = "http://127.0.0.1:4318" } = process.env;
export const telemetry = await startTelemetry({ serviceName: "shop", prometheus: false, otlp: { endpoint } });
