import { startTelemetry } from "queuescope/sdk";

const { METRICS_PORT = "9464" } = process.env;
export const telemetry = await startTelemetry({
  serviceName: "shop",
  prometheus: { port: Number(METRICS_PORT) },
});
