import type { Contents } from "./finish.js";
import { tracesOfChosen } from "./links.js";
import { figure } from "./panels/figure.js";
import { graph } from "./panels/graph.js";
import { NEUTRAL, UNITS } from "./panels/panel.js";
import {
  greatest,
  max,
  PER_PROCESS,
  PER_TIER,
  PROCESS,
  PROCESS_LEGEND,
  QUEUE,
  quantile,
  rate,
  ratio,
  restarts,
  sum,
  TIER,
  TIER_LEGEND,
} from "./promql.js";

const NEEDS = "Needs @opentelemetry/instrumentation-runtime-node.";
// It is measured by a timer of 10 ms, whose period is part of what it says.
const IDLE = "An idle one shows 10 to 12 ms: so often it is measured.";
const WATCHED = "Needs a watchdog.";
const traces = tracesOfChosen("Traces of the chosen queues", 'span.messaging.operation.name = "process"');

/** Whether it is the process rather than the queue. */
export const runtime: Contents = {
  name: "runtime",
  description:
    "The Node processes: whether a blocked event loop, a full heap or a restart is why items wait. By process, over the wait p99.",
  from: "now-1h",
  rows: [
    [
      "Now",
      figure({
        title: "Event-loop delay p99, worst",
        description: `Is an event loop blocked? From some tens of milliseconds on, all that is asynchronous waits that long. ${IDLE} ${NEEDS}`,
        unit: UNITS.seconds,
        width: 4,
        expr: greatest(max({ metric: "nodejs_eventloop_delay_p99", where: PROCESS, per: PER_PROCESS })),
        legend: PROCESS_LEGEND,
        limits: [
          [0.05, "orange"],
          [0.25, "red"],
        ],
        none: "not installed",
      }),
      figure({
        title: "Stalls",
        description: `How often was an event loop blocked so long that a watchdog saw it, in this time range? ${WATCHED}`,
        unit: UNITS.items,
        width: 4,
        expr: `sum(increase(queue_eventloop_stall_seconds_count{${PROCESS}}[$__range]))`,
        limits: [[1, "orange"]],
        decimals: 0,
        none: "no watchdog",
      }),
      figure({
        title: "Utilisation, worst",
        description: `How much of its time does the busiest event loop work? Near 100 % it has none left: more processes, or threads for what computes. ${NEEDS}`,
        unit: UNITS.share,
        width: 4,
        expr: greatest(utilisation()),
        legend: PROCESS_LEGEND,
        limits: [
          [0.7, "orange"],
          [0.9, "red"],
        ],
        decimals: 0,
        none: "not installed",
      }),
      figure({
        title: "Heap, largest",
        description: `How much memory do JavaScript objects take in the largest process? ${NEEDS}`,
        unit: UNITS.bytes,
        width: 4,
        expr: greatest(sum({ metric: "v8js_memory_heap_used", where: PROCESS, per: PER_PROCESS })),
        legend: PROCESS_LEGEND,
        none: "not installed",
      }),
      figure({
        title: "Garbage collection, worst",
        description: `Which share of its time does a process collect garbage? Above some percent: it allocates too much, or its heap is nearly full. ${NEEDS}`,
        unit: UNITS.share,
        width: 4,
        expr: greatest(rate({ metric: "v8js_gc_duration_sum", where: PROCESS, per: PER_PROCESS })),
        legend: PROCESS_LEGEND,
        limits: [
          [0.05, "orange"],
          [0.15, "red"],
        ],
        decimals: 1,
        none: "not installed",
      }),
      figure({
        title: "Restarts",
        description:
          "How often did a process start again, in this time range? What it held in memory was lost, and its counters began at 0.",
        unit: UNITS.items,
        width: 4,
        expr: `sum(max by (${PER_PROCESS}) (resets(queue_enqueued_total{${QUEUE}}[$__range])))`,
        limits: [[1, "orange"]],
        decimals: 0,
      }),
    ],
    [
      "Is it the event loop?",
      graph({
        title: "Wait p99 over event-loop delay",
        description: `Do items wait because the process was blocked? Dashed is the event loop's delay p99. Peaks at the same time: the code that blocks is in the breach report. Waits without delay: too few workers, or a slow downstream. ${NEEDS}`,
        unit: UNITS.seconds,
        width: 24,
        height: 9,
        queries: [
          {
            expr: quantile(0.99, { metric: "queue_wait_seconds", where: TIER, per: PER_TIER }),
            legend: `wait p99 ${TIER_LEGEND}`,
          },
        ],
        // They aren't limits.
        againstColor: "purple",
        against: [
          {
            expr: max({ metric: "nodejs_eventloop_delay_p99", where: PROCESS, per: PER_PROCESS }),
            legend: `delay p99 ${PROCESS_LEGEND}`,
          },
        ],
        links: [traces],
      }),
      graph({
        title: "Event-loop delay",
        description: `How late do timers and callbacks come? The mean is what everything costs more; the greatest is the longest block since the last scrape. ${IDLE} ${NEEDS}`,
        unit: UNITS.seconds,
        width: 8,
        queries: ["mean", "p99", "max"].map((each) => ({
          expr: max({ metric: `nodejs_eventloop_delay_${each}`, where: PROCESS, per: PER_PROCESS }),
          legend: `${each} ${PROCESS_LEGEND}`,
        })),
      }),
      graph({
        title: "Stalls",
        description: `How long was the event loop blocked, in all, each second? Only blocks that a watchdog saw; the code that did it is in its reports. ${WATCHED}`,
        unit: UNITS.share,
        width: 8,
        queries: [
          {
            expr: rate({ metric: "queue_eventloop_stall_seconds_sum", where: PROCESS, per: PER_PROCESS }),
            legend: PROCESS_LEGEND,
          },
        ],
      }),
      graph({
        title: "Length of stalls",
        description: `Are these many short blocks or a few long ones? Many short: too much computing for one thread. Few long: a single call, such as a sync file access or a large JSON. ${WATCHED}`,
        unit: UNITS.seconds,
        width: 8,
        queries: [0.5, 0.99].map((q) => ({
          expr: quantile(q, { metric: "queue_eventloop_stall_seconds", where: PROCESS, per: PER_PROCESS }),
          legend: `p${q * 100} ${PROCESS_LEGEND}`,
        })),
      }),
    ],
    [
      "Is it the processor or the memory?",
      graph({
        title: "Event-loop utilisation",
        description: `Has the process time left? The share in which its event loop works rather than waits. More workers don't help a process near 100 %. ${NEEDS}`,
        unit: UNITS.share,
        width: 8,
        queries: [{ expr: utilisation(), legend: PROCESS_LEGEND }],
        limits: [[0.9, "red"]],
      }),
      graph({
        title: "Heap",
        description: `Does the memory grow with the backlog, or without it? Dashed is what V8 has reserved. A line that rises whatever the depth is a leak. ${NEEDS}`,
        unit: UNITS.bytes,
        width: 8,
        queries: [
          {
            expr: sum({ metric: "v8js_memory_heap_used", where: PROCESS, per: PER_PROCESS }),
            legend: PROCESS_LEGEND,
          },
        ],
        againstColor: NEUTRAL,
        against: [
          {
            expr: sum({ metric: "v8js_memory_heap_space_size", where: PROCESS, per: PER_PROCESS }),
            legend: `reserved ${PROCESS_LEGEND}`,
          },
        ],
      }),
      graph({
        title: "Garbage collection",
        description: `What does memory cost in time? By kind: much "major" is a heap near its limit, or many objects that live long, as in a deep queue. ${NEEDS}`,
        unit: UNITS.share,
        width: 8,
        stacked: true,
        queries: [
          {
            expr: rate({
              metric: "v8js_gc_duration_sum",
              where: PROCESS,
              per: `${PER_PROCESS}, v8js_gc_type`,
            }),
            legend: `{{v8js_gc_type}} ${PROCESS_LEGEND}`,
          },
        ],
      }),
    ],
    [
      "Did it restart?",
      graph({
        title: "Restarts",
        description:
          "When did a process start again? A crash loop is a comb. Seen by its counters, which begin at 0; one that hadn't counted anything, or was away for more than 5 minutes, isn't seen.",
        unit: UNITS.items,
        width: 24,
        height: 6,
        bars: true,
        decimals: 0,
        queries: [{ expr: restarts(), legend: PROCESS_LEGEND }],
      }),
    ],
  ],
};

/** From the counter: the gauge of that name begins anew with each scrape, so that a second Prometheus would spoil it. */
function utilisation(): string {
  const time = (where: string) => rate({ metric: "nodejs_eventloop_time_total", where, per: PER_PROCESS });
  return ratio(time(`${PROCESS},nodejs_eventloop_state="active"`), time(PROCESS));
}
