import { describe, expect, it } from "vitest";
import { filledIn, labelsOf, problemsOf, selectorsOf } from "./promql.js";

describe("problemsOf", () => {
  it.each([
    "queue_depth",
    "sum by (queue_name) (queue_depth) / sum by (queue_name) (queue_capacity)",
    "queue_oldest_age_seconds / ignoring (queue_scope) group_left () queue_sla_target_seconds",
    `sum by (queue_name) (rate(queue_enqueued_total{job=~"$job",queue_name=~"\${queue:regex}"}[$__rate_interval]))`,
    "histogram_quantile(0.99, sum by (le, queue_tier) (rate(queue_wait_seconds_bucket[5m] offset 1h)))",
    "sum(rate(queue_wait_seconds_sum[5m])) / sum(rate(queue_wait_seconds_count[5m]))",
    "sum without (instance) (queue_inflight) > 0",
    "queue_depth * on (job, queue_name) group_left () queue_capacity",
    "queue_depth unless on (queue_name, queue_tier) queue_sla_target_seconds",
    'queue_oldest_age_seconds{queue_scope=""} / queue_sla_target_seconds',
    'max by (queue_name) (queue_depth{queue_scope="shared"}) or sum by (job, queue_name) (queue_depth{queue_scope=""})',
    "time() - max by (instance) (queue_watchdog_last_run_timestamp_seconds)",
    "topk by (queue_name) (5, queue_depth) or vector(0)",
    "max_over_time(sum(rate(queue_dropped_total[5m]))[1h:1m])",
    'ALERTS{alertstate="firing",severity="critical",queue_name=~".+"}',
    'label_replace(up, "replica", "$1", "instance", "(.*):.*")',
    "predict_linear(queue_depth[15m], 3600)",
    "-absent(up == 1)",
  ])("finds nothing wrong with %s", (expr) => {
    expect(problemsOf(expr)).toEqual([]);
  });

  it.each([
    ["a metric that there isn't", "queue_dept", "queue_dept is no metric"],
    ["a counter without its suffix", "rate(queue_enqueued[5m])", "there is queue_enqueued_total"],
    ["a gauge with a counter's suffix", "queue_depth_total", "there is queue_depth"],
    ["a histogram without a suffix", "queue_wait_seconds", "there is queue_wait_seconds_bucket"],
    ["a label in a matcher", 'queue_inflight{queue_tier="vip"}', "queue_inflight has no label queue_tier"],
    ["a label in by", "sum by (tier) (queue_depth)", "queue_depth has no label tier"],
    ["a label in without", "sum without (queue_side) (queue_depth)", "no label queue_side"],
    [
      "a label in on",
      "queue_depth / on (queue_tier) queue_capacity",
      "queue_capacity has no label queue_tier",
    ],
    ["a label in ignoring", "queue_depth / ignoring (le) queue_depth", "has no label le"],
    [
      "a label in group_left",
      "queue_depth * on (job) group_left (queue_tier) queue_capacity",
      "no label queue_tier",
    ],
    [
      "a label that was aggregated away",
      "sum by (queue_tier) (sum by (queue_name) (queue_depth))",
      "queue_tier",
    ],
    ["a value that a label never has", 'queue_waiters{queue_side="out"}', 'queue_side is never "out"'],
    ["one of several such values", 'queue_workers{queue_state=~"idle|busy"}', 'queue_state is never "busy"'],
    [
      "what is a broker's against what is not",
      "queue_depth / queue_sla_target_seconds",
      "only one side has queue_scope",
    ],
    ["le on a counter", "sum by (le) (rate(queue_completed_total[5m]))", "has no label le"],
    [
      "a quantile without le",
      "histogram_quantile(0.9, sum(rate(queue_wait_seconds_count[5m])))",
      "no label le",
    ],
    ["buckets that are added up", "sum(rate(queue_wait_seconds_bucket[5m]))", "adds up buckets"],
    ["a bucket selected by le", 'queue_wait_seconds_bucket{le="1"}', "selected by le"],
    ["the rate of a gauge", "rate(queue_depth[5m])", "rate is for counters"],
    ["the trend of a counter", "deriv(queue_enqueued_total[5m])", "deriv is for gauges"],
    ["operands that never match", "sum by (queue_name) (queue_depth) / queue_capacity", "never matches"],
    ["the source of label_replace", 'label_replace(up, "a", "$1", "b", "(.*)")', "up has no label b"],
    ["what doesn't parse", "sum by (queue_name) (queue_depth", "doesn't parse"],
    ["nothing at all", "", "doesn't parse"],
  ])("finds %s", (_what, expr, problem) => {
    expect(problemsOf(expr).join("\n")).toContain(problem);
  });

  it("knows what recording rules add", () => {
    const labels = ["job", "queue_name"];
    const recorded = new Map([["queue:put_latency_p99:5m", { kind: "gauge", labels } as const]]);
    expect(problemsOf("queue:put_latency_p99:5m > 1")).not.toEqual([]);
    expect(problemsOf("queue:put_latency_p99:5m > 1", recorded)).toEqual([]);
    expect(problemsOf("sum by (queue_tier) (queue:put_latency_p99:5m)", recorded)).not.toEqual([]);
  });
});

describe("labelsOf", () => {
  it.each([
    ["sum(queue_depth)", []],
    ["sum by (queue_name) (queue_depth)", ["queue_name"]],
    [
      "sum by (job, queue_name) (queue_depth) > on (queue_name) group_left () max by (queue_name) (queue_capacity)",
      ["job", "queue_name"],
    ],
    [
      "histogram_quantile(0.5, sum by (le, queue_tier) (rate(queue_wait_seconds_bucket[5m])))",
      ["queue_tier"],
    ],
    ["1 - sum by (queue_name) (queue_inflight)", ["queue_name"]],
    ['count_values by (job) ("depth", queue_depth)', ["job", "depth"]],
    ['absent(up{job="shop"})', ["job"]],
    ["time()", []],
  ])("of %s", (expr, labels) => {
    expect(labelsOf(expr)).toEqual(labels);
  });
});

describe("selectorsOf", () => {
  it("gives each selector, with variables filled in and without its range", () => {
    const found = selectorsOf(
      'rate(queue_dequeued_total{job=~"$job"}[$__rate_interval]) > {__name__="queue_depth"}',
    );
    expect(found.map(({ metric }) => metric)).toEqual(["queue_dequeued_total", "queue_depth"]);
    expect(found[0]).toMatchObject({
      text: 'queue_dequeued_total{job=~"any"}',
      matchers: [{ label: "job", op: "=~", value: "any" }],
    });
  });

  it("leaves the groups of label_replace alone", () => {
    expect(filledIn('label_replace(up{job="$job"}, "a", "$1", "job", "(.*)")')).toBe(
      'label_replace(up{job="any"}, "a", "$1", "job", "(.*)")',
    );
  });
});
