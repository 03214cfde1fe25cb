import type { Incident } from "./promtool-file.js";
import { ofProcess, perSecond, queue, target } from "./series.js";

const DEPTH = 'depth{queue_tier="regular"}';
const ENQUEUED = 'enqueued_total{queue_tier="regular"}';
const DEQUEUED = 'dequeued_total{queue_tier="regular"}';
const many = Array.from({ length: 30 }, (_, i) => `queue-${i}`);

/** Are the processes there, and of use? */
export const processes: readonly Incident[] = [
  {
    name: "the only process of a job, with 30 queues, is gone",
    minutes: 30,
    series: {
      ...target({}, (t) => (t < 600 ? 1 : 0)),
      ...Object.assign(
        {},
        ...many.map((name) =>
          queue({}, { [DEPTH]: 2, [DEQUEUED]: perSecond(1) }, { name, alive: (t) => t < 600 }),
        ),
      ),
    },
    firing: {
      11: [],
      16: ["QueueTelemetryLost (critical) job=shop"],
      29: ["QueueTelemetryLost (critical) job=shop"],
    },
  },
  {
    name: "production is gone, and staging of the same job is well",
    minutes: 30,
    series: {
      ...target({ namespace: "prod", cluster: "eu" }, (t) => (t < 600 ? 1 : 0)),
      ...queue({ namespace: "prod", cluster: "eu" }, { [DEPTH]: 3 }, { alive: (t) => t < 600 }),
      ...target({ namespace: "staging", cluster: "eu" }),
      ...queue({ namespace: "staging", cluster: "eu" }, {}),
      ...target({ namespace: "prod", cluster: "us" }),
      ...queue({ namespace: "prod", cluster: "us" }, {}),
    },
    firing: {
      11: [],
      16: ["QueueTelemetryLost (critical) namespace=prod cluster=eu"],
      29: ["QueueTelemetryLost (critical) namespace=prod cluster=eu"],
    },
  },
  {
    name: "all processes are gone, and deployed anew under other names, of no use either; then they work",
    minutes: 100,
    series: {
      ...target({ instance: "old" }, (t) => (t < 600 ? 1 : t < 1_500 ? 0 : undefined)),
      ...queue({ instance: "old" }, { [DEPTH]: 7 }, { alive: (t) => t < 600 }),
      ...target({ instance: "new" }, (t) => (t < 1_560 ? undefined : t < 5_400 ? 0 : 1)),
      ...queue({ instance: "new" }, {}, { alive: (t) => t >= 5_400 }),
    },
    firing: {
      16: ["QueueTelemetryLost (critical)"],
      24: ["QueueTelemetryLost (critical)"],
      25: ["QueueTelemetryLost (critical)"],
      26: ["QueueTelemetryLost (critical)"],
      27: ["QueueTelemetryLost (critical)"],
      45: ["QueueTelemetryLost (critical)"],
      88: ["QueueTelemetryLost (critical)"],
      95: [],
    },
  },
  {
    name: "a process is killed every 10 minutes, and is back at once",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          [ENQUEUED]: (t) => 20 * (t % 600),
          [DEQUEUED]: (t) => 10 * (t % 600),
          [DEPTH]: (t) => 10 * (t % 600),
        },
      ),
    },
    firing: { 15: [], 45: ["QueueProcessRestarting (warning)"], 59: ["QueueProcessRestarting (warning)"] },
  },
  {
    name: "a loop that has no pause, without a watchdog; one that has some; one of a process without queues",
    minutes: 40,
    series: {
      ...target({}),
      ...queue({}, {}),
      ...ofProcess({}, "nodejs_eventloop_utilization", (t) => (t < 600 ? 0.3 : 1)),
      ...target({ instance: "b" }),
      ...queue({ instance: "b" }, {}),
      ...ofProcess({ instance: "b" }, "nodejs_eventloop_utilization", 0.9),
      ...target({ job: "other" }),
      ...ofProcess({ job: "other" }, "nodejs_eventloop_utilization", 1),
    },
    firing: {
      15: [],
      30: ["QueueEventLoopBusy (warning) instance=a"],
      39: ["QueueEventLoopBusy (warning) instance=a"],
    },
  },
];
