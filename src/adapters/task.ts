import type { AsyncResource } from "node:async_hooks";
import { randomId } from "../base/random-id.js";
import type { Carrier, QueueTelemetry, TaskFacts } from "../contracts/index.js";

/** Where a task is on its way: being put, in the queue, taken, or settled, dropped or refused. */
export type Stage = "entering" | "waiting" | "running" | "over";

/** One item on its way through a foreign queue. */
export class Task implements TaskFacts {
  previous: Task | undefined = undefined;
  next: Task | undefined = undefined;
  stage: Stage = "entering";
  /** Is its put still on the stack? What is taken then has not waited. */
  isOnStack = true;
  /** When it was taken, in monotonic milliseconds. */
  takenAt = Number.NaN;
  /** What `Around.begin` gave. */
  began: object | undefined = undefined;
  /** Where its handler was wrapped, if that was wrapped. */
  scope: AsyncResource | undefined = undefined;
  private endings: (() => void)[] | undefined = undefined;
  private id: string | undefined = undefined;

  constructor(
    private readonly telemetry: QueueTelemetry,
    public carrier: Carrier,
    /** Index of its tier. */
    public tierIndex: number,
    /** When it came in, in monotonic milliseconds. */
    readonly at: number,
    /** What the user put. */
    readonly item: unknown,
  ) {}

  get tier(): string {
    return this.telemetry.tierNames[this.tierIndex]!;
  }

  /** Queues that try again by themselves don't tell. */
  get attempt(): number {
    return 1;
  }

  get waitMs(): number {
    return this.takenAt - this.at;
  }

  /** Calls back when it is over. */
  atEnd(ending: () => void): void {
    this.endings ??= [];
    this.endings.push(ending);
  }

  /** @internal */
  close(): void {
    this.stage = "over";
    // What its handler began keeps it, as part of its async context; so it must not keep that of its producer, and so on for ever.
    this.carrier = this.telemetry.released(this.carrier, false);
    if (this.endings !== undefined) for (const ending of this.endings) ending();
  }

  get correlationId(): string {
    this.id ??= this.telemetry.correlationIdOf(this.carrier) ?? randomId();
    return this.id;
  }
}
