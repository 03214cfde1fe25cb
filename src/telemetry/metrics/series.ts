import { processWide } from "../../base/process-wide.js";
import { QueueSeries } from "./queue-series.js";

export * from "./queue-series.js";

const { series, plainExport } = processWide;

/** Every queue that was ever instrumented: series must not disappear. */
export const allSeries: ReadonlyMap<string, QueueSeries> = series;

/** The numbers under the name; new ones are exported once there is a queue to watch. */
export function seriesOf(name: string): QueueSeries {
  return series.get(name) ?? new QueueSeries(name, { series, sinks: plainExport.sinks });
}
