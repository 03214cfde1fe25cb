import type { AsyncResource } from "node:async_hooks";
import { randomId } from "../base/random-id.js";
import type { Unsettled } from "../base/unsettled.js";
import type { Carrier, QueueTelemetry, SampledIn, TaskFacts } from "../contracts/index.js";

/** Where a task is on its way: being put, in the queue, taken, or settled, dropped or refused. */
export type Stage = "entering" | "waiting" | "running" | "over";

/** One item on its way through a foreign queue. An adapter's own class adds what it needs. */
export class Task implements TaskFacts {
  // Fields are declared, and written once, by the constructor: a field that is defined is written twice.
  declare previous: this | undefined;
  declare next: this | undefined;
  declare stage: Stage;
  /** Whether its put is still on the stack: what is taken then has not waited. */
  declare isOnStack: boolean;
  declare carrier: Carrier;
  /** Index of its tier. */
  declare tierIndex: number;
  /** When it came in, in monotonic milliseconds. */
  declare readonly at: number;
  /** When it was taken, in monotonic milliseconds. */
  declare takenAt: number;
  /** What the user put. */
  declare readonly item: unknown;
  /** What `Around.begin` gave. */
  declare began: object | undefined;
  /** Where its handler was wrapped, if that was wrapped. */
  declare scope: AsyncResource | undefined;
  /** Known where its completion is promised. @internal */
  declare unsettled: Unsettled | undefined;
  /** Only of those that are. @internal */
  declare sampledIn?: SampledIn | undefined;
  declare private readonly telemetry: QueueTelemetry;
  declare private id: string | undefined;

  constructor(telemetry: QueueTelemetry, carrier: Carrier, tierIndex: number, at: number, item: unknown) {
    this.previous = undefined;
    this.next = undefined;
    this.stage = "entering";
    this.isOnStack = true;
    this.carrier = carrier;
    this.tierIndex = tierIndex;
    this.at = at;
    this.takenAt = Number.NaN;
    this.item = item;
    this.began = undefined;
    this.scope = undefined;
    this.unsettled = undefined;
    this.telemetry = telemetry;
    this.id = undefined;
  }

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

  /** It is over. @internal */
  close(): void {
    this.stage = "over";
    // What its handler began keeps it, as part of its async context; so it must not keep that of its producer, and so on for ever.
    this.carrier = this.telemetry.released(this.carrier, false);
  }

  get correlationId(): string {
    this.id ??= this.telemetry.correlationIdOf(this.carrier) ?? randomId();
    return this.id;
  }
}

/** The class of a queue's tasks. */
export type TaskClass<T extends Task> = new (...given: ConstructorParameters<typeof Task>) => T;
