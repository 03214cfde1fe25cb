import type { DashboardLinkBuilder, Panel, ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  DashboardLinkBuilder as LinkBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import type { Link } from "../links.js";
import { METRICS } from "../variables.js";

/** One line of a graph, one figure, one column of a table. */
export interface Query {
  readonly expr: string;
  /** As Grafana writes it, `{{label}}` for a label's value. */
  readonly legend: string;
  /** Of its lines, in a graph. Default: the panel's. */
  readonly links?: readonly Link[];
}

/** What every panel has. */
export interface PanelOptions {
  readonly title: string;
  /** Which question it answers, and what to do with the answer. */
  readonly description: string;
  readonly unit: string;
  /** Columns of 24. */
  readonly width: number;
  readonly queries: readonly Query[];
  readonly links?: readonly Link[];
  /** The least step between two points. Default: as many as fit, but none between two scrapes. */
  readonly step?: string;
  /** How far back it looks. Default: as the dashboard. */
  readonly from?: string;
}

/** From which value on which colour. What is below all is green, unless a first `null` says otherwise. */
export type Limits = readonly (readonly [from: number | null, color: string])[];

/** Of a share of what an SLA allows. Ten times too late is another thing than a little. */
export const SLA_LIMITS: Limits = [
  [0.8, "orange"],
  [1, "red"],
  [10, "purple"],
];

/** What builders of all kinds of panels share. */
interface Builder {
  build(): Panel;
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  span(width: number): this;
  height(height: number): this;
  datasource(datasource: typeof METRICS): this;
  targets(targets: DataqueryBuilder[]): this;
  dataLinks(links: DashboardLinkBuilder[]): this;
}

/** Units, as Grafana calls them. */
export const UNITS = {
  items: "short",
  rate: "suffix:/s",
  seconds: "s",
  share: "percentunit",
  times: "suffix:x",
  bytes: "bytes",
  /** 0 or 1, shown as a word. */
  word: "none",
} as const;

/** How a panel asks: over time for graphs, of now for figures and tables. */
export type Asking = "range" | "instant" | "table" | "heatmap";

/** Gives the builder what every panel has. */
export function described<B extends Builder>(
  builder: B,
  options: PanelOptions,
  height: number,
  asking: Asking,
): B {
  return builder
    .title(options.title)
    .description(options.description)
    .unit(options.unit)
    .span(options.width)
    .height(height)
    .datasource(METRICS)
    .targets(options.queries.map((query, i) => target(query, i, asking, options.step)))
    .dataLinks((options.links ?? []).map(dataLink));
}

export function limits(steps: Limits): ThresholdsConfigBuilder {
  const all: Limits = steps[0]?.[0] === null ? steps : [[null, "green"], ...steps];
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(all.map(([value, color]) => ({ value, color })));
}

/** As text is, in Grafana's dark and in its light theme. */
export const NEUTRAL = "text";

/** What is shown where there is no value. Without it, that has the colour of what is below all limits. */
export function nothing(text: string, color: string): ValueMapping {
  return {
    type: "special",
    options: { match: "null+nan", result: { text, color, index: 0 } },
  } as ValueMapping;
}

/** A, B, C … */
export function refIdOf(index: number): string {
  return String.fromCharCode("A".charCodeAt(0) + index);
}

function target(
  { expr, legend }: Query,
  index: number,
  asking: Asking,
  step: string | undefined,
): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .refId(refIdOf(index))
    .datasource(METRICS)
    .expr(expr)
    .legendFormat(legend)
    .format(FORMATS[asking]);
  if (step !== undefined) query.interval(step);
  if (asking !== "range" && asking !== "heatmap") return query.instant();
  return HAS_EXEMPLARS.test(expr) ? query.range().exemplar(true) : query.range();
}

/** The histograms of which there are traces to click on. */
const HAS_EXEMPLARS = /\bqueue_(?:wait|process)_seconds_bucket\b/;

const FORMATS: Record<Asking, PromQueryFormat> = {
  range: PromQueryFormat.TimeSeries,
  instant: PromQueryFormat.TimeSeries,
  table: PromQueryFormat.Table,
  heatmap: PromQueryFormat.Heatmap,
};

function dataLink({ title, url, targetBlank }: Link): DashboardLinkBuilder {
  return new LinkBuilder(title).url(url).targetBlank(targetBlank);
}
