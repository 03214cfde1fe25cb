import { AsyncResource } from "node:async_hooks";
import { type Context, ROOT_CONTEXT } from "@opentelemetry/api";
import { correlation, traceIdOf } from "./correlation.js";

/** What travels with an item from put to get. Doesn't change, so many items can share one. */
export class SendContext {
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

/**
 * The same where handlers are to run in the producer's async context as a whole. It is that context, as a scope, so that it takes one object; no
 * other put shares it. Garbage collection destroys it where nothing else does, if any async hook listens.
 */
export class TakenAlong extends AsyncResource {
  // Declared, and written once: a field that is defined is written twice.
  /** What is left when the scope is given up. */
  declare readonly parcel: SendContext;
  /** Whether it travels with several items, of one put. */
  declare readonly isShared: boolean;
  /** Whether a handler that runs in it has the item's context and correlation ID, with nothing to add. */
  declare readonly isComplete: boolean;

  constructor(parcel: SendContext, isShared: boolean, isComplete: boolean) {
    super("queuescope.task");
    this.parcel = parcel;
    this.isShared = isShared;
    this.isComplete = isComplete;
  }

  get context(): Context {
    return this.parcel.context;
  }

  get correlationId(): string | undefined {
    return this.parcel.correlationId;
  }

  /** As {@link OpenContext} has it. */
  get scope(): AsyncResource {
    return this;
  }
}

/** The carrier of our observer. */
export type Parcel = SendContext | TakenAlong;

/** What travels with an item, without its scope. */
export function parcelIn(carrier: object | undefined): SendContext | undefined {
  return carrier instanceof TakenAlong ? carrier.parcel : (carrier as SendContext | undefined);
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
