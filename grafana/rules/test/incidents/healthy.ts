import type { Incident } from "./promtool-file.js";
import { perSecond, queue, target } from "./series.js";

const DEPTH = 'depth{queue_tier="regular"}';
const AGE = 'oldest_age_seconds{queue_tier="regular"}';
const ENQUEUED = 'enqueued_total{queue_tier="regular"}';
const DEQUEUED = 'dequeued_total{queue_tier="regular"}';
const SUCCEEDED = 'completed_total{queue_outcome="success"}';
const TAKEN = 'process_seconds_count{queue_outcome="success"}';
const TOOK = 'process_seconds_sum{queue_outcome="success"}';
const MET = 'sla_items_total{queue_tier="regular",queue_result="met"}';
const TARGET = 'sla_target_seconds{queue_tier="regular"}';

/** Done at so many a second, after each has waited for as long as the figure says. */
const taken = (perS: number, from = 0, until = Infinity) => ({
  [DEQUEUED]: perSecond(perS, from, until),
  [SUCCEEDED]: perSecond(perS, from, until),
  [TAKEN]: perSecond(perS, from, until),
  [TOOK]: (t: number) => perSecond(perS, from, until)(t)! * 0.4,
  [MET]: perSecond(perS, from, until),
});

/** What is in order, and wakes up nobody. */
export const healthy: readonly Incident[] = [
  {
    name: "a nightly batch: 18,000 items at once, 10 done each second, and two hours are allowed",
    minutes: 90,
    series: {
      ...target({}),
      ...queue(
        {},
        {
          [TARGET]: 7_200,
          [ENQUEUED]: (t) => (t < 1_200 ? 0 : 18_000),
          [DEPTH]: (t) => (t < 1_200 ? 0 : 18_000 - perSecond(10, 1_200, 3_000)(t)!),
          [AGE]: (t) => (t < 1_200 || t >= 3_000 ? 0 : t - 1_200),
          'workers{queue_state="processing"}': (t) => (t >= 1_200 && t < 3_000 ? 4 : 0),
          'workers{queue_state="idle"}': (t) => (t >= 1_200 && t < 3_000 ? 0 : 4),
          inflight: (t) => (t >= 1_200 && t < 3_000 ? 4 : 0),
          inflight_oldest_age_seconds: (t) => (t >= 1_200 && t < 3_000 ? 0.4 : 0),
          ...taken(10, 1_200, 3_000),
        },
      ),
    },
    firing: { 19: [], 25: [], 35: [], 45: [], 49: [], 55: [], 89: [] },
  },
  {
    name: "a rolling deploy: each of four pods is replaced by another one, and leaves some late items behind",
    minutes: 40,
    series: Object.assign(
      {},
      ...[0, 1, 2, 3].flatMap((i) => {
        const at = 600 + i * 120;
        const before = (t: number) => t < at;
        const after = (t: number) => t >= at + 30;
        return [
          target({ instance: `old-${i}` }, (t) => (before(t) ? 1 : undefined)),
          queue(
            { instance: `old-${i}` },
            { ...taken(2), [DEPTH]: (t) => (t > at - 40 ? 30 : 1), [AGE]: (t) => (t > at - 40 ? 70 : 1) },
            { alive: before },
          ),
          target({ instance: `new-${i}` }, (t) => (before(t) ? undefined : after(t) ? 1 : 0)),
          queue({ instance: `new-${i}` }, taken(2, at + 30), { alive: after }),
        ];
      }),
    ),
    firing: { 9: [], 11: [], 12: [], 13: [], 14: [], 15: [], 16: [], 17: [], 18: [], 20: [], 39: [] },
  },
  {
    name: "scaled to zero, the last scrape of one of two failed; and back an hour later",
    minutes: 120,
    series: Object.assign(
      {},
      ...["a", "b"].flatMap((instance, i) => {
        const alive = (t: number) => t < 600 || t >= 4_800;
        return [
          target({ instance }, (t) => (alive(t) ? 1 : i === 0 && t < 620 ? 0 : undefined)),
          queue({ instance }, taken(2), { alive }),
        ];
      }),
    ),
    firing: { 9: [], 11: [], 12: [], 13: [], 14: [], 15: [], 17: [], 20: [], 60: [], 79: [], 82: [], 90: [] },
  },
];
