import { causes } from "./causes.js";
import type { Contents } from "./finish.js";
import { column, dashboardLink, label, tracesLink } from "./links.js";
import { figure } from "./panels/figure.js";
import { type GraphOptions, graph } from "./panels/graph.js";
import { UNITS } from "./panels/panel.js";
import { table } from "./panels/table.js";
import { timeline } from "./panels/timeline.js";
import {
  greatest,
  inRange,
  least,
  max,
  most,
  PER_PROCESS,
  PER_QUEUE,
  PER_TIER,
  PROCESS,
  PROCESS_LEGEND,
  QUEUE,
  QUEUE_LEGEND,
  rate,
  ratio,
  TIER,
  TIER_LEGEND,
} from "./promql.js";

const toQueue = dashboardLink("queue", label("job"), label("queue_name"));
const late = tracesLink("Traces of this queue", 'span.messaging.operation.name = "process"');
const BURN_LIMITS = [
  [1, "yellow"],
  [6, "orange"],
  [14.4, "red"],
] as const;
const BUDGET_LIMITS = [
  [null, "red"],
  [0, "orange"],
  [0.2, "green"],
] as const;
/** The job is left out: there is little room beside a figure. */
const WHOSE = "{{queue_name}} {{queue_tier}}";
const HEARTBEAT = `time() - max by (${PER_PROCESS}) (queue_watchdog_last_run_timestamp_seconds{${PROCESS}})`;

const BURNS = {
  "5m": "Is it still going on? The budget's burn over five minutes: it ends soon after the trouble does. The lines are 1x, 6x and 14.4x, at which alerts fire.",
  "1h": "Is it bad enough to get up for? From 14.4x on, in the last five minutes and in the last hour, an alert pages.",
  "6h": "Is it a slow leak? From 6x on, in the last half hour and in the last six, an alert pages.",
} as const;

