import type { Links } from "../base/linked-list.js";
import { randomId } from "../base/random-id.js";
import type { BrokerDelivery, SampledIn, TaskFacts } from "../contracts/index.js";
import type { SendContext } from "../telemetry/context/send-context.js";

/** A message that this process has taken. It is also what is in the correlation store while its handler runs. */
export class Delivery implements BrokerDelivery, TaskFacts, Links<Delivery> {
  previous: Delivery | undefined = undefined;
  next: Delivery | undefined = undefined;
  isSettled = false;
  /** What the telemetry opened for its handler. */
  began: object | undefined = undefined;
  sampledIn: SampledIn | undefined = undefined;
  /** How many calls of its handler are not over. */
  running = 0;
  /** When its span is to end, in epoch milliseconds, where that is not when it is settled: what the engine awaits was over then. */
  endedAt: number | undefined = undefined;
  /** What a consumer of ours makes of it: that is what reports and the correlation store show. */
  work: TaskFacts | undefined = undefined;
  /** What its span is to say, once it has been settled and its handler is over. */
  ending: Ending | undefined = undefined;
  private madeId: string | undefined = undefined;

  constructor(
    readonly queue: string,
    readonly parcel: SendContext,
    readonly tierIndex: number,
    readonly tier: string,
    readonly attempt: number,
    readonly waitMs: number | undefined,
    /** Monotonic milliseconds. */
    readonly takenAt: number,
    readonly attributes: TaskFacts["attributes"],
    /** Whether another instrumentation makes its spans. */
    readonly isTracedElsewhere: boolean,
  ) {}

  get correlationId(): string {
    const { correlationId } = this.parcel;
    if (correlationId !== undefined) return correlationId;
    this.madeId ??= randomId();
    return this.madeId;
  }
}

/** How a delivery ended: what it failed with, if it did. */
export interface Ending {
  readonly failure: { readonly error: unknown } | undefined;
  /** In a word, where it was neither a success nor an error of the handler's. */
  readonly outcome: "retry" | "dead" | "failure" | "moved" | "abandoned" | undefined;
}
