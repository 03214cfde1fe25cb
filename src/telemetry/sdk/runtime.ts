import { diag, metrics } from "@opentelemetry/api";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";

const ABSENT = /^Cannot find (package|module) '@opentelemetry\/instrumentation-runtime-node'/;

/**
 * Measures the process itself, its event loop, heap and garbage collection, with OpenTelemetry's instrumentation of the runtime; where
 * that is not installed, nothing does. The result ends it. Never rejects, and neither throws: what goes wrong, only `diag` hears of.
 */
export async function measureRuntime(): Promise<() => void> {
  try {
    const { RuntimeNodeInstrumentation } = await import("@opentelemetry/instrumentation-runtime-node");
    const runtime = new RuntimeNodeInstrumentation();
    const end = () => {
      try {
        runtime.disable();
      } catch (error) {
        contained(() =>
          diag.error("queuescope: the metrics of the runtime could not be ended", plainError(error)),
        );
      }
    };
    try {
      runtime.setMeterProvider(metrics.getMeterProvider());
    } catch (error) {
      end();
      throw error;
    }
    return end;
  } catch (error) {
    if (!ABSENT.test((error as Error | undefined)?.message ?? "")) {
      contained(() =>
        diag.error("queuescope: the metrics of the runtime could not be started", plainError(error)),
      );
    }
    return () => {};
  }
}
