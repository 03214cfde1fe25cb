import { TableSortByFieldStateBuilder } from "@grafana/grafana-foundation-sdk/common";
import type { DynamicConfigValue, ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder } from "@grafana/grafana-foundation-sdk/table";
import type { Link } from "../links.js";
import { described, type Limits, limits, NEUTRAL, nothing, type PanelOptions, refIdOf } from "./panel.js";

/** A column with a figure of its own query. */
export interface Column {
  readonly name: string;
  readonly expr: string;
  readonly unit: string;
  readonly decimals?: number;
  readonly limits?: Limits;
}

export interface TableOptions extends Omit<PanelOptions, "queries" | "links"> {
  /** Labels that make a row, all columns' queries having just these, and what they are called. */
  readonly labels: Readonly<Record<string, string>>;
  /** In pixels, of columns of labels whose values are short, or long. */
  readonly widths?: Readonly<Record<string, number>>;
  readonly columns: readonly Column[];
  /** Draws the way of each figure through the time range beside it. Then every series needs all labels: Grafana puts them together by their order. */
  readonly isOverTime?: boolean;
  readonly sortBy: string;
  /** Default: the greatest first. */
  readonly smallestFirst?: boolean;
  readonly height?: number;
  /** Links of the cells of a label's column. */
  readonly cellLinks?: Readonly<Record<string, readonly Link[]>>;
  /** Colours of the cells of a label's column, by value. */
  readonly cellColors?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What is shown where there is no row at all. */
  readonly none?: string;
}

const HEIGHT = 8;
/** Pixels. What isn't as wide shares the rest, down to the least: with Grafana's own, 150, columns would be out of sight. */
const LEAST_WIDTH = 70;
const FIGURE_WIDTH = 92;

/** What there is now: a row for each set of labels, the worst first. */
export function table(options: TableOptions): PanelBuilder {
  const { labels, columns, sortBy, isOverTime = false, cellLinks = {}, cellColors = {} } = options;
  const queries = columns.map(({ expr }) => ({ expr, legend: "" }));
  const panel = described(
    new PanelBuilder(),
    { ...options, queries, links: [] },
    options.height ?? HEIGHT,
    isOverTime ? "range" : "table",
  )
    .noValue(options.none ?? "none")
    .minWidth(LEAST_WIDTH)
    .sortBy([new TableSortByFieldStateBuilder().displayName(sortBy).desc(!options.smallestFirst)]);
  if (isOverTime) panel.withTransformation({ id: "timeSeriesTable", options: {} });
  panel
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({ id: "organize", options: arrangement(labels, valuesOf(columns, isOverTime)) });
  for (const column of columns) panel.overrideByName(column.name, looks(column, isOverTime));
  // Rows may lack a label, as what a broker tells lacks a service.
  for (const name of Object.values(labels)) {
    const value = options.widths?.[name];
    const width = value === undefined ? [] : [{ id: "custom.width", value }];
    panel.overrideByName(name, [{ id: "noValue", value: NO_VALUE }, ...width]);
  }
  for (const [name, links] of Object.entries(cellLinks)) {
    panel.overrideByName(name, [{ id: "links", value: links }]);
  }
  for (const [name, colors] of Object.entries(cellColors)) {
    panel.overrideByName(name, [{ id: "mappings", value: [mapping(colors)] }, COLORED]);
  }
  return panel;
}

/** What Grafana calls the columns' fields, and what they are called here. */
function valuesOf(columns: readonly Column[], isOverTime: boolean): Readonly<Record<string, string>> {
  const field = (i: number) => {
    if (isOverTime) return `Trend #${refIdOf(i)}`;
    return columns.length === 1 ? "Value" : `Value #${refIdOf(i)}`;
  };
  return Object.fromEntries(columns.map(({ name }, i) => [field(i), name]));
}

/** Labels first, then the figures in their order; time is that of the query, and says nothing. */
function arrangement(labels: TableOptions["labels"], values: Readonly<Record<string, string>>) {
  const renameByName = { ...labels, ...values };
  return {
    excludeByName: { Time: true },
    indexByName: Object.fromEntries(Object.keys(renameByName).map((field, i) => [field, i])),
    renameByName,
  };
}

function looks({ unit, decimals, limits: steps }: Column, isOverTime: boolean): DynamicConfigValue[] {
  const none = nothing(NO_VALUE, steps === undefined ? NEUTRAL : UNCOLORED);
  const looks: DynamicConfigValue[] = [
    { id: "unit", value: unit },
    { id: "noValue", value: NO_VALUE },
    { id: "mappings", value: [none] },
    ...(isOverTime ? SPARKLINE : [{ id: "custom.width", value: FIGURE_WIDTH }]),
  ];
  if (decimals !== undefined) looks.push({ id: "decimals", value: decimals });
  if (steps !== undefined) looks.push({ id: "thresholds", value: onlyBad(steps) }, COLORED);
  return looks;
}

const NO_VALUE = "–";
const UNCOLORED = "transparent";
const COLORED = { id: "custom.cellOptions", value: { type: "color-background", mode: "basic" } };

const SPARKLINE = [
  {
    id: "custom.cellOptions",
    value: { type: "sparkline", hideValue: false, lineWidth: 1, fillOpacity: 15, showPoints: "never" },
  },
  { id: "color", value: { mode: "fixed", fixedColor: "blue" } },
];

/** What is well has no colour, so that what isn't stands out. */
function onlyBad(steps: Limits) {
  const { mode, steps: all } = limits(steps).build();
  const seen = all.map((step) => (step.color === "green" ? { ...step, color: UNCOLORED } : step));
  return { mode, steps: seen };
}

function mapping(colors: Readonly<Record<string, string>>): ValueMapping {
  const options = Object.entries(colors).map(([text, color], index) => [text, { text, color, index }]);
  return { type: "value", options: Object.fromEntries(options) } as ValueMapping;
}
