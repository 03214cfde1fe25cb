import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DASHBOARDS, uidOf } from "../../grafana/build/links.js";
import { nameOf } from "../../grafana/rules/test/mutants-of-rules.js";
import { committed, NAMES, panelsOf } from "./dashboards.js";
import { labelsOf, problemsOf, selectorsOf } from "./promql.js";
import { alerts, RULES, recorded, recordings, ruleFiles } from "./rules.js";

const TESTS = `${RULES}/test`;
const testFiles = readdirSync(TESTS).filter((name) => name.endsWith(".test.yml"));
const RUNBOOKS = "https://github.com/queuescope/queuescope/blob/main/docs/runbooks/";
const GRAFANA = "{{ $externalLabels.grafana_url }}";
const EXPECTED = [
  "QueueBacklogNotShrinking",
  "QueueBreakerOpen",
  "QueueCompletionOverSla",
  "QueueDropping",
  "QueueEventLoopBusy",
  "QueueEventLoopStalled",
  "QueueFailures",
  "QueueGrowing",
  "QueueNearlyFull",
  "QueueNoConsumer",
  "QueueOldestItemOverSla",
  "QueueProcessRestarting",
  "QueueRedeliveryStorm",
  "QueueRetryStorm",
  "QueueSettlesStale",
  "QueueSlaBudgetBurn",
  "QueueStuck",
  "QueueTasksStuck",
  "QueueTelemetryLost",
  "QueueWatchdogDead",
  "QueueWillBeFull",
  "QueueWorkersStalled",
];

/** What tells environments apart, in which one job may run. */
const ENVIRONMENT = ["cluster", "namespace"];
const IN_ENVIRONMENT =
  "{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}";

it("there is an alert for everything that the docs promise one for", () => {
  expect([...new Set(alerts.map(({ alert }) => alert))].sort()).toEqual(EXPECTED);
});

describe("asks for series and labels that there are:", () => {
  it.each([...recordings, ...alerts].map((rule) => [nameOf(rule), rule.expr]))("%s", (_, expr) => {
    expect(problemsOf(expr, recorded)).toEqual([]);
  });
});

describe("keeps environments apart, in all that is aggregated or matched:", () => {
  it.each([...recordings, ...alerts].map((rule) => [nameOf(rule), rule.expr]))("%s", (_, expr) => {
    for (const [, labels] of expr.matchAll(/\b(?:by|on|ignoring|without) \(([^)]*)\)/g))
      expect(labels!.split(", ").slice(0, 2)).toEqual(ENVIRONMENT);
    expect(labelsOf(expr, recorded)).toEqual(expect.arrayContaining(ENVIRONMENT));
  });
});

describe("recordings", () => {
  it.each(recordings.map(({ record }) => record))("%s says level, metric and operation", (name) => {
    expect(name).toMatch(/^(job|queue|instance):[a-z0-9_]+:[a-z0-9_]+$/);
  });

  it("come before the rules that use them, in the group of these or, where that is evaluated more rarely, in one before it; but for what is passed on from the last time", () => {
    for (const { groups } of ruleFiles.values()) {
      for (const [g, { rules }] of groups.entries()) {
        const rarer = groups.slice(0, g).filter(({ interval }) => interval !== undefined);
        for (const [i, { expr }] of rules.entries()) {
          const used = selectorsOf(expr).filter(({ metric }) => recorded.has(metric));
          const before = [...rarer.flatMap((group) => group.rules), ...rules.slice(0, i + 1)];
          for (const { metric } of used) expect(before.map(({ record }) => record)).toContain(metric);
        }
      }
    }
  });

  it("look back on hours only in groups that are evaluated every minute: of many processes, that takes seconds", () => {
    for (const { groups } of ruleFiles.values()) {
      for (const { interval, rules } of groups) {
        const long = rules.filter(({ expr }) =>
          /queue_\w+(?:\{[^}]*\})?\[(?:[2-9]|\d\d+)h\]|queue_\w+(?:\{[^}]*\})?\[\d+d\]/.test(expr),
        );
        if (interval !== "1m") expect(long.map(nameOf)).toEqual([]);
      }
    }
  });
});

