import {
  type Context,
  context,
  type Histogram,
  metrics,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";

/** What travels with a task from its put to its worker. */
export interface Stamp {
  readonly enqueuedAt: number;
  readonly context: Context;
  readonly link: SpanContext | undefined;
}

/** A task that was begun. */
interface Begun {
  readonly startedAt: number;
  readonly context: Context | undefined;
  readonly span: Span | undefined;
}

export type Done = (error: Error | null) => void;
export type Worker<T> = (item: T, done: Done) => void;

/** What people write around a task: histograms of how long it waited and took, and maybe a span for its put and for itself. */
export class HandwrittenTasks {
  private readonly tracer: Tracer | undefined;
  private readonly waitTime: Histogram;
  private readonly processTime: Histogram;
  private readonly attributes: { readonly "queue.name": string };

  constructor(name: string, hasSpans: boolean) {
    const meter = metrics.getMeter("handwritten");
    this.waitTime = meter.createHistogram("handwritten.wait", { unit: "ms" });
    this.processTime = meter.createHistogram("handwritten.process", {
      unit: "ms",
    });
    this.attributes = { "queue.name": name };
    this.tracer = hasSpans ? trace.getTracer("handwritten") : undefined;
  }

  /** Calls `put` with what is to travel with the task. */
  put(put: (stamp: Stamp) => void): void {
    const enqueuedAt = performance.now();
    const active = context.active();
    const { attributes } = this;
    const span = this.tracer?.startSpan("queue.put", { kind: SpanKind.PRODUCER, attributes }, active);
    try {
      put({ enqueuedAt, context: active, link: span?.spanContext() });
    } finally {
      span?.end();
    }
  }

  async run<R>(stamp: Stamp, task: () => Promise<R>): Promise<R> {
    const begun = this.begin(stamp);
    try {
      const result = await (begun.context === undefined ? task() : context.with(begun.context, task));
      this.end(begun);
      return result;
    } catch (error) {
      this.end(begun, error);
      throw error;
    }
  }

  call<T>(stamp: Stamp, worker: Worker<T>, item: T, done: Done): void {
    const begun = this.begin(stamp);
    if (begun.context === undefined) worker(item, this.ending(begun, done));
    else context.with(begun.context, worker, undefined, item, this.ending(begun, done));
  }

  /** Given back at once: what strips the types names a closure that is kept in a constant, each time it is made. */
  private ending(begun: Begun, done: Done): Done {
    return (error) => {
      this.end(begun, error);
      done(error);
    };
  }

  private begin({ enqueuedAt, context: origin, link }: Stamp): Begun {
    const startedAt = performance.now();
    const { attributes } = this;
    this.waitTime.record(startedAt - enqueuedAt, attributes);
    const links = link === undefined ? [] : [{ context: link }];
    const span = this.tracer?.startSpan(
      "queue.process",
      { kind: SpanKind.CONSUMER, attributes, links },
      origin,
    );
    return {
      startedAt,
      context: span === undefined ? undefined : trace.setSpan(origin, span),
      span,
    };
  }

  private end({ startedAt, span }: Begun, error?: unknown): void {
    this.processTime.record(performance.now() - startedAt, this.attributes);
    if (span === undefined) return;
    if (error) span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    span.end();
  }
}
