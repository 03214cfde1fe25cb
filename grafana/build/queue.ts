import type { Contents } from "./finish.js";
import { label, tracesLink, tracesOfChosen } from "./links.js";
import { failuresByKind } from "./panels/failures.js";
import { figure } from "./panels/figure.js";
import { graph } from "./panels/graph.js";
import { heatmap } from "./panels/heatmap.js";
import { SLA_LIMITS, UNITS } from "./panels/panel.js";
import {
  capacityUsed,
  greatest,
  growth,
  highest,
  inRange,
  local,
  max,
  most,
  PER_PROCESS,
  PER_QUEUE,
  PER_TIER,
  PROCESS_LEGEND,
  QUEUE,
  QUEUE_LEGEND,
  quantile,
  rate,
  ratio,
  SHARED_LEGEND,
  shared,
  sharedGrowth,
  slaUsedAnywhere,
  sum,
  TIER,
  TIER_LEGEND,
  total,
} from "./promql.js";

const PROCESS = 'span.messaging.operation.name = "process"';
const processed = tracesLink("Traces of this tier", PROCESS, `span.queue.tier = "${label("queue_tier")}"`);
const sent = tracesLink("Traces of the puts", 'span.messaging.operation.name = "send"');
const IN_PROCESS = { where: TIER, per: PER_PROCESS };
const TARGET = {
  expr: max({ metric: "queue_sla_target_seconds", where: TIER, per: PER_TIER }),
  legend: `SLA target ${TIER_LEGEND}`,
};

