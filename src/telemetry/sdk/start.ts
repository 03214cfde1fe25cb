import { context, diag, metrics, propagation, trace } from "@opentelemetry/api";
import type { NodeSDK, NodeSDKConfiguration } from "@opentelemetry/sdk-node";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { plainError } from "../../base/error-text.js";
import { TelemetryRunningError } from "../../base/errors.js";
import { inTime } from "../../base/in-time.js";
import { cut, MAX_NAME, whole } from "../../base/limits.js";
import { checkMayListen } from "../../base/may-listen.js";
import { contained } from "../../base/output.js";
import { processWide } from "../../base/process-wide.js";
import { warnThat } from "../../base/warning.js";
import { askEnvironment } from "../ask-environment.js";
import { metricProducer } from "../metrics/metric-producer.js";
import { plainExport } from "../metrics/plain-export.js";
import type { Collectors } from "../metrics/scrapes.js";
import { pointsInText } from "../metrics/text.js";
import { warnOfOtherApi } from "../other-api.js";
import { openSpans } from "../spans/open-spans.js";
import { resourceOfInstance } from "./instance.js";
import { MetricsServer } from "./metrics-server.js";
import { readOptions, type Settings, type TelemetryOptions } from "./options.js";
import { loadPeers, type Peers } from "./peers.js";
import { findTheirs, tracers, warnOfTheirs } from "./registered.js";
import { measureRuntime } from "./runtime.js";

export { MissingPeerError, PortInUseError, TelemetryRunningError } from "../../base/errors.js";
export { type OpenSpans, openSpans } from "../spans/open-spans.js";
export type { PrometheusOptions, TelemetryOptions } from "./options.js";

/** Telemetry that runs. */
export interface RunningTelemetry {
  /** Where to scrape; undefined where `prometheus` is `false`, or the environment's `OTEL_SDK_DISABLED` is `true`. */
  readonly url: string | undefined;
  /**
   * Sends what there is by now, spans and metrics, for `shutdownTimeoutMs` at most, and goes on: before a process is frozen, as a function of
   * AWS Lambda is after each answer. If it can't be sent, only `diag` hears of it.
   *
   * @example
   * await queue.join();
   * await telemetry.flush();
   */
  flush(): Promise<void>;
  /**
   * Sends what is left, for `shutdownTimeoutMs` at most, then stops. If it can't be sent, only `diag` hears of it. Can be called
   * again.
   */
  shutdown(): Promise<void>;
}

/** What keeps something back that is to be sent. */
interface Flushable {
  forceFlush(): Promise<void>;
}

/** A part of the OpenTelemetry API, for which an SDK is registered. */
interface Api {
  disable(): void;
}

const { sdk: state, inspection } = processWide;

/**
 * Starts the OpenTelemetry SDK with everything that queues need: tracing with context, our metrics at a Prometheus endpoint, and
 * OTLP if wanted; those of the process too, where `@opentelemetry/instrumentation-runtime-node` is installed. Who has an SDK of
 * their own needs only `metricProducer()`, and is warned. Rejects with an `InvalidOption…Error`, `PortInUseError`, `TelemetryRunningError`, or
 * `MissingPeerError`, which names the command that installs what is needed.
 *
 * @example
 * const telemetry = await startTelemetry({ serviceName: "orders", prometheus: { port: 0 } });
 * await telemetry.shutdown();
 */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const settings = readOptions(options);
  // What is said here counts, and not what the environment says.
  if (settings.inspect !== undefined) inspection.isAsked = true;
  if (state.isRunning) throw new TelemetryRunningError();
  state.isRunning = true;
  try {
    const running = await start(settings);
    // A name is no longer than names of queues.
    inspection.name = cut(whole(settings.serviceName), MAX_NAME);
    if (settings.inspect === undefined) askEnvironment();
    return settings.inspect ? await inspected(running) : running;
  } catch (error) {
    state.isRunning = false;
    throw error;
  }
}

/** The same, and the process can be looked into until it is shut down. */
async function inspected(running: RunningTelemetry): Promise<RunningTelemetry> {
  const { inspect } = await import("../../inspector/inspect.js");
  const inspection = inspect();
  return {
    ...running,
    shutdown: async () => {
      await Promise.all([running.shutdown(), inspection.close()]);
    },
  };
}

