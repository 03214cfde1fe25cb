import type { Adapter, Capability } from "../contracts/index.js";

/** Handles an item: gives its result, a promise of it, or throws. */
export type Handle = (item: unknown) => unknown;

/** What is asked of a put, besides its item. Only what the kind of queue offers is ever set. */
export interface PutWishes {
  /** Is to be called with the item, once: for queues whose items are closures. */
  readonly handle: Handle;
  readonly priority?: number;
  readonly signal?: AbortSignal;
  /** After so many milliseconds of work the queue is to give the task up. */
  readonly timeoutMs?: number;
}

/** How a queue is to be made. */
export interface QueueSetting {
  /** Is to be called with each item, once: for queues whose worker is fixed at construction. */
  readonly handle: Handle;
  /** How many items may be handled at a time. */
  readonly concurrency: number;
  /** What the telemetry will be called: `instrumentHandler(handle, { name })`. */
  readonly name: string;
}

/**
 * One kind of queue, with its adapter, as {@link adapterConformance} drives it. What is optional is what only some kinds can do; the
 * cases about what a kind does not offer are left out of the suite.
 */
export interface QueueKind<Q extends object> {
  readonly adapter: Adapter<Q>;
  /** What the adapter must tell: what its attachments have in `tells`, after some use. */
  readonly tells: readonly Capability[];
  /** Whether handlers run in the async context of their item's put. Where a queue gives no hold on its worker, they can't. */
  readonly handlers: "in-context" | "out-of-context";
  /** Makes a queue that is empty, runs, and is bounded by nothing but its concurrency. */
  make(setting: QueueSetting): Q;
  /** Puts the item, and returns what the queue returns. */
  put(queue: Q, item: unknown, wishes: PutWishes): unknown;
  /** For queues that call no handler by themselves: takes one item and handles it. Called once for each item, `concurrency` at a time. */
  consume?(queue: Q, handle: Handle): Promise<unknown>;
  /** Whether `put` gives a promise of what the handler returned, or of its error. Default: `nothing`. */
  readonly results?: "promised" | "nothing";
  /** Which priorities go first. Left out, puts have none. */
  readonly priorities?: "highest-first" | "lowest-first";
  /** Whether an abort of the put's signal removes a waiting task, and ends a running one. Left out, puts have no signal. */
  readonly signals?: "observed";
  /** Whether a running task is given up after `timeoutMs`. Left out, puts have none. */
  readonly timeouts?: "observed";
  /**
   * Whether the queue itself says how many items wait. Where it doesn't, those that were there before the adapter came can't be in the
   * depth. Default: `known`.
   */
  readonly size?: "known" | "unknown";
  /** Falsy items that the queue does not take. Default: it takes them all. */
  readonly refuses?: readonly unknown[];
  /** Puts several items by one call. */
  putMany?(queue: Q, items: readonly unknown[], wishes: PutWishes): unknown;
  /** From now on no item is handed out, until `resume`. */
  pause?(queue: Q): void;
  resume?(queue: Q): void;
  /** Drops all items that wait. The queue goes on working. */
  clear?(queue: Q): void;
  /** Drops all items that wait. The queue may be of no use afterwards. */
  kill?(queue: Q): void;
}
