import { type Context, context, createContextKey, propagation, ROOT_CONTEXT } from "@opentelemetry/api";
import { MAX_CORRELATION_ID } from "../base/limits.js";
import type { ReadHeader } from "../contracts/broker.js";
import { traceIdOf } from "../telemetry/context/correlation.js";
import { SendContext } from "../telemetry/context/send-context.js";

/** The header of the correlation ID. It is absent where the ID is that of the trace. */
export const CORRELATION_ID = "queuescope-correlation-id";
/** The header of the time at which the message was sent: epoch milliseconds, by the producer's clock. */
export const SENT_AT = "queuescope-sent-at";

/** How long the headers of the W3C may be that are read and written, in characters; others of a propagator may have `MAX_OTHER`. */
const MAX: Readonly<Record<string, number>> = {
  // Later versions of it are longer than the 55 of today's.
  traceparent: 256,
  tracestate: 2_048,
  // What the W3C asks of every party to pass on.
  baggage: 8_192,
  [CORRELATION_ID]: MAX_CORRELATION_ID,
  [SENT_AT]: 16,
};
const MAX_OTHER = 1_024;

/** What no protocol's header may have in it: control characters and halves of surrogate pairs. */
const UNSAFE = /[\p{Cc}\p{Cs}]/u;
/** What all headers are like but for what is in some baggage; several times as fast to tell. */
const PLAIN = /^[ -~]*$/;

type Headers = Record<string, string>;

/** Has nothing but its own properties, as what `Object.create(null)` makes, which is several times as slow to fill and to read. */
function Bare() {}
Bare.prototype = Object.create(null);
const Headers = Bare as unknown as new () => Headers;

/** What was read from the headers of a message. */
export interface Received {
  readonly parcel: SendContext;
  /** Epoch milliseconds of the producer's clock. */
  readonly sentAt: number | undefined;
  /** Headers that are there and can't be what a propagator wrote. */
  readonly rejected: number;
}

/** What there is where nothing could be read. */
export const NOT_RECEIVED: Received = {
  parcel: new SendContext(ROOT_CONTEXT, undefined),
  sentAt: undefined,
  rejected: 0,
};

/** The headers that are to travel with a message. `leftOut` is told what doesn't fit. */
export function headersOf(
  parcel: SendContext,
  now: number,
  leftOut: () => void,
  isTracedElsewhere = false,
): Headers {
  const headers = new Headers();
  if (!isTracedElsewhere) propagation.inject(parcel.context, headers);
  for (const name in headers) {
    if (isHeader(name, headers[name])) continue;
    delete headers[name];
    leftOut();
  }
  const id = parcel.correlationId;
  if (id !== undefined && (isTracedElsewhere || id !== traceIdOf(parcel.context))) {
    if (isHeader(CORRELATION_ID, id)) headers[CORRELATION_ID] = id;
    else leftOut();
  }
  headers[SENT_AT] = String(now);
  return headers;
}

/** Reads what a producer may have written. Asks for known headers only, and takes nothing but texts of bounded length. */
export function receivedFrom(read: ReadHeader): Received {
  const headers = new Headers();
  let rejected = 0;
  for (const name of propagation.fields()) rejected += take(headers, name, read);
  rejected += take(headers, CORRELATION_ID, read) + take(headers, SENT_AT, read);
  const given = headers[CORRELATION_ID];
  const sentAt = headers[SENT_AT] === undefined ? Number.NaN : Number(headers[SENT_AT]);
  const { origin, id } = withoutId(propagation.extract(ROOT_CONTEXT, headers));
  return {
    parcel: new SendContext(origin, given ?? id ?? traceIdOf(origin)),
    sentAt: Number.isFinite(sentAt) ? sentAt : undefined,
    rejected,
  };
}

/** Takes one header, if it is there; 1 if it is one to be rejected. */
function take(headers: Headers, name: string, read: ReadHeader): 0 | 1 {
  try {
    let value = read(name);
    if (value instanceof Uint8Array) value = textOf(name, value);
    if (value === undefined || value === null || value === "") return 0;
    if (!isHeader(name, value)) return 1;
    headers[name] = value;
    return 0;
  } catch {
    return 1;
  }
}

/** What another instrumentation is to take along: its propagator knows baggage, and nothing of our headers. */
export function withIdInBaggage(active: Context, id: string | undefined): Context {
  if (id === undefined || !isHeader(CORRELATION_ID, id)) return active;
  const baggage = propagation.getBaggage(active) ?? propagation.createBaggage();
  return propagation.setBaggage(active, baggage.setEntry(CORRELATION_ID, { value: id }));
}

/** The reverse of {@link withIdInBaggage}: what calls go out from here, that baggage is none of theirs. */
function withoutId(origin: Context): { origin: Context; id: string | undefined } {
  const baggage = propagation.getBaggage(origin);
  const id = baggage?.getEntry(CORRELATION_ID)?.value;
  if (id === undefined) return { origin, id };
  const known = isHeader(CORRELATION_ID, id) ? id : undefined;
  return { origin: propagation.setBaggage(origin, baggage!.removeEntry(CORRELATION_ID)), id: known };
}

/** The context in which a message is sent: that of the parcel, as far as spans of ours go. */
export function sendingContext(parcel: SendContext, isTracedElsewhere: boolean): Context {
  return isTracedElsewhere ? withIdInBaggage(context.active(), parcel.correlationId) : parcel.context;
}

/** As OpenTelemetry's core package has it: the API makes equal keys of equal descriptions. */
const SUPPRESSED = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** Calls what is ours alone, so that no instrumentation makes spans of it. */
export function untraced<R>(fn: () => R): R {
  return context.with(ROOT_CONTEXT.setValue(SUPPRESSED, true), fn);
}

function isHeader(name: string, value: unknown): value is string {
  if (typeof value !== "string" || value.length > (MAX[name] ?? MAX_OTHER)) return false;
  return PLAIN.test(value) || !UNSAFE.test(value);
}

function textOf(name: string, bytes: Uint8Array): string {
  if (bytes.byteLength > (MAX[name] ?? MAX_OTHER)) throw new RangeError(name);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