describe("alerts", () => {
  const each = it.each(alerts.map((alert) => [nameOf(alert), alert] as const));

  each("%s has all that it needs", (_, alert) => {
    expect(alert.labels.severity).toMatch(/^(critical|warning)$/);
    expect(alert.for).toMatch(/^\d+[mh]$/);
    expect(Object.keys(alert.annotations)).toEqual([
      "summary",
      "description",
      "runbook_url",
      "dashboard_url",
    ]);
  });

  each("%s names whom it is about, and the figure", (_, { expr, annotations }) => {
    const summary = annotations.summary!;
    const labels = labelsOf(expr, recorded).filter((label) => !ENVIRONMENT.includes(label));
    // Prometheus of one environment needn't name it.
    expect(summary).toContain(IN_ENVIRONMENT);
    for (const label of labels) expect(summary).toContain(`{{ $labels.${label} }}`);
    // What a broker tells belongs to no job.
    if (expr.includes("queue:shared_")) expect(labels).toEqual(["queue_name"]);
    else expect(labels).toContain("job");
    expect(summary).toMatch(/\{\{ (printf "%\.[01]f" \$value|\$value \| humanize(Percentage|Duration)) \}\}/);
  });

  each("%s names no label that its result lacks", (_, { expr, annotations }) => {
    const labels = labelsOf(expr, recorded);
    for (const [, label] of Object.values(annotations)
      .join()
      .matchAll(/\$labels\.(\w+)/g)) {
      expect(labels).toContain(label);
    }
  });

  each("%s leads to a runbook and to a dashboard that are in the repository", (_, { alert, annotations }) => {
    expect(annotations.runbook_url).toBe(`${RUNBOOKS}${alert}.md`);
    expect(existsSync(`docs/runbooks/${alert}.md`)).toBe(true);

    const url = annotations.dashboard_url!;
    const [, uid, query] = /^\/d\/queuescope-(\w+)\?(.*)$/.exec(url.replace(GRAFANA, "")) ?? [];
    const dashboard = JSON.parse(readFileSync(`grafana/dashboards/${uid}.json`, "utf8"));
    expect(dashboard.uid).toBe(`queuescope-${uid}`);
    const variables = dashboard.templating.list.map(({ name }: { name: string }) => name);
    for (const [name] of new URLSearchParams(query)) {
      expect(name).toMatch(/^var-/);
      expect(variables).toContain(name.slice("var-".length));
    }
  });

  each("%s leads to the dashboard at which its runbook begins", (_, { alert, annotations }) => {
    const runbook = readFileSync(`docs/runbooks/${alert}.md`, "utf8");
    const [, title] = /[Dd]ashboard \*([^*]+)\*/.exec(runbook.split("## Look first")[1]!)!;
    const [, uid] = /\/d\/(queuescope-\w+)/.exec(annotations.dashboard_url!)!;
    const name = NAMES.find((each) => uidOf(each) === uid)!;
    expect(title).toBe(DASHBOARDS[name]);
  });

  it("of one name and two severities have the same labels, so that one inhibits the other", () => {
    for (const { alert, expr, labels } of alerts) {
      if (alert === "QueueTelemetryLost" || labels.severity === "warning") continue;
      const warning = alerts.find(
        (each) =>
          each.alert === alert &&
          each.labels.severity === "warning" &&
          each.expr.includes("queue:shared_") === expr.includes("queue:shared_"),
      );
      if (warning !== undefined)
        expect(labelsOf(warning.expr, recorded).sort()).toEqual(labelsOf(expr, recorded).sort());
    }
  });
});

