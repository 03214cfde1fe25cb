import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "grafana/dashboards";

interface Datasource {
  readonly type?: string;
}

interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly datasource?: Datasource;
}

interface Panel {
  readonly title?: string;
  readonly type: string;
  readonly datasource?: Datasource;
  readonly targets?: readonly Target[];
  readonly panels?: readonly Panel[];
}

interface Annotation {
  readonly name: string;
  readonly builtIn?: number | boolean;
  readonly expr?: string;
  readonly target?: { readonly expr?: string };
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query?: string | { readonly query?: string };
  readonly definition?: string;
  readonly regex?: string;
  readonly allValue?: string | null;
  readonly current?: { readonly value?: unknown };
}

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly annotations?: { readonly list?: readonly Annotation[] };
  readonly templating?: { readonly list?: readonly Variable[] };
}

/** A PromQL expression, and where it stands. */
export interface Query {
  readonly where: string;
  readonly expr: string;
}

/** Every committed dashboard, by its file's name. */
export function readDashboards(): Record<string, Dashboard> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
  return Object.fromEntries(
    files.map((file) => [file, JSON.parse(readFileSync(join(FOLDER, file), "utf8"))]),
  );
}

/** What its panels and annotations ask Prometheus. What they ask Tempo is not PromQL. */
export function queriesOf(dashboard: Dashboard): Query[] {
  return [...dashboard.panels.flatMap(ofPanel), ...(dashboard.annotations?.list ?? []).flatMap(ofAnnotation)];
}

function ofPanel(panel: Panel): Query[] {
  const own = (panel.targets ?? [])
    .filter(({ datasource = panel.datasource }) => datasource?.type !== "tempo")
    .map(({ refId, expr }) => ({ where: `panel "${panel.title}", query ${refId}`, expr: expr ?? "" }));
  return [...own, ...(panel.panels ?? []).flatMap(ofPanel)];
}

function ofAnnotation({ name, builtIn, expr, target }: Annotation): Query[] {
  // Those that people make by hand, which Grafana keeps itself.
  if (builtIn) return [];
  return [{ where: `annotation "${name}"`, expr: target?.expr ?? expr ?? "" }];
}
