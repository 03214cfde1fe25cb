import { brokers } from "./brokers.js";
import type { Contents } from "./finish.js";
import { tracesLink } from "./links.js";
import { figure } from "./panels/figure.js";
import { graph } from "./panels/graph.js";
import { UNITS } from "./panels/panel.js";
import { timeline } from "./panels/timeline.js";
import {
  inFlight,
  local,
  max,
  PER_QUEUE,
  PROCESS,
  QUEUE,
  QUEUE_LEGEND,
  quantile,
  rate,
  rateOfAll,
  ratio,
  SHARED_LEGEND,
  shared,
  sum,
} from "./promql.js";

const PER_GATE = "job, queue_gate";
const PER_QUEUE_AND_GATE = `${PER_QUEUE}, queue_gate`;
const PER_OUTCOME = `${PER_QUEUE}, queue_outcome`;
const processed = tracesLink("Traces of this queue", 'span.messaging.operation.name = "process"');
const failed = tracesLink("Failed tasks", 'span.messaging.operation.name = "process"', "status = error");

/** A counter of what has ended, and which of it has failed. */
interface Ending {
  readonly metric: string;
  readonly failed: string;
}

const FAILURES = ',queue_outcome="failure"';
/** An item is counted once: by its outcome, or as a dead letter, which is a failure always. */
const SETTLED: readonly Ending[] = [
  { metric: "queue_completed_total", failed: FAILURES },
  { metric: "queue_dead_lettered_total", failed: "" },
];
const ATTEMPTS: readonly Ending[] = [{ metric: "queue_process_seconds_count", failed: FAILURES }];