describe("runbooks", () => {
  const runbooks = readdirSync("docs/runbooks").map((file) => basename(file, ".md"));
  const index = readFileSync("docs/runbooks/README.md", "utf8");

  it("are there for each alert, and for nothing else", () => {
    expect(runbooks.filter((name) => name !== "README").sort()).toEqual(EXPECTED);
    expect([...index.matchAll(/^\| \[(\w+)\]\(\1\.md\)/gm)].map(([, name]) => name).sort()).toEqual(EXPECTED);
  });

  it("say which alerts page", () => {
    const paging = [...index.matchAll(/^\| \[(\w+)\].*\| yes \|$/gm)].map(([, name]) => name);
    const critical = alerts.filter(({ labels }) => labels.severity === "critical");
    expect(paging.sort()).toEqual([...new Set(critical.map(({ alert }) => alert))].sort());
  });

  it.each(runbooks)("%s: its queries ask for what there is, its links lead somewhere", (name) => {
    const text = readFileSync(`docs/runbooks/${name}.md`, "utf8");
    const queries = [...text.matchAll(/```promql\n(.*?)```/gs)].map(([, query]) => query!.trim());
    expect(queries.length).toBe(name === "README" ? 0 : 1);
    for (const query of queries) expect(problemsOf(query)).toEqual([]);
    for (const [, path, anchor] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g)) {
      expect(existsSync(`docs/runbooks/${path}`), path).toBe(true);
      if (anchor !== undefined)
        expect(readFileSync(`docs/runbooks/${path}`, "utf8")).toContain(`\n### ${anchor}\n`);
    }
  });

  it.each(runbooks.filter((name) => name !== "README"))("%s names panels that there are", (name) => {
    const titles = NAMES.map(committed).flatMap((dashboard) => [
      dashboard.title,
      ...[...dashboard.panels, ...panelsOf(dashboard)].map(({ title }) => title),
    ]);
    const [, look] = readFileSync(`docs/runbooks/${name}.md`, "utf8").split("## Look first");
    const named = [...look!.split("## Do")[0]!.matchAll(/(?<!\*)\*([A-Z][^*]+)\*/g)].map(([, text]) => text!);
    for (const text of named)
      expect(
        titles.some((title) => title.replace("Queuescope / ", "").startsWith(text)),
        text,
      ).toBe(true);
  });
});

describe("tests of the rules", () => {
  const files = testFiles.map((file) => parse(readFileSync(`${TESTS}/${file}`, "utf8")) as TestFile);
  const named = alerts.map((alert) => [nameOf(alert), alert] as const);

  it.each(named)("have %s fire, with every word of it", (_, { alert, labels }) => {
    const fired = files.flatMap(({ tests }) => tests).flatMap(({ alert_rule_test = [] }) => alert_rule_test);
    const expected = fired
      .filter(({ alertname }) => alertname === alert)
      .flatMap(({ exp_alerts = [] }) => exp_alerts);
    expect(expected.some(({ exp_labels }) => exp_labels.severity === labels.severity)).toBe(true);
  });

  it.each(named)("have %s be silent", (_, { alert, labels }) => {
    const [home] = [...ruleFiles].find(([, { groups }]) =>
      groups.some(({ rules }) => rules.some((rule) => rule.alert === alert)),
    )!;
    const about = files
      .filter(({ rule_files }) => rule_files.includes(`../${home}`))
      .flatMap(({ tests }) => tests);
    const isAsked = (expr: string) =>
      /ALERTS\{[^}]*alertstate="firing"/.test(expr) &&
      (expr.includes(`alertname="${alert}"`) || !/alertname=/.test(expr)) &&
      !/ unless /.test(expr);
    const asked = about.flatMap(({ promql_expr_test = [], alert_rule_test = [] }) => [
      ...promql_expr_test
        .filter(({ expr }) => isAsked(expr))
        .map(({ exp_samples = [] }) => exp_samples.map((sample) => sample.labels ?? "")),
      ...alert_rule_test
        .filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts = [] }) => exp_alerts.map(({ exp_labels }) => JSON.stringify(exp_labels))),
    ]);
    // Labels that don't say which alert it is might mean this one.
    const tellsOf = (text: string) =>
      (text.includes(alert!) || !text.includes("alertname")) &&
      (text.includes(labels.severity!) || !text.includes("severity"));
    expect(asked.some((samples) => !samples.some(tellsOf))).toBe(true);
  });
});

interface TestFile {
  rule_files: string[];
  tests: {
    alert_rule_test?: { alertname: string; exp_alerts?: { exp_labels: Record<string, string> }[] }[];
    promql_expr_test?: { expr: string; exp_samples?: { labels?: string }[] }[];
  }[];
}
