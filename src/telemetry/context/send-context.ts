import type { AsyncResource } from "node:async_hooks";
import { type Context, ROOT_CONTEXT } from "@opentelemetry/api";
import { correlation, traceIdOf } from "./correlation.js";

/** What travels with an item from put to get: the carrier of our observer. Doesn't change, so many items can share one. */
export class SendContext {
  /** The producer's async context as a whole, where handlers are to run in it. Then no other put shares the parcel. */
  scope: AsyncResource | undefined = undefined;
  /** Does it travel with several items, of one put? */
  isShared = false;
  /** Where the handlers of such items run that share the parcel, in the surroundings `common`; made at the second one. */
  shared: AsyncResource | undefined = undefined;
  common: AsyncResource | undefined = undefined;

  constructor(
    /** The producer's, with the put span active if there is one. */
    readonly context: Context,
    /** Undefined where the producer had none; then the consumer's task makes one when it is asked. */
    readonly correlationId: string | undefined,
  ) {}
}

let last = new SendContext(ROOT_CONTEXT, undefined);
let lastGiven: string | undefined;

/**
 * A parcel for the caller's context, when no put span is made. Producers put many items from one context, and those share
 * the parcel. `given` is the ID that came with the put; else the caller's counts, then its trace's.
 */
export function parcelOf(active: Context, given: string | undefined): SendContext {
  const id = given ?? correlation.getStore()?.correlationId;
  if (active === last.context && id === lastGiven) return last;
  lastGiven = id;
  last = new SendContext(active, id ?? traceIdOf(active));
  return last;
}