/** Are there enough workers, and does their work succeed? */
export const workers: Contents = {
  name: "workers",
  description:
    "Those who take from the queue: whether they are busy, blocked or gone, how long they need, how often they fail.",
  from: "now-1h",
  rows: [
    [
      "Now",
      figure({
        title: "Utilisation",
        description:
          "Which share of the workers is busy? Above 80 % waits grow fast: add workers (`pool.advice()` says how many). Near 0 % while items wait: they are paused or in backoff.",
        unit: UNITS.share,
        width: 4,
        expr: utilisation(""),
        limits: [
          [0.8, "orange"],
          [0.95, "red"],
        ],
        decimals: 0,
        none: "no pool",
      }),
      figure({
        title: "Stalled or in backoff",
        description:
          "How many workers hold on to something that doesn't get on? Stalled: a task ignores its timeout. Backoff: a circuit breaker is open.",
        unit: UNITS.items,
        width: 4,
        expr: sum({ metric: "queue_workers", where: `${QUEUE},queue_state=~"stalled|backoff"` }),
        limits: [[1, "red"]],
        none: "no pool",
      }),
      figure({
        title: "In flight",
        description:
          "How many items are being handled? It can't exceed the number of workers. Of a broker's queue it is what the broker tells, if it does.",
        unit: UNITS.items,
        width: 4,
        expr: inFlight(),
      }),
      figure({
        title: "Process p99",
        description:
          "How long do the slowest tasks take, from get to settle? If that has grown, look at the downstream before you add workers.",
        unit: UNITS.seconds,
        width: 4,
        expr: quantile(0.99, { metric: "queue_process_seconds", where: QUEUE }),
      }),
      figure({
        title: "Failure ratio",
        description:
          "Which share of the items that were settled has failed for good, dead letters among them? Above 5 %, look at the traces of the failed tasks.",
        unit: UNITS.share,
        width: 4,
        expr: failures(SETTLED, ""),
        limits: [
          [0.01, "orange"],
          [0.05, "red"],
        ],
        decimals: 1,
        none: "nothing settled",
      }),
      figure({
        title: "Open breakers",
        description:
          "How many circuit breakers are open? Behind each is a downstream that is given up for the moment. Nothing is lost, but nothing gets on.",
        unit: UNITS.items,
        width: 4,
        expr: sum({ metric: "queue_breaker_open", where: QUEUE }),
        limits: [[1, "red"]],
        none: "no breaker",
      }),
    ],
    [
      "Workers",
      graph({
        title: "Workers, by state",
        description:
          "What do the workers do? All processing while items wait: too few, or too slow. Idle while items wait: paused. stalled hold their worker until the task ends.",
        unit: UNITS.items,
        width: 12,
        stacked: true,
        queries: [
          {
            expr: sum({ metric: "queue_workers", where: QUEUE, per: `${PER_QUEUE}, queue_state` }),
            legend: `{{queue_state}} ${QUEUE_LEGEND}`,
          },
        ],
        colors: { idle: "green", processing: "blue", backoff: "yellow", stalled: "red", stopped: "gray" },
        links: [processed],
      }),
      graph({
        title: "Utilisation",
        description:
          "Are there enough workers? Busy ones as a share of those that aren't stopped. Above the line each further percent costs much waiting.",
        unit: UNITS.share,
        width: 12,
        queries: [{ expr: utilisation(PER_QUEUE), legend: QUEUE_LEGEND }],
        limits: [[0.8, "orange"]],
      }),
      graph({
        title: "In flight",
        description:
          "How many items are being handled? A line flat at the number of workers: all are busy. A broker counts those of all services; more than they tell: other processes have them, or lost them.",
        unit: UNITS.items,
        width: 12,
        queries: [
          {
            expr: sum(local({ metric: "queue_inflight", where: QUEUE, per: PER_QUEUE })),
            legend: QUEUE_LEGEND,
          },
          { expr: shared("queue_inflight"), legend: SHARED_LEGEND },
        ],
        links: [processed],
      }),
      graph({
        title: "Oldest in flight",
        description:
          "Does a task hang? A line that rises as time does is one task that doesn't end; its step and correlation ID are in the breach report.",
        unit: UNITS.seconds,
        width: 12,
        queries: [
          {
            expr: max({ metric: "queue_inflight_oldest_age_seconds", where: QUEUE, per: PER_QUEUE }),
            legend: QUEUE_LEGEND,
          },
        ],
        links: [processed],
      }),
    ],
    [
      "Processing",
      graph({
        title: "Process p50 and p99",
        description:
          "How long do tasks take, and do failures take longer? Failures near the pool's timeout: the downstream hangs rather than refuses.",
        unit: UNITS.seconds,
        width: 12,
        queries: [0.5, 0.99].map((q) => ({
          expr: quantile(q, { metric: "queue_process_seconds", where: QUEUE, per: PER_OUTCOME }),
          legend: `p${q * 100} {{queue_outcome}} ${QUEUE_LEGEND}`,
        })),
        links: [processed, failed],
      }),
      graph({
        title: "Settled",
        description:
          "How many items are done for good per second, well or not? Dead letters have failed, too. 0 while items are in flight: all of them hang.",
        unit: UNITS.rate,
        width: 12,
        stacked: true,
        queries: [
          {
            expr: rate({ metric: "queue_completed_total", where: QUEUE, per: PER_OUTCOME }),
            legend: `{{queue_outcome}} ${QUEUE_LEGEND}`,
          },
          {
            expr: rate({ metric: "queue_dead_lettered_total", where: QUEUE, per: PER_QUEUE }),
            legend: `dead-lettered ${QUEUE_LEGEND}`,
          },
        ],
        colors: { success: "green", failure: "red", "dead-lettered": "dark-red" },
        links: [processed, failed],
      }),
      graph({
        title: "Failure ratio",
        description:
          "Which share fails? attempts: every try that failed, retried or not. items: those that were given up, dropped or dead-lettered. Attempts without items: retries still save it.",
        unit: UNITS.share,
        width: 12,
        queries: [
          { expr: failures(SETTLED, PER_QUEUE), legend: `items ${QUEUE_LEGEND}` },
          { expr: failures(ATTEMPTS, PER_QUEUE), legend: `attempts ${QUEUE_LEGEND}` },
        ],
        limits: [[0.05, "red"]],
        links: [failed],
      }),
      graph({
        title: "Retries and dead letters",
        description:
          "What becomes of failures? Retries come back and add to the load. Dead letters have had their last attempt: an operator has to look at them.",
        unit: UNITS.rate,
        width: 12,
        queries: [
          {
            expr: rate({ metric: "queue_retried_total", where: QUEUE, per: PER_QUEUE }),
            legend: `retried ${QUEUE_LEGEND}`,
          },
          {
            expr: rate({ metric: "queue_dead_lettered_total", where: QUEUE, per: PER_QUEUE }),
            legend: `dead-lettered ${QUEUE_LEGEND}`,
          },
        ],
        links: [failed],
      }),
    ],
    [
      "Gates and breakers",
      graph({
        title: "Gates in use",
        description:
          "Is the limit of a downstream what holds up the workers? Dashed is how many calls the gate lets through at a time. Gates are shared: they belong to no queue.",
        unit: UNITS.items,
        width: 8,
        queries: [
          {
            expr: sum({ metric: "queue_gate_inflight", where: PROCESS, per: PER_GATE }),
            legend: "{{job}}/{{queue_gate}}",
          },
        ],
        against: [
          {
            expr: sum({ metric: "queue_gate_limit", where: PROCESS, per: PER_GATE }),
            legend: "limit {{job}}/{{queue_gate}}",
          },
        ],
      }),
      graph({
        title: "Wait for a gate",
        description:
          "How long do tasks wait before they may call? It holds their worker, and isn't part of the process time. Less than 1 ms is the first bucket, and means none.",
        unit: UNITS.seconds,
        width: 8,
        queries: [0.5, 0.99].map((q) => ({
          expr: quantile(q, { metric: "queue_gate_wait_seconds", where: QUEUE, per: PER_QUEUE_AND_GATE }),
          legend: `p${q * 100} ${QUEUE_LEGEND} {{queue_gate}}`,
        })),
        links: [processed],
      }),
      timeline({
        title: "Breakers",
        description:
          "When was a downstream given up? While a breaker is open in any process, its workers are in backoff.",
        unit: UNITS.word,
        width: 8,
        queries: [
          {
            expr: max({ metric: "queue_breaker_open", where: QUEUE, per: PER_QUEUE_AND_GATE }),
            legend: `${QUEUE_LEGEND} {{queue_gate}}`,
          },
        ],
        states: { 0: { text: "closed", color: "green" }, 1: { text: "open", color: "red" } },
      }),
    ],
  ],
  closed: brokers,
};

/** Averaged over the interval: a worker may be busy between any two scrapes. A stalled one is as good as busy. */
function utilisation(per: string): string {
  const workers = (states: string) => {
    const by = per === "" ? "" : ` by (${per}) `;
    return `sum${by}(avg_over_time(queue_workers{${QUEUE},${states}}[$__rate_interval]))`;
  };
  return ratio(workers('queue_state=~"processing|stalled"'), workers('queue_state!="stopped"'));
}

function failures(all: readonly Ending[], per: string): string {
  const failed = all.map(({ metric, failed }) => ({ metric, where: `${QUEUE}${failed}` }));
  const ended = all.map(({ metric }) => ({ metric, where: QUEUE }));
  return ratio(rateOfAll(failed, per), rateOfAll(ended, per));
}
