import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { itWith, temporaryFolder } from "../live/servers.js";
import { committed, NAMES, queriesOf } from "./dashboards.js";
import { KNOWN_SERIES } from "./known-series.js";
import { filledIn, labelsOf } from "./promql.js";

/** Two services of two processes each, with two queues each. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  job: ["shop", "mailer"],
  instance: ["a:9464", "b:9464"],
  queue_name: ["orders", "letters"],
  queue_tier: ["vip", "regular"],
  queue_outcome: ["success", "failure"],
  queue_reason: ["rejected", "expired"],
  queue_result: ["met", "missed"],
  queue_side: ["put", "get"],
  queue_state: ["idle", "processing", "backoff", "stalled", "stopped"],
  le: ["1", "+Inf"],
  nodejs_eventloop_state: ["active", "idle"],
  alertstate: ["firing"],
  severity: ["critical"],
};

/** Of one queue only: the other has neither an SLA nor a bound, nor a watchdog. */
const OF_ORDERS = /^queue_(?:sla_|capacity$)/;
const MINUTES = 20;
/** Each counter rises by one a second, and each gauge is 1, but for some. */
const COUNTER = `0+60x${MINUTES}`;
const GAUGE = `1x${MINUTES}`;
const SOME: Readonly<Record<string, string>> = {
  // Shortly before the end it begins again: a restart.
  queue_enqueued_total: `0+60x${MINUTES - 3} 0+60x1`,
  // Three a second: who leaves them out, or counts them as what they are not, gets another figure.
  queue_dead_lettered_total: `0+180x${MINUTES}`,
  // A backlog that shrinks, by other ways than counters of what comes and is taken would say, to 1.
  queue_depth: `${1 + 2 * MINUTES}-2x${MINUTES}`,
  queue_oldest_age_seconds: `10x${MINUTES}`,
  queue_sla_target_seconds: `5x${MINUTES}`,
  queue_sla_objective_ratio: `0.99x${MINUTES}`,
  queue_capacity: `4x${MINUTES}`,
};

const QUERIES = NAMES.flatMap((name) =>
  queriesOf(committed(name)).map(({ where, expr }) => ({ where: `${name}: ${where}`, expr })),
).map((query, i) => ({ ...query, record: `query:${i}` }));

const ofEachQueue = (queues: readonly string[]) =>
  VALUES.job!.flatMap((job) => queues.map((queue_name) => ({ job, queue_name })));
const ofEachTier = ofEachQueue(["orders"]).flatMap((labels) =>
  VALUES.queue_tier!.map((queue_tier) => ({ ...labels, queue_tier })),
);

/** What some of them find: of which labels, and the figure. */
const FIGURES: readonly (readonly [where: string, of: readonly Record<string, string>[], figure: number])[] =
  [
    ["overview: Queues, the worst first A", ofEachTier, 2],
    ["overview: Capacity used A", ofEachQueue(["orders"]), 0.5],
    ["queue: Waiting, by tier B", ofEachQueue(["orders"]), 8],
    ["queue: Growth A", ofEachQueue(["orders", "letters"]), -0.133],
    ["workers: Utilisation A", [{}], 0.5],
    ["workers: Failure ratio A", [{}], 0.8],
    ["workers: Failure ratio A", ofEachQueue(["orders", "letters"]), 0.8],
    ["workers: Failure ratio B", ofEachQueue(["orders", "letters"]), 0.5],
    ["workers: Settled B", ofEachQueue(["orders", "letters"]), 6],
    ["sla: Burn, 1h A", ofEachTier, 50],
    ["sla: Error budget left A", ofEachTier, -49],
    ["sla: Processes that tell of a queue A", ofEachQueue(["orders", "letters"]), 2],
  ];

itWith("promtool")(
  "every query finds something and figures are right, of several processes and of queues without an SLA or a bound",
  async ({ paths, lifetime }) => {
    const something = QUERIES.map(({ record }) => ({ expr: `absent(${record})`, exp_samples: [] }));
    const figures = FIGURES.map(([where, of, value]) => ({
      // Floating point: 1 - 0.99 is not 0.01.
      expr: `round(${recordOf(where, Object.keys(of[0]!))}, 0.001)`,
      exp_samples: of.map((labels) => ({ labels: selector("", labels), value })),
    }));
    const report = judge(paths.promtool, temporaryFolder(lifetime), [...something, ...figures]);
    expect(report).toMatch(/^Unit Testing:.*\n\s*SUCCESS\s*$/);
  },
);

/** The result of the query that keeps these labels: a figure and a graph may have the same title. */
function recordOf(where: string, labels: readonly string[]): string {
  return QUERIES.find((query) => query.where === where && labelsOf(query.expr).length === labels.length)!
    .record;
}

interface Expectation {
  readonly expr: string;
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
}

/** What promtool says of these expressions over the queries' results. */
function judge(promtool: string, folder: string, expected: readonly Expectation[]): string {
  const rules = QUERIES.map(({ record, expr }) => ({
    record,
    expr: filledIn(expr.replaceAll(/\$(?:job|queue|tier)\b/g, ".*")),
  }));
  writeFileSync(join(folder, "rules.json"), JSON.stringify({ groups: [{ name: "queries", rules }] }));
  const test = {
    interval: "1m",
    input_series: inputSeries(),
    promql_expr_test: expected.map((each) => ({ ...each, eval_time: `${MINUTES}m` })),
  };
  const file = join(folder, "test.json");
  writeFileSync(
    file,
    JSON.stringify({ rule_files: ["rules.json"], evaluation_interval: "1m", tests: [test] }),
  );
  try {
    return execFileSync(promtool, ["test", "rules", file], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    const text = `${stdout}${stderr}`;
    return text.replaceAll(/query:(\d+)/g, (_, i) => QUERIES[Number(i)]!.where);
  }
}

function inputSeries(): { series: string; values: string }[] {
  return [...KNOWN_SERIES].flatMap(([name, { kind, labels }]) => {
    const values = SOME[name] ?? (kind === "counter" ? COUNTER : GAUGE);
    return everyCombination(labels)
      .filter(({ queue_name }) => !OF_ORDERS.test(name) || queue_name === "orders")
      .map((each) => ({ series: selector(name, each), values }));
  });
}

function everyCombination(labels: readonly string[]): Record<string, string>[] {
  return labels.reduce<Record<string, string>[]>(
    (all, label) =>
      all.flatMap((one) => (VALUES[label] ?? [`some ${label}`]).map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

function selector(name: string, labels: Readonly<Record<string, string>>): string {
  const matchers = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${matchers.join(",")}}`;
}
