import type { Recording } from "../../../src/testing.js";
import { usePropagators } from "../../support/propagators.js";
import { MetricCapture, SpanCapture } from "../../support/telemetry-capture.js";

/** The SDK of this process, anew, into memory. */
export function record(): Recording {
  usePropagators();
  const spans = new SpanCapture();
  const metrics = new MetricCapture("producer");
  return {
    spans: () => spans.spans(),
    async metrics() {
      const { byName } = await metrics.collect();
      return [...byName.values()].map(({ name, points }) => ({ descriptor: { name }, dataPoints: points }));
    },
    async stop() {
      await spans.stop();
      await metrics.stop();
    },
  };
}
