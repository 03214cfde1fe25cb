import { TooltipDisplayMode } from "@grafana/grafana-foundation-sdk/common";
import {
  CellValuesBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  HeatmapTooltipBuilder,
  PanelBuilder,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { described, type PanelOptions, UNITS } from "./panel.js";

export interface HeatmapOptions extends Omit<PanelOptions, "queries" | "unit"> {
  /** Of a histogram, by `le`. */
  readonly expr: string;
}

const HEIGHT = 9;

/** How many took how long, over time. The buckets are the histogram's own. */
export function heatmap(options: HeatmapOptions): PanelBuilder {
  const all = { ...options, unit: UNITS.seconds, queries: [{ expr: options.expr, legend: "{{le}}" }] };
  return described(new PanelBuilder(), all, HEIGHT, "heatmap")
    .noValue("no data")
    .calculate(false)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme("Turbo")
        .scale(HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64),
    )
    .cellGap(1)
    .cellValues(new CellValuesBuilder().unit(UNITS.items).decimals(0))
    .yAxis(new YAxisConfigBuilder().unit(UNITS.seconds))
    .tooltip(
      new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true).showColorScale(true),
    )
    .showLegend();
}
