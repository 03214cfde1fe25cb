import { type Histogram, metrics, type Span, type Tracer, trace } from "@opentelemetry/api";

interface Storage<T> {
  put(item: T): Promise<void>;
  get(): Promise<T>;
}

interface Stamped<T> {
  readonly item: T;
  readonly enqueuedAt: number;
}

/** What people write around a queue: a span for each put and get, and three histograms. */
export class HandwrittenQueue<T> {
  private readonly tracer: Tracer = trace.getTracer("handwritten");
  private readonly putLatency: Histogram;
  private readonly getLatency: Histogram;
  private readonly waitTime: Histogram;
  private readonly attributes: { readonly "queue.name": string };

  constructor(
    private readonly inner: Storage<Stamped<T>>,
    name: string,
  ) {
    const meter = metrics.getMeter("handwritten");
    this.putLatency = meter.createHistogram("handwritten.put_latency", { unit: "ms" });
    this.getLatency = meter.createHistogram("handwritten.get_latency", { unit: "ms" });
    this.waitTime = meter.createHistogram("handwritten.wait", { unit: "ms" });
    this.attributes = { "queue.name": name };
  }

  put(item: T): Promise<void> {
    return this.tracer.startActiveSpan("queue.put", (span) => this.putIn(span, item));
  }

  get(): Promise<T> {
    return this.tracer.startActiveSpan("queue.get", (span) => this.getIn(span));
  }

  private async putIn(span: Span, item: T): Promise<void> {
    const enqueuedAt = performance.now();
    try {
      await this.inner.put({ item, enqueuedAt });
    } finally {
      this.putLatency.record(performance.now() - enqueuedAt, this.attributes);
      span.end();
    }
  }

  private async getIn(span: Span): Promise<T> {
    const startedAt = performance.now();
    try {
      const { item, enqueuedAt } = await this.inner.get();
      this.waitTime.record(performance.now() - enqueuedAt, this.attributes);
      return item;
    } finally {
      this.getLatency.record(performance.now() - startedAt, this.attributes);
      span.end();
    }
  }
}
