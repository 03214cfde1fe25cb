import type { WaitHeatmap } from "../../inspector/protocol.js";
import { count, duration } from "../state/format.js";
import type { PlotKind } from "./plot.js";

export interface HeatData {
  readonly map: WaitHeatmap;
  /** Index into its tiers. */
  readonly tier: number;
}

function timeAt({ map }: HeatData, step: number, steps: number): number {
  return (map.lastAt - (steps - 1 - step) * map.stepMs) / 1_000;
}

/** Where a wait stands among the buckets, as a share of one: waits within a bucket are taken as spread evenly. */
function heightOf(boundsMs: readonly number[], ms: number): number {
  const i = boundsMs.findIndex((bound) => ms <= bound);
  if (i < 0) return boundsMs.length + 1;
  const below = boundsMs[i - 1] ?? 0;
  return i + (ms - below) / (boundsMs[i]! - below);
}

/** How many items had waited how long, of those that were taken: the more, the stronger. */
export const heatKind: PlotKind<HeatData> = {
  series: () => [{ paths: () => null, points: { show: false } }],
  columns: (data) => {
    const { counts } = data.map.tiers[data.tier]!;
    const times = counts.map((_, i) => timeAt(data, i, counts.length));
    return [times, times.map(() => null)];
  },
  y: ({ map }) => ({ range: () => [0, map.boundsMs.length + 1] }),
  yAxis: ({ map }) => ({
    // A line at each bucket would be a net in front of the picture.
    grid: { show: false },
    splits: () => labelled(map.boundsMs),
    values: (_, splits) => splits.map((place) => duration(map.boundsMs[place - 1]).replace(".0", "")),
  }),
  paint: (u, data, { accent, bad, line }) => {
    const { map, tier } = data;
    const { counts, slaMs } = map.tiers[tier]!;
    const max = Math.max(1, ...counts.flat());
    const { ctx } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    ctx.strokeStyle = line;
    ctx.strokeRect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    counts.forEach((buckets, step) => {
      const end = timeAt(data, step, counts.length);
      const left = Math.round(u.valToPos(end - map.stepMs / 1_000, "x", true));
      const right = Math.round(u.valToPos(end, "x", true));
      if (right < u.bbox.left || left > u.bbox.left + u.bbox.width) return;
      buckets.forEach((n, bucket) => {
        if (n === 0) return;
        const isLate = slaMs !== undefined && (map.boundsMs[bucket - 1] ?? 0) >= slaMs;
        ctx.fillStyle = isLate ? bad : accent;
        // Few among many are still to be seen.
        ctx.globalAlpha = 0.15 + 0.85 * Math.sqrt(n / max);
        const top = Math.round(u.valToPos(bucket + 1, "y", true));
        const bottom = Math.round(u.valToPos(bucket, "y", true));
        ctx.fillRect(left, top, right - left, bottom - top);
      });
    });
    if (slaMs !== undefined) {
      const y = Math.round(u.valToPos(heightOf(map.boundsMs, slaMs), "y", true)) + 0.5;
      ctx.globalAlpha = 1;
      ctx.strokeStyle = bad;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(u.bbox.left, y);
      ctx.lineTo(u.bbox.left + u.bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  },
  tip: ({ map, tier }, step, u) => {
    const buckets = map.tiers[tier]?.counts[step] ?? [];
    const all = buckets.reduce((sum, n) => sum + n, 0);
    const top = u.cursor.top ?? -1;
    const bucket = top < 0 ? -1 : Math.floor(u.posToVal(top, "y"));
    const n = buckets[bucket];
    return [
      `${count(all)} taken in ${duration(map.stepMs)}`,
      ...(n === undefined || n === 0 ? [] : [`${count(n)} had waited ${rangeWords(map.boundsMs, bucket)}`]),
    ];
  },
};

function rangeWords(boundsMs: readonly number[], bucket: number): string {
  if (bucket >= boundsMs.length) return `more than ${duration(boundsMs.at(-1))}`;
  return `${duration(boundsMs[bucket - 1] ?? 0)} to ${duration(boundsMs[bucket])}`;
}

/** Bounds that get a number: those nearest to powers of ten, as many as there is room for. */
function labelled(boundsMs: readonly number[]): number[] {
  const places: number[] = [];
  for (const power of [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]) {
    const i = boundsMs.findIndex((bound) => bound >= power);
    if (i >= 0 && boundsMs[i]! < power * 5 && !places.includes(i + 1)) places.push(i + 1);
  }
  return places;
}
