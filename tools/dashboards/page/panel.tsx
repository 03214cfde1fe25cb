import { type DataFrame, type FieldDisplay, getFieldDisplayValues, ReducerID } from "@grafana/data";
import { BigValue, BigValueGraphMode, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { type ReactNode, useEffect, useState } from "react";
import type { Panel } from "./dashboard.js";
import { shown } from "./grafana.js";
import { framesOf } from "./query.js";
import { told } from "./report.js";
import { THEME, TIME_RANGE } from "./settings.js";
import { Heatmap, StateTimeline } from "./stand-ins.js";

interface Props {
  readonly panel: Panel;
  readonly width: number;
  readonly height: number;
}

/** A panel without its frame: it asks, shows what came, and tells the report how that went. */
export function PanelBody({ panel, width, height }: Props) {
  const [frames, setFrames] = useState<DataFrame[]>();
  useEffect(() => {
    framesOf(panel, width)
      .then((answers) => shown(panel, answers))
      .then(
        (ready) => {
          setFrames(ready);
          told(panel, { isEmpty: ready.every(({ length }) => length === 0) });
        },
        (error: Error) => told(panel, { problem: `a query failed: ${error.message}` }),
      );
  }, [panel, width]);
  if (frames === undefined) return null;
  const hasData = frames.some(({ length }) => length > 0);
  if (panel.type === "stat") return <Stat {...{ panel, width, height, frames }} />;
  if (!hasData) return <Nothing>{panel.fieldConfig.defaults.noValue ?? "No data"}</Nothing>;
  switch (panel.type) {
    case "timeseries":
      return (
        <TimeSeries
          {...{ frames, width, height }}
          timeRange={TIME_RANGE}
          timeZone="utc"
          legend={panel.options.legend}
          options={panel.options}
        />
      );
    case "table":
      return (
        <TableNG
          {...{ width, height }}
          data={frames[0]!}
          noHeader={false}
          enableSharedCrosshair={false}
          structureRev={1}
          sortBy={panel.options.sortBy}
          timeRange={TIME_RANGE}
          getActions={() => []}
          transparent={false}
        />
      );
    case "heatmap":
      return <Heatmap {...{ frames, width, height }} />;
    case "state-timeline":
      return <StateTimeline {...{ frames, width, height }} />;
    default:
      throw new Error(`a panel of the type ${panel.type} can't be drawn`);
  }
}

function Stat({ panel, width, height, frames }: Props & { readonly frames: DataFrame[] }) {
  const { options } = panel;
  const fields = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: { values: false, ...options.reduceOptions, calcs: [ReducerID.lastNotNull] },
    replaceVariables: (text) => text,
    theme: THEME,
    data: frames,
    timeZone: "utc",
    sparkline: options.graphMode !== "none",
  });
  const sure: readonly Pick<FieldDisplay, "display">[] =
    fields.length > 0
      ? fields
      : [{ display: { numeric: Number.NaN, text: panel.fieldConfig.defaults.noValue ?? "No data" } }];
  return (
    <div style={{ display: "flex", width, height }}>
      {sure.map(({ display }, i) => (
        <BigValue
          // biome-ignore lint/suspicious/noArrayIndexKey: a figure is its place
          key={i}
          value={display}
          width={width / sure.length}
          height={height}
          theme={THEME}
          colorMode={options.colorMode}
          graphMode={BigValueGraphMode.None}
          textMode={options.textMode}
          justifyMode={options.justifyMode}
        />
      ))}
    </div>
  );
}

function Nothing({ children }: { readonly children: ReactNode }) {
  return <div className="nothing">{children}</div>;
}
