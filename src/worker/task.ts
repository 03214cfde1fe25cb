import type { TaskFacts } from "../contracts/index.js";
import type { Passer } from "./gate.js";

/** What a handler is told of its item, and what it can tell about its work. */
export interface Task extends TaskFacts, Passer {
  /** What it is doing now, as `step` said; undefined before the first step. */
  readonly currentStep: string | undefined;
  /** How much is done, from 0 to 1, as `progress` said. */
  readonly currentProgress: number | undefined;
  /** When the item was taken, in monotonic milliseconds; undefined where no times are kept. */
  readonly startedAt: number | undefined;
  /** Aborted when the task's time is over, or when its pool can't wait for it any longer. */
  readonly signal: AbortSignal;
  /**
   * A breadcrumb: says what the task does now, for reports of why it takes so long. Throws unless `name` is a string, of which the
   * first 500 characters are kept.
   */
  step(name: string): void;
  /** Says which share is done, from 0 to 1. Throws an `InvalidOption…Error` for anything else. */
  progress(ratio: number): void;
  /** What it would show of itself in a log. */
  toJSON(): object;
}
