import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { committed, NAMES } from "./dashboards.js";
import { problemsOf } from "./promql.js";

interface Datasource {
  readonly uid: string;
  readonly type: string;
  readonly isDefault?: boolean;
  readonly jsonData: Record<string, unknown>;
}

interface TracesToMetrics {
  readonly datasourceUid: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly queries: readonly { readonly name: string; readonly query: string }[];
}

const { datasources } = read("grafana/provisioning/datasources/queuescope.yml") as {
  datasources: Datasource[];
};
const byUid = new Map(datasources.map((each) => [each.uid, each]));

it("there is a datasource for metrics, one for traces, and the alerts' own", () => {
  expect(datasources.map(({ uid, type }) => [uid, type])).toEqual([
    ["prometheus", "prometheus"],
    ["alertmanager", "alertmanager"],
    ["tempo", "tempo"],
  ]);
  expect(byUid.get("prometheus")).toMatchObject({
    isDefault: true,
    jsonData: { alertmanagerUid: "alertmanager" },
  });
});

it("every type of datasource that a dashboard lets one choose is there", () => {
  const types = datasources.map(({ type }) => type);
  for (const name of NAMES) {
    const choices = committed(name).templating.list.filter(({ type }) => type === "datasource");
    expect(types).toEqual(expect.arrayContaining(choices.map(({ query }) => query)));
  }
});

it("Grafana knows how often Prometheus scrapes", () => {
  const { global } = read("grafana/prometheus/prometheus.yml") as { global: { scrape_interval: string } };
  expect(byUid.get("prometheus")?.jsonData.timeInterval).toBe(global.scrape_interval);
});

/** What Tempo makes of spans, with the dimensions that its configuration gives it. */
const OF_TEMPO = new Map([
  [
    "traces_spanmetrics_latency_bucket",
    { kind: "counter", labels: ["le", "span_name", "queue_name", "queue_tier"] },
  ],
] as const);

it("a span leads to the figures of its queue", () => {
  const { datasourceUid, tags, queries } = byUid.get("tempo")!.jsonData.tracesToMetrics as TracesToMetrics;
  expect(byUid.get(datasourceUid)?.type).toBe("prometheus");
  const table = readFileSync("docs/telemetry.md", "utf8");
  for (const { key } of tags) expect(table).toContain(`\n| \`${key}\` | put, `);
  const matchers = tags.map(({ value }) => `${value}="any"`).join(",");
  for (const { query } of queries) {
    expect(query).toContain("{$$__tags}");
    expect(problemsOf(query.replaceAll("$$__tags", matchers), OF_TEMPO)).toEqual([]);
  }
});

it("the dashboards come from where the compose file puts them, and are not to be changed in Grafana", () => {
  const { providers } = read("grafana/provisioning/dashboards/queuescope.yml") as {
    providers: { allowUiUpdates: boolean; options: { path: string } }[];
  };
  expect(providers).toHaveLength(1);
  const path = providers[0]!.options.path;
  expect(providers[0]!.allowUiUpdates).toBe(false);
  expect(readFileSync("docker-compose.otel.yml", "utf8")).toContain(`./grafana/dashboards:${path}:ro`);
});

function read(file: string): unknown {
  return parse(readFileSync(file, "utf8"));
}
