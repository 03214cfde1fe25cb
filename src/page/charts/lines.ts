import type { Column } from "../../inspector/protocol.js";
import { count, percent, UNKNOWN } from "../state/format.js";
import type { PlotKind } from "./plot.js";

export interface DepthData {
  readonly times: readonly number[];
  readonly depth: Column;
  readonly inFlight: Column;
  readonly capacity: number | undefined;
}

/** Items that wait, as an area, and those in flight, as a line. */
export const depthKind: PlotKind<DepthData> = {
  series: ({ accent, accentSoft, muted }) => [
    { stroke: accent, fill: accentSoft, width: 1.5, points: { show: false } },
    { stroke: muted, width: 1.25, points: { show: false } },
  ],
  columns: ({ times, depth, inFlight }) => [times, depth, inFlight],
  y: () => ({ range: (_u, _min, max) => [0, Math.max(5, (max ?? 0) * 1.1)] }),
  yAxis: () => ({ values: (_, splits) => splits.map((n) => count(n)), space: 28 }),
  tip: ({ depth, inFlight }, place) => [
    `${count(depth[place])} waiting`,
    `${count(inFlight[place])} in flight`,
  ],
};

export interface SlaData {
  readonly times: readonly number[];
  readonly used: Column;
}

/** How much of the SLA the oldest item had used: what is over the limit is red. */
export const slaKind: PlotKind<SlaData> = {
  series: ({ accent }) => [{ stroke: accent, width: 1.5, points: { show: false } }],
  columns: ({ times, used }) => [times, used],
  y: () => ({ range: (_u, _min, max) => [0, Math.max(1.25, (max ?? 0) * 1.1)] }),
  yAxis: () => ({
    // One unit for all of them.
    values: (_, splits) => {
      const inTimes = splits.some((share) => share >= 10);
      return splits.map((share) => (inTimes ? `${share}×` : percent(share)));
    },
    space: 28,
  }),
  paint: (u, { times, used }, { bad, muted }) => {
    const { ctx } = u;
    const limit = Math.round(u.valToPos(1, "y", true));
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, limit - u.bbox.top);
    ctx.clip();
    ctx.fillStyle = bad;
    ctx.globalAlpha = 0.18;
    ctx.beginPath();
    ctx.moveTo(u.valToPos(times[0] ?? 0, "x", true), limit);
    times.forEach((time, i) => {
      ctx.lineTo(u.valToPos(time, "x", true), u.valToPos(used[i] ?? 0, "y", true));
    });
    ctx.lineTo(u.valToPos(times.at(-1) ?? 0, "x", true), limit);
    ctx.fill();
    ctx.restore();
    ctx.save();
    ctx.strokeStyle = muted;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(u.bbox.left, limit + 0.5);
    ctx.lineTo(u.bbox.left + u.bbox.width, limit + 0.5);
    ctx.stroke();
    ctx.restore();
  },
  tip: ({ used }, place) => [used[place] == null ? UNKNOWN : `${percent(used[place])} of the SLA`],
};
