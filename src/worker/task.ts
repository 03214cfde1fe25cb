import { type InspectOptions, inspect } from "node:util";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { cut, MAX_STEP } from "../base/limits.js";
import type { TaskFacts, Work } from "../contracts/index.js";
import type { Gate, Passer } from "./gate.js";

/** What a handler is told of its item, and what it can tell about its work. */
export class Task implements TaskFacts, Passer {
  /** What it is doing now, as `step` said; undefined before the first step. */
  currentStep: string | undefined = undefined;
  /** How much is done, from 0 to 1, as `progress` said. */
  currentProgress: number | undefined = undefined;
  private controller: AbortController | undefined = undefined;
  private reason: unknown = undefined;
  private isAborted = false;

  /** @internal */
  constructor(
    private readonly work: Work<unknown>,
    private readonly worker: { heard(task: Task): void; reached(gate: Gate): void },
  ) {}

  get attempt(): number {
    return this.work.attempt;
  }

  get tier(): string {
    return this.work.tier;
  }

  get waitMs(): number | undefined {
    return this.work.waitMs;
  }

  get correlationId(): string {
    return this.work.correlationId;
  }

  /** When the item was taken, in monotonic milliseconds; undefined where nobody wants times. */
  get startedAt(): number | undefined {
    return this.work.takenAt;
  }

  /** Aborted when the task's time is over, or when its pool can't wait for it any longer. */
  get signal(): AbortSignal {
    // Made when it is first asked for: most handlers never do, and a controller costs more than the rest of a task.
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.isAborted) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /**
   * A breadcrumb: says what the task does now, for whoever looks why it takes so long. Throws unless `name` is a string, of which the
   * first 500 characters are kept.
   */
  step(name: string): void {
    if (typeof name !== "string") throw new InvalidOptionTypeError("name", name, "a string");
    this.currentStep = cut(name, MAX_STEP);
    this.worker.heard(this);
  }

  /** Says which share is done, from 0 to 1. Throws an `InvalidOption…Error` for anything else. */
  progress(ratio: number): void {
    if (typeof ratio !== "number") throw new InvalidOptionTypeError("ratio", ratio, "a number from 0 to 1");
    if (!(ratio >= 0 && ratio <= 1))
      throw new InvalidOptionRangeError("ratio", ratio, "a number from 0 to 1");
    this.currentProgress = ratio;
    this.worker.heard(this);
  }

  /** What it would show of itself in a log. */
  toJSON(): object {
    const { correlationId, tier, attempt, waitMs, currentStep: step, currentProgress: progress } = this;
    return { correlationId, tier, attempt, waitMs, step, progress };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `Task ${inspect(this.toJSON(), options)}`;
  }

  /** @internal */
  get wasAborted(): boolean {
    return this.isAborted;
  }

  /** @internal */
  throwIfAborted(): void {
    if (this.isAborted) throw this.reason;
  }

  /** @internal */
  abort(reason: unknown): void {
    if (this.isAborted) return;
    this.isAborted = true;
    this.reason = reason;
    this.controller?.abort(reason);
  }

  /** @internal */
  reached(gate: Gate): void {
    this.worker.reached(gate);
  }

  /** @internal */
  passed(gate: Gate, waitedMs: number): void {
    this.work.gateWaited(gate.name, waitedMs);
  }
}
