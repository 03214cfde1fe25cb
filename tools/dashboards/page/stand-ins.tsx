import { type DataFrame, getFieldDisplayName } from "@grafana/data";
import { THEME } from "./settings.js";

interface Props {
  readonly frames: readonly DataFrame[];
  readonly width: number;
  readonly height: number;
}

/** Room for the labels, in pixels. */
const LEFT = 180;
const BOTTOM = 20;

const values = (frame: DataFrame) => frame.fields[1]!.values as readonly (number | null)[];
const bound = (frame: DataFrame) => Number(frame.fields[1]!.labels!.le!.replace("+Inf", "Infinity"));

/** Not Grafana's: its heatmap is in no package. The series are the buckets of a histogram, each with all that are below it. */
export function Heatmap({ frames, width, height }: Props) {
  const buckets = [...frames].sort((a, b) => bound(a) - bound(b));
  const counts = buckets.map((bucket, row) =>
    values(bucket).map((value, i) =>
      Math.max(0, (value ?? 0) - (row === 0 ? 0 : (values(buckets[row - 1]!)[i] ?? 0))),
    ),
  );
  const most = Math.max(1e-9, ...counts.flat());
  const columns = counts[0]!.length;
  const [cellWidth, cellHeight] = [(width - LEFT) / columns, (height - BOTTOM) / buckets.length];
  return (
    <svg width={width} height={height}>
      <title>a stand-in for Grafana's heatmap</title>
      {counts.flatMap((row, y) =>
        row.map((count, x) =>
          count === 0 ? null : (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
              key={`${x} ${y}`}
              x={LEFT + x * cellWidth}
              y={height - BOTTOM - (y + 1) * cellHeight}
              width={Math.max(1, cellWidth - 1)}
              height={Math.max(1, cellHeight - 1)}
              fill={`hsl(${240 - 240 * Math.sqrt(count / most)}, 80%, 50%)`}
            />
          ),
        ),
      )}
      {buckets.map((bucket, y) => (
        <text
          key={bound(bucket)}
          x={0}
          y={height - BOTTOM - y * cellHeight}
          fontSize={10}
          fill={THEME.colors.text!.secondary}
        >
          {bound(bucket)}
        </text>
      ))}
    </svg>
  );
}

/** Not Grafana's: its state timeline is in no package. */
export function StateTimeline({ frames, width, height }: Props) {
  const rowHeight = (height - BOTTOM) / frames.length;
  return (
    <svg width={width} height={height}>
      <title>a stand-in for Grafana's state timeline</title>
      {frames.map((frame, y) => {
        const field = frame.fields[1]!;
        const name = getFieldDisplayName(field, frame, [...frames]);
        const cellWidth = (width - LEFT) / field.values.length;
        return (
          <g key={name}>
            <text x={0} y={(y + 0.5) * rowHeight} fontSize={11} fill={THEME.colors.text!.primary}>
              {name}
            </text>
            {values(frame).map((value, x) =>
              value === null ? null : (
                <rect
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
                  key={x}
                  x={LEFT + x * cellWidth}
                  y={y * rowHeight + 3}
                  width={cellWidth + 0.5}
                  height={Math.max(1, rowHeight - 6)}
                  fill={field.display!(value).color ?? "gray"}
                />
              ),
            )}
          </g>
        );
      })}
    </svg>
  );
}
