import { createNoopMeter, type MeterProvider, metrics, ProxyTracerProvider, trace } from "@opentelemetry/api";
import { warnThat } from "../../base/warning.js";

/** What was registered with the OpenTelemetry API before us; it stays. */
export interface Theirs {
  readonly tracers: unknown;
  readonly meters: unknown;
}

export function findTheirs(): Theirs {
  const registered = tracers();
  const meters = metrics.getMeterProvider();
  return {
    tracers: registered === new ProxyTracerProvider().getDelegate() ? undefined : registered,
    meters: isNone(meters) ? undefined : meters,
  };
}

/** The provider that stands for none has meters that do. One that throws is another's. */
function isNone(meters: MeterProvider): boolean {
  try {
    return meters.getMeter("queuescope") === createNoopMeter();
  } catch {
    return false;
  }
}

/** The provider that is registered, or the one that stands for none. */
export function tracers(): unknown {
  return (trace.getTracerProvider() as { getDelegate?: () => unknown }).getDelegate?.();
}

/** Says, if there is anything, what is registered and what that means. The API itself says it to `diag` only. */
export function warnOfTheirs({ tracers, meters }: Theirs): void {
  const found: string[] = [];
  const means: string[] = [];
  if (tracers !== undefined) {
    found.push(`a tracer provider${nameOf(tracers)}`);
    means.push(
      "Spans go where that tracer provider sends them: serviceName, otlp and sampling are not for them.",
    );
  }
  if (meters !== undefined) {
    found.push(`a meter provider${nameOf(meters)}`);
    means.push(
      "Metrics of queues go only where startTelemetry() exports them, and those of the process to that meter provider.",
    );
  }
  if (found.length === 0) return;
  warnThat(
    `queuescope: before startTelemetry(), ${found.join(" and ")} had been registered with OpenTelemetry, and ${found.length > 1 ? "stay" : "stays"}. ` +
      `${means.join(" ")} Beside an SDK of your own, leave startTelemetry() out and give your metric reader metricProducer().`,
  );
}

function nameOf(provider: unknown): string {
  const name = (provider as object).constructor?.name;
  return name ? ` (${name})` : "";
}
