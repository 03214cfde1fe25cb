import type { Row } from "./finish.js";
import { column, label, sharedLink, tracesLink } from "./links.js";
import { graph } from "./panels/graph.js";
import { SLA_LIMITS, UNITS } from "./panels/panel.js";
import { table } from "./panels/table.js";
import {
  max,
  most,
  PER_PROCESS,
  PER_QUEUE,
  PER_SHARED,
  PROCESS_LEGEND,
  QUEUE,
  QUEUE_LEGEND,
  rate,
  ratio,
  SHARED_LEGEND,
  shared,
  sharedSlaUsed,
  sinceRange,
} from "./promql.js";

const processed = tracesLink("Traces of this queue", 'span.messaging.operation.name = "process"');
const toQueue = sharedLink("queue", label("queue_name"));

/** What a broker tells of its queues, whatever the number of processes that ask, and what becomes of its messages in them. */
export const brokers: Row = [
  "Brokers",
  table({
    title: "Queues in brokers, the latest first",
    description:
      "Which broker's queue is late, and what does the broker itself know of it? In flight without consumers: their processes died, and the messages come back. Delayed: planned for later. Redelivered and dead letters are what the chosen services counted in this time range. A dash is what the broker doesn't tell.",
    unit: UNITS.items,
    width: 24,
    labels: { queue_name: "Queue" },
    columns: [
      { name: "SLA used", expr: sharedSlaUsed(), unit: UNITS.share, decimals: 0, limits: SLA_LIMITS },
      { name: "Oldest", expr: shared("queue_oldest_age_seconds"), unit: UNITS.seconds, decimals: 1 },
      { name: "Waiting", expr: shared("queue_depth"), unit: UNITS.items },
      { name: "In flight", expr: shared("queue_inflight"), unit: UNITS.items },
      { name: "Delayed", expr: shared("queue_delayed"), unit: UNITS.items },
      { name: "Consumers", expr: shared("queue_consumers"), unit: UNITS.items },
      { name: "Redelivered", expr: ofBrokers("queue_redelivered_total"), unit: UNITS.items, decimals: 0 },
      {
        name: "Dead letters",
        expr: ofBrokers("queue_dead_lettered_total"),
        unit: UNITS.items,
        decimals: 0,
        limits: [[1, "red"]],
      },
    ],
    sortBy: "SLA used",
    cellLinks: { Queue: [sharedLink("queue", column("Queue"))] },
    none: "no broker that tells",
  }),
  graph({
    title: "Waiting and in flight in the broker",
    description:
      "Is the backlog untouched, or in the hands of consumers? Waiting rises while in flight is flat: all consumers are busy, or their prefetch is used up by messages that hang. In flight rises alone: they take, and don't settle.",
    unit: UNITS.items,
    width: 12,
    none: "no broker that tells",
    queries: [
      { expr: most(shared("queue_depth")), legend: `waiting ${SHARED_LEGEND}` },
      { expr: most(shared("queue_inflight")), legend: `in flight ${SHARED_LEGEND}` },
    ],
    links: [toQueue, processed],
  }),
  graph({
    title: "Oldest in the broker",
    description:
      "Since when is a broker's queue late? Dashed is the SLA target of its most patient tier, as a broker doesn't tell of which tier its oldest message is. A line that rises as time does: nothing is taken.",
    unit: UNITS.seconds,
    width: 12,
    none: "no broker that tells",
    queries: [{ expr: most(shared("queue_oldest_age_seconds")), legend: SHARED_LEGEND }],
    against: [
      {
        expr: `${max({ metric: "queue_sla_target_seconds", where: QUEUE, per: PER_SHARED })} and ${shared("queue_oldest_age_seconds")}`,
        legend: "SLA target {{queue_name}}",
      },
    ],
    links: [toQueue, processed],
  }),
  graph({
    title: "Consumers that the broker knows",
    description:
      "Is a consumer connected at all? 0 while messages wait: none was started, or all have lost their subscription. More than your services have: others take from the queue, too.",
    unit: UNITS.items,
    width: 12,
    decimals: 0,
    none: "no broker that tells",
    queries: [{ expr: shared("queue_consumers"), legend: SHARED_LEGEND }],
    links: [processed],
  }),
  graph({
    title: "Redelivered",
    description:
      "Which share of the deliveries had been delivered before? Much for long is a storm: messages that fail each time, or are requeued at once, or whose locks expire. A peak is a consumer that died.",
    unit: UNITS.share,
    width: 12,
    none: "no broker",
    queries: [
      {
        expr: ratio(
          rate({ metric: "queue_redelivered_total", where: QUEUE, per: PER_QUEUE }),
          rate({ metric: "queue_dequeued_total", where: QUEUE, per: PER_QUEUE }),
        ),
        legend: QUEUE_LEGEND,
      },
    ],
    limits: [[0.5, "red"]],
    links: [processed],
  }),
  graph({
    title: "Stale settles",
    description:
      "Is a message acknowledged whose channel or lock is gone? It is delivered again, and on RabbitMQ the acknowledgement may hit another message, which then is lost. It should be 0; the process's log has a correlation ID.",
    unit: UNITS.items,
    width: 12,
    bars: true,
    decimals: 0,
    none: "no broker",
    queries: [
      {
        expr: `sum by (${PER_QUEUE}) (increase(queue_settle_stale_total{${QUEUE}}[$__rate_interval]))`,
        legend: QUEUE_LEGEND,
      },
    ],
    links: [processed],
  }),
  graph({
    title: "Clock against the broker's",
    description:
      "Can waits be believed? By how many seconds a process's clock is ahead of the broker's; below zero it is behind. Waits are wrong by as much where the broker has no clock of its own: set the host's.",
    unit: UNITS.seconds,
    width: 6,
    negative: "behind – ahead",
    none: "no broker that tells",
    queries: [
      {
        expr: max({ metric: "queue_clock_skew_seconds", where: QUEUE, per: PER_PROCESS }),
        legend: PROCESS_LEGEND,
      },
    ],
  }),
  graph({
    title: "Taken before they were put",
    description:
      "Do the clocks of producers and consumers agree? Messages whose wait would be negative: it counts as 0. Many of them: a producer's clock is ahead, and other waits are too short, too.",
    unit: UNITS.rate,
    width: 6,
    none: "no broker",
    queries: [
      {
        expr: rate({ metric: "queue_negative_waits_total", where: QUEUE, per: PER_QUEUE }),
        legend: QUEUE_LEGEND,
      },
    ],
  }),
];

/** What processes have counted in the time range, of queues of which a broker tells something. */
function ofBrokers(metric: string): string {
  const told = `${shared("queue_depth")} or ${shared("queue_consumers")}`;
  return `${sinceRange({ metric, where: QUEUE, per: PER_SHARED })} and (${told})`;
}
