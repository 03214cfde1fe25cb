import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { HistogramValue, MetricCapture, SpanCapture } from "../support/telemetry-capture.js";

type Attributes = Record<string, string>;

/** What telemetry says of one queue. */
export class Readings {
  constructor(
    private readonly metrics: MetricCapture,
    private readonly spans: SpanCapture,
    readonly name: string,
  ) {}

  async number(metric: string, attributes: Attributes = {}): Promise<number | undefined> {
    return (await this.metrics.collect()).number(metric, { "queue.name": this.name, ...attributes });
  }

  async histogram(metric: string, attributes: Attributes = {}): Promise<HistogramValue | undefined> {
    return (await this.metrics.collect()).histogram(metric, { "queue.name": this.name, ...attributes });
  }

  /** Each point of the metric, by the value of that attribute. */
  async by(attribute: string, metric: string, attributes: Attributes = {}): Promise<Record<string, unknown>> {
    const points = (await this.metrics.collect()).points(metric, { "queue.name": this.name, ...attributes });
    return Object.fromEntries(points.map((point) => [point.attributes[attribute], point.value]));
  }

  /** Each point of the metric, by tier. */
  async byTier(metric: string, attributes: Attributes = {}): Promise<Record<string, unknown>> {
    return this.by("queue.tier", metric, attributes);
  }

  /** How often each bucketed value came, by tier or whatever tells the histograms apart. */
  async counts(attribute: string, metric: string): Promise<Record<string, number>> {
    const all = await this.by(attribute, metric);
    return Object.fromEntries(
      Object.entries(all).map(([key, value]) => [key, (value as HistogramValue).count]),
    );
  }

  /** The metrics that have any series of this queue, in alphabetical order. */
  async metricNames(): Promise<string[]> {
    const { byName } = await this.metrics.collect();
    const ofThis = [...byName.values()].filter(({ points }) =>
      points.some(({ attributes }) => attributes["queue.name"] === this.name),
    );
    return ofThis.map(({ name }) => name).sort();
  }

  /** Without a flush, which would never come to its end while timers are faked. */
  private ended(name: string): ReadableSpan[] {
    return this.spans.exporter.getFinishedSpans().filter((span) => span.name === name);
  }

  sends(): ReadableSpan[] {
    return this.ended(`send ${this.name}`);
  }

  processes(): ReadableSpan[] {
    return this.ended(`process ${this.name}`);
  }

  /** Of each `process` span that has ended: which of the puts, in the order of their ends, it links to or is a child of. */
  links(): (number | undefined)[] {
    const sends = this.sends().map(idOf);
    return this.processes().map((span) => {
      const origin = span.links[0]?.context.spanId ?? parentOf(span);
      return origin === undefined ? undefined : sends.indexOf(origin);
    });
  }
}

export function idOf(span: ReadableSpan): string {
  return span.spanContext().spanId;
}

export function traceOf(span: ReadableSpan): string {
  return span.spanContext().traceId;
}

export function parentOf(span: ReadableSpan): string | undefined {
  return span.parentSpanContext?.spanId;
}
