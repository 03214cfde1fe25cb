import type { AsyncResource } from "node:async_hooks";
import { context, diag, ROOT_CONTEXT, type Span } from "@opentelemetry/api";
import { plainError } from "../base/error-text.js";
import { contained } from "../base/output.js";
import { shown } from "../base/shown.js";
import { adopted, whenSettled } from "../base/thenable.js";
import type {
  Carrier,
  DropReason,
  HowToCall,
  OpenContext,
  Outcome,
  QueueTelemetry,
  TaskFacts,
} from "../contracts/index.js";
import { activeTaskMonitor } from "./context/active-task-monitor.js";
import { currentCorrelationId } from "./context/correlation.js";
import { HandlerContext } from "./context/handler-context.js";
import { type Parcel, parcelIn, parcelOf, SendContext, TakenAlong } from "./context/send-context.js";
import type { Bounds } from "./metrics/instruments.js";
import { plainExport } from "./metrics/plain-export.js";
import {
  COMPLETED_MET,
  COMPLETED_MISSED,
  CONTEXT_LOST,
  DEAD_LETTERED,
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
} from "./metrics/series.js";
import { Tiers } from "./metrics/tiers.js";
import type { Settings } from "./options.js";
import { end, type Pull, SentParcel, Spans, sampledSpan } from "./spans/spans.js";

/**
 * The one place where what happens in a queue becomes spans and numbers. Nothing in here may throw into the user's call: whatever
 * runs code of an SDK, an exporter or a hook is contained by {@link fault}.
 */
export class Telemetry implements QueueTelemetry {
  readonly series: QueueSeries;
  readonly tierNames: readonly string[];
  readonly tiers: readonly TierSeries[];
  readonly tierTable: Tiers;
  protected readonly spans: Spans;
  protected readonly tracing: boolean;
  protected readonly handlers: HandlerContext;
  /** When the youngest item came in that was taken so far: who came before it was overtaken by it. */
  private readonly youngest = new Float64Array([Number.NEGATIVE_INFINITY]);
  /** Whether each put takes its producer's async context along. */
  private readonly takesAlong: boolean;
  private warned = false;

  constructor(
    settings: Settings,
    tierNames: readonly string[],
    system: string,
    /** Where handlers run whose items bring no context and that were not wrapped in one; undefined: where they are called. */
    home?: AsyncResource,
    /** Of the histogram of waits. */
    waitBounds?: Bounds,
  ) {
    const { name, traces, relation, metrics, asyncContext } = settings;
    this.takesAlong = asyncContext === "producer";
    // Numbers that are not to be exported are still kept, in series of their own.
    this.series = metrics === "never" ? new QueueSeries(name, false) : seriesOf(name);
    this.series.waitBounds = waitBounds ?? this.series.waitBounds;
    this.tierTable = new Tiers(settings, tierNames, this.series);
    this.tierNames = this.tierTable.names;
    this.tiers = this.tierTable.series;
    this.spans = new Spans(name, system, traces, relation);
    this.tracing = traces !== "never";
    this.handlers = new HandlerContext(home, (error) => this.fault(error));
    this.syncExport();
  }

  get queueName(): string {
    return this.series.name;
  }

  tierOf(priority: number): number {
    return this.tierTable.of(priority);
  }

  putAtOnce(tier: number, correlationId: string | undefined): Carrier {
    if (this.tracing || !plainExport.isStopped) {
      const carrier = this.putStarted(tier, correlationId, 1);
      this.putDone(carrier, tier, 1, 0);
      return carrier;
    }
    // The short path: no span to make, no sink to feed.
    this.tiers[tier]!.counts[ENQUEUED]!++;
    this.series.put.recordZero();
    try {
      return this.packed(parcelOf(context.active(), correlationId), 1, correlationId === undefined);
    } catch (error) {
      this.fault(error);
      return this.withoutSpan(correlationId, 1);
    }
  }

  putStarted(tier: number, correlationId: string | undefined, count: number): Carrier {
    try {
      if (!this.tracing && plainExport.isStopped) {
        return this.packed(parcelOf(context.active(), correlationId), count, correlationId === undefined);
      }
      plainExport.sync();
      const parcel = this.spans.send(this.tierNames[tier]!, correlationId, count);
      return this.packed(parcel, count, correlationId === undefined && !(parcel instanceof SentParcel));
    } catch (error) {
      this.fault(error);
      return this.withoutSpan(correlationId, count);
    }
  }

