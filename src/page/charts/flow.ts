import { count, duration } from "../state/format.js";
import { type Flow, waitAt } from "../state/history.js";
import type { PlotKind } from "./plot.js";

/** Arrivals and departures, added up: the vertical distance is the depth, the horizontal one the wait. */
export const flowKind: PlotKind<Flow> = {
  series: ({ accent, muted }) => [
    { stroke: accent, width: 1.5, points: { show: false } },
    { stroke: muted, width: 1.5, points: { show: false } },
  ],
  columns: ({ times, arrivals, departures }) => [times, arrivals, departures],
  bands: ({ accentSoft }) => [{ series: [1, 2], fill: accentSoft }],
  y: () => ({ range: (_u, _min, max) => [0, Math.max(10, max * 1.05)] }),
  yAxis: () => ({ values: (_, splits) => splits.map((n) => count(n)), space: 36 }),
  tip: (flow, place) => {
    const depth = flow.arrivals[place]! - flow.departures[place]!;
    const wait = waitAt(flow, place);
    if (wait === undefined) return [];
    const { seconds, isOver } = wait;
    return [
      `${count(depth)} waited`,
      `what came then ${isOver ? "waited" : "has waited"} ${duration(seconds * 1_000)}`,
    ];
  },
  point: (u, flow, place, layer) => {
    const wait = waitAt(flow, place);
    const x = u.valToPos(flow.times[place]!, "x");
    const top = u.valToPos(flow.arrivals[place]!, "y");
    const bottom = u.valToPos(flow.departures[place]!, "y");
    const [depth, horizontal] = segments(layer);
    stretch(depth, x - 1, top, 2, bottom - top);
    const right = wait === undefined ? x : u.valToPos(flow.times[place]! + wait.seconds, "x");
    stretch(horizontal, x, top - 1, Math.max(0, right - x), 2);
  },
};

function segments(layer: HTMLElement): [HTMLElement, HTMLElement] {
  if (layer.childElementCount === 0) {
    layer.append(document.createElement("i"), document.createElement("i"));
  }
  return [layer.children[0] as HTMLElement, layer.children[1] as HTMLElement];
}

function stretch(element: HTMLElement, x: number, y: number, width: number, height: number): void {
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
}
