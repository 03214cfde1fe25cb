import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { QUERY } from "../../grafana/build/kubernetes/scaled-object.js";
import { secondsOf } from "../../grafana/build/mixin/template.js";
import { THRESHOLDS } from "../../grafana/build/mixin/thresholds.js";
import { type RuleGroup, ruleGroups } from "../../grafana/build/rules.js";
import { temporaryFolder } from "../live/server.js";
import { itWith } from "../live/servers.js";
import { NAMES } from "./dashboards.js";
import { problemsOf, selectorsOf } from "./promql.js";
import { recorded } from "./rules.js";

const run = promisify(execFile);
const MIXIN = resolve("grafana/mixin/mixin.libsonnet");
const RULES = "m.prometheusAlerts.groups + m.prometheusRules.groups";

/** What an expression of `m`, the mixin with this `_config`, comes to. */
async function rendered(jsonnet: string, config: string, expression: string): Promise<unknown> {
  const code = `local m = (import '${MIXIN}') + { _config+:: ${config} }; ${expression}`;
  return JSON.parse((await run(jsonnet, ["-e", code], { maxBuffer: 1e8 })).stdout);
}

itWith("jsonnet")("by default it is what is committed", async ({ paths }) => {
  const same = `{ [name]: m.grafanaDashboards['queuescope-%s.json' % name] == importOf[name] for name in std.objectFields(importOf) }`;
  const imports = NAMES.map((name) => `${name}: import '${resolve(`grafana/dashboards/${name}.json`)}'`);
  const made = (await rendered(
    paths.jsonnet,
    "{}",
    `local importOf = { ${imports.join(", ")} }; { groups: ${RULES}, dashboards: ${same}, names: std.objectFields(m.grafanaDashboards) }`,
  )) as { groups: RuleGroup[]; dashboards: Record<string, boolean>; names: string[] };
  const byName = (groups: readonly RuleGroup[]) => groups.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  expect(byName(made.groups)).toEqual(byName(ruleGroups()));
  expect(made.dashboards).toEqual(Object.fromEntries(NAMES.map((name) => [name, true])));
  expect(made.names.sort()).toEqual(NAMES.map((name) => `queuescope-${name}.json`).sort());
});

itWith("jsonnet", "promtool")(
  "takes what _config changes to where it belongs",
  async ({ paths, lifetime }) => {
    const thresholds = THRESHOLDS.map(({ name }, i) => `${name}: ${7000 + i}.5`);
    const groups = (await rendered(
      paths.jsonnet,
      `{
      selector: 'namespace=~"shop|billing", pod!=""', scrape_interval: '2m', grafana_url: 'https://grafana.example',
      runbook_url_pattern: 'https://wiki.example/%s?from=alert', thresholds+: { ${thresholds.join(", ")} },
      expected_jobs: [{ job: 'worker', namespace: 'shop' }, { job: 'api' }],
    }`,
      RULES,
    )) as RuleGroup[];
    const file = join(temporaryFolder(lifetime), "rules.json");
    // JSON is YAML, too. The same alert may be about queues in a process and in a broker: in one file that is no duplicate.
    writeFileSync(file, JSON.stringify({ groups }));
    await run(paths.promtool, ["check", "rules", "--lint=none", file]);

    const committed = new Map(ruleGroups().map((group) => [group.name, group]));
    for (const { name, rules } of groups.filter(({ name }) => committed.has(name))) {
      for (const [i, rule] of rules.entries()) {
        const before = committed.get(name)!.rules[i]!;
        expect(problemsOf(rule.expr.replaceAll(', pod!=""', "").replaceAll('pod!=""', ""), recorded)).toEqual(
          [],
        );
        for (const { metric, matchers } of selectorsOf(rule.expr)) {
          const isScraped = !metric.includes(":") && metric !== "ALERTS";
          expect(
            matchers.filter(({ label }) => label === "namespace" || label === "pod").length,
            rule.expr,
          ).toBe(isScraped ? 2 : 0);
        }
        // A gauge is read where there is one scrape at least, and a rate where there are two.
        for (const [, metric, range] of rule.expr.matchAll(/([\w:]+)(?:\{[^}]*\})?\[(\w+)\]/g))
          if (!metric!.includes(":") && metric !== "ALERTS")
            expect(secondsOf(range!)).toBeGreaterThanOrEqual(200);
        if (before.for !== undefined) expect(secondsOf(rule.for!)).toBe(secondsOf(before.for) + 100);
        if (rule.alert === undefined) continue;
        expect(rule.annotations!.runbook_url).toBe(`https://wiki.example/${rule.alert}?from=alert`);
        expect(rule.annotations!.dashboard_url).toMatch(/^https:\/\/grafana\.example\/d\/queuescope-/);
      }
    }
    const text = JSON.stringify(groups);
    for (const [i, { name, places }] of THRESHOLDS.entries())
      expect(text.split(`${7000 + i}.5`).length - 1, name).toBeGreaterThanOrEqual(places.length);
    const absent = groups.find(({ name }) => name === "queuescope-expected-jobs")!.rules;
    expect(absent.map(({ expr }) => selectorsOf(expr)[0]!.matchers.filter(({ op }) => op === "="))).toEqual([
      [
        { label: "job", op: "=", value: "worker" },
        { label: "namespace", op: "=", value: "shop" },
      ],
      [{ label: "job", op: "=", value: "api" }],
    ]);
  },
);

