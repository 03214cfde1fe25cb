import { ThemeContext } from "@grafana/data";
import { Component, type CSSProperties, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { type Dashboard, opened, type Panel } from "./dashboard.js";
import { PanelBody } from "./panel.js";
import { expected, told } from "./report.js";
import { DASHBOARD, FROM, RANGE, THEME, WIDTH } from "./settings.js";

/** As in Grafana: columns of a dashboard, pixels of a row, and of what is around a panel's body. */
const COLUMNS = 24;
const ROW = 38;
const GAP = 8;
const TITLE = 32;
const HEADING = 40;

function Page({ dashboard }: { readonly dashboard: Dashboard }) {
  const panels = opened(dashboard.panels);
  const rows = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const style: CSSProperties = {
    width: WIDTH,
    height: HEADING + rows * ROW + GAP,
    background: THEME.colors.background!.canvas,
    color: THEME.colors.text!.primary,
  };
  return (
    <main style={style}>
      <h1>
        {dashboard.title} <small>{`${time(FROM)} to ${time(FROM + RANGE)} UTC`}</small>
      </h1>
      {panels.map((panel) => (
        <Frame key={panel.id} panel={panel} />
      ))}
    </main>
  );
}

function Frame({ panel }: { readonly panel: Panel }) {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [(w * WIDTH) / COLUMNS - GAP, h * ROW - GAP];
  const place: CSSProperties = {
    left: (x * WIDTH) / COLUMNS + GAP / 2,
    top: HEADING + y * ROW,
    width,
    height,
  };
  if (panel.type === "row") {
    return (
      <h2 style={place}>
        {"⌄ "}
        {panel.title}
      </h2>
    );
  }
  const { background, border } = THEME.colors;
  return (
    <section
      data-title={panel.title}
      style={{ ...place, background: background!.primary, border: `1px solid ${border!.weak}` }}
    >
      <h3>{panel.title}</h3>
      <Guard panel={panel}>
        <PanelBody panel={panel} width={width - 2 * GAP - 2} height={height - TITLE - GAP} />
      </Guard>
    </section>
  );
}

/** What a component throws is told; the other panels are drawn all the same. */
class Guard extends Component<{ readonly panel: Panel; readonly children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error) {
    told(this.props.panel, { problem: `it could not be rendered: ${error.message}` });
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <pre>{this.state.error.message}</pre>;
  }
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}

const dashboard = (await (await fetch(`/dashboards/${DASHBOARD}.json`)).json()) as Dashboard;
expected(opened(dashboard.panels).filter(({ type }) => type !== "row").length);
createRoot(document.getElementById("root")!).render(
  <ThemeContext.Provider value={THEME}>
    <Page dashboard={dashboard} />
  </ThemeContext.Provider>,
);
