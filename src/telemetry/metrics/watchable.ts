import { isSpanContextValid, trace } from "@opentelemetry/api";
import { errorLine } from "../../base/error-text.js";
import type { Carrier, Probe, SlaTarget, Tally, Watchable } from "../../contracts/index.js";
import type { Parcel } from "../context/send-context.js";
import {
  DEAD_LETTERED,
  DEQUEUED,
  DROP_REASONS,
  dropIndex,
  ENQUEUED,
  ERRORS,
  FAILURE,
  MAX_TIERS,
  OVERTAKES,
  type QueueSeries,
  RETRIED,
  SLA_MISSED,
  SUCCESS,
} from "./series.js";
import type { Tiers } from "./tiers.js";

/** How many verdicts have series of their own: a check of the user's may make up names. */
const MAX_VERDICTS = 50;

/** An instrumented queue as a watchdog sees it: its probe, and the numbers that are exported for it. */
export class WatchableQueue implements Watchable, Tally {
  constructor(
    private readonly series: QueueSeries,
    private readonly tiers: Pick<Tiers, "series" | "slaOf">,
    readonly probe: Probe,
    readonly mayHaveTier: (name: string) => boolean,
  ) {}

  get name(): string {
    return this.series.name;
  }

  slaOf(tier: number): SlaTarget | undefined {
    return this.tiers.slaOf(tier);
  }

  get tally(): Tally {
    return this;
  }

  traceOf(carrier: Carrier): string | undefined {
    const context = (carrier as Parcel | undefined)?.context;
    const spanContext = context === undefined ? undefined : trace.getSpanContext(context);
    return spanContext !== undefined && isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
  }

  breached(tier: number, verdict: string, count: number): void {
    const breaches = this.tiers.series[tier]?.breaches;
    if (breaches === undefined) return;
    if (count === 0 && this.series.verdicts.size < MAX_VERDICTS) this.series.verdicts.add(verdict);
    const name = breaches.has(verdict) || breaches.size < MAX_VERDICTS ? verdict : "other";
    breaches.set(name, (breaches.get(name) ?? 0) + count);
  }

  faulted(): void {
    this.series.counts[ERRORS]!++;
  }

  enqueued(tier: number): number {
    return this.count(tier, ENQUEUED);
  }

  dequeued(tier: number): number {
    return this.count(tier, DEQUEUED);
  }

  overtaken(tier: number): number {
    return this.count(tier, OVERTAKES);
  }

  dropped(tier: number): number {
    return DROP_REASONS.reduce((sum, reason) => sum + this.count(tier, dropIndex(reason)), 0);
  }

  missed(tier: number): number {
    return this.count(tier, SLA_MISSED);
  }

  get succeeded(): number {
    return this.series.counts[SUCCESS]!;
  }

  get failed(): number {
    return this.series.counts[FAILURE]!;
  }

  get retried(): number {
    return this.series.counts[RETRIED]!;
  }

  get firstRetried(): number {
    return this.series.firstRetried;
  }

  get deadLettered(): number {
    return this.series.counts[DEAD_LETTERED]!;
  }

  get processedMs(): number {
    const { success, failure } = this.series.process;
    return (success.sumSeconds + failure.sumSeconds) * 1000;
  }

  get lastFailure(): string | undefined {
    const { lastError } = this.series;
    return lastError === undefined ? undefined : errorLine(lastError);
  }

  private count(tier: number, index: number): number {
    // Those after that share its numbers.
    return tier > MAX_TIERS ? 0 : (this.tiers.series[tier]?.counts[index] ?? 0);
  }
}
