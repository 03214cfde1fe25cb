import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { files } from "../../grafana/build/files.js";
import { uidOf } from "../../grafana/build/links.js";
import { INSTRUMENTS } from "../../src/telemetry/metrics/instruments.js";
import { committed, NAMES, panelsOf, queriesOf } from "./dashboards.js";
import { seriesOf } from "./known-series.js";
import { labelsOf, problemsOf, selectorsOf } from "./promql.js";

/** A test of its own holds this page against what spans have. */
const SPANS = readFileSync("docs/telemetry.md", "utf8");
const ALL = NAMES.map((name) => ({ name, dashboard: committed(name) }));
const PANELS = ALL.flatMap(({ name, dashboard }) =>
  panelsOf(dashboard).map((panel) => ({ what: `${name}: ${panel.title}`, panel })),
);
const QUERIES = ALL.flatMap(({ name, dashboard }) =>
  queriesOf(dashboard).map(({ where, expr }) => ({ what: `${name}: ${where}`, expr })),
);
const LINKS = ALL.flatMap(({ name, dashboard }) => [
  ...dashboard.links.map(({ url }) => ({ name, url })),
  ...panelsOf(dashboard).flatMap(({ fieldConfig: { defaults, overrides } }) => [
    ...(defaults.links ?? []).map(({ url }) => ({ name, url })),
    ...overrides
      .flatMap(({ properties }) => properties.filter(({ id }) => id === "links"))
      .flatMap(({ value }) => (value as { url: string }[]).map(({ url }) => ({ name, url }))),
  ]),
]);

it("the committed dashboards are what the program makes", () => {
  const made = [...files()].map(([name, text]) => [name, JSON.parse(text)]);
  expect(made).toEqual(ALL.map(({ name, dashboard }) => [`${name}.json`, dashboard]));
});

