import type { Attributes, HrTime } from "@opentelemetry/api";
import type { Histogram } from "./histogram.js";
import { BOUNDS, INSTRUMENTS, type InstrumentName, type ReadingName } from "./instruments.js";
import { plainExport } from "./plain-export.js";
import { read } from "./readings.js";
import { allSeries } from "./series.js";
import { SCOPE } from "./version.js";
import { vitals } from "./vitals.js";

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
  collect(): Promise<{
    // biome-ignore lint/suspicious/noExplicitAny: the SDK ignores the resource of an additional producer; its type differs by version
    resourceMetrics: { resource: any; scopeMetrics: { scope: typeof SCOPE; metrics: MetricData[] }[] };
    errors: unknown[];
  }>;
}

/**
 * Exports all our metrics through a reader of yours: `new PrometheusExporter({ metricProducers: [metricProducer()] })`. It is
 * 50 to 100 times cheaper per item than the metrics API. Calling this is the switch: from then on nothing goes through the API
 * any more, so that nothing is exported twice. Values are cumulative; views don't apply.
 */
export function metricProducer(): QueueMetricProducer {
  plainExport.stop();
  return producer;
}

const startTime = hrTime(Date.now());

const producer: QueueMetricProducer = {
  async collect() {
    const endTime = hrTime(Date.now());
    const metrics: MetricData[] = [];
    const errors: unknown[] = [];
    for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
      try {
        metrics.push(metricData(name, endTime));
      } catch (error) {
        errors.push(error);
      }
    }
    const scopeMetrics = [
      { scope: SCOPE, metrics: metrics.filter((metric) => metric.dataPoints.length > 0) },
    ];
    return { resourceMetrics: { resource: { attributes: {} }, scopeMetrics }, errors };
  },
};

function metricData(name: InstrumentName, endTime: HrTime): MetricData {
  const { kind, unit, description } = INSTRUMENTS[name];
  const descriptor = { name, description, unit, valueType: DOUBLE } as const;
  const common = { descriptor, aggregationTemporality: CUMULATIVE } as const;
  if (kind === "histogram") {
    return { ...common, dataPointType: HISTOGRAM, dataPoints: histogramPoints(name, endTime) };
  }
  const dataPoints: Point<number>[] = [];
  read(name as ReadingName, (value, attributes) => {
    dataPoints.push({ startTime, endTime, attributes, value });
  });
  return kind === "gauge"
    ? { ...common, dataPointType: GAUGE, dataPoints }
    : { ...common, dataPointType: SUM, isMonotonic: true, dataPoints };
}

function histogramPoints(name: InstrumentName, endTime: HrTime): Point<HistogramValue>[] {
  const points: Point<HistogramValue>[] = [];
  for (const histograms of [
    ...[...allSeries.values()].map((queue) => queue.histograms()),
    processHistograms(),
  ]) {
    for (const { instrument, attributes, counts, sumSeconds } of histograms) {
      if (instrument !== name) continue;
      const count = counts.reduce((a, b) => a + b, 0);
      const buckets = { boundaries: [...BOUNDS], counts: [...counts] };
      points.push({ startTime, endTime, attributes, value: { buckets, sum: sumSeconds, count } });
    }
  }
  return points;
}

/** Exported from zero, once a watchdog runs that could see a stall. */
function processHistograms(): Histogram[] {
  return vitals.lastRun === undefined ? [] : [vitals.stalls];
}

function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}
