import { type Context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { correlation } from "./correlation.js";

/** What travels with an item from put to get: the carrier of our observer. Never changes, so many items can share one. */
export class Parcel {
  constructor(
    /** The producer's, with the put span active if there is one. */
    readonly context: Context,
    /** Undefined where the producer had none; then the consumer's task makes one when it is asked. */
    readonly correlationId: string | undefined,
    /** Is there a put span, and is it recorded? */
    readonly recorded: boolean,
  ) {}
}

let last = new Parcel(ROOT_CONTEXT, undefined, false);
let lastGiven: string | undefined;

/**
 * A parcel for the caller's context, when no put span is made. Producers put many items from one context, and those share
 * the parcel. `given` is the ID that came with the put; else the caller's counts, then its trace's.
 */
export function parcelOf(active: Context, given: string | undefined): Parcel {
  const id = given ?? correlation.getStore()?.correlationId;
  if (active === last.context && id === lastGiven) return last;
  lastGiven = id;
  last = new Parcel(active, id ?? trace.getSpanContext(active)?.traceId, false);
  return last;
}