/** Whether promises are kept, what broke them, and whether that can be believed. */
export const sla: Contents = {
  name: "sla",
  description:
    "Whether the SLAs are met, how fast the error budgets burn, what the watchdog found to be the cause, and whether it still looks.",
  from: "now-24h",
  rows: [
    [
      "Now",
      figure({
        title: "Met, worst tier",
        description:
          "Which share of the items met its SLA in this time range? The worst of the chosen queues and tiers. Compare with its objective below.",
        unit: UNITS.share,
        width: 4,
        expr: least(ratio(met("increase", "$__range"), all("increase", "$__range"))),
        legend: WHOSE,
        decimals: 3,
        none: "no SLA",
      }),
      figure({
        title: "Error budget left, least",
        description:
          "How many more items may be late? 100 % is the whole budget of this time range, 0 % is none, below that the objective is missed. Choose the range that your objective is for.",
        unit: UNITS.share,
        width: 4,
        expr: least(budgetLeft()),
        legend: WHOSE,
        limits: BUDGET_LIMITS,
        decimals: 1,
        none: "no SLA",
      }),
      figure({
        title: "Burn, 1 h, worst",
        description:
          "How fast is the budget spent? At 1x it lasts as long as the objective's period; at 14.4x, a fiftieth of a month's is gone in an hour: that pages.",
        unit: UNITS.times,
        width: 4,
        expr: greatest(burn("1h")),
        legend: WHOSE,
        limits: BURN_LIMITS,
        decimals: 1,
        none: "no SLA",
      }),
      figure({
        title: "Breaches",
        description:
          "How often did the watchdog find an item too late, in this time range? The causes are below.",
        unit: UNITS.items,
        width: 4,
        expr: inRange({ metric: "queue_sla_breaches_total", where: TIER }),
        limits: [[1, "orange"]],
        decimals: 0,
        none: "no SLA is watched",
      }),
      figure({
        title: "Watchdog's last look, oldest",
        description:
          "Does every watchdog still look? More than some seconds: its event loop is blocked, it was stopped, or its process is gone.",
        unit: UNITS.seconds,
        width: 4,
        expr: greatest(HEARTBEAT),
        legend: PROCESS_LEGEND,
        limits: [
          [30, "orange"],
          [60, "red"],
        ],
        decimals: 0,
        none: "no watchdog",
      }),
      figure({
        title: "Processes that don't answer",
        description: "How many scrapes fail now? What such a process holds isn't in any figure here.",
        unit: UNITS.items,
        width: 4,
        expr: `count(up{${PROCESS}}) - sum(up{${PROCESS}})`,
        limits: [[1, "red"]],
        none: "nothing is scraped",
      }),
    ],
    [
      "Error budget",
      table({
        title: "Error budget left",
        description:
          "Which tier has spent most of what it may miss? Over the time range of this dashboard; tiers without an item in it are left out. A budget below 0 % is a missed objective: no risks here, until it has recovered.",
        unit: UNITS.items,
        width: 14,
        labels: { job: "Service", queue_name: "Queue", queue_tier: "Tier" },
        widths: { Tier: 76 },
        columns: [
          { name: "Budget left", expr: budgetLeft(), unit: UNITS.share, decimals: 1, limits: BUDGET_LIMITS },
          {
            name: "Met",
            expr: ratio(met("increase", "$__range"), all("increase", "$__range")),
            unit: UNITS.share,
            decimals: 3,
          },
          {
            name: "Objective",
            expr: judged(max({ metric: "queue_sla_objective_ratio", where: TIER, per: PER_TIER })),
            unit: UNITS.share,
            decimals: 3,
          },
          {
            name: "Target",
            expr: judged(max({ metric: "queue_sla_target_seconds", where: TIER, per: PER_TIER })),
            unit: UNITS.seconds,
          },
        ],
        sortBy: "Budget left",
        smallestFirst: true,
        cellLinks: { Queue: [dashboardLink("queue", column("Service"), column("Queue"))] },
        none: "no SLA",
      }),
      graph({
        title: "Met and missed",
        description:
          "When were items late? Judged exactly, at the first get; evicted and expired items have missed. Completion missed: they weren't settled in the time that the SLA gives for all of their way (completeMs).",
        unit: UNITS.rate,
        width: 10,
        stacked: true,
        queries: [
          {
            expr: most(
              rate({ metric: "queue_sla_items_total", where: TIER, per: `${PER_TIER}, queue_result` }),
            ),
            legend: `{{queue_result}} ${TIER_LEGEND}`,
          },
          {
            expr: rate({
              metric: "queue_sla_completions_total",
              where: `${TIER},queue_result="missed"`,
              per: PER_TIER,
            }),
            legend: `completion missed ${TIER_LEGEND}`,
          },
        ],
        colors: { met: "green", missed: "red" },
        links: [toQueue, late],
      }),
      ...(["5m", "1h", "6h"] as const).map((window) =>
        graph({
          title: `Burn, ${window}`,
          description: BURNS[window],
          unit: UNITS.times,
          width: 8,
          queries: [{ expr: most(burn(window)), legend: TIER_LEGEND }],
          limits: BURN_LIMITS,
          links: [toQueue, late],
        }),
      ),
    ],
    [
      "Breaches",
      graph({
        title: "Breaches, by verdict",
        description:
          "What broke the promise, and when? The verdict is what the watchdog found to be the most likely cause; its report names the evidence.",
        unit: UNITS.items,
        width: 12,
        bars: true,
        decimals: 0,
        none: "no breach",
        stacked: true,
        queries: [
          {
            // Without those at 0: there is one for each verdict and each tier with an SLA.
            expr: `sum by (${PER_QUEUE}, queue_verdict) (increase(queue_sla_breaches_total{${TIER}}[$__rate_interval])) > 0`,
            legend: `{{queue_verdict}} ${QUEUE_LEGEND}`,
          },
        ],
        links: [toQueue, late],
      }),
      causes(12),
    ],
    [
      "Watchdog and telemetry",
      graph({
        title: "Watchdog's heartbeat",
        description:
          "Since when doesn't it look any more? Seconds since its last look, by process. A line that rises as time does: it is dead, or its event loop is blocked; see Runtime.",
        unit: UNITS.seconds,
        width: 12,
        queries: [{ expr: HEARTBEAT, legend: PROCESS_LEGEND }],
        limits: [[60, "red"]],
        links: [dashboardLink("runtime", label("job"))],
      }),
      timeline({
        title: "Scrapes",
        description:
          "When was nothing known of a process? It was down, or too busy to answer. A process that is no longer looked for has no line at all.",
        unit: UNITS.word,
        width: 12,
        queries: [{ expr: max({ metric: "up", where: PROCESS, per: PER_PROCESS }), legend: PROCESS_LEGEND }],
        states: { 0: { text: "no answer", color: "red" }, 1: { text: "up", color: "green" } },
      }),
      graph({
        title: "Processes that tell of a queue",
        description:
          "Is a queue's telemetry complete? A step down is a process that is gone, or no longer tells of this queue; a gap is one of all of them.",
        unit: UNITS.items,
        width: 12,
        decimals: 0,
        queries: [
          {
            expr: most(`count by (${PER_QUEUE}) (count by (${PER_QUEUE}, instance) (queue_depth{${QUEUE}}))`),
            legend: QUEUE_LEGEND,
          },
        ],
      }),
      graph({
        title: "Telemetry that went wrong",
        description:
          "Can the rest be believed? errors: exceptions of hooks and callbacks that were contained. lost context: items without the trace of their producer. Both should be 0; the process's log says more.",
        unit: UNITS.rate,
        width: 12,
        queries: [
          {
            expr: rate({ metric: "queue_telemetry_errors_total", where: QUEUE, per: PER_QUEUE }),
            legend: `errors ${QUEUE_LEGEND}`,
          },
          {
            expr: rate({
              metric: "queue_context_lost_total",
              where: QUEUE,
              per: `${PER_QUEUE}, queue_where`,
            }),
            legend: `lost context at {{queue_where}} ${QUEUE_LEGEND}`,
          },
        ],
      }),
    ],
  ],
  closed: [
    "The last seven days",
    graph({
      title: "Met, by day",
      description:
        "Is it getting better or worse from day to day? At each point the share of the 24 hours before it that met the SLA, of each tier. Dashed is its objective: below it, more was late than was promised.",
      unit: UNITS.share,
      width: 24,
      from: "7d",
      // Each point reads a day of raw samples of every process: hourly ones would read all of them 24 times.
      step: "6h",
      queries: [{ expr: ratio(met("increase", "1d"), all("increase", "1d")), legend: TIER_LEGEND }],
      against: [
        {
          expr: max({ metric: "queue_sla_objective_ratio", where: TIER, per: PER_TIER }),
          legend: `objective ${TIER_LEGEND}`,
        },
      ],
      links: [toQueue],
    }),
    byHour({
      title: "Items, by hour",
      description:
        "When does work come, and is this hour like that of yesterday? Capacity is for the highest bars; what is planned for later can wait for the gaps.",
      queries: [{ expr: most(hourly("queue_enqueued_total")), legend: QUEUE_LEGEND }],
    }),
    byHour({
      title: "Breaches, by hour",
      description:
        "When do promises break, and is there a pattern? Each night: a batch. Each release: what it brings. Zoom in on one, and the verdicts above say why.",
      none: "no breach",
      queries: [{ expr: `${hourly("queue_sla_breaches_total")} > 0`, legend: QUEUE_LEGEND }],
    }),
  ],
};

