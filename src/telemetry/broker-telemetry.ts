import { type Context, context, type Span, trace } from "@opentelemetry/api";
import type { TaskFacts } from "../contracts/index.js";
import { parcelOf, type SendContext } from "./context/send-context.js";
import {
  CARRIER_REJECTED,
  CARRIER_TOO_LARGE,
  NEGATIVE_WAITS,
  REDELIVERED,
  STALE_SETTLES,
} from "./metrics/series.js";
import { end, endFailed, type SendsTo } from "./spans/spans.js";
import { Telemetry } from "./telemetry.js";

/** How a delivery ended: with what failure, and in a word, where that says more. */
interface HowItEnded {
  readonly failure: { readonly error: unknown } | undefined;
  readonly outcome: string | undefined;
}

/** What happens besides in a queue that lies in a broker. */
export class BrokerTelemetry extends Telemetry {
  /** Parts of a message's carrier were left out, because they are too large, or rejected, because they are nothing that a propagator writes. */
  lost(where: "carrier" | "too_large", count = 1): void {
    this.series.counts[where === "carrier" ? CARRIER_REJECTED : CARRIER_TOO_LARGE]! += count;
  }

  redelivered(): void {
    this.series.counts[REDELIVERED]!++;
  }

  /** A delivery was acknowledged whose channel or lock is gone. */
  staleSettle(): void {
    this.series.counts[STALE_SETTLES]!++;
  }

  /** A message was taken before it was sent, as clocks have it. */
  negativeWait(): void {
    this.series.counts[NEGATIVE_WAITS]!++;
  }

  /** A put to a place in a broker begins, as {@link putStarted}. */
  sendingTo(to: SendsTo, tier: number, count: number): SendContext {
    return this.tracing
      ? this.spans.send(this.tierNames[tier]!, undefined, count, to)
      : parcelOf(context.active(), undefined);
  }

  /** The active span, which another instrumentation has made, is that of the delivery. */
  tracedElsewhere(delivery: TaskFacts): void {
    try {
      const span = trace.getActiveSpan();
      if (span !== undefined) this.sampled(span, delivery);
    } catch (error) {
      this.fault(error);
    }
  }

  /** Calls `fn` once, in that context. */
  inContext<R>(wanted: Context, fn: () => R): R {
    return this.handlers.callIn(wanted, fn, undefined);
  }

  /** The span of a delivery is over, now or at an instant in epoch milliseconds. */
  endSettled(began: object, { failure, outcome }: HowItEnded, at: number | undefined): void {
    try {
      const span = began as Span;
      if (outcome === "moved") {
        span.setAttribute("queue.outcome", outcome);
        span.end(at);
      } else if (failure !== undefined || outcome === undefined) end(span, failure, at);
      else endFailed(span, outcome, `the delivery was settled as: ${outcome}`, at);
    } catch (error) {
      this.fault(error);
    }
  }
}
