import type { Clock } from "./clock.js";

/**
 * The interfaces at which the layers meet. Queues know nothing of telemetry, telemetry knows nothing of storage:
 * a queue notifies an {@link Observer}, lets an {@link Around} wrap handlers, and shows a {@link Probe}.
 */

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
 * milliseconds, durations are milliseconds, `tier` is an index into {@link Probe.tiers}.
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
  /** Somebody pulls, in its caller's async context. What it returns comes back at {@link pullDone}. */
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
  /** The pull is over, with the carriers of what it got (or the one carrier). Also called when it got nothing. */
  pullDone(
    pull: object | undefined,
    carriers: Carrier | readonly Carrier[],
    tookMs: number,
    error?: unknown,
  ): void;
  /** An item is dropped; it never reaches a consumer. */
  dropped(tier: number, reason: DropReason, attempt: number): void;
  /** A delivery is settled for good. `processMs` is undefined if it was taken before the observer came. */
  settled(outcome: Outcome, processMs: number | undefined, error?: unknown): void;
  /** A delivery is given up and was put aside, into a dead-letter queue say. */
  deadLettered(processMs: number | undefined, error: unknown): void;
  /** Work on an item waited so long for a gate. */
  gateWaited(gate: string, waitedMs: number): void;
  /** A delivery goes back into the queue, at once or after a delay. */
  retried(processMs: number | undefined): void;
  /** A retried item is in the queue again. */
  reentered(tier: number): void;
  /** The correlation ID that travels with the item, if it has one already. */
  correlationIdOf(carrier: Carrier): string | undefined;
  /** An item left the queue towards a consumer, and nobody knows what travelled with it. */
  contextLost(): void;
  /** A callback of the user's (`onDrop`, `evictWhen`) threw. */
  fault(error: unknown): void;
}

/** What is known of an item while it is handled. */
export interface TaskFacts {
  /** Name of its priority tier. */
  readonly tier: string;
  /** 1 for the first delivery. */
  readonly attempt: number;
  /** Time spent in the queue, in milliseconds; undefined where nobody measured it. */
  readonly waitMs: number | undefined;
  /** Made when first read, if the producer had none. */
  readonly correlationId: string;
}

/** Wraps the handling of one item: sets its context, makes its span. Calls `fn` exactly once, synchronously. */
export interface Around {
  /** For a handler that is over when it returns, or when the promise settles that it returns. */
  run<R>(carrier: Carrier, task: TaskFacts, fn: () => R): R;
  /** For a handler whose end is told to {@link end}. What it returns belongs to the task; undefined where there is no span. */
  begin(carrier: Carrier, task: TaskFacts): object | undefined;
  /** Calls `fn` in the item's context, inside what began. */
  within<R>(began: object | undefined, carrier: Carrier, task: TaskFacts, fn: () => R): R;
  /** The handler that began is over. */
  end(began: object | undefined, failure?: { readonly error: unknown }): void;
}

/** Read-only sight of a queue, for gauges and the watchdog. Each member is O(1) or O(tiers), and never throws. */
export interface Probe {
  /**
   * Names of the tiers, in order of urgency; `["default"]` where there are none. Where every new priority makes a tier, it
   * grows, and the order is that of their coming up.
   */
  readonly tiers: readonly string[];
  /** Monotonic milliseconds, to compare the instants below with. */
  now(): number;
  /** Items waiting in the tier. */
  depth(tier: number): number;
  /** When the oldest item of the tier came in; undefined when there is none. */
  oldestAt(tier: number): number | undefined;
  /** When the item that is served next came in; undefined when there is none, or nobody knows which it is. */
  headAt(): number | undefined;
  /**
   * The items that are served next, in order: at most so many, for a report. They stay. Costs O(most log most), whatever the depth;
   * absent where the queue cannot know. Items past their deadline that nobody has dropped yet are among them.
   */
  heads?(most: number): readonly Head[];
  /** Most items that may wait; `Infinity` when unbounded. */
  readonly capacity: number;
  /** Items that wait for a planned delay to pass; undefined where the queue cannot know. */
  readonly delayed: number | undefined;
  /** Deliveries taken and not yet settled; undefined where the queue cannot know. */
  readonly inFlight: number | undefined;
  /** When the oldest of them was taken; undefined when there is none. */
  readonly inFlightOldestAt: number | undefined;
  /** Callers blocked in put, for lack of room. */
  readonly waitingPuts: number | undefined;
  /** Callers blocked in get, for lack of items. */
  readonly waitingGets: number | undefined;
  /** Is the first tier served before the other one? Absent where that is as they stand in {@link tiers}. */
  isMoreUrgent?(tier: number, other: number): boolean;
  /** Does it give out nothing for now, because somebody said so? Undefined where that can't be. */
  readonly isPaused?: boolean | undefined;
  /** The pools that work on the queue. */
  readonly pools?: Iterable<PoolView> | undefined;
  /** What is in flight, the oldest first, for a report; absent where the queue cannot know. */
  tasks?(): Iterable<TaskView>;
}

