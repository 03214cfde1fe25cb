import {
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from "@grafana/grafana-foundation-sdk/common";
import { PanelBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { described, type Limits, limits, type PanelOptions } from "./panel.js";

export interface FigureOptions extends Omit<PanelOptions, "queries"> {
  readonly expr: string;
  readonly limits?: Limits;
  readonly decimals?: number;
  /** What is shown where there is no value, as of a queue without an SLA. */
  readonly none?: string;
}

const HEIGHT = 4;

/** One number, of now. It has no history, so that what is gone isn't shown as if it were there. */
export function figure(options: FigureOptions): PanelBuilder {
  const queries = [{ expr: options.expr, legend: options.title }];
  const panel = described(new PanelBuilder(), { ...options, queries }, HEIGHT, "instant")
    .noValue(options.none ?? "none")
    .thresholds(limits(options.limits ?? []))
    .colorMode(options.limits === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .orientation(VizOrientation.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false));
  return options.decimals === undefined ? panel : panel.decimals(options.decimals);
}
