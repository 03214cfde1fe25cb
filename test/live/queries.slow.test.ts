import { expect } from "vitest";
import { type Asking, committed, NAMES, queriesOf } from "../grafana/dashboards.js";
import { type Selector, selectorsOf } from "../grafana/promql.js";
import { scrapeMs } from "./config.js";
import { choose, fillIn, ownValues } from "./grafana.js";
import type { Span } from "./prometheus.js";
import { itWith, lifetimeOfFile } from "./servers.js";
import { PROGRAMS, type Stack, startStack } from "./stack.js";
import { until } from "./until.js";

/** In how many scrapes' time panels look for a rate: Grafana's $__rate_interval. */
const RATE_SCRAPES = 4;

/** What happens to the demo, and what shows that it has happened. */
const EVENTS: readonly (readonly [fault: string, seen: string])[] = [
  ["burst", 'sum(queue_dropped_total{queue_reason="rejected"}) > 0'],
  ["failing-handler", "queue_dead_lettered_total > 0"],
  ["carrier-down", "queue_breaker_open == 1"],
  // A rate is told of no stall but the second, and only where two scrapes get through between blocks: in as long as the panels look at.
  ["blocked-loop", `rate(queue_eventloop_stall_seconds_count[${RATE_SCRAPES * scrapeMs()}ms]) > 0`],
  ["slow-consumer", "sum(queue_sla_breaches_total) > 0"],
  ["no-consumer", 'ALERTS{alertstate="firing",severity="critical"}'],
];
const POINTS = 120;
/** What lasts as long as a rate interval must be seen at one of the points. */
const LONGEST_STEP_S = (scrapeMs() * RATE_SCRAPES) / 2_000;

const live = itWith(...PROGRAMS);
const lifetime = lifetimeOfFile();
const from = Date.now() / 1_000;
let stack: Stack;

live(
  "everything happens to the demo that makes series",
  async ({ paths }) => {
    stack = await startStack({ paths, lifetime });
    await happens("sum(queue_completed_total) > 0");
    await stack.demo.crash();
    await happens('up{job="order-service"} == 0');
    await stack.demo.restart();
    for (const [fault, seen] of EVENTS) {
      await stack.demo.break(fault);
      await happens(seen);
      await stack.demo.mend(fault);
    }
  },
  { timeoutMs: 540_000 },
);

for (const name of NAMES) {
  live(
    `${name}: every variable, panel and annotation finds something, and so does each selector`,
    async () => {
      let problems: string[] = [];
      await until(
        () => `data:\n${problems.join("\n")}`,
        async () => {
          problems = await problemsOf(committed(name));
          return problems.length === 0 ? true : undefined;
        },
      );
    },
  );
}

live("what finds nothing is named, even if it doesn't show", async () => {
  const targets = [
    { refId: "A", expr: "sum(queue_nothing) or vector(0)" },
    { refId: "B", expr: 'sum(queue_depth{queue_name="$queue", queue_tier="gold"})' },
    { refId: "C", expr: "0 * queue_depth / 0" },
    { refId: "D", expr: "queue_depth" },
  ];
  const list = [{ name: "queue", type: "query", query: "label_values(queue_depth, queue_name)" }];
  const panels = [{ type: "stat", title: "Gold", targets }];
  expect(await problemsOf({ panels, templating: { list }, annotations: { list: [] } })).toEqual([
    "Gold A: no series: queue_nothing",
    'Gold B: no data: sum(queue_depth{queue_name="orders", queue_tier="gold"})',
    'Gold B: no series: queue_depth{queue_name="orders", queue_tier="gold"}',
    "Gold C: NaN everywhere: 0 * queue_depth / 0",
  ]);
});

async function happens(promql: string): Promise<void> {
  await stack.prometheus.until(promql, async () =>
    (await stack.prometheus.query(promql)).length > 0 ? true : undefined,
  );
}

/** Whether it is about what only brokers have: the demo has none. */
function isOfBroker({ metric, matchers }: Pick<Selector, "metric" | "matchers">): boolean {
  return (
    /^queue_(?:consumers|redelivered_total|settle_stale_total|negative_waits_total|clock_skew_seconds)$/.test(
      metric,
    ) || matchers.some(({ label, value }) => label === "queue_scope" && value === "shared")
  );
}

/** What found nothing, of all that has happened so far. */
async function problemsOf(dashboard: Asking): Promise<string[]> {
  const to = Date.now() / 1_000;
  const span = { from, to, stepSeconds: Math.min(LONGEST_STEP_S, (to - from) / POINTS) };
  const own = ownValues(span, scrapeMs());
  const { values, problems } = await choose(dashboard, stack.prometheus, span, own);
  for (const { where, expr } of queriesOf(dashboard)) {
    const found = await problemsOfQuery(fillIn(expr, values), span);
    problems.push(...found.map((problem) => `${where}: ${problem}`));
  }
  return problems;
}

async function problemsOfQuery(promql: string, span: Span): Promise<string[]> {
  if (promql === "") return ["asks nothing"];
  const selectors = selectorsOf(promql);
  // Of what only brokers have there is nothing, nor of what is asked of their queues alone; what takes either has what processes tell.
  const isOfBrokersAlone = !/ or /.test(promql) || / and \(max.*queue_scope="shared"[^"]*\)$/.test(promql);
  if (selectors.some(isOfBroker) && isOfBrokersAlone) return [];
  const series = await stack.prometheus.range(promql, span);
  const problems: string[] = [];
  if (series.length === 0) problems.push(`no data: ${promql}`);
  else if (series.flat().every(Number.isNaN)) problems.push(`NaN everywhere: ${promql}`);
  for (const { text } of selectors.filter((each) => !isOfBroker(each))) {
    if ((await stack.prometheus.countSeries(text, span)) === 0) problems.push(`no series: ${text}`);
  }
  return problems;
}