/** What is known of an item that is in flight. */
export interface TaskView {
  /** The task itself: what is in the correlation store while its handler runs. */
  readonly facts: TaskFacts;
  /** When it was taken, in monotonic milliseconds; undefined where nobody kept the time. */
  readonly takenAt: number | undefined;
  readonly carrier: Carrier;
}

/** What is known of an item that waits. */
export interface Head {
  /** When it came in, in monotonic milliseconds; undefined where nobody kept the time. */
  readonly at: number | undefined;
  /** Index into {@link Probe.tiers}. */
  readonly tier: number;
  /** Which delivery it waits for; 1 is the first. */
  readonly attempt: number;
  /** Undefined where it has none yet: a look makes none. */
  readonly correlationId?: string | undefined;
  /** What the queue's observer lets travel with it. */
  readonly carrier?: Carrier;
  /** The item itself; undefined where the queue doesn't give it away. */
  readonly item?: unknown;
}

/**
 * What a worker does: waits for an item, handles one, waits for an open circuit breaker, ignores that its task was aborted, or is
 * gone.
 */
export type WorkerState = "idle" | "processing" | "backoff" | "stalled" | "stopped";

/** Read-only sight of a worker: times are monotonic milliseconds, undefined where there is nothing yet. */
export interface WorkerView {
  /** Counts from 1. */
  readonly id: number;
  readonly state: WorkerState;
  /** What it works on; the same object as in {@link TaskView.facts}. */
  readonly work: TaskFacts | undefined;
  /** What its task said it was doing. */
  readonly step: string | undefined;
  /** The gate that its task waits for, before the handler is called. */
  readonly gate: string | undefined;
  readonly lastStartAt: number | undefined;
  readonly lastStepAt: number | undefined;
  readonly lastFinishAt: number | undefined;
}

/** Read-only sight of a worker pool. */
export interface PoolView {
  readonly name: string;
  /** Does it take items? */
  readonly isTaking: boolean;
  /** How many workers are in the state. */
  count(state: WorkerState): number;
  /** Each of its workers, for a report. */
  statuses(): readonly WorkerView[];
  /** The gates that its work has to pass. */
  readonly gates: Iterable<GateView>;
}

/** Read-only sight of a gate. */
export interface GateView {
  readonly name: string;
  /** Calls that may be through at a time; `Infinity` where only a policy decides. */
  readonly limit: number;
  /** Calls that are through and not back. */
  readonly inFlight: number;
  /** Calls that wait for a permit, or for the policy. */
  readonly waiting: number;
  /** Does its circuit breaker let nobody through? Undefined where it has none. */
  readonly isOpen: boolean | undefined;
}

/** What the user promised for a tier. */
export interface SlaTarget {
  /** Longest wait that meets the SLA, in milliseconds. */
  readonly targetMs: number;
  /** Share of items that should meet it, between 0 and 1. */
  readonly objective: number;
}

/** What was counted for the queues of a name; it only rises. `tier` is an index into {@link Probe.tiers}. */
export interface Tally {
  enqueued(tier: number): number;
  dequeued(tier: number): number;
  /** Items served after a younger one. */
  overtaken(tier: number): number;
  dropped(tier: number): number;
  readonly succeeded: number;
  readonly failed: number;
  readonly retried: number;
  readonly deadLettered: number;
  /** Sum of the times that tasks took, in milliseconds. */
  readonly processedMs: number;
  /** What the last failed task failed with, in words. */
  readonly lastFailure: string | undefined;
}

