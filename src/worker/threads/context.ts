import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  type Context,
  context,
  createTraceState,
  diag,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from "@opentelemetry/api";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";

/** The producer's context on its way into a thread. */
export interface PackedContext {
  /** What the propagators have to say. */
  readonly headers: Record<string, string>;
  /** The same once more: a thread without a registered propagator shall know its trace, too. */
  readonly span: { traceId: string; spanId: string; traceFlags: number; traceState: string } | undefined;
  readonly baggage: readonly (readonly [key: string, value: string, metadata: string])[];
}

/** The caller's. Undefined where a propagator throws: that costs the context, not the task. */
export function packActive(): PackedContext | undefined {
  try {
    const active = context.active();
    const headers = {};
    propagation.inject(active, headers);
    const span = trace.getSpanContext(active);
    const baggage = propagation.getBaggage(active)?.getAllEntries() ?? [];
    return {
      headers,
      span: span && {
        traceId: span.traceId,
        spanId: span.spanId,
        traceFlags: span.traceFlags,
        traceState: span.traceState?.serialize() ?? "",
      },
      baggage: baggage.map(([key, { value, metadata }]) => [key, value, metadata?.toString() ?? ""]),
    };
  } catch (error) {
    contained(() =>
      diag.warn("queuescope: a task goes into a thread without its context", plainError(error)),
    );
    return undefined;
  }
}

/** Calls `fn` in the context, as far as this thread has a context manager. */
export function within<R>(packed: PackedContext | undefined, fn: () => R): R {
  let result: { readonly of: R } | undefined;
  context.with(packed === undefined ? ROOT_CONTEXT : unpack(packed), () => {
    result ??= { of: fn() };
  });
  // A context manager that doesn't call costs the context, not the task.
  return result === undefined ? fn() : result.of;
}

function unpack({ headers, span, baggage }: PackedContext): Context {
  let unpacked = ROOT_CONTEXT;
  try {
    unpacked = propagation.extract(unpacked, headers);
    if (span !== undefined && trace.getSpanContext(unpacked) === undefined) {
      const { traceId, spanId, traceFlags } = span;
      const remote: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
      if (span.traceState !== "") remote.traceState = createTraceState(span.traceState);
      unpacked = trace.setSpanContext(unpacked, remote);
    }
    if (baggage.length > 0 && propagation.getBaggage(unpacked) === undefined) {
      const entries: Record<string, BaggageEntry> = {};
      for (const [key, value, metadata] of baggage) {
        entries[key] =
          metadata === "" ? { value } : { value, metadata: baggageEntryMetadataFromString(metadata) };
      }
      unpacked = propagation.setBaggage(unpacked, propagation.createBaggage(entries));
    }
  } catch (error) {
    contained(() => diag.warn("queuescope: a thread has no context for its task", plainError(error)));
  }
  return unpacked;
}
