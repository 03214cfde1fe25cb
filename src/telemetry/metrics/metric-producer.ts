import type { Attributes, HrTime } from "@opentelemetry/api";
import { wallNow } from "../../base/clock.js";
import { type Collector, processWide } from "../../base/process-wide.js";
import { SCOPE } from "../version.js";
import { isFirstOfItsReader } from "./collectors.js";
import type { Histogram } from "./histogram.js";
import {
  BOUNDS,
  type HistogramName,
  INSTRUMENTS,
  type InstrumentName,
  type ReadingName,
} from "./instruments.js";
import { attributesOf } from "./labels.js";
import { plainExport } from "./plain-export.js";
import { type Add, processHistograms, readerOf, readProcess } from "./readings.js";
import { allSeries } from "./series.js";
import { slices } from "./slices.js";

/** Values of the SDK's enumerations, the same in its 2.x and 3.x lines; importing them would import the SDK. */
const CUMULATIVE = 1;
const HISTOGRAM = 0;
const GAUGE = 2;
const SUM = 3;
const DOUBLE = 1;

interface Descriptor {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly valueType: typeof DOUBLE;
}

interface Point<V> {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: Attributes;
  readonly value: V;
}

interface HistogramValue {
  readonly buckets: { boundaries: number[]; counts: number[] };
  readonly sum: number;
  readonly count: number;
}

interface Common {
  readonly descriptor: Descriptor;
  readonly aggregationTemporality: typeof CUMULATIVE;
}

type MetricData = Common &
  (
    | { dataPointType: typeof HISTOGRAM; dataPoints: Point<HistogramValue>[] }
    | { dataPointType: typeof GAUGE; dataPoints: Point<number>[] }
    | { dataPointType: typeof SUM; isMonotonic: true; dataPoints: Point<number>[] }
  );

/** A `MetricProducer` of the OpenTelemetry SDK, described by shape: the main entry imports no SDK. */
export interface QueueMetricProducer {
  collect(): Promise<Collected>;
}

interface Collected {
  // biome-ignore lint/suspicious/noExplicitAny: the SDK ignores the resource of an additional producer; its type differs by version
  resourceMetrics: { resource: any; scopeMetrics: { scope: typeof SCOPE; metrics: MetricData[] }[] };
  errors: unknown[];
}

/**
 * Exports all our metrics through a reader of yours: `new PrometheusExporter({ metricProducers: [metricProducer()] })`. It is
 * 50 to 100 times cheaper per item than the metrics API. Calling this is the switch: from then on nothing goes through the API
 * any more, so that nothing is exported twice. Values are cumulative; views don't apply. Each reader gets one of its own; of several
 * in one reader, those of other copies of this package say, one gives everything and the others nothing.
 *
 * @example
 * import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
 *
 * const reader = new PrometheusExporter({ preventServerStart: true, metricProducers: [metricProducer()] });
 * await reader.shutdown();
 */
export function metricProducer(): QueueMetricProducer {
  plainExport.stop();
  const self: Collector = { company: undefined };
  return { collect: async () => (isFirstOfItsReader(self) ? collectAll() : collected([], [])) };
}

const startTime = hrTime(processWide.startedAt);

const BOUNDARIES = [...BOUNDS];

async function collectAll(): Promise<Collected> {
  const endTime = hrTime(wallNow());
  const metrics: MetricData[] = [];
  const errors: unknown[] = [];
  for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
    try {
      const metric = await metricData(name, endTime);
      if (metric.dataPoints.length > 0) metrics.push(metric);
    } catch (error) {
      errors.push(error);
    }
  }
  return collected(metrics, errors);
}

function collected(metrics: MetricData[], errors: unknown[]): Collected {
  const scopeMetrics = metrics.length === 0 ? [] : [{ scope: SCOPE, metrics }];
  return { resourceMetrics: { resource: { attributes: {} }, scopeMetrics }, errors };
}

async function metricData(name: InstrumentName, endTime: HrTime): Promise<MetricData> {
  const { kind, unit, description } = INSTRUMENTS[name];
  const descriptor = { name, description, unit, valueType: DOUBLE } as const;
  const common = { descriptor, aggregationTemporality: CUMULATIVE } as const;
  if (kind === "histogram") {
    const points: Point<HistogramValue>[] = [];
    const add = (histogram: Histogram) => points.push(histogramPoint(histogram, endTime));
    for (const queue of allSeries.values()) {
      for (const histogram of queue.histograms(name as HistogramName)) add(histogram);
      if (slices.isOver) await slices.next();
    }
    processHistograms(name as HistogramName).forEach(add);
    return { ...common, dataPointType: HISTOGRAM, dataPoints: points };
  }
  const dataPoints: Point<number>[] = [];
  const add: Add = (value, labels, more) => {
    dataPoints.push({ startTime, endTime, attributes: attributesOf(labels, more), value });
  };
  readProcess(name as ReadingName, add);
  const readQueue = readerOf(name as ReadingName);
  for (const queue of allSeries.values()) {
    readQueue(queue, add);
    if (slices.isOver) await slices.next();
  }
  return kind === "gauge"
    ? { ...common, dataPointType: GAUGE, dataPoints }
    : { ...common, dataPointType: SUM, isMonotonic: true, dataPoints };
}

function histogramPoint(
  { labels: { attributes }, counts, sumSeconds }: Histogram,
  endTime: HrTime,
): Point<HistogramValue> {
  const count = counts.reduce((a, b) => a + b, 0);
  const buckets = { boundaries: BOUNDARIES, counts: [...counts] };
  return { startTime, endTime, attributes, value: { buckets, sum: sumSeconds, count } };
}

function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}