async function start(settings: Settings): Promise<RunningTelemetry> {
  const { serviceName, prometheus, otlp, sampling, shutdownTimeoutMs } = settings;
  if (isDisabled()) {
    warnThat("startTelemetry() starts nothing, and nobody can scrape: OTEL_SDK_DISABLED is true");
    state.isRunning = false;
    return { url: undefined, flush: async () => {}, shutdown: async () => {} };
  }
  const peers = await loadPeers({
    prometheus: prometheus !== undefined,
    otlp: otlp === undefined ? "nothing" : prometheus === undefined ? "traces-and-metrics" : "traces",
  });
  const configuration: Partial<NodeSDKConfiguration> = {
    serviceName,
    ...resourceOfInstance(peers["@opentelemetry/sdk-node"]),
  };
  const sampler = samplerFor(peers, sampling, otlp !== undefined || environmentExports("TRACES"));
  if (sampler !== undefined) configuration.sampler = sampler;
  if (otlp !== undefined) Object.assign(configuration, otlpExport(peers, otlp));
  else Object.assign(configuration, exportByEnvironment(peers));
  if (exportsNothing(settings)) {
    warnThat(
      "startTelemetry() exports nothing: prometheus is false, and neither otlp nor an OTEL_… variable says where to send anything",
    );
  }
  let server: MetricsServer | undefined;
  if (prometheus !== undefined) {
    const { host, port, authorize } = prometheus;
    checkMayListen("prometheus", "give prometheus: false");
    // It imports the exporter, which by now is known to be there.
    const { exposition } = await import("./exposition.js");
    const collectors: Collectors = {
      text: (isWanted) => exposition(exporter, pointsInText, "text", isWanted),
      openmetrics: (isWanted) => exposition(exporter, pointsInText, "openmetrics", isWanted),
    };
    server = await MetricsServer.listen(host, port, collectors, authorize);
    // Ours don't go through it. After all that can fail: this ends their export by the metrics API for good.
    const exporter = new peers["@opentelemetry/exporter-prometheus"]!.PrometheusExporter({
      preventServerStart: true,
    });
    plainExport.stop();
    configuration.metricReaders = [exporter];
  }
  const { sdk, registered } = await startOrClose(peers, configuration, server);
  const isRead = configuration.metricReaders?.length !== 0;
  const endRuntime = isRead ? await measureRuntime() : () => {};
  const flushed = flushable(registered, configuration.metricReaders ?? []);
  let stopping: Promise<void> | undefined;
  return {
    url: server?.url,
    flush: async () => stopping ?? sent(shutdownTimeoutMs, () => flushAll(flushed)),
    shutdown: () => {
      stopping ??= stop({ sdk, registered, server, shutdownTimeoutMs }).finally(endRuntime);
      return stopping;
    },
  };
}