/** An instrumented queue, as a watchdog sees it. */
export interface Watchable {
  readonly name: string;
  readonly probe: Probe;
  readonly tally: Tally;
  slaOf(tier: number): SlaTarget | undefined;
  /** The trace of the put that the carrier comes from. */
  traceOf(carrier: Carrier): string | undefined;
  /** Breaches were found, so many, and this is why; 0 makes the series known. */
  breached(tier: number, verdict: string, count: number): void;
}

/** What concerns the process as a whole. Registered as `shared("vitals")`. */
export interface Vitals {
  /** A watchdog has looked. */
  ran(): void;
  /** The event loop stood still for so many milliseconds. */
  stalled(ms: number): void;
}

/** A queue that is instrumented: what every copy of this library knows of it. */
export interface Instrumented {
  readonly name: string;
  readonly watchable: Watchable;
  readonly undo: () => void;
}

/** Looks on while tasks run, to be able to say what each of them waits for. Returns at once, and never throws. */
export interface Onlooker {
  /** Something is put: what is to be remembered of the place, if anything. */
  put(): object | undefined;
  /** The place travels with this carrier, which no other item has. */
  remember(carrier: object, place: object): void;
  /** A task's handler is to be called: what is to stand for the task in the correlation store, with the same facts. */
  begin(task: TaskFacts, carrier: Carrier): TaskFacts;
  /** The handler has returned, and this is still its context. */
  returned(store: TaskFacts, result: unknown): void;
  spanStarted(span: object): void;
  spanEnded(span: object): void;
}

/** Who looks on. Registered as `shared("onlooking")`: one at a time, and only while there is a watchdog. */
export interface Onlooking {
  current: Onlooker | undefined;
  users: number;
  end: (() => void) | undefined;
}

/** Everything that telemetry does for one queue. */
export interface QueueTelemetry extends Observer, Around {
  /** What the queue is called in metrics and spans. */
  readonly queueName: string;
  /** Names of the tiers, those that {@link tierOf} has made included. */
  readonly tierNames: readonly string[];
  /** The index of the tier that a priority is; a new one if need be. Priority 0 has index 0. For queues with {@link Adapter.priorities}. */
  tierOf(priority: number): number;
}

/** What only some queues can tell. What a queue does not tell is absent from its metrics, not 0. */
export type Told =
  /** When somebody pulls, and how long that takes. */
  | "pulls"
  /** When an item is taken: wait times, overtakes, whether the SLA was met. */
  | "takes"
  /** How tasks end. */
  | "outcomes"
  /** How long they took. */
  | "durations"
  | "retries"
  | "dead-letters"
  /** That items are dropped for this reason. */
  | DropReason;

/** The key of {@link Observable.observe}. Registered globally, so that two copies of this library understand each other. */
export const OBSERVE: unique symbol = Symbol.for("queuescope.observe") as never;

/** The key of {@link Observable.probe}. */
export const PROBE: unique symbol = Symbol.for("queuescope.probe") as never;

/** A queue with a hook of its own for observers. */
export interface Observable {
  readonly [PROBE]: Probe;
  /** One observer at a time: a second one is an `AlreadyInstrumentedError`; `undefined` takes the first away. */
  [OBSERVE](telemetry: QueueTelemetry | undefined): void;
}

/** Whether something is fit for more work, for a readiness endpoint. */
export interface Health {
  readonly ok: boolean;
  /** Why it isn't, in words with numbers; empty where it is. */
  readonly reasons: readonly string[];
}

/** From when on a queue counts as ill. Only `undefined` stands for the default. */
export interface QueueHealthOptions {
  /** Most items that may wait, from 0; `Infinity`: any number. Default: nine tenths of the capacity, rounded down, and at least 1. */
  maxDepth?: number | undefined;
  /**
   * How long items may wait without any being taken, in milliseconds, greater than 0; `Infinity`: for ever. Default: 30 000.
   */
  noProgressMs?: number | undefined;
}

