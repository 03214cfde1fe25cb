import {
  type Attributes,
  type Context,
  context,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { wallNow } from "../../base/clock.js";
import { errorLine } from "../../base/error-text.js";
import { errorType, textIn } from "../../base/error-type.js";
import { cut, MAX_NAME } from "../../base/limits.js";
import type { TaskFacts } from "../../contracts/index.js";
import { correlation } from "../context/correlation.js";
import { parcelOf, SendContext } from "../context/send-context.js";
import type { Relation, Traces } from "../options.js";
import { warnOfOtherApi } from "../other-api.js";
import { SCOPE } from "../version.js";

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

/** What stands for a provider while none is registered. */
const NONE = new ProxyTracerProvider().getDelegate();

/** Whether spans are made. Asked each time: an SDK may come later. */
function isTraced(): boolean {
  const current = trace.getTracerProvider() as Partial<ProxyTracerProvider>;
  return current.getDelegate === undefined || current.getDelegate() !== NONE;
}

/** How many items without an SDK pass between two looks for one that is registered elsewhere. */
const LOOK_EVERY = 256;
let lookups = 0;

type Operation = "send" | "receive" | "process";

/** Where a put goes, where that is not the queue that it counts for: to an exchange, say. */
export interface SendsTo {
  readonly name: string;
  readonly attributes?: Attributes | undefined;
}

/** A get under a span of its own. */
export interface Pull {
  readonly context: Context;
}

/** A parcel with a put span. */
export class SentParcel extends SendContext {
  /** Asked at once: when the span has ended, it records nothing any more. */
  readonly isRecorded: boolean;
  /** The span's IDs, if it is sampled. */
  readonly sampledIn: SpanContext | undefined;

  constructor(
    context: Context,
    correlationId: string,
    readonly span: Span,
    /** The span's, which is valid. */
    readonly spanContext: SpanContext,
  ) {
    super(context, correlationId);
    this.isRecorded = span.isRecording();
    const isSampled = this.isRecorded && (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
    this.sampledIn = isSampled ? spanContext : undefined;
  }
}

/** The spans of one queue, as the telemetry contract has them. */
export class Spans {
  private readonly names: Record<Operation, string>;

  constructor(
    private readonly queue: string,
    private readonly system: string,
    private readonly traces: Traces,
    private readonly relation: Relation,
  ) {
    this.names = { send: `send ${queue}`, receive: `receive ${queue}`, process: `process ${queue}` };
  }

  /** Opens the put span, if there is to be one. `to` is where it goes, if that is not the queue itself. */
  send(tier: string, given: string | undefined, count: number, to?: SendsTo): SendContext {
    const active = context.active();
    if (!this.wanted(active)) return parcelOf(active, given);
    const attributes = this.attributes("send", tier);
    if (count > 1) attributes["messaging.batch.message_count"] = count;
    if (to !== undefined) {
      attributes["messaging.destination.name"] = to.name;
      if (to.attributes !== undefined) Object.assign(attributes, to.attributes);
    }
    const id = given ?? correlation.getStore()?.correlationId;
    if (id !== undefined) attributes["messaging.message.conversation_id"] = id;
    const span = currentTracer().startSpan(
      to === undefined ? this.names.send : `send ${to.name}`,
      { kind: SpanKind.PRODUCER, attributes },
      active,
    );
    const spanContext = span.spanContext();
    if (!trace.isSpanContextValid(spanContext)) return parcelOf(active, given);
    if (id === undefined) span.setAttribute("messaging.message.conversation_id", spanContext.traceId);
    return new SentParcel(trace.setSpan(active, span), id ?? spanContext.traceId, span, spanContext);
  }

  /** Closes the put span, if there is one. */
  sent(parcel: SendContext | undefined, error?: unknown): void {
    if (!(parcel instanceof SentParcel)) return;
    end(parcel.span, error === undefined ? undefined : { error });
  }

  /** Remembers a pull that is to have a span. */
  pull(): Pull | undefined {
    if (this.traces === "never" || !isTraced()) return undefined;
    const active = context.active();
    return hasSpan(active) ? { context: active } : undefined;
  }

  /** Makes the span of a pull that is over. */
  pulled(pull: Pull, parcels: readonly (SendContext | undefined)[], tookMs: number, error: unknown): void {
    const startTime = wallNow() - (Number.isNaN(tookMs) ? 0 : tookMs);
    const attributes = this.attributes("receive");
    if (parcels.length > 1) attributes["messaging.batch.message_count"] = parcels.length;
    const span = currentTracer().startSpan(
      this.names.receive,
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
  process(parcel: SendContext | undefined, task: TaskFacts): Span | undefined {
    const origin = parcel?.context ?? ROOT_CONTEXT;
    if (!this.wanted(origin)) return undefined;
    const sent = spanContextOf(parcel);
    const isRecorded = parcel instanceof SentParcel && parcel.isRecorded;
    const isSampled = sent !== undefined && (sent.traceFlags & TraceFlags.SAMPLED) !== 0;
    // The handler goes on in a trace of which neither the put nor what it leads to is to be recorded. A root would be sampled anew, and one
    // in ten of the requests that are not to be seen would have a handler without its request.
    if (sent !== undefined && !isSampled && !isRecorded) return trace.wrapSpanContext(sent);
    const asChild = sent !== undefined && ((isRecorded && !isSampled) || this.isChild(isRecorded, task));
    const span = currentTracer().startSpan(
      this.names.process,
      {
        kind: SpanKind.CONSUMER,
        attributes: this.attributes("process", task.tier),
        root: !asChild,
        links: asChild || sent === undefined ? [] : [{ context: sent }],
      },
      origin,
    );
    if (span.isRecording()) {
      span.setAttribute("queue.attempt", task.attempt);
      if (task.waitMs !== undefined) span.setAttribute("queue.wait_ms", task.waitMs);
      span.setAttribute("messaging.message.conversation_id", task.correlationId);
      if (task.attributes !== undefined) span.setAttributes(task.attributes);
    }
    return span;
  }

  /** Spelled out, because a literal is made several times faster than a copy. */
  private attributes(operation: Operation, tier?: string): Attributes {
    const attributes: Attributes = {
      "messaging.system.name": this.system,
      "messaging.destination.name": this.queue,
      "messaging.operation.name": operation,
      "messaging.operation.type": operation,
    };
    if (tier !== undefined) attributes["queue.tier"] = tier;
    return attributes;
  }

  private wanted(origin: Context): boolean {
    if (!isTraced()) {
      // Now and then: who registers may come late.
      if (lookups++ % LOOK_EVERY === 0) warnOfOtherApi();
      return false;
    }
    return this.traces === "always" || (this.traces === "with-parent" && hasSpan(origin));
  }

  private isChild(isRecorded: boolean, { attempt, waitMs }: TaskFacts): boolean {
    if (this.relation !== "auto") return this.relation === "parent";
    return isRecorded && attempt === 1 && (waitMs === undefined || waitMs < LONG_WAIT_MS);
  }
}

function hasSpan(origin: Context): boolean {
  const spanContext = trace.getSpanContext(origin);
  return spanContext !== undefined && trace.isSpanContextValid(spanContext);
}

/** The span that the item comes from: that of its put, else its producer's. */
function spanContextOf(parcel: SendContext | undefined): SpanContext | undefined {
  if (parcel === undefined) return undefined;
  if (parcel instanceof SentParcel) return parcel.spanContext;
  const spanContext = trace.getSpanContext(parcel.context);
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext : undefined;
}

function linkTo(parcel: SendContext | undefined): Link[] {
  const spanContext = spanContextOf(parcel);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}

/** The IDs of a span, if it is recorded and sampled: those that are not are nowhere to be found. */
export function sampledSpan(span: Span): SpanContext | undefined {
  if (!span.isRecording()) return undefined;
  const spanContext = span.spanContext();
  const isSampled = (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
  return isSampled && trace.isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** Ends the span, whatever becomes of telling how it failed: one that stays open is never exported. */
export function end(span: Span, failure?: { readonly error: unknown }, at?: number): void {
  try {
    if (failure !== undefined) fail(span, failure.error);
  } finally {
    span.end(at);
  }
}

/** Ends the span of what has failed without an error that could be shown. `type` is its `error.type`. */
export function endFailed(span: Span, type: string, message: string, at?: number): void {
  try {
    span.setAttribute("error.type", type);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  } finally {
    span.end(at);
  }
}

/** How much of an error a span shows, in characters. */
const MAX_MESSAGE = 1_000;
const MAX_STACK = 10_000;

/** Marks the span as failed: status, exception, and the error's stable code as `error.type`. */
function fail(span: Span, error: unknown): void {
  const type = errorType(error);
  const message = cut(textIn(error, "message") ?? errorLine(error), MAX_MESSAGE);
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  if (!isError(error)) span.recordException(errorLine(error));
  else {
    const name = textIn(error, "name");
    const stack = textIn(error, "stack");
    span.recordException({
      message,
      ...(name === undefined ? {} : { name: cut(name, MAX_NAME) }),
      ...(stack === undefined ? {} : { stack: cut(stack, MAX_STACK) }),
    });
  }
}

/** Anything can be thrown, also what throws when it is looked at. */
function isError(error: unknown): boolean {
  try {
    return error instanceof Error;
  } catch {
    return false;
  }
}
