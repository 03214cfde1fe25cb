import type { Incident } from "./promtool-file.js";
import { type Figures, inBursts, perSecond, queue, target } from "./series.js";

const DEPTH = 'depth{queue_tier="regular"}';
const AGE = 'oldest_age_seconds{queue_tier="regular"}';
const ENQUEUED = 'enqueued_total{queue_tier="regular"}';
const DEQUEUED = 'dequeued_total{queue_tier="regular"}';
const SUCCEEDED = 'completed_total{queue_outcome="success"}';
const TOOK = 'process_seconds_sum{queue_outcome="success"}';
const TAKEN = 'process_seconds_count{queue_outcome="success"}';
const EXPIRED = 'dropped_total{queue_tier="regular",queue_reason="expired"}';
const MET = 'sla_items_total{queue_tier="regular",queue_result="met"}';
const UNSETTLED = 'unsettled_oldest_age_seconds{queue_tier="regular"}';
const COMPLETION = 'sla_completion_target_seconds{queue_tier="regular"}';
const PROCESSING = 'workers{queue_state="processing"}';
const IDLE = 'workers{queue_state="idle"}';
const STOPPED = 'workers{queue_state="stopped"}';

/** One task a second, which takes half a second, and all is well. */
const busy = (perS = 1): Figures => ({
  [ENQUEUED]: perSecond(perS),
  [DEQUEUED]: perSecond(perS),
  [SUCCEEDED]: perSecond(perS),
  [TAKEN]: perSecond(perS),
  [TOOK]: (t) => (perS * t) / 2,
  [MET]: perSecond(perS),
});

