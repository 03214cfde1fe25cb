import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { temporaryFolder } from "../live/server.js";
import { itWith } from "../live/servers.js";
import { committed, NAMES, queriesOf } from "./dashboards.js";
import { KNOWN_SERIES } from "./known-series.js";
import { filledIn, labelsOf } from "./promql.js";

/** Two services of two processes each, with two queues each; all four ask a broker for a third one, which all of them use. */
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
  queue_redelivered_total: `0+30x${MINUTES}`,
};

/** What the broker tells each of them. */
const TOLD: Readonly<Record<string, string>> = {
  queue_depth: `${100 - MINUTES}+1x${MINUTES}`,
  queue_oldest_age_seconds: `30x${MINUTES}`,
  queue_inflight: `7x${MINUTES}`,
  queue_delayed: `5x${MINUTES}`,
  queue_consumers: `4x${MINUTES}`,
};
/** What processes have themselves of such a queue; the counters of it only brokers' queues have. */
const OF_MAILS_TOO =
  /^queue_(?:inflight|enqueued_total|dequeued_total|completed_total|dead_lettered_total|sla_target_seconds)$/;
const OF_MAILS_ONLY =
  /^queue_(?:redelivered_total|settle_stale_total|negative_waits_total|clock_skew_seconds)$/;

const QUERIES = NAMES.flatMap((name) =>
  queriesOf(committed(name)).map(({ where, expr }) => ({ where: `${name}: ${where}`, expr })),
).map((query, i) => ({ ...query, record: `query:${i}` }));

const ofEachQueue = (queues: readonly string[]) =>
  VALUES.job!.flatMap((job) => queues.map((queue_name) => ({ job, queue_name })));
const ofEachTier = ofEachQueue(["orders"]).flatMap((labels) =>
  VALUES.queue_tier!.map((queue_tier) => ({ ...labels, queue_tier })),
);

const ofEachTierOfBoth = ofEachQueue(["orders", "letters"]).flatMap((labels) =>
  VALUES.queue_tier!.map((queue_tier) => ({ ...labels, queue_tier })),
);
const OF_MAILS = [{ queue_name: "mails" }];
const IN_THE_TABLE = { queue_name: "mails", queue_tier: "in the broker" };
/** Where every series needs all labels. */
const WITH_A_DASH = { job: "–", ...IN_THE_TABLE };

/** What some of them find: of which labels, and the figure. */
const FIGURES: readonly (readonly [
  where: string,
  of: readonly Record<string, string>[],
  figure: number,
  mails?: number,
  ofMails?: Record<string, string>,
])[] = [
  ["overview: Queues, the worst first A", ofEachTier, 2, 6],
  ["overview: Queues, the worst first B", ofEachTierOfBoth, 10, 30],
  ["overview: Queues, the worst first C", ofEachTierOfBoth, 2, 100],
  ["overview: How they got there, the oldest items first A", ofEachTierOfBoth, 10, 30, WITH_A_DASH],
  ["overview: How they got there, the oldest items first B", ofEachTier, 2, 6, WITH_A_DASH],
  ["overview: How they got there, the oldest items first C", ofEachTierOfBoth, 2, 100, WITH_A_DASH],
  ["overview: Capacity used A", ofEachQueue(["orders"]), 0.5],
  ["queue: Waiting, by tier C", ofEachQueue(["orders"]), 8],
  ["queue: Growth A", ofEachQueue(["orders", "letters"]), -0.133],
  ["workers: Utilisation A", [{}], 0.5],
  ["workers: Failure ratio A", [{}], 0.8],
  ["workers: Failure ratio A", ofEachQueue(["orders", "letters", "mails"]), 0.8],
  ["workers: Failure ratio B", ofEachQueue(["orders", "letters"]), 0.5],
  ["workers: Settled B", ofEachQueue(["orders", "letters", "mails"]), 6],
  ["sla: Burn, 1h A", ofEachTier, 50],
  ["sla: Error budget left A", ofEachTier, -49],
  ["sla: Processes that tell of a queue A", ofEachQueue(["orders", "letters", "mails"]), 2],
  // Four processes of two services were told of 100 that wait; what is in processes is 1 in each of 16.
  ["overview: Waiting A", [{}], 116],
  ["queue: Waiting A", [{}], 116],
  ["overview: Waiting B", OF_MAILS, 100],
  ["queue: Waiting, by tier A", ofEachTierOfBoth, 2],
  ["queue: Waiting, by tier B", OF_MAILS, 100],
  ["queue: Oldest item A", [{}], 30],
  ["queue: Oldest item against its SLA B", OF_MAILS, 30],
  ["queue: Growth B", OF_MAILS, 0.017],
  ["queue: Delayed A", ofEachQueue(["orders", "letters"]), 2],
  ["queue: Delayed B", OF_MAILS, 5],
  ["overview: SLA used B", OF_MAILS, 6],
  // Of the broker's queue 7, in all; of the others, 1 in each of 8.
  ["workers: In flight A", [{}], 15],
  ["workers: In flight A", ofEachQueue(["orders", "letters", "mails"]), 2],
  ["workers: In flight B", OF_MAILS, 7],
  ["workers: Consumers that the broker knows A", OF_MAILS, 4],
  ["workers: Queues in brokers, the latest first A", OF_MAILS, 6],
  ["workers: Queues in brokers, the latest first B", OF_MAILS, 30],
  ["workers: Queues in brokers, the latest first C", OF_MAILS, 100],
  ["workers: Queues in brokers, the latest first D", OF_MAILS, 7],
  ["workers: Queues in brokers, the latest first E", OF_MAILS, 5],
  ["workers: Queues in brokers, the latest first F", OF_MAILS, 4],
  // In 5 minutes, four processes of two services: half a second and three a second, each.
  ["workers: Queues in brokers, the latest first G", OF_MAILS, 600],
  ["workers: Queues in brokers, the latest first H", OF_MAILS, 3_600],
  ["workers: Waiting and in flight in the broker A", OF_MAILS, 100],
  ["workers: Waiting and in flight in the broker B", OF_MAILS, 7],
  ["workers: Oldest in the broker A", OF_MAILS, 30],
  ["workers: Oldest in the broker B", OF_MAILS, 5],
  ["workers: Redelivered A", ofEachQueue(["mails"]), 0.25],
];

