import { memo } from "../state/memo.js";

const WIDTH = 84;
const HEIGHT = 20;

/** The line's path and that of the area below it. Empty where nothing is known. */
function pathsOf(values: readonly (number | null)[]): { line: string; area: string } {
  const max = Math.max(1, ...values.map((value) => value ?? 0));
  let line = "";
  let area = "";
  let from: number | undefined;
  const x = (i: number) => Math.round((i / Math.max(1, values.length - 1)) * WIDTH * 10) / 10;
  const close = (i: number) => {
    if (from !== undefined) area += `L${x(i)} ${HEIGHT}L${x(from)} ${HEIGHT}Z`;
    from = undefined;
  };
  values.forEach((value, i) => {
    if (value === null) {
      close(i - 1);
      return;
    }
    const y = Math.round((HEIGHT - 1.5 - (value / max) * (HEIGHT - 3)) * 10) / 10;
    const step = `${from === undefined ? "M" : "L"}${x(i)} ${y}`;
    from ??= i;
    line += step;
    area += step;
  });
  close(values.length - 1);
  return { line, area };
}

/** A minute of something, as a line. What it says in words stands beside it. */
export const Sparkline = memo(
  ({ values }: { values: readonly (number | null)[] }) => {
    const { line, area } = pathsOf(values);
    const isFlat = values.every((value) => value === null || value === 0);
    return (
      <svg
        class={`spark${isFlat ? " spark-flat" : ""}`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width={WIDTH}
        height={HEIGHT}
        aria-hidden="true"
      >
        <path class="spark-area" d={area} />
        <path class="spark-line" d={line} />
      </svg>
    );
  },
  ({ values }, before) =>
    values.length === before.values.length && values.every((value, i) => value === before.values[i]),
);