async function startOrClose(
  peers: Peers,
  configuration: Partial<NodeSDKConfiguration>,
  server: MetricsServer | undefined,
) {
  try {
    const sdk = new peers["@opentelemetry/sdk-node"].NodeSDK(configuration);
    // Where another SDK was first, it stays. Contexts and propagators come with the tracers; of them the API doesn't say.
    const theirs = findTheirs();
    const registered: Api[] = [];
    if (theirs.tracers === undefined) registered.push(trace, context, propagation);
    const meters = metrics.getMeterProvider();
    sdk.start();
    if (metrics.getMeterProvider() !== meters) registered.push(metrics);
    addOpenSpans();
    // Without a reader there are no meters of ours to be in the way of others.
    warnOfOtherApi();
    warnOfTheirs(configuration.metricReaders?.length === 0 ? { ...theirs, meters: undefined } : theirs);
    return { sdk, registered };
  } catch (error) {
    await server?.close();
    throw error;
  }
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

interface Running {
  readonly sdk: NodeSDK;
  readonly registered: readonly Api[];
  readonly server: MetricsServer | undefined;
  readonly shutdownTimeoutMs: number;
}

async function stop({ sdk, registered, server, shutdownTimeoutMs }: Running): Promise<void> {
  try {
    await sent(shutdownTimeoutMs, () => sdk.shutdown());
  } finally {
    await server?.close();
    for (const api of registered) api.disable();
    state.isRunning = false;
  }
}

/** Our SDK's: of spans what it has registered, of metrics also the readers of a provider that has no place because another was first. */
function flushable(registered: readonly Api[], readers: readonly Flushable[]): Flushable[] {
  const spans = registered.includes(trace) ? [tracers()] : [];
  const measures = registered.includes(metrics) ? [metrics.getMeterProvider()] : readers;
  return [...spans, ...measures].filter(
    (each): each is Flushable => typeof (each as Partial<Flushable> | undefined)?.forceFlush === "function",
  );
}

/** That one part can't be sent keeps none of the others back. */
async function flushAll(parts: readonly Flushable[]): Promise<void> {
  const results = await Promise.allSettled(parts.map(async (each) => each.forceFlush()));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/**
 * Never rejects: a collector that is away must not turn a clean exit into a failed one. The SDK has no limit of its own: exporters try again until
 * theirs, 10 s by default, is over. They can't be told to stop, and shouldn't be: a collector that is only slow gets everything, if the process
 * lives for so long.
 */
async function sent(timeoutMs: number, send: () => Promise<void>): Promise<void> {
  try {
    await inTime(timeoutMs, send(), undefined, "waits");
  } catch (error) {
    contained(() => diag.error("queuescope: the last telemetry could not be sent", plainError(error)));
  }
}

function otlpExport(peers: Peers, endpoint: string): Partial<NodeSDKConfiguration> {
  const traces = peers["@opentelemetry/exporter-trace-otlp-http"]!;
  const configuration: Partial<NodeSDKConfiguration> = {
    traceExporter: new traces.OTLPTraceExporter({ url: `${endpoint}/v1/traces` }),
    // Left out, they would go to the default address instead of this endpoint.
    logRecordProcessors: [],
  };
  const metrics = peers["@opentelemetry/exporter-metrics-otlp-http"];
  const sdkMetrics = peers["@opentelemetry/sdk-metrics"];
  if (metrics !== undefined && sdkMetrics !== undefined) {
    configuration.metricReaders = [
      new sdkMetrics.PeriodicExportingMetricReader({
        exporter: new metrics.OTLPMetricExporter({ url: `${endpoint}/v1/metrics` }),
        metricProducers: [metricProducer()],
      }),
    ];
  }
  return configuration;
}

/** What the environment asks for and nothing else: left to itself, the SDK would send to any program that listens on OTLP's usual port. */
function exportByEnvironment(peers: Peers): Partial<NodeSDKConfiguration> {
  const { NoopSpanProcessor } = peers["@opentelemetry/sdk-trace"];
  const configuration: Partial<NodeSDKConfiguration> = {};
  // Without a processor there would be no tracing at all, and so no trace IDs.
  if (!environmentExports("TRACES")) configuration.spanProcessors = [new NoopSpanProcessor()];
  if (!environmentExports("METRICS")) configuration.metricReaders = [];
  if (!environmentExports("LOGS")) configuration.logRecordProcessors = [];
  return configuration;
}

/** By this the SDK does nothing at all. */
function isDisabled(): boolean {
  return process.env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true";
}

/** And there is no other SDK here that would. */
function exportsNothing({ prometheus, otlp }: Settings): boolean {
  if (prometheus !== undefined || otlp !== undefined || SIGNALS.some(environmentExports)) return false;
  const theirs = findTheirs();
  return theirs.tracers === undefined && theirs.meters === undefined;
}

const SIGNALS = ["TRACES", "METRICS", "LOGS"] as const;

/** Whether the environment says where these should go. */
function environmentExports(what: (typeof SIGNALS)[number]): boolean {
  const exporter = process.env[`OTEL_${what}_EXPORTER`];
  if (exporter) return exporter !== "none";
  return [`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_${what}_ENDPOINT`].some(
    (name) => process.env[name],
  );
}

/** Undefined leaves it to the SDK and its environment. Where spans go nowhere, none are recorded, only context is passed on. */
function samplerFor(peers: Peers, sampling: number | undefined, exportsSpans: boolean): Sampler | undefined {
  const { AlwaysOffSampler, ParentBasedSampler, TraceIdRatioBasedSampler } =
    peers["@opentelemetry/sdk-trace"];
  if (!exportsSpans) return new ParentBasedSampler({ root: new AlwaysOffSampler() });
  if (sampling === undefined) return undefined;
  return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampling) });
}