itWith("jsonnet")("selects in dashboards, too, and tells them how often is scraped", async ({ paths }) => {
  const dashboard = JSON.stringify(
    await rendered(
      paths.jsonnet,
      `{ selector: 'cluster="a"', scrape_interval: '30s', dashboard_tags: ['x'] }`,
      "m.grafanaDashboards['queuescope-sla.json']",
    ),
  );
  const targets: { expr: string; interval?: string }[] = [];
  JSON.parse(dashboard, (_, value) => {
    if (value?.expr !== undefined && value.refId !== undefined) targets.push(value);
    return value;
  });
  expect(targets.length).toBeGreaterThan(10);
  for (const { expr, interval } of targets) {
    expect(interval).toBe("30s");
    for (const { metric, matchers } of selectorsOf(expr))
      expect(matchers.filter(({ label, op }) => label === "cluster" && op === "=").length, expr).toBe(
        metric === "ALERTS" ? 0 : 1,
      );
  }
  expect(dashboard).toContain('label_values(queue_enqueued_total{cluster=\\"a\\"}, cluster)');
  expect(JSON.parse(dashboard).tags).toEqual(["x"]);
});

itWith("jsonnet")("refuses what it doesn't know, saying what is allowed", async ({ paths }) => {
  const refused = {
    "{ thresholds+: { oldest_item: 3 } }": "_config.thresholds has no oldest_item",
    "{ selector: '{job=\"a\"}' }": "_config.selector must be matchers without braces",
    "{ scrape_interval: '5m' }": "_config.scrape_interval must be from 1s to 2m",
    "{ scrape_interval: '15' }": "_config.scrape_interval must be a number of s or m",
  };
  for (const [config, why] of Object.entries(refused))
    await expect(rendered(paths.jsonnet, config, RULES)).rejects.toThrow(why);
});

itWith("jsonnet")("the example in docs/kubernetes.md gives files", async ({ paths, lifetime }) => {
  const page = readFileSync("docs/kubernetes.md", "utf8");
  const blocks = [...page.matchAll(/```jsonnet\n(.*?)```/gs)].map(([, code]) => code!);
  expect(blocks).toHaveLength(1);
  const file = join(temporaryFolder(lifetime), "mixin.jsonnet");
  // Without the dashboards, which take seconds, and are rendered above.
  writeFileSync(file, blocks[0]!.replace(" + queuescope.grafanaDashboards", ""));
  const { stdout } = await run(paths.jsonnet, ["-J", ".", file], { maxBuffer: 1e8 });
  expect(Object.keys(JSON.parse(stdout))).toEqual(["alerts.json", "rules.json"]);
  expect(stdout).toContain(
    'absent(up{job=\\"order-worker\\", namespace=\\"shop\\", namespace=~\\"shop|billing\\"})',
  );
});

itWith("promtool")("KEDA gets the number of pods that are wanted", async ({ paths, lifetime }) => {
  const labels = 'namespace="shop",queue_name="orders"';
  const shared = (job: string) => `queue_depth{job="${job}",queue_scope="shared",${labels}}`;
  const at = (pods: number | undefined, series: Record<string, string>) => ({
    interval: "15s",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: QUERY,
        eval_time: "10m",
        exp_samples: pods === undefined ? [] : [{ labels: "{}", value: pods }],
      },
    ],
  });
  // 40 a second.
  const coming = { [`queue_enqueued_total{${labels}}`]: "0+600x40" };
  const takes = { [`queue:shared_process_seconds:mean1d{${labels}}`]: "0.4x40" };
  const file = join(temporaryFolder(lifetime), "keda.json");
  writeFileSync(
    file,
    JSON.stringify({
      tests: [
        // Both processes tell the same figure.
        at(4, { [shared("api")]: "2400x40", [shared("worker")]: "2400x40", ...coming, ...takes }),
        at(2, { [shared("api")]: "0x40", ...coming, ...takes }),
        at(0, { [shared("api")]: "0x40", ...takes }),
        // Nothing was ever done: a second is assumed. After a day without work the mean is none.
        at(10, { [shared("api")]: "4800x40" }),
        at(10, {
          [shared("api")]: "4800x40",
          [`queue:shared_process_seconds:mean1d{${labels}}`]: "NaN ".repeat(41),
        }),
        // Other queues, and this one in other namespaces.
        at(0, {
          [shared("api")]: "0x40",
          'queue_depth{queue_scope="shared",namespace="test",queue_name="orders"}': "900x40",
        }),
        // What is told by no one isn't 0.
        at(undefined, { ...coming, ...takes }),
      ],
    }),
  );
  await run(paths.promtool, ["test", "rules", file]);
});
