import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Column } from "../../inspector/protocol.js";
import { clock } from "../state/format.js";
import { useView } from "../state/view.js";

/** Colours of the theme, as the style sheet has them. */
export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly bad: string;
}

/** What one kind of chart is, apart from its data. */
export interface PlotKind<Data> {
  readonly series: (colours: Palette, data: Data) => uPlot.Series[];
  /** Instants in epoch seconds, and as many values of each series. */
  readonly columns: (data: Data) => readonly Column[];
  readonly y: (data: Data) => uPlot.Scale;
  readonly yAxis: (data: Data) => uPlot.Axis;
  readonly bands?: (colours: Palette) => uPlot.Band[];
  /** Draws on the canvas before the lines, or instead of them. */
  readonly paint?: (u: uPlot, data: Data, colours: Palette) => void;
  /** What stands at the pointer: lines of text. */
  readonly tip: (data: Data, place: number, u: uPlot) => readonly string[];
  /** Draws where the pointer is. */
  readonly point?: (u: uPlot, data: Data, place: number, layer: HTMLElement) => void;
}

export interface PlotProps<Data> {
  readonly kind: PlotKind<Data>;
  readonly data: Data;
  /** In epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly height: number;
  /** What is to be seen, for those who don't see it. */
  readonly label: string;
  readonly withTimes?: boolean;
}

const GUTTER = 52;
const TIMES_HEIGHT = 22;
/** Charts with this key show the same instant under the pointer. */
const SYNC = "time";

/** A chart over time. A click on it stops at that instant. */
export function Plot<Data>(props: PlotProps<Data>) {
  const { height, label, withTimes = false } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { route, go, at, isLive } = useView();
  const current = useRef({ ...props, route, go, at, isLive });
  current.current = { ...props, route, go, at, isLive };

  useEffect(() => {
    const element = box.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = drawn(element, current as { current: Current<Data> }, height, withTimes);
    };
    draw();
    const sizes = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && plot.current?.width !== width) plot.current?.setSize({ width, height });
    });
    sizes.observe(element);
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      sizes.disconnect();
      themes.disconnect();
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [height, withTimes]);

  useEffect(() => plot.current?.setData(alignedData(props)));

  return <div class="plot" ref={box} role="img" aria-label={label} />;
}

type Current<Data> = PlotProps<Data> & Pick<ReturnType<typeof useView>, "route" | "go" | "at" | "isLive">;

function drawn<Data>(
  element: HTMLElement,
  current: { current: Current<Data> },
  height: number,
  withTimes: boolean,
): uPlot {
  const colours = palette();
  const { kind, data } = current.current;
  const tip = document.createElement("div");
  tip.className = "plot-tip";
  const layer = document.createElement("div");
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colours.muted, font, ticks: { show: false }, gap: 6 };
  const options: uPlot.Options = {
    width: Math.max(element.clientWidth, 100),
    height,
    ms: 1e-3,
    padding: [6, 26, withTimes ? 0 : 4, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC, scales: ["x", null] },
      drag: { x: false, y: false },
      y: false,
      points: { show: kind.paint === undefined, size: 6 },
    },
    scales: { x: { time: false, range: () => [current.current.from, current.current.to] }, y: kind.y(data) },
    axes: [
      {
        ...axis,
        show: withTimes,
        size: TIMES_HEIGHT,
        grid: { show: false },
        space: 80,
        incrs: [5, 10, 15, 30, 60, 120, 300],
        values: (_, splits) => splits.map((second) => clock(second * 1_000).replace(/:00$/, "")),
      },
      {
        ...axis,
        size: GUTTER,
        grid: { stroke: colours.line, width: 1 },
        ...kind.yAxis(data),
      },
    ],
    series: [{}, ...kind.series(colours, data)],
    ...(kind.bands && { bands: kind.bands(colours) }),
    hooks: {
      init: [
        (u) => {
          layer.className = "plot-layer";
          u.over.append(layer, tip);
          u.over.addEventListener("click", () => {
            const left = u.cursor.left ?? -1;
            if (left < 0) return;
            const { go, route } = current.current;
            go({ ...route, at: Math.round(u.posToVal(left, "x")) * 1_000 });
          });
        },
      ],
      drawAxes: [(u) => kind.paint?.(u, current.current.data, colours)],
      draw: [(u) => drawInstant(u, current.current, colours)],
      setCursor: [(u) => showTip(u, current.current, tip, layer)],
    },
  };
  return new uPlot(options, alignedData(current.current), element);
}

/** They are read only. */
function alignedData<Data>({ kind, data }: PlotProps<Data>): uPlot.AlignedData {
  return kind.columns(data) as unknown as uPlot.AlignedData;
}

/** The instant at which one has paused. */
function drawInstant<Data>(u: uPlot, { at, isLive, from, to }: Current<Data>, { text }: Palette): void {
  const second = at / 1_000;
  if (isLive || second < from || second > to) return;
  const x = Math.round(u.valToPos(second, "x", true));
  u.ctx.fillStyle = text;
  u.ctx.fillRect(x, u.bbox.top, devicePixelRatio, u.bbox.height);
}

function showTip<Data>(u: uPlot, { kind, data }: Current<Data>, tip: HTMLElement, layer: HTMLElement): void {
  const { idx, left = -1 } = u.cursor;
  const isShown = idx !== null && idx !== undefined && left >= 0;
  tip.hidden = layer.hidden = !isShown;
  if (!isShown) return;
  const lines = [clock((u.data[0]![idx] ?? 0) * 1_000), ...kind.tip(data, idx, u)];
  tip.replaceChildren(
    ...lines.map((line) => {
      const element = document.createElement("div");
      element.textContent = line;
      return element;
    }),
  );
  const isRight = left > u.over.clientWidth / 2;
  tip.style.left = isRight ? "auto" : `${left + 10}px`;
  tip.style.right = isRight ? `${u.over.clientWidth - left + 10}px` : "auto";
  kind.point?.(u, data, idx, layer);
}

/** A canvas takes colours only as they are: what a variable comes to, the style of an element says. */
function palette(): Palette {
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    text: colour("text"),
    muted: colour("muted"),
    line: colour("grid"),
    accent: colour("accent"),
    accentSoft: colour("accent-soft"),
    bad: colour("bad"),
  };
  probe.remove();
  return colours;
}
