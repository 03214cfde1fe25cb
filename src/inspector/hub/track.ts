import type { QueueSeries, TierSeries } from "../../telemetry/metrics/series.js";
import type { History, QueueRow, TierRow, Totals, Why } from "../protocol.js";
import { Failures } from "./failures.js";
import { type Figures, readFigures, type SlaOf, totalsOf } from "./figures.js";
import { judged } from "./health.js";
import type { Field } from "./ring.js";
import { FIELDS, isCount, Ring, rounded } from "./ring.js";
import { Heat, percentile } from "./waits.js";

/** Over how long rates are, about, in milliseconds. */
const RATE_MS = 5_000;
/** Rates below that are none: what decays never gets to 0. */
const MIN_RATE = 0.005;
const SPARK_SECONDS = 60;

/** A rate that follows a count, in items a second. */
class Rate {
  private seen = Number.NaN;
  private perSecond = 0;
  /** How much of all time is weighed: at first less than all. */
  private weighed = 0;

  get value(): number {
    const value = this.weighed === 0 ? 0 : this.perSecond / this.weighed;
    return value < MIN_RATE ? 0 : rounded(value);
  }

  /** Returns by how much the count has risen. */
  look(count: number, overMs: number): number {
    const added = Number.isNaN(this.seen) ? 0 : Math.max(0, count - this.seen);
    this.seen = count;
    if (overMs > 0) {
      const weight = 1 - Math.exp(-overMs / RATE_MS);
      this.perSecond += weight * ((1000 * added) / overMs - this.perSecond);
      this.weighed += weight * (1 - this.weighed);
    }
    return added;
  }
}

interface TierTrack {
  readonly in: Rate;
  readonly out: Rate;
  heat: Heat;
}

/** The queues of one name, second by second. A look costs O(tiers), whatever the depth. */
export class Track {
  readonly failures = new Failures();
  private ring: Ring | undefined;
  private readonly tiers = new Map<TierSeries, TierTrack>();
  private readonly rates = {
    arrived: new Rate(),
    taken: new Rate(),
    ended: new Rate(),
    failed: new Rate(),
    dropped: new Rate(),
  };
  private readonly second = new Float64Array(FIELDS.length);
  private figures: Figures;
  private totals: Totals;

  /** `stride`: seconds of a step; undefined where there is no room for a history. */
  constructor(
    readonly series: QueueSeries,
    private readonly slaOf: SlaOf,
    private stride: number | undefined,
    at: number,
  ) {
    this.ring = stride === undefined ? undefined : new Ring(stride);
    series.onFailure = this.failures.note;
    this.figures = readFigures(series, slaOf);
    this.totals = totalsOf(series);
    this.look(0, 0, at);
  }

  get name(): string {
    return this.series.name;
  }

  /** Whether there is a queue of the name. */
  get isAlive(): boolean {
    return this.series.alive().length > 0;
  }

  get tierCount(): number {
    return this.series.tiers.size;
  }

  end(): void {
    this.series.onFailure = undefined;
  }

  /** Reads the figures of this moment. */
  private read(): void {
    this.figures = readFigures(this.series, this.slaOf);
    this.totals = totalsOf(this.series);
  }

  /** So much time has passed since the last look. */
  look(seconds: number, overMs: number, at: number): void {
    this.read();
    const { second, rates, figures, totals } = this;
    const { succeeded, failed, deadLettered, retried } = totals;
    const put = (field: Field, value: number | undefined) => {
      second[FIELDS.indexOf(field)] = value ?? Number.NaN;
    };
    put("depth", figures.depth);
    put("inFlight", figures.inFlight);
    put("oldestMs", figures.oldestMs);
    put("slaUsed", figures.slaUsed);
    put("busyWorkers", busyOf(figures.workers));
    put("arrived", rates.arrived.look(totals.enqueued, overMs));
    put("taken", rates.taken.look(totals.dequeued, overMs));
    put("ended", rates.ended.look(succeeded + failed + deadLettered, overMs));
    put("failed", rates.failed.look(failed + deadLettered + retried, overMs));
    put("dropped", rates.dropped.look(totals.dropped, overMs));
    for (const tier of this.series.tiers.values()) this.lookAt(tier, seconds, overMs, at);
    if (seconds === 0) return;
    if (seconds > 1) this.ring?.skip(seconds - 1, at);
    this.ring?.push(second, at);
  }

  private lookAt(series: TierSeries, seconds: number, overMs: number, at: number): void {
    let tier = this.tiers.get(series);
    if (tier === undefined) {
      tier = { in: new Rate(), out: new Rate(), heat: new Heat(series.wait, this.stride ?? MAX_STRIDE, at) };
      this.tiers.set(series, tier);
    }
    tier.in.look(series.counts[0]!, overMs);
    tier.out.look(series.counts[1]!, overMs);
    tier.heat.look(seconds, at);
  }

  /** From now on steps are longer; undefined: there is no room for a history any more. */
  widen(stride: number | undefined, at: number): void {
    this.ring = stride === undefined ? undefined : (this.ring?.widened(stride) ?? new Ring(stride));
    for (const tier of this.tiers.values()) tier.heat = tier.heat.widened(stride ?? MAX_STRIDE, at);
    this.stride = stride;
  }

