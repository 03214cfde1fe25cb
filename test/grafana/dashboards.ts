import { readFileSync } from "node:fs";
import { DASHBOARDS, type DashboardName } from "../../grafana/build/links.js";

interface Query {
  readonly refId: string;
  readonly expr: string;
}

interface Target extends Query {
  readonly legendFormat: string;
  readonly format: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly exemplar?: boolean;
}

interface DataLink {
  readonly title: string;
  readonly url: string;
}

/** What the tests read of a panel. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  /** Of a row that is closed. */
  readonly panels?: readonly Panel[];
  readonly options: { readonly legend?: { readonly showLegend?: boolean; readonly show?: boolean } };
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly links?: readonly DataLink[];
      readonly mappings?: readonly unknown[];
    };
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly transformations?: readonly { readonly id: string; readonly options: Record<string, unknown> }[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
  readonly query?: string | { readonly query: string };
  readonly allValue?: string;
  readonly current?: { readonly value: unknown };
}

export interface AskingPanel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly Query[];
  readonly panels?: readonly AskingPanel[];
}

/** What asks something in a dashboard. */
export interface Asking {
  readonly panels: readonly AskingPanel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] };
}

/** What the tests read of a dashboard, as it is committed. */
export interface Dashboard extends Asking {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly links: readonly {
    readonly title: string;
    readonly url: string;
    readonly includeVars: boolean;
    readonly keepTime: boolean;
  }[];
}

/** A query, and where it stands. */
export interface Asked {
  readonly where: string;
  readonly expr: string;
}

export const NAMES = Object.keys(DASHBOARDS) as DashboardName[];

export function committed(name: DashboardName): Dashboard {
  return JSON.parse(
    readFileSync(new URL(`../../grafana/dashboards/${name}.json`, import.meta.url), "utf8"),
  ) as Dashboard;
}

/** All but the headings; those of closed rows, too. */
export function panelsOf<P extends { readonly type: string; readonly panels?: readonly P[] }>(dashboard: {
  readonly panels: readonly P[];
}): P[] {
  return dashboard.panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .filter(({ type }) => type !== "row");
}

/** Every query of every panel and annotation, and the selector in every variable's. */
export function queriesOf(dashboard: Asking): Asked[] {
  const panels = panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ where: `${title} ${refId}`, expr })),
  );
  const annotations = dashboard.annotations.list.flatMap(({ name, expr }) =>
    expr === undefined ? [] : [{ where: `annotation ${name}`, expr }],
  );
  const variables = dashboard.templating.list.flatMap(({ name, definition }) => {
    const selector = /^label_values\((.+), \w+\)$/.exec(definition ?? "")?.[1];
    return selector === undefined ? [] : [{ where: `variable ${name}`, expr: selector }];
  });
  return [...panels, ...annotations, ...variables];
}
