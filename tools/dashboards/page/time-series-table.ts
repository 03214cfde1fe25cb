import {
  type DataFrame,
  FieldType,
  isTimeSeriesFrame,
  type SynchronousDataTransformerInfo,
} from "@grafana/data";
import { map } from "rxjs";

/**
 * Not Grafana's: its transformation "Time series to table" is in no package. One table of each query: the labels' columns, and one with the series
 * themselves. A series without a label moves those below it up, as there.
 */
export const timeSeriesTable: SynchronousDataTransformerInfo<object> = {
  id: "timeSeriesTable",
  name: "Time series to table",
  operator: (options, context) => (source) =>
    source.pipe(map((frames) => timeSeriesTable.transformer(options, context)(frames))),
  transformer: () => (frames) =>
    [...new Set(frames.map(({ refId }) => refId))].map((refId) =>
      tableOf(
        refId,
        frames.filter((frame) => frame.refId === refId && isTimeSeriesFrame(frame)),
      ),
    ),
};

function tableOf(refId: string | undefined, series: readonly DataFrame[]): DataFrame {
  const labels = new Map<string, string[]>();
  for (const frame of series) {
    for (const [name, value] of Object.entries(figuresOf(frame).labels ?? {})) {
      labels.set(name, [...(labels.get(name) ?? []), value]);
    }
  }
  const trends = series.map((frame) => ({
    ...frame,
    value: figuresOf(frame).values.findLast(isFigure) ?? null,
  }));
  return {
    ...(refId === undefined ? {} : { refId }),
    length: series.length,
    fields: [
      ...[...labels].map(([name, values]) => ({ name, type: FieldType.string, config: {}, values })),
      { name: `Trend #${refId}`, type: FieldType.frame, config: {}, values: trends },
    ],
  };
}

function figuresOf(frame: DataFrame) {
  return frame.fields.find(({ type }) => type === FieldType.number)!;
}

function isFigure(value: unknown): boolean {
  return typeof value === "number";
}
