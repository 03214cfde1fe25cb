import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import type { TaskFacts } from "../contracts.js";
import { correlation } from "./correlation.js";
import type { Relation, Traces } from "./options.js";
import { Parcel, parcelOf } from "./parcel.js";
import { SCOPE } from "./version.js";

/** With relation `auto`, an item that waited this long or longer gets a trace of its own. In milliseconds. */
const LONG_WAIT_MS = 1_000;

let provider: TracerProvider | undefined;
let tracer: Tracer;

/** What is made before an SDK is registered, or by one that was replaced, stays dead: so by the provider of the moment. */
function currentTracer(): Tracer {
  const current = trace.getTracerProvider();
  if (current !== provider) {
    tracer = current.getTracer(SCOPE.name, SCOPE.version);
    provider = current;
  }
  return tracer;
}

/** Somebody pulls under a span of its own. */
export interface Pull {
  readonly context: Context;
}

/** The put span, while it is open. */
export class SentParcel extends Parcel {
  constructor(
    context: Context,
    correlationId: string,
    readonly span: Span,
  ) {
    super(context, correlationId, span.isRecording());
  }
}

/** The spans of one queue, as the telemetry contract has them. */
export class Spans {
  private readonly sendAttributes: Attributes;
  private readonly receiveAttributes: Attributes;
  private readonly processAttributes: Attributes;

  constructor(
    private readonly queue: string,
    system: string,
    private readonly traces: Traces,
    private readonly relation: Relation,
  ) {
    const attributesOf = (operation: string): Attributes => ({
      "messaging.system.name": system,
      "messaging.destination.name": queue,
      "messaging.operation.name": operation,
      "messaging.operation.type": operation,
    });
    this.sendAttributes = attributesOf("send");
    this.receiveAttributes = attributesOf("receive");
    this.processAttributes = attributesOf("process");
  }

  /** Opens the put span, if there is to be one. */
  send(tier: string, given: string | undefined, count: number): Parcel {
    const active = context.active();
    if (!this.wanted(active)) return parcelOf(active, given);
    const attributes: Attributes = { ...this.sendAttributes, "queue.tier": tier };
    if (count > 1) attributes["messaging.batch.message_count"] = count;
    const id = given ?? correlation.getStore()?.correlationId;
    if (id !== undefined) attributes["messaging.message.conversation_id"] = id;
    const span = currentTracer().startSpan(
      `send ${this.queue}`,
      { kind: SpanKind.PRODUCER, attributes },
      active,
    );
    const spanContext = span.spanContext();
    if (!trace.isSpanContextValid(spanContext)) return parcelOf(active, given);
    if (id === undefined) span.setAttribute("messaging.message.conversation_id", spanContext.traceId);
    return new SentParcel(trace.setSpan(active, span), id ?? spanContext.traceId, span);
  }

  /** Closes the put span, if there is one. */
  sent(parcel: Parcel, error?: unknown): void {
    if (!(parcel instanceof SentParcel)) return;
    end(parcel.span, error === undefined ? undefined : { error });
  }

  /** Remembers a pull that is to have a span. */
  pull(): Pull | undefined {
    if (this.traces === "never") return undefined;
    const active = context.active();
    return hasSpan(active) ? { context: active } : undefined;
  }

  /** Makes the span of a pull that is over. */
  pulled(pull: Pull, parcels: readonly (Parcel | undefined)[], tookMs: number, error: unknown): void {
    const startTime = Date.now() - (Number.isNaN(tookMs) ? 0 : tookMs);
    const attributes = { ...this.receiveAttributes };
    if (parcels.length > 1) attributes["messaging.batch.message_count"] = parcels.length;
    const span = currentTracer().startSpan(
      `receive ${this.queue}`,
      { kind: SpanKind.CLIENT, attributes, links: parcels.flatMap(linkTo), startTime },
      pull.context,
    );
    const [only] = parcels;
    if (parcels.length === 1 && only?.correlationId !== undefined) {
      span.setAttribute("messaging.message.conversation_id", only.correlationId);
    }
    end(span, error === undefined ? undefined : { error });
  }

  /** Opens the span of a handler. Undefined if there is to be none. */
  process(parcel: Parcel | undefined, task: TaskFacts): Span | undefined {
    const origin = parcel?.context ?? ROOT_CONTEXT;
    if (!this.wanted(origin)) return undefined;
    const asChild = parcel !== undefined && this.isChild(parcel, task);
    const span = currentTracer().startSpan(
      `process ${this.queue}`,
      {
        kind: SpanKind.CONSUMER,
        attributes: { ...this.processAttributes, "queue.tier": task.tier },
        root: !asChild,
        links: asChild ? [] : linkTo(parcel),
      },
      origin,
    );
    if (span.isRecording()) {
      span.setAttribute("queue.attempt", task.attempt);
      if (task.waitMs !== undefined) span.setAttribute("queue.wait_ms", task.waitMs);
      span.setAttribute("messaging.message.conversation_id", task.correlationId);
    }
    return span;
  }

  private wanted(origin: Context): boolean {
    return this.traces === "always" || (this.traces === "with-parent" && hasSpan(origin));
  }

  private isChild({ recorded }: Parcel, { attempt, waitMs }: TaskFacts): boolean {
    if (this.relation !== "auto") return this.relation === "parent";
    return recorded && attempt === 1 && (waitMs === undefined || waitMs < LONG_WAIT_MS);
  }
}

function hasSpan(origin: Context): boolean {
  const spanContext = trace.getSpanContext(origin);
  return spanContext !== undefined && trace.isSpanContextValid(spanContext);
}

function linkTo(parcel: Parcel | undefined): Link[] {
  const spanContext = parcel === undefined ? undefined : trace.getSpanContext(parcel.context);
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? [{ context: spanContext }] : [];
}

/** Ends the span, whatever becomes of telling how it failed: one that stays open is never exported. */
export function end(span: Span, failure?: { readonly error: unknown }): void {
  try {
    if (failure !== undefined) fail(span, failure.error);
  } finally {
    span.end();
  }
}

/** Marks the span as failed: status, exception, and the error's stable code as `error.type`. */
function fail(span: Span, error: unknown): void {
  span.setAttribute("error.type", textIn(error, "code") ?? textIn(error, "name") ?? "_OTHER");
  span.setStatus({ code: SpanStatusCode.ERROR, message: textIn(error, "message") ?? inWords(error) });
  span.recordException(error instanceof Error ? error : inWords(error));
}

/** Anything can be thrown, also what throws when it is looked at. */
function textIn(error: unknown, key: "code" | "name" | "message"): string | undefined {
  try {
    const value = (error as Partial<Record<typeof key, unknown>> | null | undefined)?.[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    return undefined;
  }
}

function inWords(error: unknown): string {
  try {
    return String(error);
  } catch {
    return typeof error;
  }
}
