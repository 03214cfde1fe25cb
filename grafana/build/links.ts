import { DashboardLinkBuilder, DashboardLinkType } from "@grafana/grafana-foundation-sdk/dashboard";

/** The five dashboards: the name of the file, what the link to it says. */
export const DASHBOARDS = {
  overview: "Overview",
  queue: "Queue",
  workers: "Workers",
  sla: "SLA and watchdog",
  runtime: "Runtime",
} as const;

export type DashboardName = keyof typeof DASHBOARDS;

export function uidOf(name: DashboardName): string {
  return `queuescope-${name}`;
}

/** From one dashboard to the others, and to the traces of what it shows. */
export function linksFrom(name: DashboardName): DashboardLinkBuilder[] {
  const others = (Object.keys(DASHBOARDS) as DashboardName[]).filter((each) => each !== name);
  return [
    ...others.map((each) =>
      new DashboardLinkBuilder(DASHBOARDS[each])
        .type(DashboardLinkType.Link)
        .url(`/d/${uidOf(each)}`)
        .icon("dashboard")
        .tooltip(`The same time, service, queue and tier in "${DASHBOARDS[each]}"`)
        .includeVars(true)
        .keepTime(true),
    ),
    new DashboardLinkBuilder("Traces")
      .type(DashboardLinkType.Link)
      .url(tracesUrl(CHOSEN))
      .icon("bolt")
      .tooltip("Spans of the chosen queues")
      .targetBlank(true),
  ];
}

/** What a data point links to. */
export interface Link {
  readonly title: string;
  readonly url: string;
  readonly targetBlank: boolean;
}

/** Not `:regex`: its backslashes would break the JSON that the query is in. */
const CHOSEN = `span.messaging.destination.name =~ "${variable("queue:pipe")}"`;

const KEPT = [
  ...["datasource", "traces", "cluster", "namespace"].map((name) => `${name}:queryparam`),
  "__url_time_range",
].map(variable);

/** The chosen services, for what belongs to none. */
const CHOSEN_JOBS = variable("job:queryparam");

/** To another dashboard, about the data point's own queue, of all chosen services: for what a broker tells. */
export function sharedLink(name: DashboardName, queue: string): Link {
  return linkTo(name, [CHOSEN_JOBS, `var-queue=${queue}`]);
}

/** To another dashboard, about the data point's own queue. `queue` says where Grafana finds its name. */
export function dashboardLink(name: DashboardName, job: string, queue?: string): Link {
  return linkTo(name, [`var-job=${job}`, ...(queue === undefined ? [] : [`var-queue=${queue}`])]);
}

function linkTo(name: DashboardName, variables: readonly string[]): Link {
  return {
    title: DASHBOARDS[name],
    url: `/d/${uidOf(name)}?${[...KEPT, ...variables].join("&")}`,
    targetBlank: false,
  };
}

/** To the spans of the data point's own queue that also meet the conditions, in TraceQL. */
export function tracesLink(title: string, ...conditions: string[]): Link {
  const queue = `span.messaging.destination.name = "${label("queue_name")}"`;
  return { title, url: tracesUrl([queue, ...conditions].join(" && ")), targetBlank: true };
}

/** To the spans of all chosen queues that also meet the conditions, for panels that don't show queues apart. */
export function tracesOfChosen(title: string, ...conditions: string[]): Link {
  return { title, url: tracesUrl([CHOSEN, ...conditions].join(" && ")), targetBlank: true };
}

/** What Grafana replaces by a value. */
function variable(name: string): string {
  return `\${${name}}`;
}

/** The data point's label. */
export function label(name: string): string {
  return variable(`__field.labels.${name}`);
}

/** The table row's column. */
export function column(name: string): string {
  return variable(`__data.fields.${name}`);
}

const DOCS = "https://github.com/queuescope/queuescope/blob/main/docs";
/** Where the runbooks are, to which alerts link. */
export const RUNBOOKS = `${DOCS}/runbooks/`;

/** To what to do about the alert whose name is in the column. */
export function runbookLink(alert: string): Link {
  return { title: "Runbook", url: `${RUNBOOKS}${alert}.md`, targetBlank: true };
}

/** To what the verdict in the column means, and what to do about it. */
export function verdictLink(verdict: string): Link {
  return { title: "What it means", url: `${DOCS}/diagnosis.md#${verdict}`, targetBlank: true };
}

/** Grafana's Explore with a TraceQL query, at the dashboard's time. */
function tracesUrl(conditions: string): string {
  const uid = variable("traces");
  const query = {
    refId: "A",
    datasource: { type: "tempo", uid },
    queryType: "traceql",
    tableType: "traces",
    limit: 20,
    query: `{ ${conditions} }`,
  };
  const range = { from: variable("__from"), to: variable("__to") };
  // Grafana decodes a link before it is followed: an & must not be one until the JSON is read.
  const panes = JSON.stringify({ traces: { datasource: uid, queries: [query], range } }).replaceAll(
    "&",
    "\\u0026",
  );
  return `/explore?schemaVersion=1&panes=${encoded(panes)}`;
}

/** Percent-encoded, except for the variables: Grafana looks for these first. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/%24%7B(.*?)%7D/g, (_, name: string) =>
    variable(decodeURIComponent(name)),
  );
}
