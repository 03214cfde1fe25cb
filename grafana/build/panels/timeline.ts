import {
  LegendDisplayMode,
  LegendPlacement,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import type { ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { FieldColorBuilder, FieldColorModeId } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { described, type PanelOptions } from "./panel.js";

export interface TimelineOptions extends PanelOptions {
  /** What a value means, and its colour. */
  readonly states: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
}

/** As a graph, which it stands beside. */
const HEIGHT = 8;

/** When what was in which state. */
export function timeline(options: TimelineOptions): PanelBuilder {
  const states = Object.entries(options.states).map(([value, state], index) => [value, { ...state, index }]);
  return described(new PanelBuilder(), options, HEIGHT, "range")
    .noValue("no data")
    .decimals(0)
    .min(0)
    .mappings([{ type: "value", options: Object.fromEntries(states) } as ValueMapping])
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .showValue(VisibilityMode.Never)
    .mergeValues(true)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single));
}
