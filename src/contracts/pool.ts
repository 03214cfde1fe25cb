import type { TaskFacts } from "./observer.js";

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
  /** What it works on; the same object as in `TaskView.facts`. */
  readonly work: TaskFacts | undefined;
  /** What its task said it was doing. */
  readonly step: string | undefined;
  /** The gate that its task waits for, before the handler is called. */
  readonly gate: string | undefined;
  readonly lastStartAt: number | undefined;
  readonly lastStepAt: number | undefined;
  readonly lastFinishAt: number | undefined;
}

/** Why a pool takes no items, or soon won't. */
export type NotTakingReason =
  | "has not been started"
  | "is paused"
  | "is draining"
  | "is stopping"
  | "is stopped";

/** Read-only sight of a worker pool. */
export interface PoolView {
  readonly name: string;
  /** Whether it takes items. */
  readonly isTaking: boolean;
  /** Undefined while it takes items, with no end in sight. */
  readonly notTakingReason: NotTakingReason | undefined;
  /** How many workers are in the state. */
  count(state: WorkerState): number;
  /** Each of its workers, for a report. */
  statuses(): readonly WorkerView[];
  /** The gates that its work has to pass. */
  readonly gates: Iterable<GateView>;
  /** By which a person steers it. Absent where that can't be. */
  readonly controls?: PoolControls | undefined;
}

/** What a person may do with a worker pool; as its own methods of the same names. */
export interface PoolControls {
  pause(): void;
  resume(): void;
  resize(concurrency: number): void;
  drain(): Promise<unknown>;
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
  /** Whether its circuit breaker is open. Undefined where it has none. */
  readonly isOpen: boolean | undefined;
}