/** How long items wait, by tier, and what is in their way. */
export const queue: Contents = {
  name: "queue",
  description:
    "One queue, by tier: how long items wait, against what was promised, and whether they get in at all.",
  from: "now-1h",
  rows: [
    [
      "Now",
      figure({
        title: "SLA used, worst tier",
        description:
          "Is an item late? Age of the oldest item as a share of what its SLA allows. Above 100 % it has waited too long: the watchdog's verdict, in SLA and watchdog, says why.",
        unit: UNITS.share,
        width: 4,
        expr: greatest(slaUsedAnywhere()),
        legend: "{{queue_name}} {{queue_tier}}",
        limits: SLA_LIMITS,
        decimals: 0,
        none: "no SLA",
      }),
      figure({
        title: "Oldest item",
        description:
          "How long has the item waited that has waited longest? Planned delays and retries that aren't due don't count.",
        unit: UNITS.seconds,
        width: 4,
        expr: highest({ metric: "queue_oldest_age_seconds", where: TIER }),
        decimals: 1,
      }),
      figure({
        title: "Waiting",
        description: "How many items wait? With the rate out, how long the last of them will.",
        unit: UNITS.items,
        width: 4,
        expr: total({ metric: "queue_depth", where: TIER }),
      }),
      figure({
        title: "Capacity used, fullest",
        description:
          "How near is the fullest process' queue to blocking, refusing or evicting? From 90 % on, act.",
        unit: UNITS.share,
        width: 4,
        expr: `max(${capacityUsed()})`,
        limits: [
          [0.7, "orange"],
          [0.9, "red"],
        ],
        decimals: 0,
        none: "unbounded",
      }),
      figure({
        title: "Dropped",
        description: "How many items were refused or lost in this time range? See the reasons below.",
        unit: UNITS.items,
        width: 4,
        expr: inRange({ metric: "queue_dropped_total", where: TIER }),
        limits: [[1, "red"]],
        decimals: 0,
      }),
      figure({
        title: "Blocked producers",
        description:
          "How many callers wait for room in the queue? They are slowed down to what is consumed: that is backpressure at work, and latency for them.",
        unit: UNITS.items,
        width: 4,
        expr: sum({ metric: "queue_waiters", where: `${QUEUE},queue_side="put"` }),
        limits: [[1, "orange"]],
      }),
    ],
    [
      "What waits",
      graph({
        title: "Waiting, by tier",
        description:
          "Who waits, and how near is the limit? Dashed is the capacity. Retries may exceed it; what isn't due yet is in Delayed. A broker tells of all tiers together.",
        unit: UNITS.items,
        width: 12,
        stacked: true,
        queries: [
          { expr: sum(local({ metric: "queue_depth", where: TIER, per: PER_TIER })), legend: TIER_LEGEND },
          { expr: shared("queue_depth"), legend: SHARED_LEGEND },
        ],
        against: [
          {
            expr: sum({ metric: "queue_capacity", where: QUEUE, per: PER_QUEUE }),
            legend: `capacity ${QUEUE_LEGEND}`,
          },
        ],
        links: [processed],
      }),
      graph({
        title: "Oldest item against its SLA",
        description:
          "Is a tier late, and since when? Dashed is its SLA target. A line that rises as time does is an item that is not taken; a sawtooth near the target is a queue at its limit.",
        unit: UNITS.seconds,
        width: 12,
        queries: [
          {
            expr: max(local({ metric: "queue_oldest_age_seconds", where: TIER, per: PER_TIER })),
            legend: TIER_LEGEND,
          },
          { expr: shared("queue_oldest_age_seconds"), legend: SHARED_LEGEND },
        ],
        against: [TARGET],
        links: [processed],
      }),
      graph({
        title: "Oldest item not settled",
        description:
          "Does everything get done? Age, since it first came in, of the oldest item that waits, is in flight, or is delayed by its retries. Dashed is what the SLA promises for all of that (completeMs). A line that rises as time does while nothing waits: attempts fail, or one hangs.",
        unit: UNITS.seconds,
        width: 24,
        queries: [
          {
            expr: max({ metric: "queue_unsettled_oldest_age_seconds", where: TIER, per: PER_TIER }),
            legend: TIER_LEGEND,
          },
        ],
        against: [
          {
            expr: max({ metric: "queue_sla_completion_target_seconds", where: TIER, per: PER_TIER }),
            legend: `SLA ${TIER_LEGEND}`,
          },
        ],
        links: [processed],
      }),
    ],
    [
      "How long it waits",
      graph({
        title: "Wait p50 and p99",
        description:
          "How long do items wait, from put to get? Dashed is the SLA target. Both high: too little is consumed. Only p99: bursts, or a tier that others overtake. Beyond the histogram's last bound, 300 s (of a broker's queue 4 hours), it can't tell: see Oldest item.",
        unit: UNITS.seconds,
        width: 12,
        height: 9,
        queries: [
          {
            expr: quantile(0.5, { metric: "queue_wait_seconds", where: TIER, per: PER_TIER }),
            legend: `p50 ${TIER_LEGEND}`,
          },
          {
            expr: quantile(0.99, { metric: "queue_wait_seconds", where: TIER, per: PER_TIER }),
            legend: `p99 ${TIER_LEGEND}`,
          },
        ],
        against: [TARGET],
        links: [processed],
      }),
      heatmap({
        title: "Wait, all items",
        description:
          "Do all items wait alike? Two bands are two kinds of items, or of consumers; a plume is a burst that was worked off. Choose one tier to see it alone.",
        width: 12,
        expr: `sum by (le) (increase(queue_wait_seconds_bucket{${TIER}}[$__rate_interval]))`,
        links: [tracesOfChosen("Traces of the chosen queues", PROCESS)],
      }),
    ],
    [
      "In and out",
      graph({
        title: "In and out",
        description:
          "Does as much go as comes? In above out for long: the backlog grows, and with it the wait, unless items leave by being dropped. Growth says which.",
        unit: UNITS.rate,
        width: 12,
        queries: [
          {
            expr: rate({ metric: "queue_enqueued_total", where: TIER, per: PER_TIER }),
            legend: `in ${TIER_LEGEND}`,
          },
          {
            expr: rate({ metric: "queue_dequeued_total", where: TIER, per: PER_TIER }),
            legend: `out ${TIER_LEGEND}`,
          },
        ],
        links: [processed],
      }),
      graph({
        title: "Growth",
        description:
          "By how many items a second does the backlog grow? Below zero it shrinks: the depth divided by that is the time until it is gone.",
        unit: UNITS.rate,
        width: 12,
        negative: "shrinks – grows",
        queries: [
          {
            expr: growth({ metric: "queue_depth", where: TIER, per: PER_QUEUE }),
            legend: QUEUE_LEGEND,
          },
          { expr: sharedGrowth("queue_depth"), legend: SHARED_LEGEND },
        ],
      }),
      graph({
        title: "Put latency",
        description:
          "How long are producers held up? A put that finds room takes no time; what is above is backpressure. Less than 1 ms is the first bucket, and means none.",
        unit: UNITS.seconds,
        width: 12,
        queries: latencies("queue_put_seconds"),
        links: [sent],
      }),
      graph({
        title: "Get latency",
        description:
          "How long do consumers wait for work? A get that finds an item takes no time. Less than 1 ms is the first bucket, and means none. Long gets while nothing waits: there are more consumers than needed, and that is good.",
        unit: UNITS.seconds,
        width: 12,
        queries: latencies("queue_get_seconds"),
      }),
    ],
    [
      "What does not get through",
      graph({
        title: "Dropped, by reason",
        description:
          "Why are items lost? rejected, evicted: the queue was full. expired: the deadline passed while it waited. shutdown: it was still there when the process ended.",
        unit: UNITS.rate,
        width: 12,
        stacked: true,
        queries: [
          {
            expr: rate({ metric: "queue_dropped_total", where: TIER, per: `${PER_TIER}, queue_reason` }),
            legend: `{{queue_reason}} ${TIER_LEGEND}`,
          },
        ],
        links: [tracesLink("Failed puts", "status = error", 'span.messaging.operation.name = "send"')],
      }),
      graph({
        title: "Callers that wait",
        description:
          "Who waits for whom? put: producers wait for room, consumers are the bottleneck. get: consumers wait for items, and there is time to spare.",
        unit: UNITS.items,
        width: 12,
        queries: [
          {
            expr: sum({ metric: "queue_waiters", where: QUEUE, per: `${PER_QUEUE}, queue_side` }),
            legend: `{{queue_side}} ${QUEUE_LEGEND}`,
          },
        ],
      }),
      graph({
        title: "Delayed",
        description:
          "How many items will come back later? Retries in their pause and planned items; they are not among those that wait.",
        unit: UNITS.items,
        width: 12,
        queries: [
          {
            expr: sum(local({ metric: "queue_delayed", where: QUEUE, per: PER_QUEUE })),
            legend: QUEUE_LEGEND,
          },
          { expr: shared("queue_delayed"), legend: SHARED_LEGEND },
        ],
      }),
      graph({
        title: "Overtaken",
        description:
          "Which share of items was served after a younger one? It is what priorities do. Much of it in a tier whose wait p99 is late: the tier starves, let it age.",
        unit: UNITS.share,
        width: 12,
        queries: [
          {
            expr: ratio(
              rate({ metric: "queue_overtakes_total", where: TIER, per: PER_TIER }),
              rate({ metric: "queue_dequeued_total", where: TIER, per: PER_TIER }),
            ),
            legend: TIER_LEGEND,
          },
        ],
        links: [processed],
      }),
      failuresByKind(24),
    ],
  ],
  closed: [
    "By process",
    graph({
      title: "Oldest item, by process",
      description:
        "Is one process late, or are all? One: its host, its share of the work, a task that hangs in it. All: the load, or what they all call. A broker's queue is in no process.",
      unit: UNITS.seconds,
      width: 12,
      queries: [
        {
          expr: most(max(local({ ...IN_PROCESS, metric: "queue_oldest_age_seconds" }))),
          legend: PROCESS_LEGEND,
        },
      ],
    }),
    graph({
      title: "Waiting, by process",
      description:
        "Does each process get its share of the work? One far above the others takes less, or is sent more: look at how the work is spread.",
      unit: UNITS.items,
      width: 12,
      queries: [{ expr: most(sum(local({ ...IN_PROCESS, metric: "queue_depth" }))), legend: PROCESS_LEGEND }],
    }),
    graph({
      title: "Out, by process",
      description:
        "Which process takes less than the others? Its workers hang, its loop is blocked, or its host is slow: choose it above, and see Workers and Runtime.",
      unit: UNITS.rate,
      width: 12,
      queries: [
        { expr: most(rate({ ...IN_PROCESS, metric: "queue_dequeued_total" })), legend: PROCESS_LEGEND },
      ],
    }),
    graph({
      title: "Failed, by process",
      description:
        "Does one process fail where others don't? A bad host, a release that is half out, credentials that have expired there.",
      unit: UNITS.rate,
      width: 12,
      none: "no failure",
      queries: [
        {
          expr: most(
            rate({
              metric: "queue_completed_total",
              where: `${QUEUE},queue_outcome="failure"`,
              per: PER_PROCESS,
            }),
          ),
          legend: PROCESS_LEGEND,
        },
      ],
    }),
  ],
};

function latencies(metric: string) {
  return [0.5, 0.99].map((q) => ({
    expr: quantile(q, { metric, where: QUEUE, per: PER_QUEUE }),
    legend: `p${q * 100} ${QUEUE_LEGEND}`,
  }));
}
