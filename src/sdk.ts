/** `queuescope/sdk`: everything that queues need of OpenTelemetry's SDK, for who has none yet. */
export * from "./telemetry/sdk/start.js";
