import { context, diag, metrics, ProxyTracerProvider, propagation, trace } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { NodeSDK, type NodeSDKConfiguration } from "@opentelemetry/sdk-node";
import {
  AlwaysOffSampler,
  NoopSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { InvalidOptionRangeError, InvalidOptionTypeError, TelemetryRunningError } from "../errors.js";
import { metricProducer } from "./metric-producer.js";
import { MetricsServer } from "./metrics-server.js";
import { openSpans } from "./open-spans.js";
import { measureRuntime } from "./sdk/runtime.js";

export { PortInUseError, TelemetryRunningError } from "../errors.js";
export { type OpenSpans, openSpans } from "./open-spans.js";

/** Options of {@link startTelemetry}. Only `undefined` stands for the default. */
export interface TelemetryOptions {
  /** `service.name` of everything that is emitted. */
  serviceName: string;
  /** Where Prometheus may scrape, or `false`. Default: `{ host: "127.0.0.1", port: 9464 }`; port 0 is any free one. */
  prometheus?: { host?: string | undefined; port?: number | undefined } | false | undefined;
  /**
   * Where to send spans, by OTLP over HTTP: the base URL, such as `http://127.0.0.1:4318`. Metrics go there too, if
   * `prometheus` is `false`. Default: what the environment's `OTEL_EXPORTER_OTLP_…` say; without them, nowhere.
   */
  otlp?: { endpoint: string } | undefined;
  /** Share of traces begun here that are recorded, 0 to 1; traces begun elsewhere keep their decision. Default: 1. */
  sampling?: number | undefined;
}

/** Telemetry that runs. */
export interface RunningTelemetry {
  /** Where to scrape; undefined where `prometheus` is `false`. */
  readonly url: string | undefined;
  /** Sends what is left, then stops. If it can't be sent, only `diag` hears of it. Can be called again. */
  shutdown(): Promise<void>;
}

/** A part of the OpenTelemetry API, for which an SDK is registered. */
interface Api {
  disable(): void;
}

let running = false;

/**
 * Starts the OpenTelemetry SDK with everything that queues need: tracing with context, our metrics at a Prometheus endpoint, and
 * OTLP if wanted; those of the process too, where `@opentelemetry/instrumentation-runtime-node` is installed. Who has an SDK of
 * their own needs only `metricProducer()`. Rejects with an `InvalidOption…Error`, `PortInUseError`, or `TelemetryRunningError`.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const settings = readOptions(options);
  if (running) throw new TelemetryRunningError();
  running = true;
  try {
    return await start(settings);
  } catch (error) {
    running = false;
    throw error;
  }
}

async function start({ serviceName, prometheus, otlp, sampling }: Settings): Promise<RunningTelemetry> {
  const configuration: Partial<NodeSDKConfiguration> = { serviceName };
  const sampler = samplerFor(sampling, otlp !== undefined || environmentExports("TRACES"));
  if (sampler !== undefined) configuration.sampler = sampler;
  if (otlp !== undefined) Object.assign(configuration, await otlpExport(otlp, prometheus === undefined));
  else Object.assign(configuration, exportByEnvironment());
  let server: MetricsServer | undefined;
  if (prometheus !== undefined) {
    server = await MetricsServer.listen(prometheus.host, prometheus.port, (request, response) =>
      exporter.getMetricsRequestHandler(request, response),
    );
    // After all that can fail: asking for the producer ends the export by the metrics API for good.
    const exporter = new PrometheusExporter({
      preventServerStart: true,
      metricProducers: [metricProducer()],
    });
    configuration.metricReaders = [exporter];
  }
  const { sdk, registered } = await startOrClose(configuration, server);
  const isRead = configuration.metricReaders?.length !== 0;
  const endRuntime = isRead ? await measureRuntime() : () => {};
  let stopping: Promise<void> | undefined;
  return {
    url: server?.url,
    shutdown: () => {
      stopping ??= stop(sdk, registered, server).finally(endRuntime);
      return stopping;
    },
  };
}

async function startOrClose(configuration: Partial<NodeSDKConfiguration>, server: MetricsServer | undefined) {
  try {
    const sdk = new NodeSDK(configuration);
    // Where somebody's SDK was first, it stays. Contexts and propagators come with the tracers; of them the API doesn't say.
    const registered: Api[] = [];
    if (tracers() === new ProxyTracerProvider().getDelegate()) registered.push(trace, context, propagation);
    const meters = metrics.getMeterProvider();
    sdk.start();
    if (metrics.getMeterProvider() !== meters) registered.push(metrics);
    addOpenSpans();
    return { sdk, registered };
  } catch (error) {
    await server?.close();
    throw error;
  }
}

/** The provider that is registered, or the one that stands for none. */
function tracers(): unknown {
  return (trace.getTracerProvider() as { getDelegate?: () => unknown }).getDelegate?.();
}

/**
 * Next to the processors that the SDK has made from its options and its environment: given as an option, ours would take their
 * place. There is no public way. Where this one is closed, watchdogs see no open spans.
 */
function addOpenSpans(): void {
  const provider = tracers() as { _activeSpanProcessor?: { _spanProcessors?: unknown } } | undefined;
  const processors = provider?._activeSpanProcessor?._spanProcessors;
  if (Array.isArray(processors)) processors.push(openSpans());
}

async function stop(
  sdk: NodeSDK,
  registered: readonly Api[],
  server: MetricsServer | undefined,
): Promise<void> {
  try {
    await sdk.shutdown();
  } catch (error) {
    // A collector that is away must not turn a clean exit into a failed one.
    diag.error("queuescope: the last telemetry could not be sent", error);
  } finally {
    await server?.close();
    for (const api of registered) api.disable();
    running = false;
  }
}

/** Loaded only where it is wanted, so that the packages are needed only there. */
async function otlpExport(endpoint: string, withMetrics: boolean): Promise<Partial<NodeSDKConfiguration>> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const configuration: Partial<NodeSDKConfiguration> = {
    traceExporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }),
    // Left out, they would go to the default address instead of this endpoint.
    logRecordProcessors: [],
  };
  if (withMetrics) {
    const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-http");
    const { PeriodicExportingMetricReader } = await import("@opentelemetry/sdk-metrics");
    configuration.metricReaders = [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` }),
        metricProducers: [metricProducer()],
      }),
    ];
  }
  return configuration;
}

/** What the environment asks for and nothing else: left to itself, the SDK would send to whoever listens on OTLP's usual port. */
function exportByEnvironment(): Partial<NodeSDKConfiguration> {
  const configuration: Partial<NodeSDKConfiguration> = {};
  // Without a processor there would be no tracing at all, and so no trace IDs.
  if (!environmentExports("TRACES")) configuration.spanProcessors = [new NoopSpanProcessor()];
  if (!environmentExports("METRICS")) configuration.metricReaders = [];
  if (!environmentExports("LOGS")) configuration.logRecordProcessors = [];
  return configuration;
}

type Exported = "TRACES" | "METRICS" | "LOGS";

/** Does the environment say where these should go? */
function environmentExports(what: Exported): boolean {
  const exporter = process.env[`OTEL_${what}_EXPORTER`];
  if (exporter) return exporter !== "none";
  return [`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_${what}_ENDPOINT`].some(
    (name) => process.env[name],
  );
}

/** Undefined leaves it to the SDK and its environment. Where nobody gets spans, none are recorded, only context is passed on. */
function samplerFor(sampling: number | undefined, exportsSpans: boolean): Sampler | undefined {
  if (!exportsSpans) return new ParentBasedSampler({ root: new AlwaysOffSampler() });
  if (sampling === undefined) return undefined;
  return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampling) });
}

/** {@link TelemetryOptions}, checked and complete. */
interface Settings {
  readonly serviceName: string;
  readonly prometheus: { host: string; port: number } | undefined;
  readonly otlp: string | undefined;
  readonly sampling: number | undefined;
}

function readOptions(options: unknown): Settings {
  if (typeof options !== "object" || options === null) {
    throw new InvalidOptionTypeError("options", options, "an object with at least a serviceName");
  }
  const { serviceName, prometheus, otlp, sampling } = options as Record<keyof TelemetryOptions, unknown>;
  if (typeof serviceName !== "string" || serviceName === "") {
    throw new InvalidOptionTypeError("serviceName", serviceName, "a string with at least one character");
  }
  if (sampling !== undefined) {
    const allowed = "a number from 0 to 1";
    if (typeof sampling !== "number") throw new InvalidOptionTypeError("sampling", sampling, allowed);
    if (!(sampling >= 0 && sampling <= 1)) throw new InvalidOptionRangeError("sampling", sampling, allowed);
  }
  return { serviceName, prometheus: readPrometheus(prometheus), otlp: readOtlp(otlp), sampling };
}

function readPrometheus(prometheus: unknown): Settings["prometheus"] {
  if (prometheus === false) return undefined;
  if (prometheus !== undefined && (typeof prometheus !== "object" || prometheus === null)) {
    throw new InvalidOptionTypeError("prometheus", prometheus, "an object { host, port } or false");
  }
  const { host = "127.0.0.1", port = 9464 } = (prometheus ?? {}) as Record<string, unknown>;
  if (typeof host !== "string" || host === "") {
    throw new InvalidOptionTypeError("prometheus.host", host, "a host name or an address");
  }
  const allowed = "a whole number from 0 to 65535";
  if (typeof port !== "number") throw new InvalidOptionTypeError("prometheus.port", port, allowed);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidOptionRangeError("prometheus.port", port, allowed);
  }
  return { host, port };
}

function readOtlp(otlp: unknown): string | undefined {
  if (otlp === undefined) return undefined;
  const endpoint = (otlp as { endpoint?: unknown } | null)?.endpoint;
  if (typeof endpoint !== "string" || !/^https?:\/\/[^/]/.test(endpoint)) {
    throw new InvalidOptionTypeError("otlp.endpoint", endpoint, "an http:// or https:// URL");
  }
  return endpoint.replace(/\/+$/, "");
}
