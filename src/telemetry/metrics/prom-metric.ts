import type { Attributes } from "@opentelemetry/api";
import type { Exemplar } from "./exemplars.js";
import type { Histogram } from "./histogram.js";
import {
  type HistogramName,
  INSTRUMENTS,
  type InstrumentKind,
  type InstrumentName,
  NOT_ADDED,
  type ReadingName,
} from "./instruments.js";
import { attributesOf, promName } from "./labels.js";
import { type Add, processHistograms, readerOf, readProcess } from "./readings.js";
import { allSeries } from "./series.js";
import { slices } from "./slices.js";

type Labels = Record<string, string | number>;

/** As prom-client has a sample. */
interface Sample {
  readonly value: number;
  readonly labels: Labels;
  /** Where it isn't the metric's own name. */
  readonly metricName?: string;
  /** Of a bucket; prom-client writes it in OpenMetrics only. */
  readonly exemplar?: {
    readonly labelSet: Labels;
    readonly value: number;
    /** Unix time, in seconds. */
    readonly timestamp: number;
  };
}

/** How prom-client is to make one figure of those of several workers of a cluster. */
type Aggregator = "sum" | "max";

/** One of our metrics in the form that a registry of prom-client wants. Its values are read whenever they are asked for. */
export class PromMetric {
  readonly help: string;
  readonly type: InstrumentKind;
  readonly labelNames: readonly string[];
  readonly aggregator: Aggregator;
  private readonly fullName: string;
  private asked: string | undefined = undefined;

  constructor(private readonly instrument: InstrumentName) {
    const { kind, description, attributes } = INSTRUMENTS[instrument];
    this.fullName = promName(instrument) + (kind === "counter" ? "_total" : "");
    this.help = description;
    this.type = kind;
    this.labelNames = attributes.map(promName);
    this.aggregator = NOT_ADDED.has(instrument) ? "max" : "sum";
  }

  get name(): string {
    return this.fullName;
  }

  /**
   * For OpenMetrics prom-client takes the `_total` from the names of counters for good, and then asks for the values. It is to have that once: JSON
   * and the other format need the whole name.
   */
  set name(name: string) {
    this.asked = name;
  }

  async get(): Promise<object> {
    const { help, type, aggregator } = this;
    const name = this.asked ?? this.fullName;
    this.asked = undefined;
    return { name, help, type, values: await this.values(), aggregator };
  }

  /** The counts are the queues' own, and others read them, too. */
  reset(): void {}

  private async values(): Promise<Sample[]> {
    const samples: Sample[] = [];
    if (this.type === "histogram") {
      const name = this.instrument as HistogramName;
      for (const queue of allSeries.values()) {
        for (const each of queue.histograms(name)) this.sample(each, samples);
        if (slices.isOver) await slices.next();
      }
      for (const each of processHistograms(name)) this.sample(each, samples);
      return samples;
    }
    const name = this.instrument as ReadingName;
    const add: Add = (value, labels, more) => {
      samples.push({ value, labels: labelsOf(attributesOf(labels, more)) });
    };
    readProcess(name, add);
    const readQueue = readerOf(name);
    for (const queue of allSeries.values()) {
      readQueue(queue, add);
      if (slices.isOver) await slices.next();
    }
    return samples;
  }

  private sample(histogram: Histogram, samples: Sample[]): void {
    const { counts, sumSeconds, bounds, exemplars } = histogram;
    const labels = labelsOf(histogram.labels.attributes);
    const metricName = `${this.fullName}_bucket`;
    let count = 0;
    for (const [i, each] of counts.entries()) {
      count += each;
      const sample = { value: count, labels: { le: bounds.seconds[i] ?? "+Inf", ...labels }, metricName };
      const exemplar = exemplars?.[i];
      samples.push(exemplar === undefined ? sample : { ...sample, exemplar: exampleOf(exemplar) });
    }
    samples.push({ value: sumSeconds, labels, metricName: `${this.fullName}_sum` });
    samples.push({ value: count, labels, metricName: `${this.fullName}_count` });
  }
}

function exampleOf({ traceId, spanId, seconds, at }: Exemplar): Sample["exemplar"] & object {
  return { labelSet: { trace_id: traceId, span_id: spanId }, value: seconds, timestamp: at };
}

function labelsOf(attributes: Attributes): Labels {
  const labels: Labels = {};
  for (const [name, value] of Object.entries(attributes)) labels[promName(name)] = String(value);
  return labels;
}
