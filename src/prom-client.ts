import { InvalidOptionTypeError, MetricNameTakenError } from "./base/errors.js";
import { type PromRegistration, processWide } from "./base/process-wide.js";
import { INSTRUMENTS, type InstrumentName } from "./telemetry/metrics/instruments.js";
import { plainExport } from "./telemetry/metrics/plain-export.js";
import { PromMetric } from "./telemetry/metrics/prom-metric.js";

export { MetricNameTakenError } from "./base/errors.js";

/** A `Registry` of prom-client, 14 or 15, described by shape: nothing of prom-client is imported. */
export interface PromRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** What {@link registerWith} has put into a registry. */
export interface Registration {
  /** Takes our metrics out of the registry again. Can be called again. */
  unregister(): void;
}

/**
 * Puts all our metrics into a registry of prom-client, by the names that they have everywhere: whatever serves that registry serves them, too.
 * No OpenTelemetry SDK is needed. From then on nothing goes through OpenTelemetry's metrics API, as with `metricProducer()`, until the last
 * registry is left; a reader with a `metricProducer()` of its own goes on. Of a registry that has them already nothing changes, except that
 * metrics come back that were removed from it, by `clear()` say. `resetMetrics()` leaves them as they are: the counts are the queues' own.
 * Throws `InvalidOptionTypeError` for what is no registry, and {@link MetricNameTakenError} for one that has other metrics of those names,
 * which leaves it unchanged.
 *
 * @example
 * import promClient from "prom-client";
 * import { registerWith } from "queuescope/prom-client";
 *
 * registerWith(promClient.register);
 */
export function registerWith(registry: PromRegistry): Registration {
  checkRegistry(registry);
  const { promRegistries } = processWide;
  const known = promRegistries.get(registry);
  if (known !== undefined) {
    known.renew();
    return known;
  }
  const metrics = (Object.keys(INSTRUMENTS) as InstrumentName[]).map((name) => new PromMetric(name));
  const isThere = (metric: PromMetric) => registry.getSingleMetric(metric.name) === metric;
  const renew = () => {
    const missing = metrics.filter((metric) => !isThere(metric));
    const taken = missing.filter(({ name }) => registry.getSingleMetric(name) !== undefined);
    if (taken.length > 0) throw new MetricNameTakenError(taken.map(({ name }) => name));
    for (const metric of missing) registry.registerMetric(metric as never);
  };
  renew();
  const resume = plainExport.suspend();
  const registration: PromRegistration = {
    renew,
    unregister: () => {
      if (promRegistries.get(registry) !== registration) return;
      promRegistries.delete(registry);
      for (const metric of metrics) if (isThere(metric)) registry.removeSingleMetric(metric.name);
      resume();
    },
  };
  promRegistries.set(registry, registration);
  return registration;
}

function checkRegistry(registry: unknown): void {
  const methods = ["getSingleMetric", "registerMetric", "removeSingleMetric"] as const;
  const isOne =
    typeof registry === "object" &&
    registry !== null &&
    methods.every((method) => typeof (registry as Record<string, unknown>)[method] === "function");
  if (!isOne) {
    throw new InvalidOptionTypeError(
      "registry",
      registry,
      "a Registry of prom-client, such as promClient.register",
    );
  }
}
