import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { fasterAlertmanager, fasterPrometheus, fasterPromql, fasterRules, milliseconds } from "./faster.js";

describe("faster PromQL", () => {
  const cases: [string, string][] = [
    ["rate(queue_enqueued_total[5m]) > 0.5", "rate(queue_enqueued_total[10000ms]) > 0.5"],
    ["sum(increase(a[1h30m])) / 300", "sum(increase(a[180000ms])) / 300"],
    ["a >= a offset 15m", "a >= a offset 30000ms"],
    ["a offset -5m", "a offset -10000ms"],
    ["max_over_time((a > 2)[1h:1m])", "max_over_time((a > 2)[120000ms:2000ms])"],
    ['a{b="c[5m]"} > 300', 'a{b="c[5m]"} > 300'],
    [
      "predict_linear(a[30m], 4 * 3600) > on (job) b",
      "predict_linear(a[60000ms], (4 * 3600) / 30) > on (job) b",
    ],
  ];
  it.each(cases)("%s", (expr, faster) => {
    expect(fasterPromql(expr, 500)).toBe(faster);
  });

  it("has ranges that hold four scrapes", () => {
    expect(fasterPromql("rate(a[30s]) - a offset 30s", 500)).toBe("rate(a[2000ms]) - a offset 1000ms");
    expect(fasterPromql("rate(a[2m])", 1_500)).toBe("rate(a[6000ms])");
  });

  it("doesn't guess what is no PromQL", () => {
    expect(() => fasterPromql("rate(a[5m]", 500)).toThrow("this is no PromQL: rate(a[5m]");
  });
});

it("rules are evaluated and held more often, and say the same", () => {
  const rule = { alert: "Full", expr: "a > 0.9", for: "5m", labels: { severity: "warning" } };
  const file = {
    groups: [{ name: "queue", interval: "30s", rules: [rule, { record: "a:5m", expr: "rate(b[5m])" }] }],
  };
  expect(fasterRules(file, 500)).toEqual({
    groups: [
      {
        name: "queue",
        interval: "1000ms",
        rules: [
          { ...rule, for: "10000ms" },
          { record: "a:5m", expr: "rate(b[10000ms])" },
        ],
      },
    ],
  });
});

it("Prometheus scrapes more often, and is as patient as it can be", () => {
  const config = {
    global: { scrape_interval: "15s", scrape_timeout: "10s", evaluation_interval: "1m", external_labels: {} },
    scrape_configs: [{ job_name: "a" }, { job_name: "b", scrape_interval: "30s" }],
  };
  expect(fasterPrometheus(config)).toEqual({
    global: {
      scrape_interval: "500ms",
      scrape_timeout: "500ms",
      evaluation_interval: "2000ms",
      external_labels: {},
    },
    scrape_configs: [{ job_name: "a" }, { job_name: "b", scrape_interval: "1000ms" }],
  });
});

it("Alertmanager waits less before a group's first, next and repeated message, in every route", () => {
  const route = {
    receiver: "a",
    group_wait: "30s",
    routes: [{ group_interval: "5m", repeat_interval: "4h", continue: true }],
  };
  expect(fasterAlertmanager({ global: { resolve_timeout: "5m" }, route, receivers: [] })).toEqual({
    global: { resolve_timeout: "10000ms" },
    route: {
      receiver: "a",
      group_wait: "1000ms",
      routes: [{ group_interval: "10000ms", repeat_interval: "480000ms", continue: true }],
    },
    receivers: [],
  });
});

it("durations are read as Prometheus writes them", () => {
  expect(["0", "250ms", "1m", "1h30m", "3d", "1w"].map(milliseconds)).toEqual([
    0, 250, 60_000, 5_400_000, 259_200_000, 604_800_000,
  ]);
  expect(() => milliseconds("5 minutes")).toThrow("this is no duration: 5 minutes");
});

describe("of the committed files, nothing else is changed", () => {
  const files: [string, (file: Record<string, unknown>) => unknown][] = [
    ["prometheus/prometheus.yml", fasterPrometheus],
    ["alertmanager/alertmanager.yml", fasterAlertmanager],
    ...readdirSync("grafana/rules")
      .filter((file) => file.endsWith(".yml"))
      .map((file) => [`rules/${file}`, (rules: Record<string, unknown>) => fasterRules(rules, 500)] as const),
  ].map(([file, faster]) => [file as string, faster as (file: Record<string, unknown>) => unknown]);

  it.each(files)("%s", (file, faster) => {
    const text = readFileSync(`grafana/${file}`, "utf8");
    expect(timeless(faster(parse(text)))).toEqual(timeless(parse(text)));
  });
});

/** Without any duration, and without what stands before and behind the horizon of `predict_linear`. */
function timeless(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value)
      .replaceAll(/(?<![\w.])(\d+(ms|[smhdwy]))+(?!\w)/g, "…")
      .replaceAll(/\(([^()]*|[^()]*\([^()]*\)[^()]*)\) \/ 30\)/g, "$1)"),
  );
}
