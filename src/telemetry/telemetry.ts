import { type Context, context, diag, type Span, trace } from "@opentelemetry/api";
import type { Carrier, DropReason, Outcome, QueueTelemetry, TaskFacts } from "../contracts.js";
import { correlation } from "./correlation.js";
import type { Settings } from "./options.js";
import type { Parcel } from "./parcel.js";
import { plainExport } from "./plain-export.js";
import {
  CONTEXT_LOST,
  DEQUEUED,
  dropIndex,
  ENQUEUED,
  ERRORS,
  FAILURE,
  OVERTAKES,
  QueueSeries,
  RETRIED,
  SLA_MET,
  SLA_MISSED,
  SUCCESS,
  seriesOf,
  type TierSeries,
} from "./series.js";
import { fail, type Pull, Spans } from "./spans.js";

/**
 * The one place where what happens in a queue becomes spans and numbers. Nothing in here may throw into the user's call: whatever
 * runs code of an SDK, an exporter or a hook is contained by {@link fault}.
 */
export class Telemetry implements QueueTelemetry {
  readonly series: QueueSeries;
  readonly tiers: readonly TierSeries[];
  private readonly spans: Spans;
  private readonly tracing: boolean;
  /** When the youngest item came in that was taken so far: who came before it was overtaken by it. */
  private readonly youngest = new Float64Array([Number.NEGATIVE_INFINITY]);
  private warned = false;

  constructor(
    settings: Settings,
    private readonly tierNames: readonly string[],
    system: string,
  ) {
    const { name, sla, traces, relation, metrics } = settings;
    // Numbers that are not to be exported are still kept, in series that nobody knows.
    this.series = metrics === "never" ? new QueueSeries(name, false) : seriesOf(name);
    this.tiers = this.series.tiersFor(tierNames);
    for (const [i, tier] of this.tiers.entries())
      tier.sla = sla.get(tierNames[i]!) ?? sla.get("default") ?? tier.sla;
    this.spans = new Spans(name, system, traces, relation);
    this.tracing = traces !== "never";
    this.syncExport();
  }

  get queueName(): string {
    return this.series.name;
  }

  putStarted(tier: number, correlationId: string | undefined, count: number): Carrier {
    try {
      plainExport.sync();
      return this.spans.send(this.tierNames[tier]!, correlationId, count);
    } catch (error) {
      this.fault(error);
      return undefined;
    }
  }

  putDone(carrier: Carrier, tier: number, count: number, tookMs: number): void {
    try {
      this.tiers[tier]!.counts[ENQUEUED]! += count;
      this.series.put.record(tookMs);
      if (this.tracing) this.spans.sent(carrier as Parcel);
    } catch (error) {
      this.fault(error);
    }
  }

  putFailed(carrier: Carrier, tier: number, accepted: number, _tookMs: number, error: unknown): void {
    try {
      this.tiers[tier]!.counts[ENQUEUED]! += accepted;
      this.spans.sent(carrier as Parcel, error);
    } catch (fault) {
      this.fault(fault);
    }
  }

  pullStarted(): object | undefined {
    if (!this.tracing) return undefined;
    try {
      return this.spans.pull();
    } catch (error) {
      this.fault(error);
      return undefined;
    }
  }

  taken(_carrier: Carrier, tier: number, enqueuedAt: number, now: number, attempt: number): void {
    try {
      const { counts, wait, sla } = this.tiers[tier]!;
      const waitMs = now - enqueuedAt;
      counts[DEQUEUED]!++;
      wait.record(waitMs);
      if (enqueuedAt < this.youngest[0]!) counts[OVERTAKES]!++;
      else this.youngest[0] = enqueuedAt;
      if (sla !== undefined && attempt === 1) counts[waitMs <= sla.targetMs ? SLA_MET : SLA_MISSED]!++;
    } catch (error) {
      this.fault(error);
    }
  }

  pullDone(
    pull: object | undefined,
    carriers: Carrier | readonly Carrier[],
    tookMs: number,
    error?: unknown,
  ): void {
    try {
      if (error === undefined) this.series.get.record(tookMs);
      if (pull === undefined) return;
      const parcels = Array.isArray(carriers) ? carriers : carriers === undefined ? [] : [carriers];
      this.spans.pulled(pull as Pull, parcels, tookMs, error);
    } catch (fault) {
      this.fault(fault);
    }
  }

  dropped(tier: number, reason: DropReason, attempt: number): void {
    const { counts, sla } = this.tiers[tier]!;
    counts[dropIndex(reason)]!++;
    if (sla !== undefined && attempt === 1 && (reason === "evicted" || reason === "expired"))
      counts[SLA_MISSED]!++;
  }

  settled(outcome: Outcome, processMs: number | undefined): void {
    try {
      this.series.counts[outcome === "success" ? SUCCESS : FAILURE]!++;
      if (processMs !== undefined) this.series.process[outcome].record(processMs);
    } catch (error) {
      this.fault(error);
    }
  }

  retried(processMs: number | undefined): void {
    try {
      this.series.counts[RETRIED]!++;
      if (processMs !== undefined) this.series.process.failure.record(processMs);
    } catch (error) {
      this.fault(error);
    }
  }

  reentered(tier: number): void {
    this.tiers[tier]!.counts[ENQUEUED]!++;
  }

  correlationIdOf(carrier: Carrier): string | undefined {
    return (carrier as Parcel | undefined)?.correlationId;
  }

  contextLost(): void {
    this.series.counts[CONTEXT_LOST]!++;
  }

  fault(error: unknown): void {
    this.series.counts[ERRORS]!++;
    if (this.warned) return;
    this.warned = true;
    try {
      diag.warn(
        `queuescope: an exception was contained (queue "${this.series.name}"; further ones are only counted)`,
        error,
      );
    } catch {
      // A logger that throws leaves nobody to tell.
    }
  }

  run<R>(carrier: Carrier, task: TaskFacts, fn: () => R): R {
    const parcel = carrier as Parcel | undefined;
    let active: Context | undefined;
    let span: Span | undefined;
    try {
      if (this.tracing) span = this.spans.process(parcel, task);
      active = parcel?.context ?? context.active();
      if (span !== undefined) active = trace.setSpan(active, span);
    } catch (error) {
      this.fault(error);
    }
    const inContext = active === undefined ? fn : () => context.with(active, fn);
    const handler = () => correlation.run(task, inContext);
    return span === undefined ? handler() : this.endWith(span, handler);
  }

  /** Looks whether there is news about who exports. */
  private syncExport(): void {
    try {
      plainExport.sync();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Ends the span when the handler is over. */
  private endWith<R>(span: Span, handler: () => R): R {
    let result: R;
    try {
      result = handler();
    } catch (error) {
      this.end(span, { error });
      throw error;
    }
    // Other thenables may do their work only when they are awaited, and again each time: they are left alone.
    if (result instanceof Promise) {
      result.then(
        () => this.end(span),
        (error: unknown) => this.end(span, { error }),
      );
    } else this.end(span);
    return result;
  }

  private end(span: Span, failure?: { error: unknown }): void {
    try {
      if (failure !== undefined) fail(span, failure.error);
      span.end();
    } catch (error) {
      this.fault(error);
    }
  }
}