/** Why a queue is late, as a watchdog found out. */
export interface Report {
  /** The causes, the most likely one first. */
  readonly verdicts: readonly {
    readonly name: string;
    readonly confidence: number;
    readonly sentence: string;
  }[];
  toJSON(): object;
  toString(): string;
}

/** The key under which a watchdog leaves a queue a way to ask for a {@link Report}; it must not throw. */
export const REPORT: unique symbol = Symbol.for("queuescope.report") as never;

/** A queue that may be watched. */
export interface Reportable {
  [REPORT]?: (() => Report | undefined) | undefined;
}

/** The key under which a queue of ours offers a {@link Supply}. */
export const SUPPLY: unique symbol = Symbol.for("queuescope.supply") as never;

/** What a worker pool needs of a queue. */
export interface Supply<T> {
  readonly clock: Clock;
  /** Does somebody want times? Then deliveries know when they were taken. */
  readonly isTimed: boolean;
  /** Items that wait, and those that wait for a planned delay to pass. */
  readonly size: number;
  readonly delayed: number;
  /** Most items that may wait; `Infinity` when unbounded. */
  readonly capacity: number;
  /** Callers that wait for room. */
  readonly waitingPuts: number;
  /** Shut down, with nothing left to come? */
  readonly isFinished: boolean;
  /**
   * Of so many items that are in the queue, in order of service, and then of those that wait for a planned delay. Items that have
   * no ID yet are left out.
   */
  correlationIds(most: number): string[];
  /** Throws an `InvalidOption…Error` for options that are none. */
  health(options?: QueueHealthOptions): Health;
  /** Takes the next item, if there is one. */
  next(): Work<T> | undefined;
  /** Stands in line like a caller of get: the next item that comes is handed over, and the place in line is gone. */
  stand(consumer: Consumer<T>): void;
  /** Leaves the line. */
  leave(consumer: Consumer<T>): void;
  /** Takes nothing in any more; what is there can still be taken. */
  shutdown(): void;
  /** Shows the pool to whoever looks at the queue. */
  show(pool: PoolView): void;
  /** A callback of the user's has thrown. */
  fault(error: unknown): void;
  /** Why it is late, if somebody watches it. */
  report(): Report | undefined;
}

/** Who stands in line for items. */
export interface Consumer<T> {
  /** Called within somebody's put. */
  take(work: Work<T>): void;
  /** The queue is shut down, and nothing will ever come. */
  ended(): void;
}

/** An item that was taken, and is in flight until it is settled, once. */
export interface Work<T> extends TaskFacts {
  readonly item: T;
  /** When it was taken, in monotonic milliseconds; undefined where nobody wants times. */
  readonly takenAt: number | undefined;
  /** Calls `fn` in the producer's context, inside a `process` span. */
  run<R>(fn: () => R): R;
  done(): void;
  fail(error?: unknown): void;
  retry(options?: { delayMs?: number | undefined }): void;
  /** It was put aside, and is settled by that. */
  deadLettered(error?: unknown): void;
  /** It waited for a gate; that is no time of processing. */
  gateWaited(gate: string, waitedMs: number): void;
}

/** Knows how to attach to one kind of queue. */
export interface Adapter<Q extends object = object> {
  /** What spans say in `messaging.system.name`. */
  readonly system: string;
  /** Has every item a number as its priority, each of which is to be a tier? Then `tiersOf` is `["default"]`, for priority 0. */
  readonly priorities?: boolean | undefined;
  /** Names of the queue's tiers, most urgent first; `["default"]` where there are none. */
  tiersOf(queue: Q): readonly string[];
  /** From now on the telemetry is told what happens in the queue. Throws `NotInstrumentableError` if that can't be. */
  attach(queue: Q, telemetry: QueueTelemetry): Attachment;
}

/** A queue with telemetry attached. */
export interface Attachment {
  readonly probe: Probe;
  /** What can be learnt of this queue; it may grow. Default: everything. */
  readonly tells?: readonly Told[] | undefined;
  /** Restores the queue. */
  detach(): void;
}
