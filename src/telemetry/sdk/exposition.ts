import { diag } from "@opentelemetry/api";
import { type PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";
import type { Format } from "../metrics/formats.js";
import { INSTRUMENTS, type InstrumentKind, type InstrumentName } from "../metrics/instruments.js";
import type { Exposition } from "../metrics/scrapes.js";
import { slices } from "../metrics/slices.js";
import type { PointsInText } from "../metrics/text.js";
import { TextPages } from "../metrics/text-pages.js";
import { SCOPE } from "../version.js";
import { inOpenMetrics } from "./open-metrics.js";

/** How long an OpenTelemetry callback may take to give its values, in milliseconds. */
const CALLBACKS_LIMIT_MS = 5_000;
/** How many series are made into text before the time is looked at: a histogram has some twenty lines. */
const POINTS = 16;

const WITH_TARGET = new PrometheusSerializer();
const ALONE = new PrometheusSerializer(undefined, false, undefined, true);

type Metrics = Parameters<PrometheusSerializer["serialize"]>[0];
type ScopeMetrics = Metrics["scopeMetrics"][number];
type Metric = ScopeMetrics["metrics"][number];

type Points = (name: InstrumentName, scope: string) => Iterable<Uint8Array>;

interface Scoped {
  readonly scope: ScopeMetrics["scope"];
  readonly metric: Metric;
}

/** The SDK's enumeration of types, as our instruments have them. */
const DATA_POINT_TYPES: Record<InstrumentKind, number> = { histogram: 0, gauge: 2, counter: 3 };

/**
 * What the exporter's own server would answer, with our metrics, made bit by bit: with hundreds of queues it takes longer than the event loop may
 * stand still. `ours` makes ours into text right from the numbers; the exporter has everything else. In OpenMetrics it is the same, with exemplars of ours.
 */
export async function exposition(
  exporter: PrometheusExporter,
  ours: PointsInText,
  format: Format,
  isWanted: () => boolean,
): Promise<Exposition> {
  const { resourceMetrics, errors } = await exporter.collect({ timeoutMillis: CALLBACKS_LIMIT_MS });
  if (errors.length > 0) {
    contained(() => diag.error("queuescope: some metrics could not be collected", ...errors.map(plainError)));
  }
  const pieces: Uint8Array[] = [];
  const text = new TextPages();
  const release = () => text.release();
  for (const piece of textOf(resourceMetrics, format, (name, scope) => ours(name, scope, text, format))) {
    if (piece.length > 0) append(pieces, typeof piece === "string" ? Buffer.from(piece) : piece);
    if (!slices.isOver) continue;
    await slices.next();
    if (!isWanted()) return { pieces: [], release };
  }
  return { pieces, release };
}

/** Where it goes on from the last one in memory, as one piece with that: each costs a call of the system when it is sent. */
function append(pieces: Uint8Array[], piece: Uint8Array): void {
  const last = pieces.at(-1);
  if (last?.buffer !== piece.buffer || last.byteOffset + last.length !== piece.byteOffset) pieces.push(piece);
  else pieces[pieces.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + piece.length);
}

function* textOf(
  { resource, scopeMetrics }: Metrics,
  format: Format,
  ours: Points,
): Iterable<string | Uint8Array> {
  const inFormat = format === "text" ? (family: string) => family : inOpenMetrics;
  const families = familiesIn(scopeMetrics);
  const start = WITH_TARGET.serialize({ resource, scopeMetrics: [] });
  // It says there are no metrics, in a line that has no end.
  const end = start.lastIndexOf("\n") + 1;
  yield inFormat(start.slice(0, end));
  let isEmpty = true;
  for (const [name, family] of families) {
    if (Object.hasOwn(INSTRUMENTS, name)) continue;
    for (const piece of familyInText(resource, family, inFormat)) {
      isEmpty = false;
      yield piece;
    }
  }
  for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
    const head = headOf(resource, name);
    let hasHead = false;
    for (const points of ours(name, head.scope)) {
      if (!hasHead && points.length > 0) {
        yield head[format];
        hasHead = true;
      }
      yield points;
    }
    const others = (families.get(name) ?? []).filter(
      ({ metric }) => metric.dataPointType === DATA_POINT_TYPES[INSTRUMENTS[name].kind],
    );
    for (const piece of familyInText(resource, others, inFormat)) {
      yield hasHead ? withoutHead(piece) : piece;
      hasHead = true;
    }
    if (hasHead) isEmpty = false;
  }
  if (format === "openmetrics") yield "# EOF\n";
  else if (isEmpty) yield start.slice(end);
}

function* familyInText(
  resource: Metrics["resource"],
  family: readonly Scoped[],
  inFormat: (text: string) => string,
): Iterable<string> {
  let isFirst = true;
  for (const { scope, metric } of family) {
    for (let i = 0; i === 0 || i < metric.dataPoints.length; i += POINTS) {
      const some = { ...metric, dataPoints: metric.dataPoints.slice(i, i + POINTS) } as Metric;
      const serialized = ALONE.serialize({ resource, scopeMetrics: [{ scope, metrics: [some] }] });
      // Of one that has no name for Prometheus it says that there are none.
      if (!serialized.endsWith("\n")) continue;
      const text = inFormat(serialized);
      yield isFirst ? text : withoutHead(text);
      isFirst = false;
    }
  }
}

function withoutHead(text: string): string {
  return text.replace(/^(?:#.*\n)+/, "");
}

interface Head extends Readonly<Record<Format, string>> {
  /** Labels that all points have because of their scope. */
  readonly scope: string;
}

const heads = new Map<InstrumentName, Head>();

/** How this version of the exporter begins one of our families. The resource is in none of it. */
function headOf(resource: Metrics["resource"], name: InstrumentName): Head {
  const head = heads.get(name) ?? makeHead(resource, name);
  heads.set(name, head);
  return head;
}

function makeHead(resource: Metrics["resource"], name: InstrumentName): Head {
  const { kind, unit, description } = INSTRUMENTS[name];
  const point = { startTime: [0, 0], endTime: [0, 0], attributes: {}, value: 0 };
  const isCounter = kind === "counter";
  const metric = {
    descriptor: { name, description, unit, valueType: 1 },
    aggregationTemporality: 1,
    dataPointType: DATA_POINT_TYPES[isCounter ? kind : "gauge"],
    isMonotonic: isCounter,
    dataPoints: [point],
  } as unknown as Metric;
  const text = ALONE.serialize({ resource, scopeMetrics: [{ scope: SCOPE, metrics: [metric] }] });
  const points = withoutHead(text);
  const madeUp = text.slice(0, text.length - points.length);
  const head = kind === "histogram" ? madeUp.replace(/^(# TYPE .*) gauge$/m, "$1 histogram") : madeUp;
  return {
    text: head,
    openmetrics: inOpenMetrics(head),
    scope: /\{(.*)\}/.exec(points)?.[1] ?? "",
  };
}

/** What different scopes have by the same name is one family, which has one head; of another type it can't be told. */
function familiesIn(scopeMetrics: Metrics["scopeMetrics"]): ReadonlyMap<string, readonly Scoped[]> {
  const families = new Map<string, Scoped[]>();
  for (const { scope, metrics } of scopeMetrics) {
    for (const metric of metrics) {
      const { name } = metric.descriptor;
      const family = families.get(name);
      if (family === undefined) families.set(name, [{ scope, metric }]);
      else if (family[0]!.metric.dataPointType === metric.dataPointType) family.push({ scope, metric });
    }
  }
  return families;
}
