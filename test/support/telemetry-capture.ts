import { type Attributes, context, type DiagLogger, diag, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { DataPointType, MeterProvider, type MetricData, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
  type TracerProviderOptions,
} from "@opentelemetry/sdk-trace";
import { metricProducer } from "../../src/telemetry/metrics/metric-producer.js";

/** Real tracing, as the SDK does it, into memory. Uses only what the 2.x and 3.x lines of the SDK have in common. */
export class SpanCapture {
  readonly exporter = new InMemorySpanExporter();
  readonly provider: TracerProvider;

  /** Makes a provider, and registers it, together with a context manager, unless told otherwise. */
  constructor(options: TracerProviderOptions & { register?: boolean } = {}) {
    const { register = true, ...rest } = options;
    const processor = new SimpleSpanProcessor({ exporter: this.exporter });
    this.provider = new TracerProvider({
      ...rest,
      spanProcessors: [...(rest.spanProcessors ?? []), processor],
    });
    if (register) this.register();
  }

  register(): void {
    registerContextManager();
    trace.disable();
    trace.setGlobalTracerProvider(this.provider);
  }

  /** The spans that have ended, in the order in which they did. */
  async spans(): Promise<ReadableSpan[]> {
    await this.provider.forceFlush();
    return this.exporter.getFinishedSpans();
  }

  /** The ended spans of that name. */
  async named(name: string): Promise<ReadableSpan[]> {
    return (await this.spans()).filter((span) => span.name === name);
  }

  /** The one ended span of that name. */
  async only(name: string): Promise<ReadableSpan> {
    const all = await this.spans();
    const [span, ...others] = all.filter((each) => each.name === name);
    if (span === undefined || others.length > 0) {
      throw new Error(`want one span "${name}", have ${JSON.stringify(all.map((each) => each.name))}`);
    }
    return span;
  }

  async stop(): Promise<void> {
    trace.disable();
    context.disable();
    await this.provider.shutdown();
  }
}

export function registerContextManager(): void {
  context.disable();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

/** A reader that collects when it is asked to. */
class ReaderOnDemand extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export type MetricKind = "gauge" | "counter" | "histogram";

export interface HistogramValue {
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] };
  readonly sum: number;
  readonly count: number;
}

export interface CapturedPoint {
  readonly attributes: Attributes;
  readonly value: number | HistogramValue;
}

export interface CapturedMetric {
  readonly name: string;
  readonly kind: MetricKind;
  readonly unit: string;
  readonly points: readonly CapturedPoint[];
}

/** What one collection gave. */
export class Collected {
  readonly byName = new Map<string, CapturedMetric>();
  /** Names that came more than once: exported by two ways at a time. */
  readonly doubles: string[] = [];

  constructor(
    metrics: readonly CapturedMetric[],
    readonly errors: readonly unknown[],
  ) {
    for (const metric of metrics) {
      if (this.byName.has(metric.name)) this.doubles.push(metric.name);
      this.byName.set(metric.name, metric);
    }
  }

  /** The points of the instrument whose attributes include all of these. */
  points(name: string, attributes: Attributes = {}): readonly CapturedPoint[] {
    const wanted = Object.entries(attributes);
    const points = this.byName.get(name)?.points ?? [];
    return points.filter((point) => wanted.every(([key, value]) => point.attributes[key] === value));
  }

  /** The number at the one point with these attributes; undefined where there is none. */
  number(name: string, attributes: Attributes): number | undefined {
    const points = this.points(name, attributes);
    if (points.length > 1) throw new Error(`${name}: ${points.length} points have these attributes`);
    return points[0]?.value as number | undefined;
  }

  /** The same, for a histogram. */
  histogram(name: string, attributes: Attributes): HistogramValue | undefined {
    return this.number(name, attributes) as HistogramValue | undefined;
  }
}

/** Real metrics, as the SDK does them. */
export class MetricCapture {
  readonly provider: MeterProvider;
  private readonly reader: MetricReader;

  /**
   * `producer`: the reader gets our metric producer, which ends the plain API's turn for the rest of the process. `plain`: the
   * reader has only what comes through the metrics API.
   */
  constructor(way: "producer" | "plain", { register = true } = {}) {
    this.reader = new ReaderOnDemand(way === "producer" ? { metricProducers: [metricProducer()] } : {});
    this.provider = new MeterProvider({ readers: [this.reader] });
    if (register) this.register();
  }

  register(): void {
    metrics.disable();
    metrics.setGlobalMeterProvider(this.provider);
  }

  async collect(): Promise<Collected> {
    const { resourceMetrics, errors } = await this.reader.collect();
    return new Collected(
      resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.map(captured)),
      errors,
    );
  }

  async stop(): Promise<void> {
    metrics.disable();
    await this.provider.shutdown();
  }
}

function captured(metric: MetricData): CapturedMetric {
  const { name, unit } = metric.descriptor;
  const points = metric.dataPoints.map(({ attributes, value }) => ({
    attributes,
    value: value as CapturedPoint["value"],
  }));
  return { name, unit, kind: kindOf(metric), points };
}

function kindOf(metric: MetricData): MetricKind {
  if (metric.dataPointType === DataPointType.HISTOGRAM) return "histogram";
  if (metric.dataPointType === DataPointType.GAUGE) return "gauge";
  if (metric.dataPointType === DataPointType.SUM && metric.isMonotonic) return "counter";
  throw new Error(`${metric.descriptor.name}: neither gauge nor counter nor histogram`);
}

/** Listens to what is said through `diag`, until it is stopped. */
export class DiagCapture {
  readonly warnings: unknown[][] = [];
  readonly errors: unknown[][] = [];

  constructor(onWarn?: () => void) {
    const ignore = () => {};
    const logger: DiagLogger = {
      verbose: ignore,
      debug: ignore,
      info: ignore,
      error: (...args: unknown[]) => void this.errors.push(args),
      warn: (...args: unknown[]) => {
        this.warnings.push(args);
        onWarn?.();
      },
    };
    diag.disable();
    diag.setLogger(logger, { suppressOverrideMessage: true });
  }

  stop(): void {
    diag.disable();
  }
}

/** A promise to settle by hand, for tests that wait on signals. */
export function signal<V = void>(): { promise: Promise<V>; give: (value: V) => void } {
  let give!: (value: V) => void;
  const promise = new Promise<V>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}
