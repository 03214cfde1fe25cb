import { duration } from "../state/format.js";
import type { Lane, LaneSpan } from "../state/lanes.js";
import type { Palette, PlotKind } from "./plot.js";

export interface LanesData {
  readonly lanes: readonly Lane[];
  readonly withPool: boolean;
  /** In epoch seconds. */
  readonly from: number;
  readonly to: number;
}

/** Workers one below the other, and what each was at. */
export const lanesKind: PlotKind<LanesData> = {
  series: () => [{ paths: () => null, points: { show: false } }],
  columns: ({ from, to }) => {
    const times = Array.from({ length: Math.max(2, Math.ceil(to - from) + 1) }, (_, i) => from + i);
    return [times, times.map(() => null)];
  },
  y: ({ lanes }) => ({ dir: -1, range: () => [0, Math.max(1, lanes.length)] }),
  yAxis: ({ lanes, withPool }) => ({
    grid: { show: false },
    splits: () => lanes.map((_, i) => i + 0.5),
    filter: (_, splits) => splits.map((split, i) => (i % Math.ceil(lanes.length / 24) === 0 ? split : null)),
    values: (_, splits) =>
      splits.map((split) => (split === null ? "" : laneName(lanes[Math.floor(split)], withPool))),
  }),
  paint: (u, { lanes }, colours) => {
    const { ctx } = u;
    const height = u.bbox.height / Math.max(1, lanes.length);
    const gap = height > 8 ? 2 * devicePixelRatio : 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    lanes.forEach(({ spans }, i) => {
      const top = u.bbox.top + i * height + gap;
      ctx.globalAlpha = 1;
      ctx.fillStyle = colours.line;
      ctx.fillRect(u.bbox.left, top, u.bbox.width, height - 2 * gap);
      for (const span of spans) {
        const left = u.valToPos(span.from / 1_000, "x", true);
        const right = u.valToPos(span.to / 1_000, "x", true);
        if (right < u.bbox.left || left > u.bbox.left + u.bbox.width) continue;
        const [colour, alpha] = lookOf(span, colours);
        ctx.fillStyle = colour;
        ctx.globalAlpha = alpha;
        // Tasks in a row are told apart by the edge between them.
        ctx.fillRect(
          left,
          top,
          Math.max(devicePixelRatio, right - left - devicePixelRatio),
          height - 2 * gap,
        );
      }
    });
    ctx.restore();
  },
  tip: ({ lanes, withPool }, _place, u) => {
    const top = u.cursor.top ?? -1;
    const lane = top < 0 ? undefined : lanes[Math.floor(u.posToVal(top, "y"))];
    if (lane === undefined) return [];
    const at = u.posToVal(u.cursor.left ?? 0, "x") * 1_000;
    const span = lane.spans.find(({ from, to }) => from <= at && at <= to);
    return [`worker ${laneName(lane, withPool)}`, ...(span === undefined ? ["idle"] : spanWords(span))];
  },
};

function lookOf({ state }: LaneSpan, { accent, text, muted }: Palette): [colour: string, alpha: number] {
  switch (state) {
    case "processing":
      return [accent, 0.85];
    case "others":
      return [accent, 0.3];
    case "stalled":
      return [text, 0.9];
    case "backoff":
      return [muted, 0.5];
  }
}

function spanWords({ state, from, to, correlationId, step, gate }: LaneSpan): string[] {
  if (state === "others") return ["tasks too short to be seen one by one"];
  return [
    `${state === "backoff" ? "waits to retry" : state} for ${duration(to - from)}`,
    ...(step === undefined ? [] : [`step ${cut(step)}`]),
    ...(gate === undefined ? [] : [`gate ${cut(gate)}`]),
    ...(correlationId === undefined ? [] : [cut(correlationId)]),
  ];
}

function laneName(lane: Lane | undefined, withPool: boolean): string {
  if (lane === undefined) return "";
  return withPool ? `${cut(lane.pool, 8)} ${lane.id}` : `${lane.id}`;
}

function cut(text: string, length = 40): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
