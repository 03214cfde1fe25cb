import { drainOnSignals } from "queuescope";
import { startTelemetry } from "queuescope/sdk";
import { shop } from "./shop";

const { METRICS_PORT = "9464" } = process.env;
const telemetry = await startTelemetry({
  serviceName: "shop",
  prometheus: { port: Number(METRICS_PORT) },
});
console.log(`metrics at ${telemetry.url}`);

// Needs NEXT_MANUAL_SIG_HANDLE=true: else Next ends the process at SIGTERM while orders still wait.
drainOnSignals([shop.pool], { timeoutMs: 20_000, onDrained: () => telemetry.shutdown() });