/** Is the work done? */
export const work: readonly Incident[] = [
  {
    name: "a total outage: 200 items, and every attempt fails and backs off",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          [ENQUEUED]: 200,
          [MET]: 200,
          [DEQUEUED]: perSecond(200 / 60),
          'process_seconds_count{queue_outcome="failure"}': perSecond(200 / 60),
          retried_total: perSecond(200 / 60),
          delayed: 200,
        },
      ),
      ...target({ job: "slower" }),
      // Each attempt is a quarter of an hour later: 4 items in a minute.
      ...queue({ job: "slower" }, { [ENQUEUED]: 60, retried_total: perSecond(60 / 900), delayed: 60 }),
      // A third of all attempts fails; one item always does.
      ...target({ job: "well" }),
      ...queue({ job: "well" }, { ...busy(), retried_total: perSecond(0.5), delayed: 15 }),
      ...target({ job: "poison" }),
      ...queue({ job: "poison" }, { retried_total: perSecond(1 / 60), delayed: 1 }),
    },
    firing: {
      3: [],
      15: [
        "QueueRetryStorm (critical) job=shop",
        "QueueRetryStorm (warning) job=shop",
        "QueueRetryStorm (critical) job=slower",
        "QueueRetryStorm (warning) job=slower",
      ],
      59: [
        "QueueRetryStorm (critical) job=shop",
        "QueueRetryStorm (warning) job=shop",
        "QueueRetryStorm (critical) job=slower",
        "QueueRetryStorm (warning) job=slower",
      ],
    },
  },
  {
    name: "a total outage of 20 minutes, where items are promised to be done within 4; and one item that always fails",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          ...busy(),
          [SUCCEEDED]: (t) => perSecond(1, 0, 1_200)(t)! + perSecond(1, 2_400)(t)!,
          retried_total: perSecond(2, 1_200, 2_400),
          delayed: (t) => (t < 1_200 ? 0 : t < 2_400 ? (t - 1_200) / 2 : Math.max(0, 600 - 5 * (t - 2_400))),
          [UNSETTLED]: (t) => (t < 1_200 ? 1 : t < 2_400 ? t - 1_200 : Math.max(1, 1_200 - 10 * (t - 2_400))),
          [COMPLETION]: 240,
        },
      ),
      ...target({ job: "poison" }),
      ...queue(
        { job: "poison" },
        { ...busy(), retried_total: perSecond(1 / 60), delayed: 1, [UNSETTLED]: (t) => t, [COMPLETION]: 240 },
      ),
      // Each item fails once, and is done five minutes later.
      ...target({ job: "well" }),
      ...queue(
        { job: "well" },
        { ...busy(), retried_total: perSecond(1), delayed: 300, [UNSETTLED]: 301, [COMPLETION]: 600 },
      ),
    },
    firing: {
      3: [],
      12: ["QueueCompletionOverSla (warning) job=poison"],
      25: ["QueueCompletionOverSla (critical) job=poison", "QueueCompletionOverSla (warning) job=poison"],
      39: [
        "QueueCompletionOverSla (critical) job=poison",
        "QueueCompletionOverSla (critical) job=shop",
        "QueueCompletionOverSla (warning) job=poison",
        "QueueCompletionOverSla (warning) job=shop",
        "QueueRetryStorm (critical) job=shop",
        "QueueRetryStorm (warning) job=shop",
      ],
      59: ["QueueCompletionOverSla (critical) job=poison", "QueueCompletionOverSla (warning) job=poison"],
    },
  },
  {
    name: "a downstream is away for 2 minutes, and all that failed meanwhile is done after another one",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          ...busy(),
          [SUCCEEDED]: (t) =>
            perSecond(1, 0, 1_200)(t)! + perSecond(1, 1_320)(t)! + perSecond(2, 1_320, 1_380)(t)!,
          retried_total: perSecond(3, 1_200, 1_320),
          delayed: (t) => (t < 1_200 || t >= 1_380 ? 0 : Math.min(120, t - 1_200, 2 * (1_380 - t))),
        },
      ),
    },
    firing: { 22: [], 25: [], 30: [], 36: [], 59: [] },
  },
  {
    name: "most attempts fail, others succeed; and then all is well again",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        { ...busy(), retried_total: perSecond(3, 0, 1_200), delayed: (t) => (t < 1_200 ? 90 : 0) },
      ),
    },
    firing: { 12: ["QueueRetryStorm (warning)"], 19: ["QueueRetryStorm (warning)"], 40: [] },
  },
  {
    name: "three of four workers hang, and the fourth keeps up",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          ...busy(),
          inflight: 4,
          inflight_oldest_age_seconds: (t) => Math.max(0.5, t - 600),
          [PROCESSING]: 4,
          [IDLE]: 0,
        },
      ),
    },
    firing: { 15: [], 30: ["QueueTasksStuck (warning)"], 59: ["QueueTasksStuck (warning)"] },
  },
  {
    name: "tasks that always take a quarter of an hour",
    minutes: 60,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          [TAKEN]: inBursts(4, 900),
          [TOOK]: inBursts(3_600, 900),
          inflight: 4,
          inflight_oldest_age_seconds: (t) => t % 900,
          [PROCESSING]: 4,
          [IDLE]: 0,
        },
      ),
    },
    firing: { 14: [], 29: [], 59: [] },
  },
  {
    name: "one replica of twenty has no workers any more",
    minutes: 30,
    series: Object.assign(
      {},
      ...Array.from({ length: 20 }, (_, i) => ({
        ...target({ instance: `pod-${i}` }),
        ...queue(
          { instance: `pod-${i}` },
          i === 7
            ? { [DEPTH]: 5, [AGE]: (t) => t, [IDLE]: 0, [STOPPED]: 4, [ENQUEUED]: 5 }
            : { [DEQUEUED]: perSecond(1) },
        ),
      })),
    ),
    firing: {
      25: [
        "QueueNoConsumer (critical)",
        "QueueOldestItemOverSla (critical)",
        "QueueOldestItemOverSla (warning)",
      ],
    },
  },
  {
    name: "everything expires, an item every 5 minutes; one of many does, and a burst did",
    minutes: 120,
    series: {
      ...target({}),
      ...queue({}, { [ENQUEUED]: inBursts(1, 300), [EXPIRED]: inBursts(1, 300) }),
      ...target({ job: "few" }),
      ...queue({ job: "few" }, { ...busy(), [EXPIRED]: inBursts(1, 600) }),
      ...target({ job: "burst" }),
      ...queue({ job: "burst" }, { ...busy(), [EXPIRED]: (t) => (t < 1_200 ? 0 : Math.min(60, t - 1_200)) }),
    },
    firing: {
      10: [],
      45: ["QueueDropping (critical) job=shop", "QueueDropping (warning) job=shop"],
      60: ["QueueDropping (critical) job=shop", "QueueDropping (warning) job=shop"],
      119: ["QueueDropping (critical) job=shop", "QueueDropping (warning) job=shop"],
    },
  },
  {
    name: "a queue without a bound grows by half of what it takes, until its process is killed",
    minutes: 45,
    series: {
      ...target({}, (t) => (t < 2_400 ? 1 : 0)),
      ...queue(
        {},
        {
          ...busy(10),
          [ENQUEUED]: perSecond(20),
          [DEPTH]: perSecond(10),
          [AGE]: (t) => Math.min(50, t / 2),
        },
        { alive: (t) => t < 2_400 },
      ),
    },
    firing: { 10: [], 24: ["QueueGrowing (warning)"] },
  },
];
