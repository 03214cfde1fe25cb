import { OF_CHOSEN } from "./annotations.js";
import { causes } from "./causes.js";
import { courses } from "./courses.js";
import type { Contents } from "./finish.js";
import { column, dashboardLink, label, runbookLink, sharedLink, tracesLink } from "./links.js";
import { topFailing } from "./panels/failures.js";
import { figure } from "./panels/figure.js";
import { graph } from "./panels/graph.js";
import { SLA_LIMITS, UNITS } from "./panels/panel.js";
import { table } from "./panels/table.js";
import {
  anywhere,
  capacityUsed,
  greatest,
  inRange,
  local,
  max,
  most,
  PER_QUEUE,
  PER_TIER,
  QUEUE_LEGEND,
  rate,
  SHARED_LEGEND,
  shared,
  sharedSlaUsed,
  slaUsed,
  slaUsedAnywhere,
  sum,
  TIER,
  total,
} from "./promql.js";

const toShared = [sharedLink("queue", label("queue_name"))];
const toQueue = dashboardLink("queue", label("job"), label("queue_name"));
const SEVERITIES = { critical: "red", warning: "orange" } as const;

/** Which queue needs attention, and why. */
export const overview: Contents = {
  name: "overview",
  description: "Which queue is worst now, and what kind of trouble it is in. Start here.",
  from: "now-1h",
  rows: [
    [
      "Now",
      figure({
        title: "SLA used, worst",
        description:
          "Is any item late? Age of the oldest item as a share of what its SLA allows, of the worst queue and tier. Above 100 % an item has waited too long: the table below says where. Queues without an SLA are left out.",
        unit: UNITS.share,
        width: 4,
        expr: greatest(slaUsedAnywhere()),
        legend: "{{queue_name}} {{queue_tier}}",
        limits: SLA_LIMITS,
        decimals: 0,
        none: "no SLA",
      }),
      figure({
        title: "Waiting",
        description:
          "How much work is queued, in all chosen queues together? Judge it by the rates: what matters is how long it takes.",
        unit: UNITS.items,
        width: 4,
        expr: total({ metric: "queue_depth", where: TIER }),
      }),
      figure({
        title: "In",
        description:
          "How many items come, per second? If it is greater than Out for long, the backlog grows, or items are dropped.",
        unit: UNITS.rate,
        width: 4,
        expr: rate({ metric: "queue_enqueued_total", where: TIER }),
        decimals: 1,
      }),
      figure({
        title: "Out",
        description:
          "How many items are taken, per second? 0 while items wait: there is no consumer. See Workers.",
        unit: UNITS.rate,
        width: 4,
        expr: rate({ metric: "queue_dequeued_total", where: TIER }),
        decimals: 1,
      }),
      figure({
        title: "Dropped",
        description:
          "How many items were refused or lost in this time range? By reason in Queue: rejected and evicted mean too little capacity, expired too little speed.",
        unit: UNITS.items,
        width: 4,
        expr: inRange({ metric: "queue_dropped_total", where: TIER }),
        limits: [[1, "red"]],
        decimals: 0,
      }),
      figure({
        title: "Firing alerts",
        description:
          "How many alerts fire for the chosen queues, by severity? They are listed below. Needs the alert rules in Prometheus.",
        unit: UNITS.items,
        width: 4,
        expr: `count by (severity) (ALERTS{alertstate="firing",${OF_CHOSEN}})`,
        legend: "{{severity}}",
        colors: SEVERITIES,
        noneColor: "green",
      }),
    ],
    [
      "Which queue is worst now",
      table({
        title: "Queues, the worst first",
        description:
          "Which queue and tier uses most of its SLA, and is it because much comes, little goes, or both? Click a queue to see it alone. A queue of a broker has a row without a service, for what the broker tells, and one for each service that sends or takes.",
        unit: UNITS.items,
        width: 24,
        height: 9,
        labels: { job: "Service", queue_name: "Queue", queue_tier: "Tier" },
        columns: [
          { name: "SLA used", expr: slaUsedAnywhere(), unit: UNITS.share, decimals: 0, limits: SLA_LIMITS },
          {
            name: "Oldest",
            expr: anywhere(max, "queue_oldest_age_seconds"),
            unit: UNITS.seconds,
            decimals: 1,
          },
          {
            name: "Waiting",
            expr: anywhere(sum, "queue_depth"),
            unit: UNITS.items,
          },
          {
            name: "In",
            expr: rate({ metric: "queue_enqueued_total", where: TIER, per: PER_TIER }),
            unit: UNITS.rate,
            decimals: 1,
          },
          {
            name: "Out",
            expr: rate({ metric: "queue_dequeued_total", where: TIER, per: PER_TIER }),
            unit: UNITS.rate,
            decimals: 1,
          },
          {
            name: "Dropped",
            expr: inRange({ metric: "queue_dropped_total", where: TIER, per: PER_TIER }),
            unit: UNITS.items,
            decimals: 0,
            limits: [[1, "red"]],
          },
        ],
        sortBy: "SLA used",
        none: "no queue",
        cellLinks: { Queue: [sharedLink("queue", column("Queue"))] },
      }),
      courses(24),
    ],
    [
      "Alerts and causes",
      table({
        title: "Firing alerts",
        description:
          "What has been found to be wrong? Critical ones first. Each alert's runbook says what it means and what to do. Needs the alert rules in Prometheus.",
        unit: UNITS.items,
        width: 24,
        labels: {
          severity: "Severity",
          alertname: "Alert",
          job: "Service",
          queue_name: "Queue",
          queue_tier: "Tier",
        },
        widths: { Severity: 76, Alert: 210, Tier: 76 },
        columns: [
          {
            name: "Firing",
            expr: `sum by (severity, alertname, ${PER_TIER}) (ALERTS{alertstate="firing",${OF_CHOSEN}})`,
            unit: UNITS.items,
          },
        ],
        sortBy: "Severity",
        smallestFirst: true,
        cellColors: { Severity: SEVERITIES },
        cellLinks: {
          Alert: [runbookLink(column("Alert"))],
          Queue: [sharedLink("queue", column("Queue"))],
        },
        none: "no alert fires",
      }),
      causes(12),
      topFailing(12),
    ],
    [
      "SLA and capacity",
      graph({
        title: "SLA used",
        description:
          "Since when is a queue late, and is it getting better? The age of its oldest item as a share of its SLA target; from the line on an item is late, and the axis is logarithmic.",
        unit: UNITS.share,
        width: 12,
        queries: [
          { expr: most(slaUsed(PER_QUEUE)), legend: QUEUE_LEGEND },
          { expr: most(sharedSlaUsed()), legend: SHARED_LEGEND, links: toShared },
        ],
        limits: [[1, "red"]],
        logarithmicFrom: 1,
        links: [toQueue, tracesLink("Traces of this queue", 'span.messaging.operation.name = "process"')],
      }),
      graph({
        title: "Capacity used",
        description:
          "Will producers be blocked or refused soon? Of each queue, the fullest process. From the line on the queue is nearly full: speed up consumers, slow down producers, or allow more. Unbounded queues are left out.",
        unit: UNITS.share,
        width: 12,
        queries: [{ expr: most(capacityUsed()), legend: QUEUE_LEGEND }],
        limits: [[0.9, "red"]],
        links: [toQueue],
      }),
    ],
    [
      "Load",
      graph({
        title: "Waiting",
        description:
          "Where does work pile up? A line that only rises is a consumer that is too slow, or gone.",
        unit: UNITS.items,
        width: 12,
        queries: [
          {
            expr: most(sum(local({ metric: "queue_depth", where: TIER, per: PER_QUEUE }))),
            legend: QUEUE_LEGEND,
          },
          { expr: most(shared("queue_depth")), legend: SHARED_LEGEND, links: toShared },
        ],
        links: [toQueue],
      }),
      graph({
        title: "Dropped",
        description: "Since when are items refused or lost? It should be 0. By reason in Queue.",
        unit: UNITS.rate,
        width: 12,
        queries: [
          {
            expr: most(rate({ metric: "queue_dropped_total", where: TIER, per: PER_QUEUE })),
            legend: QUEUE_LEGEND,
          },
        ],
        links: [
          toQueue,
          tracesLink("Failed puts", "status = error", 'span.messaging.operation.name = "send"'),
        ],
      }),
      graph({
        title: "In",
        description:
          "Who gets more than usual? Compare with Out beside it: a burst is here, a slow consumer isn't.",
        unit: UNITS.rate,
        width: 12,
        queries: [
          {
            expr: most(rate({ metric: "queue_enqueued_total", where: TIER, per: PER_QUEUE })),
            legend: QUEUE_LEGEND,
          },
        ],
        links: [toQueue],
      }),
      graph({
        title: "Out",
        description: "Whose consumers have become slower, or stopped? 0 while items wait: see Workers.",
        unit: UNITS.rate,
        width: 12,
        queries: [
          {
            expr: most(rate({ metric: "queue_dequeued_total", where: TIER, per: PER_QUEUE })),
            legend: QUEUE_LEGEND,
          },
        ],
        links: [dashboardLink("workers", label("job"), label("queue_name"))],
      }),
    ],
  ],
};
