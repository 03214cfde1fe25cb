import { readFileSync } from "node:fs";
import { INSTRUMENTS } from "../../src/telemetry/metrics/instruments.js";

/** What Prometheus has under one name. */
export interface Series {
  readonly kind: "gauge" | "counter";
  readonly labels: readonly string[];
}

/** What tells a process: `cluster` and `namespace` where targets are discovered, and nothing elsewhere. */
const PLACE = ["cluster", "namespace", "job", "instance"];

/** What every scraped series has: where it was scraped, and which instrumentation it is of. */
const COMMON = [...PLACE, "otel_scope_name", "otel_scope_version"];

/** What brokers tell, too: those series have one label more. */
const SHARED_TOO = ["queue.depth", "queue.oldest.age.seconds", "queue.inflight", "queue.delayed"];

/** The series that dashboards and rules may use: ours, as the code has them, and a few of others. */
export const KNOWN_SERIES: ReadonlyMap<string, Series> = new Map([
  ...Object.entries(INSTRUMENTS).flatMap(([name, { kind, attributes }]) =>
    seriesOf(name.replaceAll(".", "_"), kind, [
      ...new Set([...attributes, ...(SHARED_TOO.includes(name) ? ["queue.scope"] : [])].map(labelOf)),
    ]),
  ),
  ...runtimeSeries(),
  ["up", { kind: "gauge", labels: PLACE }],
  ["ALERTS", { kind: "gauge", labels: ["alertname", "alertstate", "severity", ...PLACE, ...ours()] }],
]);

/** Of some labels, all values that there are: of ours, as the documented table has them, which is held against real runs. */
export const KNOWN_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ...[...readFileSync("docs/telemetry.md", "utf8").matchAll(/(queue\.\w+)=((?:\w+\\\|)*\w+)/g)].map(
    ([, attribute, values]) => [labelOf(attribute!), values!.split("\\|")] as const,
  ),
  ["nodejs_eventloop_state", ["active", "idle"]],
  ["alertstate", ["pending", "firing"]],
  ["severity", ["critical", "warning"]],
]);

/** An instrument's series, by name, as Prometheus' exporter writes them. */
export function seriesOf(
  name: string,
  kind: "gauge" | "counter" | "histogram",
  labels: readonly string[],
): [string, Series][] {
  const all = [...COMMON, ...labels];
  if (kind === "gauge") return [[name, { kind, labels: all }]];
  if (kind === "counter") return [[`${name}_total`, { kind, labels: all }]];
  return [
    [`${name}_bucket`, { kind: "counter", labels: [...all, "le"] }],
    [`${name}_sum`, { kind: "counter", labels: all }],
    [`${name}_count`, { kind: "counter", labels: all }],
  ];
}

/** Those of `@opentelemetry/instrumentation-runtime-node`. */
function runtimeSeries(): [string, Series][] {
  const space = ["v8js_heap_space_name"];
  return [
    ...["min", "max", "mean", "stddev", "p50", "p90", "p99"].flatMap((figure) =>
      seriesOf(`nodejs_eventloop_delay_${figure}`, "gauge", []),
    ),
    ...seriesOf("nodejs_eventloop_time", "counter", ["nodejs_eventloop_state"]),
    ...seriesOf("nodejs_eventloop_utilization", "gauge", []),
    ...seriesOf("v8js_gc_duration", "histogram", ["v8js_gc_type"]),
    ...seriesOf("v8js_memory_heap_used", "gauge", space),
    ...seriesOf("v8js_memory_heap_space_size", "gauge", space),
    ...seriesOf("v8js_memory_heap_space_available_size", "gauge", space),
    ...seriesOf("v8js_memory_heap_space_physical_size", "gauge", space),
    ...seriesOf("v8js_resource_active", "gauge", ["v8js_resource_type"]),
  ];
}

/** An alert may keep any of our labels. */
function ours(): string[] {
  return [...new Set(Object.values(INSTRUMENTS).flatMap(({ attributes }) => attributes.map(labelOf)))];
}

function labelOf(attribute: string): string {
  return attribute.replaceAll(".", "_");
}
