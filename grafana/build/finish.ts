import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLink,
  type Panel,
  RowBuilder,
  type RowPanel,
  type VariableModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { annotations } from "./annotations.js";
import { DASHBOARDS, type DashboardName, linksFrom, uidOf } from "./links.js";
import { variables } from "./variables.js";

type PanelBuilder = Parameters<DashboardBuilder["withPanel"]>[0];

/** A heading, and the panels under it. */
export type Row = readonly [title: string, ...panels: PanelBuilder[]];

/** What a dashboard has of its own. */
export interface Contents {
  readonly name: DashboardName;
  readonly description: string;
  /** How far it looks back at first. */
  readonly from: string;
  readonly rows: readonly Row[];
  /** After all others; its panels ask nothing until one opens it. */
  readonly closed?: Row;
}

/** The dashboard as Grafana stores it. */
export function finished({ name, description, from, rows, closed }: Contents): Dashboard {
  const builder = new DashboardBuilder(`Queuescope / ${DASHBOARDS[name]}`)
    .uid(uidOf(name))
    .description(description)
    .tags(["queuescope"])
    .time({ from, to: "now" })
    .refresh("30s")
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables)
    .annotations(annotations)
    .links(linksFrom(name));
  for (const [title, ...panels] of rows) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  if (closed !== undefined) {
    const [title, ...panels] = closed;
    builder.withRow(
      panels.reduce((row, panel) => row.withPanel(panel), new RowBuilder(title).collapsed(true)),
    );
  }
  return mended(builder.build());
}

/** Fills in what the builders leave out, and Grafana would on first save: without it each save is a diff. */
function mended(dashboard: Dashboard): Dashboard {
  let id = 0;
  const panels = (dashboard.panels ?? []).map((panel) => {
    const mended = mendedPanel(panel, ++id);
    if (!("panels" in mended)) return mended;
    return { ...mended, panels: mended.panels.map((inside) => mendedPanel(inside, ++id) as Panel) };
  });
  const list = [BUILT_IN, ...(dashboard.annotations.list ?? []).map(inSight)];
  const links = (dashboard.links ?? []).map(inSight);
  const templating = { list: (dashboard.templating.list ?? []).map(withoutInterval) };
  // Grafana's own number of the dashboard: null, until it has been stored.
  return { ...dashboard, id: null, version: 1, panels, templating, annotations: { list }, links };
}

/** The builders put links and annotations into a menu; they are to be seen. */
function inSight<T extends { placement?: unknown }>({ placement, ...rest }: T): Omit<T, "placement"> {
  return rest;
}

/** Grafana takes panels without it for ancient ones, and gives shares a greatest value of 1, for example. */
const PLUGIN_VERSION = "13.2.0";

/** What only a variable that is an interval has. */
function withoutInterval({ auto, auto_min, auto_count, ...rest }: VariableModel): VariableModel {
  return rest;
}

/** Ids from 1; rows have them, too. Of a data link, Grafana knows only what is kept here; tables' footers it has moved. */
function mendedPanel(panel: Panel | RowPanel, id: number): Panel | RowPanel {
  if (!("fieldConfig" in panel) || panel.fieldConfig === undefined) return { ...panel, id };
  const { defaults, overrides } = panel.fieldConfig;
  const { links = [], ...rest } = defaults;
  const bare = links.map(({ title, url, targetBlank }) => ({ title, url, targetBlank }) as DashboardLink);
  const { footer, ...options } = panel.options;
  return {
    ...panel,
    id,
    pluginVersion: PLUGIN_VERSION,
    options,
    fieldConfig: { defaults: { ...rest, links: bare }, overrides },
  };
}

/** Annotations that users make by hand: Grafana expects this entry. */
const BUILT_IN = {
  builtIn: 1,
  datasource: { type: "grafana", uid: "-- Grafana --" },
  enable: true,
  hide: true,
  iconColor: "rgba(0, 211, 255, 1)",
  name: "Annotations & Alerts",
  type: "dashboard",
};
