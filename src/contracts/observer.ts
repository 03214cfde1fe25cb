import type { AsyncResource } from "node:async_hooks";

/** Why an item left a queue without being taken. */
export type DropReason = "evicted" | "expired" | "rejected" | "shutdown";

/** How a task ended. */
export type Outcome = "success" | "failure";

/**
 * What an observer lets travel with an item, from put to get. Opaque to the queue.
 * It is `undefined` for items that were in the queue before the observer came.
 */
export type Carrier = object | undefined;

/**
 * Is told what happens in a queue. Every call returns at once and must not throw; times are the queue's monotonic
 * milliseconds, durations are milliseconds, `tier` is an index into `Probe.tiers`.
 */
export interface Observer {
  /** A put that needn't wait, from beginning to end, in its caller's async context: what it returns travels with the item. */
  putAtOnce(tier: number, correlationId: string | undefined): Carrier;
  /** A put of `count` items begins, in its caller's async context. What it returns travels with each of them. */
  putStarted(tier: number, correlationId: string | undefined, count: number): Carrier;
  /** The put is over: `count` items are in the queue, or handed to consumers that waited. */
  putDone(carrier: Carrier, tier: number, count: number, tookMs: number): void;
  /** The put is over: `accepted` of its items came in, the rest is refused with `error`. */
  putFailed(carrier: Carrier, tier: number, accepted: number, tookMs: number, error: unknown): void;
  /** A get begins, in its caller's async context. What it returns comes back at {@link pullDone}. */
  pullStarted(): object | undefined;
  /** An item leaves the queue towards a consumer, who asked for one and needn't wait: the pull is over, too. */
  takenAtOnce(
    pull: object | undefined,
    carrier: Carrier,
    tier: number,
    enqueuedAt: number,
    now: number,
    attempt: number,
  ): void;
  /** An item leaves the queue towards a consumer. */
  taken(carrier: Carrier, tier: number, enqueuedAt: number, now: number, attempt: number): void;
  /** An item that was {@link taken} without having waited is back before its consumer saw it, as if that had not been. */
  givenBack(carrier: Carrier, tier: number, attempt: number): void;
  /**
   * The pull is over, with the carriers of what it got (or the one carrier). It got nothing if there are none: by failure, or
   * because the queue has ended.
   */
  pullDone(
    pull: object | undefined,
    carriers: Carrier | readonly Carrier[],
    tookMs: number,
    error?: unknown,
  ): void;
  /** An item is dropped; it never reaches a consumer. */
  dropped(tier: number, reason: DropReason, attempt: number): void;
  /** A delivery is settled for good. `processMs` is undefined if it was taken before the observer came; `task` is what an {@link Around} got. */
  settled(outcome: Outcome, processMs: number | undefined, error?: unknown, task?: TaskFacts): void;
  /** A delivery is given up and was put aside, into a dead-letter queue say. */
  deadLettered(processMs: number | undefined, error: unknown, task?: TaskFacts): void;
  /** Work on an item waited so long for a gate. */
  gateWaited(gate: string, waitedMs: number): void;
  /** A delivery goes back into the queue, at once or after a delay; `error` is what it failed with, if that is known. */
  retried(processMs: number | undefined, attempt: number, error?: unknown, task?: TaskFacts): void;
  /** A retried item is in the queue again. */
  reentered(tier: number): void;
  /**
   * The item was handled, for good or until it `comesBack` with the same carrier. Gives what is to be kept of that with the task: what
   * holds nothing of its producer's.
   */
  released(carrier: Carrier, comesBack: boolean): Carrier;
  /** The correlation ID that travels with the item, if it has one already. */
  correlationIdOf(carrier: Carrier): string | undefined;
  /** An item left the queue towards a consumer, and what travelled with it is not known. */
  contextLost(): void;
  /** A callback of the user's (`onDrop`, `evictWhen`) threw. */
  fault(error: unknown): void;
  /** How long items of the tier may take from when they first came in until they are settled, in milliseconds. Undefined or absent: as long as they like. */
  completeMsOf?(tier: number): number | undefined;
  /** An item of such a tier was settled in time, or its time has passed, which is told once an item. */
  completed?(tier: number, result: "met" | "missed"): void;
}

/** What is known of an item while it is handled. */
export interface TaskFacts {
  /** Name of its priority tier. */
  readonly tier: string;
  /** 1 for the first delivery. */
  readonly attempt: number;
  /** Time spent in the queue, in milliseconds; undefined where it was not measured. */
  readonly waitMs: number | undefined;
  /** Made when first read, if the producer had none. */
  readonly correlationId: string;
  /** What the `process` span says besides. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** In which sampled span it is handled, as an {@link Around} has said: its duration, once it is settled, is an example of that. */
  sampledIn?: SampledIn | undefined;
}

/** A span that is recorded and sent. */
export interface SampledIn {
  readonly traceId: string;
  readonly spanId: string;
}

/** How a handler is called. */
export interface HowToCall {
  /** Where the handler belongs: the async context in which it was wrapped. It counts unless the item brings its producer's. */
  readonly scope?: AsyncResource | undefined;
  /** Makes what it returns ready for who awaits it; called in the item's context. Default: as it is. */
  readonly prepare?: ((result: unknown) => unknown) | undefined;
}

/** The context of one item, made before its handler is called. */
export interface OpenContext {
  /** The handler is called in here, once. */
  readonly scope: AsyncResource;
  /** The handler has returned. Absent where no onlooker wants to know. */
  readonly returned?: ((result: unknown) => void) | undefined;
  /** The handler has thrown. Absent where no onlooker wants to know. */
  readonly threw?: ((error: unknown) => void) | undefined;
}

/** Wraps the handling of one item: sets its context, makes its span. Calls `fn` exactly once, synchronously. */
export interface Around {
  /**
   * For a handler that is over when it returns, or when the promise settles that it returns. A thenable that would begin only when it
   * is awaited is awaited there: then it gives a promise. `scope` is the one in which this is called, if every handler of a pool is: items
   * of one producer may then share what is made for the first two of them.
   */
  run<R>(carrier: Carrier, task: TaskFacts, fn: () => R, scope?: AsyncResource): R;
  /** For a handler whose end is told to {@link end}. What it returns belongs to the task; undefined where there is no span. */
  begin(carrier: Carrier, task: TaskFacts): object | undefined;
  /** Calls `fn` in the item's context, inside what began. With `how` absent, `fn` runs where it is called, and gives what it gives. */
  within<R>(began: object | undefined, carrier: Carrier, task: TaskFacts, fn: () => R, how?: HowToCall): R;
  /**
   * What {@link within} puts around a handler, without calling it: in the scope that this gives, it can be called with nothing of ours
   * on the stack. That takes one async resource more. `scope` is that of {@link HowToCall}.
   */
  open(
    began: object | undefined,
    carrier: Carrier,
    task: TaskFacts,
    scope: AsyncResource | undefined,
  ): OpenContext;
  /** The handler that began is over. */
  end(began: object | undefined, failure?: { readonly error: unknown }): void;
}
