import type { Around, DropReason, Observer } from "./observer.js";
import type { Probe } from "./probe.js";

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
export type Capability =
  /** When a get begins, and how long it takes. */
  | "pulls"
  /** When an item is taken: wait times, overtakes, whether the SLA was met. */
  | "takes"
  /** How tasks end. */
  | "outcomes"
  /** How long they took. */
  | "durations"
  | "retries"
  | "dead-letters"
  /** That a broker delivers again, and what goes wrong on the way to it. */
  | "redeliveries"
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

/** Knows how to attach to one kind of queue. */
export interface Adapter<Q extends object = object> {
  /** What spans say in `messaging.system.name`. */
  readonly system: string;
  /** Whether every item has a number as its priority, each of which is to be a tier. Then `tiersOf` is `["default"]`, for priority 0. */
  readonly priorities?: boolean | undefined;
  /**
   * In which async context handlers run unless the user says otherwise: that of the item's `producer`, or their `worker`'s own.
   * Default: `worker`.
   */
  readonly asyncContext?: "producer" | "worker" | undefined;
  /** How `process` spans relate to those of the put unless the user says otherwise. Default: `auto`; for a broker, say `link`. */
  readonly relation?: "auto" | "link" | "parent" | undefined;
  /** Names of the queue's tiers, most urgent first; `["default"]` where there are none. */
  tiersOf(queue: Q): readonly string[];
  /** From now on the telemetry is told what happens in the queue. Throws `NotInstrumentableError` if that can't be. */
  attach(queue: Q, telemetry: QueueTelemetry): Attachment;
}

/** A queue with telemetry attached. */
export interface Attachment {
  readonly probe: Probe;
  /** What can be learnt of this queue; it may grow. Default: everything. */
  readonly capabilities?: readonly Capability[] | undefined;
  /** Restores the queue. */
  detach(): void;
}