  putDone(carrier: Carrier, tier: number, count: number, tookMs: number): void {
    try {
      this.tiers[tier]!.counts[ENQUEUED]! += count;
      try {
        if (this.tracing) this.spans.sent(parcelIn(carrier));
      } finally {
        this.series.put.record(tookMs);
      }
    } catch (error) {
      this.fault(error);
    }
  }

  putFailed(carrier: Carrier, tier: number, accepted: number, _tookMs: number, error: unknown): void {
    try {
      this.tiers[tier]!.counts[ENQUEUED]! += accepted;
      this.spans.sent(parcelIn(carrier), error);
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

  takenAtOnce(
    pull: object | undefined,
    carrier: Carrier,
    tier: number,
    enqueuedAt: number,
    now: number,
    attempt: number,
  ): void {
    this.taken(carrier, tier, enqueuedAt, now, attempt);
    if (pull !== undefined || !plainExport.isStopped) this.pullDone(pull, carrier, 0);
    else this.series.get.recordZero();
  }

  taken(carrier: Carrier, tier: number, enqueuedAt: number, now: number, attempt: number): void {
    try {
      const { counts, wait, sla } = this.tiers[tier]!;
      const waitMs = now - enqueuedAt;
      counts[DEQUEUED]!++;
      // Where it is not known when an item came in, both are NaN, and no comparison holds.
      if (enqueuedAt < this.youngest[0]!) counts[OVERTAKES]!++;
      else if (enqueuedAt > this.youngest[0]!) this.youngest[0] = enqueuedAt;
      if (sla !== undefined && attempt === 1) {
        if (waitMs <= sla.targetMs) counts[SLA_MET]!++;
        else if (waitMs > sla.targetMs) counts[SLA_MISSED]!++;
      }
      // Until its handler's span is, the put's is the example of the wait.
      const sent = carrier instanceof TakenAlong ? carrier.parcel : carrier;
      wait.record(waitMs, sent instanceof SentParcel ? sent.sampledIn : undefined);
    } catch (error) {
      this.fault(error);
    }
  }

  givenBack(_carrier: Carrier, tier: number, attempt: number): void {
    const { counts, wait, sla } = this.tiers[tier]!;
    // No scrape has seen it: it was counted in this very tick.
    counts[DEQUEUED]!--;
    if (sla !== undefined && attempt === 1) counts[SLA_MET]!--;
    wait.takeBackZero();
  }

  pullDone(
    pull: object | undefined,
    carriers: Carrier | readonly Carrier[],
    tookMs: number,
    error?: unknown,
  ): void {
    try {
      if (pull !== undefined) this.receiveSpan(pull as Pull, carriers, tookMs, error);
      const isEmpty = Array.isArray(carriers) && carriers.length === 0;
      if (error === undefined && !isEmpty) this.series.get.record(tookMs);
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

  settled(outcome: Outcome, processMs: number | undefined, error?: unknown, task?: TaskFacts): void {
    try {
      if (outcome === "failure") this.series.failed(error);
      this.series.counts[outcome === "success" ? SUCCESS : FAILURE]!++;
      if (processMs !== undefined) this.series.process[outcome].record(processMs, task?.sampledIn);
    } catch (error) {
      this.fault(error);
    }
  }

  deadLettered(processMs: number | undefined, error: unknown, task?: TaskFacts): void {
    try {
      this.series.failed(error);
      this.series.counts[DEAD_LETTERED]!++;
      if (processMs !== undefined) this.series.process.failure.record(processMs, task?.sampledIn);
    } catch (error) {
      this.fault(error);
    }
  }

  completeMsOf(tier: number): number | undefined {
    return this.tiers[tier]?.sla?.completeMs;
  }

  completed(tier: number, result: "met" | "missed"): void {
    this.tiers[tier]!.counts[result === "met" ? COMPLETED_MET : COMPLETED_MISSED]!++;
  }

  gateWaited(gate: string, waitedMs: number): void {
    try {
      this.series.gate(gate).record(waitedMs);
    } catch (error) {
      this.fault(error);
    }
  }

  retried(processMs: number | undefined, attempt: number, error?: unknown, task?: TaskFacts): void {
    try {
      if (attempt === 1) this.series.firstRetried++;
      // Given back without an error, it is one more of which nothing is known.
      if (error === undefined) this.series.errors.count(error);
      else this.series.failed(error);
      this.series.counts[RETRIED]!++;
      if (processMs !== undefined) this.series.process.failure.record(processMs, task?.sampledIn);
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
    contained(() =>
      diag.warn(
        `queuescope: an exception was contained (queue "${shown(this.series.name)}"; further ones are only counted)`,
        plainError(error),
      ),
    );
  }

  released(carrier: Carrier, comesBack: boolean): Carrier {
    if (!(carrier instanceof TakenAlong)) return carrier;
    if (!comesBack && !carrier.isShared) carrier.emitDestroy();
    return carrier.parcel;
  }

  run<R>(carrier: Carrier, task: TaskFacts, fn: () => R, scope?: AsyncResource): R {
    const span = this.begin(carrier, task);
    const parcel = carrier as Parcel | undefined;
    if (span === undefined) return this.handlers.callInside(scope, parcel, task, fn, adopted);
    return this.endWith(span, () => this.handlers.call(span, parcel, task, fn, undefined, adopted));
  }

  begin(carrier: Carrier, task: TaskFacts): Span | undefined {
    if (!this.tracing) return undefined;
    let span: Span | undefined;
    try {
      span = this.spans.process(parcelIn(carrier), task);
      if (span !== undefined) this.sampled(span, task);
    } catch (error) {
      this.fault(error);
    }
    return span;
  }

  within<R>(began: object | undefined, carrier: Carrier, task: TaskFacts, fn: () => R, how?: HowToCall): R {
    const parcel = carrier as Parcel | undefined;
    return this.handlers.call(began as Span | undefined, parcel, task, fn, how?.scope, how?.prepare);
  }

  open(
    began: object | undefined,
    carrier: Carrier,
    task: TaskFacts,
    scope: AsyncResource | undefined,
  ): OpenContext {
    return this.handlers.open(began as Span | undefined, carrier as Parcel | undefined, task, scope);
  }

  end(began: object | undefined, failure?: { readonly error: unknown }): void {
    if (began === undefined) return;
    try {
      end(began as Span, failure);
    } catch (error) {
      this.fault(error);
    }
  }

  /**
   * What travels with the item of a put, in whose async context this is called. `isAll` is whether that has the context and the ID of the
   * parcel already.
   */
  private packed(parcel: SendContext, count: number, isAll: boolean): Parcel {
    const { current } = activeTaskMonitor;
    const place = current?.put();
    if (place === undefined && !this.takesAlong) return parcel;
    let own: Parcel;
    if (this.takesAlong) own = new TakenAlong(parcel, count > 1, isAll && parcel.correlationId !== undefined);
    else own = parcel instanceof SentParcel ? parcel : new SendContext(parcel.context, parcel.correlationId);
    if (place !== undefined) current!.remember(own, place);
    return own;
  }

  /** The item that the span is about has waited, and will have been processed. */
  protected sampled(span: Span, task: TaskFacts): void {
    const sampledIn = sampledSpan(span);
    if (sampledIn === undefined) return;
    task.sampledIn = sampledIn;
    const { waitMs, tier } = task;
    if (waitMs !== undefined) this.series.tiers.get(tier)?.wait.exemplify(waitMs, sampledIn);
  }

  /** What still travels when the put span could not be made. */
  private withoutSpan(correlationId: string | undefined, count: number): Parcel {
    let parcel: SendContext;
    try {
      parcel = parcelOf(context.active(), correlationId);
    } catch {
      parcel = new SendContext(ROOT_CONTEXT, correlationId ?? currentCorrelationId());
    }
    return this.takesAlong ? new TakenAlong(parcel, count > 1, false) : parcel;
  }

  private receiveSpan(
    pull: Pull,
    carriers: Carrier | readonly Carrier[],
    tookMs: number,
    error: unknown,
  ): void {
    try {
      const parcels = Array.isArray(carriers) ? carriers : carriers === undefined ? [] : [carriers];
      this.spans.pulled(pull, parcels.map(parcelIn), tookMs, error);
    } catch (fault) {
      this.fault(fault);
    }
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
    if (
      !whenSettled(
        result,
        () => this.end(span),
        (error) => this.end(span, { error }),
      )
    )
      this.end(span);
    return result;
  }
}
