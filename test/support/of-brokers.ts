import type { InstrumentName } from "../../src/telemetry/metrics/instruments.js";

/** The metrics that only queues in brokers have. */
export const OF_BROKERS_ONLY: readonly InstrumentName[] = [
  "queue.consumers",
  "queue.redelivered",
  "queue.settle.stale",
  "queue.clock.skew.seconds",
  "queue.negative.waits",
  "messaging.client.operation.duration",
  "messaging.process.duration",
  "messaging.client.sent.messages",
  "messaging.client.consumed.messages",
];
