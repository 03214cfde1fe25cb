import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from "@grafana/grafana-foundation-sdk/common";
import { PanelBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { described, type Limits, limits, NEUTRAL, nothing, type PanelOptions } from "./panel.js";

export interface FigureOptions extends Omit<PanelOptions, "queries"> {
  readonly expr: string;
  /** Whose figure it is, beside it. Default: not shown, as it is that of all. */
  readonly legend?: string;
  readonly limits?: Limits;
  readonly decimals?: number;
  /** What is shown where there is no value, as of a queue without an SLA. */
  readonly none?: string;
  /** Default: that of text. What is below all limits would be another, and red where little is bad. */
  readonly noneColor?: string;
  /** A colour for the figure of that legend. */
  readonly colors?: Readonly<Record<string, string>>;
}

const HEIGHT = 4;

/** One number, of now. It has no history, so that what is gone isn't shown as if it were there. */
export function figure(options: FigureOptions): PanelBuilder {
  const { expr, title, legend, none = "none", noneColor = NEUTRAL, colors = {} } = options;
  const colored = options.limits !== undefined || Object.keys(colors).length > 0;
  const queries = [{ expr, legend: legend ?? title }];
  const panel = described(new PanelBuilder(), { ...options, queries }, HEIGHT, "instant")
    .noValue(none)
    .mappings([nothing(none, noneColor)])
    .thresholds(limits(options.limits ?? []))
    .colorMode(colored ? BigValueColorMode.Value : BigValueColorMode.None)
    .textMode(legend === undefined ? BigValueTextMode.Value : BigValueTextMode.ValueAndName)
    .graphMode(BigValueGraphMode.None)
    .orientation(VizOrientation.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false));
  for (const [name, fixedColor] of Object.entries(colors)) {
    panel.overrideByName(name, [{ id: "color", value: { mode: "fixed", fixedColor } }]);
  }
  return options.decimals === undefined ? panel : panel.decimals(options.decimals);
}