/** Of a week, a bar an hour. */
function byHour(options: Pick<GraphOptions, "title" | "description" | "queries" | "none">) {
  return graph({
    unit: UNITS.items,
    width: 12,
    from: "7d",
    step: "1h",
    bars: true,
    stacked: true,
    decimals: 0,
    links: [toQueue],
    ...options,
  });
}

function hourly(counter: string): string {
  return `sum by (${PER_QUEUE}) (increase(${counter}{${TIER}}[1h]))`;
}

function all(how: "rate" | "increase", window: string): string {
  return `sum by (${PER_TIER}) (${how}(queue_sla_items_total{${TIER}}[${window}]))`;
}

/** Only of tiers that had an item in the time range: the others have no budget, and a table has what lacks a value above the least. */
function judged(expr: string): string {
  return `${expr} and ${all("increase", "$__range")} > 0`;
}

function met(how: "rate" | "increase", window: string): string {
  return `sum by (${PER_TIER}) (${how}(queue_sla_items_total{${TIER},queue_result="met"}[${window}]))`;
}

/** The share that missed, in multiples of what the objective lets miss. An objective of 100 % has no budget to burn. */
function burn(window: string): string {
  const missed = `sum by (${PER_TIER}) (rate(queue_sla_items_total{${TIER},queue_result="missed"}[${window}]))`;
  return `${ratio(missed, all("rate", window))} / ((1 - ${max({ metric: "queue_sla_objective_ratio", where: TIER, per: PER_TIER })}) > 0)`;
}

function budgetLeft(): string {
  return `1 - ${burn("$__range")}`;
}