  /** Mean of a field over the seconds between, counted back from now; of counts, for each second. */
  mean(field: Field, fromSeconds: number, toSeconds: number): number | undefined {
    if (this.ring === undefined) return undefined;
    const { stride } = this.ring;
    const mean = this.ring.mean(field, Math.floor(fromSeconds / stride), Math.ceil(toSeconds / stride));
    return mean === undefined || !isCount(field) ? mean : mean / stride;
  }

  row(process: string, why: Why | undefined, redact: (text: string) => string): QueueRow {
    this.read();
    const { figures, rates, totals, series } = this;
    const tiers = this.tierRows();
    const [waitP50Ms, waitP99Ms] = this.percentiles();
    const now = {
      figures,
      failedPerSecond: rates.failed.value,
      endedPerSecond: rates.ended.value,
      droppedPerSecond: rates.dropped.value,
      outPerSecond: rates.taken.value,
    };
    const { health, reasons, rank } = judged(now);
    return {
      process,
      name: series.name,
      scope: series.isLocal ? "process" : "broker",
      health,
      rank: rounded(rank),
      reasons,
      why: why === undefined || health !== "breach" ? undefined : { ...why, sentence: redact(why.sentence) },
      depth: figures.depth,
      delayed: figures.delayed,
      capacity: figures.capacity,
      oldestMs: roundedOr(figures.oldestMs),
      slaUsed: roundedOr(figures.slaUsed),
      waitP50Ms,
      waitP99Ms,
      inPerSecond: rates.arrived.value,
      outPerSecond: rates.taken.value,
      endedPerSecond: rates.ended.value,
      failedPerSecond: rates.failed.value,
      droppedPerSecond: rates.dropped.value,
      inFlight: figures.inFlight,
      inFlightOldestMs: roundedOr(figures.inFlightOldestMs),
      waitingPuts: figures.waitingPuts,
      waitingGets: figures.waitingGets,
      workers: figures.workers,
      consumers: figures.consumers,
      paused: figures.paused,
      openBreakers: figures.openBreakers,
      totals,
      tiers,
    };
  }

  spark(): (number | null)[] {
    return this.ring?.column("depth", Math.ceil(SPARK_SECONDS / this.ring.stride)) ?? [];
  }

  history(process: string): History {
    const { ring } = this;
    const column = (field: Field) => ring?.column(field) ?? [];
    const [first] = this.tiers.values();
    const columns = Object.fromEntries(FIELDS.map((field) => [field, column(field)])) as Record<
      Field,
      (number | null)[]
    >;
    return {
      process,
      queue: this.series.name,
      lastAt: ring === undefined || Number.isNaN(ring.lastAt) ? Date.now() : ring.lastAt,
      stepMs: 1000 * (ring?.stride ?? 1),
      ...columns,
      waits: {
        lastAt: Math.round(first?.heat.lastAt ?? Date.now()),
        stepMs: first?.heat.stepMs ?? 10_000,
        boundsMs: [...(first?.heat.bounds.ms ?? [])],
        tiers: [...this.tiers].map(([series, { heat }]) => ({
          name: series.tier,
          slaMs: this.figures.tiers.get(series)?.sla?.targetMs,
          counts: heat.columns(),
        })),
      },
    };
  }

  get worstTier(): string | undefined {
    return this.figures.worstTier;
  }

  /** Share of the SLA that the oldest item has used; 0 where there is none. */
  get slaUsed(): number {
    return this.figures.slaUsed ?? 0;
  }

  private tierRows(): TierRow[] {
    return [...this.tiers].map(([series, { in: arrived, out, heat }]) => {
      const { depth = 0, oldestMs = 0, sla } = this.figures.tiers.get(series) ?? {};
      const [p50, p99] = heat.recent(0.5, 0.99);
      return {
        name: series.tier,
        depth,
        oldestMs: rounded(oldestMs),
        slaMs: sla?.targetMs,
        objective: sla?.objective,
        slaUsed: sla === undefined ? undefined : rounded(oldestMs / sla.targetMs),
        waitP50Ms: roundedOr(p50),
        waitP99Ms: roundedOr(p99),
        inPerSecond: arrived.value,
        outPerSecond: out.value,
      };
    });
  }

  /** Over all tiers. */
  private percentiles(): (number | undefined)[] {
    const [first] = this.tiers.values();
    if (first === undefined) return [];
    const counts = new Float64Array(first.heat.bounds.ms.length + 1);
    for (const { heat } of this.tiers.values()) heat.addTo(counts);
    return [0.5, 0.99].map((share) => roundedOr(percentile(counts, first.heat.bounds, share)));
  }
}

/** The longest step that there is, in seconds. */
export const MAX_STRIDE = 64;

function roundedOr(value: number | undefined): number | undefined {
  return value === undefined ? undefined : rounded(value);
}

function busyOf(workers: Figures["workers"]): number | undefined {
  return workers === undefined ? undefined : workers.processing + workers.backoff + workers.stalled;
}
