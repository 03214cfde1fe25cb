/** What an SDK has recorded of this process. */
export interface Recording {
  /** All spans that have ended, such as an `InMemorySpanExporter` has them. */
  spans(): readonly RecordedSpan[] | Promise<readonly RecordedSpan[]>;
  /** All metrics as they are now: `resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)` of what a reader's `collect` gives. */
  metrics(): Promise<readonly RecordedMetric[]>;
  stop(): unknown;
}

/** What the suite reads of a span of OpenTelemetry's SDK. */
export interface RecordedSpan {
  readonly name: string;
  readonly status: { readonly code: number };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string }[];
  readonly links: readonly { readonly context: { readonly spanId: string } }[];
  readonly parentSpanContext?: { readonly spanId: string } | undefined;
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

/** What the suite reads of a metric of OpenTelemetry's SDK. */
export interface RecordedMetric {
  readonly descriptor: { readonly name: string };
  readonly dataPoints: readonly {
    readonly attributes: Readonly<Record<string, unknown>>;
    /** A number, or what a histogram has. */
    readonly value: unknown;
  }[];
}

/** A span as it crosses to another process. */
export interface SpanFacts {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | undefined;
  /** IDs of spans. */
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  readonly events: readonly string[];
}

/** One point of a metric; of a histogram, how many values it has. */
export interface Figure {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

/** What a handler saw, when it began and when it was over. */
export interface Handled {
  readonly id: number;
  readonly own: unknown;
  readonly correlationIds: readonly (string | undefined)[];
  /** What is in the baggage. */
  readonly requests: readonly (string | undefined)[];
  /** IDs of the active span. */
  readonly spanIds: readonly (string | undefined)[];
}

/** As of OpenTelemetry's API. */
const ERROR = 2;

/** What one process knows of a queue. */
export class Report {
  constructor(
    readonly queue: string,
    readonly handled: readonly Handled[],
    readonly spans: readonly SpanFacts[],
    readonly figures: readonly Figure[],
  ) {}

  /** Of another process. */
  static from({ queue, handled, spans, figures }: Report): Report {
    return new Report(queue, handled, spans, figures);
  }

  sends(): readonly SpanFacts[] {
    return this.spans.filter(({ name }) => name === `send ${this.queue}`);
  }

  processes(): readonly SpanFacts[] {
    return this.spans.filter(({ name }) => name === `process ${this.queue}`);
  }

  /** The points that have all of these attributes. */
  points(name: string, attributes: Readonly<Record<string, string>> = {}): readonly Figure[] {
    const wanted = Object.entries(attributes);
    return this.figures.filter(
      (each) => each.name === name && wanted.every(([key, value]) => each.attributes[key] === value),
    );
  }

  /** The sum of this process's own points; 0 where there are none. */
  own(name: string, attributes: Readonly<Record<string, string>> = {}): number {
    let sum = 0;
    for (const { attributes: its, value } of this.points(name, attributes)) {
      if (its["queue.scope"] === undefined) sum += value;
    }
    return sum;
  }
}

export async function reportOf(
  recording: Recording,
  queue: string,
  handled: readonly Handled[],
): Promise<Report> {
  const spans = (await recording.spans()).map(factsOf);
  const figures: Figure[] = [];
  for (const { descriptor, dataPoints } of await recording.metrics()) {
    for (const { attributes, value } of dataPoints) {
      if (attributes["queue.name"] !== queue) continue;
      const number = typeof value === "number" ? value : (value as { count: number }).count;
      figures.push({ name: descriptor.name, attributes: { ...attributes }, value: number });
    }
  }
  return new Report(queue, [...handled], spans, figures);
}

function factsOf(span: RecordedSpan): SpanFacts {
  return {
    name: span.name,
    ...span.spanContext(),
    parent: span.parentSpanContext?.spanId,
    links: span.links.map(({ context }) => context.spanId),
    attributes: { ...span.attributes },
    isError: span.status.code === ERROR,
    events: span.events.map(({ name }) => name),
  };
}