describe("each dashboard", () => {
  it.each(ALL)(
    "$name has its uid, variables and annotations, and ids that are unique",
    ({ name, dashboard }) => {
      expect(dashboard.uid).toBe(uidOf(name));
      expect(dashboard.templating.list.map((each) => each.name)).toEqual([
        "datasource",
        "traces",
        "cluster",
        "namespace",
        "job",
        "queue",
        "tier",
        "instance",
        "top",
      ]);
      expect(dashboard.annotations.list.map((each) => each.name)).toEqual([
        "Annotations & Alerts",
        "Breaches",
        "Restarts",
        "Critical alerts",
      ]);
      const ids = dashboard.panels.flatMap(({ id, panels = [] }) => [id, ...panels.map((panel) => panel.id)]);
      expect(new Set(ids).size).toBe(ids.length);
      expect(Math.min(...ids)).toBeGreaterThan(0);
    },
  );

  it.each(ALL)("$name lets one choose by labels that there are", ({ dashboard }) => {
    for (const { name, definition } of dashboard.templating.list) {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? "") ?? [];
      if (definition !== undefined) expect(labelsOf(selector!), name).toContain(label);
    }
  });

  it.each(ALL)("$name begins with a row of figures", ({ dashboard }) => {
    const [row, ...rest] = dashboard.panels;
    expect(row?.type).toBe("row");
    const first = rest.slice(
      0,
      rest.findIndex(({ type }) => type === "row"),
    );
    expect(new Set(first.map(({ type }) => type))).toEqual(new Set(["stat"]));
  });

  it.each(ALL)(
    "$name leads to the other four, with variables and time, and to traces",
    ({ name, dashboard }) => {
      const others = NAMES.filter((each) => each !== name).map((each) => `/d/${uidOf(each)}`);
      const links = dashboard.links.filter(({ url }) => url.startsWith("/d/"));
      expect(links.map(({ url }) => url)).toEqual(others);
      for (const link of links) expect(link).toMatchObject({ includeVars: true, keepTime: true });
      expect(dashboard.links.at(-1)?.url).toMatch(/^\/explore\?/);
    },
  );

  it.each(ALL)("$name has panels that neither overlap nor leave the grid", ({ dashboard }) => {
    const taken = new Map<string, string>();
    for (const { title, gridPos: at } of dashboard.panels) {
      expect(at.x + at.w).toBeLessThanOrEqual(24);
      for (let x = at.x; x < at.x + at.w; x++) {
        for (let y = at.y; y < at.y + at.h; y++) {
          expect(taken.get(`${x} ${y}`), `under ${title}`).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });
});

describe("each panel", () => {
  it.each(PANELS)("$what says what it answers, in which unit, from the chosen datasource", ({ panel }) => {
    // A question, and what follows from the answer.
    expect(panel.description).toMatch(/^[A-Z][^?]*\?[^?]*\S.*\.$/s);
    expect(panel.description!.length).toBeGreaterThan(60);
    expect(panel.fieldConfig.defaults.unit).toBeTruthy();
    expect(panel.datasource).toEqual({ type: "prometheus", uid: `\${datasource}` });
    const refIds = panel.targets!.map(({ refId }) => refId);
    expect(refIds).toEqual([..."ABCDEFGH"].slice(0, refIds.length));
    for (const target of panel.targets!) {
      expect(target).toMatchObject({ datasource: panel.datasource });
      expect(target.instant).toBe(!target.range);
      const hasExemplars = /queue_(?:wait|process)_seconds_bucket/.test(target.expr);
      expect(target.exemplar).toBe(target.range && hasExemplars ? true : undefined);
    }
    if (panel.type === "timeseries") expect(panel.options.legend?.showLegend).toBe(true);
  });

  it.each(PANELS)("$what names only labels that its queries keep", ({ panel }) => {
    for (const { expr, legendFormat } of panel.targets!) {
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect(labelsOf(expr)).toEqual(expect.arrayContaining(named));
      // What a legend doesn't tell apart looks like one series.
      if (panel.type === "timeseries" || panel.type === "state-timeline") {
        expect(named.sort()).toEqual(labelsOf(expr).sort());
      }
    }
    const labels = panel.targets!.map(({ expr }) => labelsOf(expr));
    for (const [, label] of JSON.stringify(panel).matchAll(/__field\.labels\.(\w+)/g)) {
      // Lines that others are held against may lack it.
      expect(labels[0]).toContain(label);
    }
  });

  // Else it would have that of what is below all limits: red, for an error budget that there isn't.
  it.each(PANELS)("$what has a colour of its own for what has no value", ({ panel }) => {
    const { defaults, overrides } = panel.fieldConfig;
    const own = { type: "special", options: expect.objectContaining({ match: "null+nan" }) };
    if (panel.type === "stat") expect(defaults.mappings).toEqual([own]);
    for (const { properties } of overrides.filter(() => panel.type === "table")) {
      const mappings = properties.find(({ id }) => id === "mappings")?.value;
      if (properties.some(({ id }) => id === "thresholds")) expect(mappings).toEqual([own]);
    }
  });

  it.each(PANELS.filter(({ panel }) => panel.type === "table"))(
    "$what has a row for each set of labels, and names each column",
    ({ panel }) => {
      const { indexByName, renameByName } = panel.transformations!.find(({ id }) => id === "organize")!
        .options as Record<string, Record<string, unknown>>;
      const labels = Object.keys(indexByName!).filter((field) => !/^(?:Value|Trend)\b/.test(field));
      for (const { expr } of panel.targets!) expect(labelsOf(expr).sort()).toEqual([...labels].sort());
      const names = Object.values(renameByName!);
      for (const { matcher } of panel.fieldConfig.overrides) expect(names).toContain(matcher.options);
      // Else a cell would say of its row that there is none.
      for (const label of labels.map((each) => renameByName![each])) {
        expect(panel.fieldConfig.overrides).toContainEqual({
          matcher: { id: "byName", options: label },
          properties: expect.arrayContaining([{ id: "noValue", value: "–" }]),
        });
      }
      for (const [, column] of JSON.stringify(panel).matchAll(/__data\.fields\.(\w+)/g)) {
        expect(names).toContain(column);
      }
    },
  );
});

describe("each query", () => {
  it.each(QUERIES)("$what asks for metrics and labels that there are", ({ expr }) => {
    expect(problemsOf(expr)).toEqual([]);
  });

  it.each(QUERIES)("$what is about what is chosen, and needs neither rules nor fillers", ({ what, expr }) => {
    for (const { metric, matchers } of selectorsOf(expr)) {
      expect(metric).not.toContain(":");
      if (!/variable (cluster|namespace|job)/.test(what))
        expect(matchers.map(({ label }) => label)).toContain("job");
    }
    expect(expr).not.toMatch(/vector\(|\[\d+s\]/);
    if (/\b(?:rate|increase|deriv)\(/.test(expr))
      expect(expr).toMatch(/\[(?:\$__rate_interval|\$__range|5m|1h|6h|1d)\]/);
  });
});

// Those of OpenTelemetry's conventions say again what ours do, for dashboards of others; by OTLP they get units appended.
it("every metric of our own is shown somewhere", () => {
  const shown = new Set(QUERIES.flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric)));
  const hidden = Object.entries(INSTRUMENTS)
    // Those of OpenTelemetry's conventions say once more what ours say.
    .filter(([name]) => name.startsWith("queue."))
    .filter(
      ([name, { kind }]) => !seriesOf(name.replaceAll(".", "_"), kind, []).some(([each]) => shown.has(each)),
    )
    .map(([name]) => name);
  expect(hidden).toEqual([]);
});

it.each([
  [
    "overview",
    [
      "SLA used, worst",
      "Queues, the worst first",
      "Firing alerts",
      "Causes that the watchdog found",
      "Failing most, top 10",
      "Waiting",
      "In",
      "Out",
      "Dropped",
    ],
  ],
  [
    "queue",
    [
      "Waiting, by tier",
      "Oldest item against its SLA",
      "Wait p50 and p99",
      "Wait, all items",
      "In and out",
      "Put latency",
      "Get latency",
      "Dropped, by reason",
      "Failures by kind, top 10",
      "Blocked producers",
    ],
  ],
  [
    "workers",
    [
      "Workers, by state",
      "Utilisation",
      "In flight",
      "Process p99",
      "Failure ratio",
      "Gates in use",
      "Breakers",
      "Retries and dead letters",
      "Consumers that the broker knows",
      "Redelivered",
      "Stale settles",
      "Clock against the broker's",
    ],
  ],
  [
    "sla",
    [
      "Breaches, by verdict",
      "Error budget left",
      "Burn, 5m",
      "Burn, 1h",
      "Burn, 6h",
      "Watchdog's heartbeat",
      "Scrapes",
      "Processes that tell of a queue",
    ],
  ],
  [
    "runtime",
    [
      "Event-loop delay",
      "Stalls",
      "Event-loop utilisation",
      "Heap",
      "Restarts",
      "Wait p99 over event-loop delay",
    ],
  ],
] as const)("%s has the panels that it is for", (name, titles) => {
  expect(panelsOf(committed(name)).map(({ title }) => title)).toEqual(expect.arrayContaining([...titles]));
});

describe("what brokers tell", () => {
  const TOLD = ["queue_depth", "queue_oldest_age_seconds", "queue_inflight", "queue_delayed"];

  it.each(QUERIES)("$what never adds up what several processes were told", ({ expr }) => {
    for (const { metric, matchers } of selectorsOf(expr)) {
      if (!TOLD.includes(metric) || expr.startsWith("count by")) continue;
      // What is not chosen by it is both.
      expect(matchers.map(({ label }) => label)).toContain("queue_scope");
    }
    expect(expr).not.toMatch(/sum(?: by \([^)]*\) )?\([^()]*queue_scope="shared"/);
  });

  it.each(PANELS)("$what doesn't say whose it is, as it is everybody's", ({ panel }) => {
    for (const { expr, legendFormat } of panel.targets!) {
      if (!selectorsOf(expr).every(isShared)) continue;
      expect(labelsOf(expr)).toEqual(["queue_name"]);
      expect(legendFormat).not.toContain("job");
    }
  });

  it.each(PANELS.filter(({ panel }) => panel.type === "timeseries"))(
    "$what leads nowhere by a job that they lack",
    ({ panel }) => {
      for (const { refId, expr } of panel.targets!) {
        if (!selectorsOf(expr).some(isShared)) continue;
        const own = panel.fieldConfig.overrides.find(
          ({ matcher }) => matcher.id === "byFrameRefID" && matcher.options === refId,
        );
        const links =
          own?.properties.find(({ id }) => id === "links")?.value ?? panel.fieldConfig.defaults.links;
        expect(JSON.stringify(links)).not.toContain("labels.job");
      }
    },
  );

  function isShared({ matchers }: ReturnType<typeof selectorsOf>[number]): boolean {
    return matchers.some(({ label, value }) => label === "queue_scope" && value === "shared");
  }
});

describe("links", () => {
  it("lead to one of the five dashboards, to Explore, to a runbook, or to what a verdict means", () => {
    for (const { url } of LINKS) {
      expect(url).toMatch(
        new RegExp(
          `^/d/(?:${NAMES.map(uidOf).join("|")})(?:\\?|$)|^/explore\\?|/docs/runbooks/\\$\\{|/docs/diagnosis\\.md#\\$\\{`,
        ),
      );
    }
  });

  it("to Explore hold a TraceQL query for the traces' datasource, once Grafana has filled it in", () => {
    const toExplore = LINKS.filter(({ url }) => url.startsWith("/explore?"));
    expect(toExplore.length).toBeGreaterThan(10);
    for (const { url } of toExplore) {
      const filled = url.replaceAll("${" + "traces}", "tempo").replaceAll(/\$\{[\w.:]+\}/g, "1");
      // Grafana's sanitizer of links decodes twice, and the browser then once more.
      const sanitized = decodeURIComponent(decodeURIComponent(filled));
      const { traces } = JSON.parse(new URLSearchParams(sanitized.split("?")[1]).get("panes")!);
      expect(traces).toMatchObject({ datasource: "tempo", range: { from: "1", to: "1" } });
      expect(traces.queries[0]).toMatchObject({ queryType: "traceql", datasource: { type: "tempo" } });
      for (const [, attribute] of traces.queries[0].query.matchAll(/span\.([\w.]+)/g)) {
        expect(SPANS).toContain(`\n| \`${attribute}\` | `);
      }
      expect(traces.queries[0].query).toMatch(
        /^\{ span\.messaging\.destination\.name (?:=|=~) "1"(?: && .+)? \}$/,
      );
    }
  });
});