itWith("promtool")(
  "every query finds something and figures are right, of several processes and of queues without an SLA or a bound",
  async ({ paths, lifetime }) => {
    const something = QUERIES.map(({ record }) => ({ expr: `absent(${record})`, exp_samples: [] }));
    const figures = FIGURES.map(([where, of, value, mails, ofMails = IN_THE_TABLE]) => ({
      // Floating point: 1 - 0.99 is not 0.01.
      expr: `round(${recordOf(where, Object.keys(of[0]!))}, 0.001)`,
      exp_samples: [
        ...of.map((labels) => ({ labels: selector("", labels), value })),
        ...(mails === undefined ? [] : [{ labels: selector("", ofMails), value: mails }]),
      ],
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
    expr: filledIn(expr.replaceAll(/\$(?:cluster|namespace|job|instance|queue|tier)\b/g, ".*")),
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
  return [...KNOWN_SERIES].flatMap(([name, { kind, labels }]) => [
    ...seriesOf(name, labels, localQueues(name), SOME[name] ?? (kind === "counter" ? COUNTER : GAUGE)),
    ...(name in TOLD ? toldSeries(name, labels, TOLD[name]!) : []),
  ]);
}

/** Those of processes. */
function seriesOf(name: string, labels: readonly string[], queues: readonly string[], values: string) {
  const local = labels.filter((label) => label !== "queue_scope" || name === "ALERTS");
  return everyCombination(local, { ...VALUES, queue_name: queues }).map((each) => ({
    series: selector(name, each),
    values,
  }));
}

function localQueues(name: string): readonly string[] {
  if (name === "queue_consumers") return [];
  if (OF_MAILS_ONLY.test(name)) return ["mails"];
  const queues = OF_ORDERS.test(name) ? ["orders"] : VALUES.queue_name!;
  return OF_MAILS_TOO.test(name) ? [...queues, "mails"] : queues;
}

/** Those of the broker, as each process is told them: with its first tier. */
function toldSeries(name: string, labels: readonly string[], values: string) {
  const told = { ...VALUES, queue_name: ["mails"], queue_scope: ["shared"], queue_tier: ["vip"] };
  return everyCombination(labels, told).map((each) => ({ series: selector(name, each), values }));
}

function everyCombination(
  labels: readonly string[],
  values: Readonly<Record<string, readonly string[]>>,
): Record<string, string>[] {
  return labels.reduce<Record<string, string>[]>(
    (all, label) =>
      all.flatMap((one) => (values[label] ?? [`some ${label}`]).map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

function selector(name: string, labels: Readonly<Record<string, string>>): string {
  const matchers = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${matchers.join(",")}}`;
}
