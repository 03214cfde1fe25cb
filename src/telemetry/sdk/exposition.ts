import { diag } from "@opentelemetry/api";
import { type PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";
import { Slices } from "../metrics/slices.js";

/** How long an OpenTelemetry callback may take to give its values, in milliseconds. */
const CALLBACKS_LIMIT_MS = 5_000;
/** How many series are made into text before the time is looked at: a histogram has some twenty lines. */
const POINTS = 16;

const WITH_TARGET = new PrometheusSerializer();
const ALONE = new PrometheusSerializer(undefined, false, undefined, true);

type Metrics = Parameters<PrometheusSerializer["serialize"]>[0];
type ScopeMetrics = Metrics["scopeMetrics"][number];
type Metric = ScopeMetrics["metrics"][number];

interface Scoped {
  readonly scope: ScopeMetrics["scope"];
  readonly metric: Metric;
}

/** What the exporter's own server would answer, made bit by bit: with hundreds of queues it takes longer than the event loop may stand still. */
export async function exposition(exporter: PrometheusExporter, isWanted: () => boolean): Promise<Uint8Array> {
  const { resourceMetrics, errors } = await exporter.collect({ timeoutMillis: CALLBACKS_LIMIT_MS });
  if (errors.length > 0) {
    contained(() => diag.error("queuescope: some metrics could not be collected", ...errors.map(plainError)));
  }
  const pieces: Uint8Array[] = [];
  const slices = new Slices();
  for (const text of textOf(resourceMetrics)) {
    pieces.push(Buffer.from(text));
    if (!slices.isOver) continue;
    await slices.next();
    if (!isWanted()) return new Uint8Array();
  }
  return Buffer.concat(pieces);
}

function* textOf({ resource, scopeMetrics }: Metrics): Iterable<string> {
  const families = familiesIn(scopeMetrics);
  const start = WITH_TARGET.serialize({ resource, scopeMetrics: [] });
  // It says there are no metrics, in a line that has no end.
  yield families.length === 0 ? start : start.slice(0, start.lastIndexOf("\n") + 1);
  for (const family of families) {
    let isFirst = true;
    for (const { scope, metric } of family) {
      for (let i = 0; i === 0 || i < metric.dataPoints.length; i += POINTS) {
        const some = { ...metric, dataPoints: metric.dataPoints.slice(i, i + POINTS) } as Metric;
        const text = ALONE.serialize({ resource, scopeMetrics: [{ scope, metrics: [some] }] });
        // Of one that has no name for Prometheus it says the same.
        if (!text.endsWith("\n")) continue;
        yield isFirst ? text : text.replace(/^(?:#.*\n)+/, "");
        isFirst = false;
      }
    }
  }
}

/** What different scopes have by the same name is one family, which has one head; of another type it can't be told. */
function familiesIn(scopeMetrics: Metrics["scopeMetrics"]): readonly (readonly Scoped[])[] {
  const families = new Map<string, Scoped[]>();
  for (const { scope, metrics } of scopeMetrics) {
    for (const metric of metrics) {
      const { name } = metric.descriptor;
      const family = families.get(name);
      if (family === undefined) families.set(name, [{ scope, metric }]);
      else if (family[0]!.metric.dataPointType === metric.dataPointType) family.push({ scope, metric });
    }
  }
  return [...families.values()];
}
