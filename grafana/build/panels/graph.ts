import {
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { described, type Limits, limits, type PanelOptions, type Query, refIdOf } from "./panel.js";

export interface GraphOptions extends PanelOptions {
  /** Drawn dashed, as what the others are held against: SLA targets, capacities. */
  readonly against?: readonly Query[];
  /** The dashed lines' colour. Default: red, a limit's. */
  readonly againstColor?: string;
  readonly stacked?: boolean;
  /** For what happens now and then rather than goes on: bars as wide as the step, by default a minute, as the intervals of narrower ones overlap. */
  readonly bars?: boolean;
  /** Lines across the graph. */
  readonly limits?: Limits;
  readonly decimals?: number;
  readonly height?: number;
  /** What is shown where there is nothing to draw. Default: "no data". */
  readonly none?: string;
  /** From this value on the axis is logarithmic, so that a limit is in sight whatever is far above it. */
  readonly logarithmicFrom?: number;
  /** What below zero means here, where something can be. */
  readonly negative?: string;
  /** A colour for each series whose name begins with the label's value. */
  readonly colors?: Readonly<Record<string, string>>;
}

const HEIGHT = 8;

/** Lines over time. */
export function graph(options: GraphOptions): PanelBuilder {
  const { queries, against = [], stacked = false, bars = false } = options;
  const all = {
    ...options,
    queries: [...queries, ...against],
    ...(bars ? { step: options.step ?? "1m" } : {}),
  };
  const panel = described(new PanelBuilder(), all, options.height ?? HEIGHT, "range")
    .noValue(options.none ?? "no data")
    .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.Linear)
    .lineWidth(bars ? 0 : 1)
    .fillOpacity(bars ? 70 : stacked ? 30 : 5)
    .showPoints(VisibilityMode.Never)
    // A gap is a gap: it may be what one looks for.
    .spanNulls(false)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group("A"))
    .legend(legend(options.width))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (options.from !== undefined) panel.timeFrom(options.from);
  if (options.negative === undefined) panel.min(0);
  else panel.axisLabel(options.negative).axisCenteredZero(true);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.logarithmicFrom !== undefined) {
    panel.scaleDistribution(
      new ScaleDistributionConfigBuilder()
        .type(ScaleDistribution.Symlog)
        .log(10)
        .linearThreshold(options.logarithmicFrom),
    );
  }
  if (options.limits !== undefined) {
    panel
      .thresholds(limits(options.limits))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [i, { links }] of queries.entries()) {
    if (links !== undefined) panel.overrideByQuery(refIdOf(i), [{ id: "links", value: links }]);
  }
  for (const i of against.keys())
    panel.overrideByQuery(refIdOf(queries.length + i), dashed(options.againstColor ?? "red"));
  for (const [name, color] of Object.entries(options.colors ?? {})) {
    panel.overrideByRegexp(`${name} .*`, [{ id: "color", value: { mode: "fixed", fixedColor: color } }]);
  }
  return panel;
}

/** Without links: a limit has no traces, and may lack the labels that they need. */
function dashed(fixedColor: string) {
  return [
    { id: "custom.lineStyle", value: { fill: "dash", dash: [8, 6] } },
    { id: "custom.lineWidth", value: 2 },
    { id: "custom.fillOpacity", value: 0 },
    { id: "custom.stacking", value: { mode: "none", group: "against" } },
    { id: "color", value: { mode: "fixed", fixedColor } },
    { id: "links", value: [] },
  ];
}

/** Columns from which on there is room beside the graph. */
const WIDE = 24;

/** In a wide graph the last and the greatest value beside each name. Elsewhere a table would take the graph's room, and show two rows. */
function legend(width: number): VizLegendOptionsBuilder {
  const builder = new VizLegendOptionsBuilder().showLegend(true);
  return width < WIDE
    ? builder.displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).calcs([])
    : builder
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Right)
        .calcs(["lastNotNull", "max"]);
}
