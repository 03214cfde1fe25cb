import type { Incident } from "./promtool-file.js";
import { type Figures, inBursts, type Place, perSecond, some, target } from "./series.js";

const MET = 'sla_items_total{queue_tier="regular",queue_result="met"}';
const MISSED = 'sla_items_total{queue_tier="regular",queue_result="missed"}';
const TARGET = 'sla_target_seconds{queue_tier="regular"}';
const OBJECTIVE = 'sla_objective_ratio{queue_tier="regular"}';

const slas = (place: Place, figures: Figures) =>
  some(place, { [TARGET]: 60, [OBJECTIVE]: 0.99, [MET]: 0, [MISSED]: 0, ...figures });

/** Does the budget of an SLA burn? */
export const burn: readonly Incident[] = [
  {
    name: "16.7 times the budget, in bursts every 6 minutes, for 5 hours",
    minutes: 300,
    series: {
      ...target({}),
      ...slas({}, { [MET]: inBursts(300, 360), [MISSED]: inBursts(60, 360) }),
    },
    firing: {
      10: [],
      50: ["QueueSlaBudgetBurn (critical)"],
      53: ["QueueSlaBudgetBurn (critical)"],
      56: ["QueueSlaBudgetBurn (critical)"],
      240: ["QueueSlaBudgetBurn (critical)"],
      299: ["QueueSlaBudgetBurn (critical)"],
    },
  },
  {
    name: "8 times the budget, in bursts every 25 minutes",
    minutes: 300,
    series: {
      ...target({}),
      ...slas({}, { [MET]: inBursts(460, 1_500), [MISSED]: inBursts(40, 1_500) }),
    },
    firing: {
      60: [],
      220: ["QueueSlaBudgetBurn (critical)"],
      230: ["QueueSlaBudgetBurn (critical)"],
      240: ["QueueSlaBudgetBurn (critical)"],
    },
  },
  {
    name: "a jam that is cleared in one go, and nothing is late any more",
    minutes: 200,
    series: {
      ...target({}),
      ...slas(
        {},
        {
          [MET]: (t) => perSecond(1, 0, 6_000)(t)! + perSecond(1, 6_600)(t)!,
          [MISSED]: (t) => (t < 6_600 ? 0 : 600),
        },
      ),
    },
    firing: { 109: [], 114: [], 118: [], 125: [], 145: [] },
  },
  {
    name: "an objective of 1: a few are missed, of many",
    minutes: 200,
    series: {
      ...target({}),
      ...slas({}, { [OBJECTIVE]: 1, [MET]: perSecond(20), [MISSED]: inBursts(1, 600) }),
    },
    firing: { 60: [], 130: [], 199: [] },
  },
  {
    name: "an objective of 1: everything is met, by two processes; by another one most are missed",
    minutes: 200,
    series: {
      ...target({ instance: "a" }),
      ...target({ instance: "b" }),
      ...slas({ instance: "a" }, { [OBJECTIVE]: 1, [MET]: perSecond(1) }),
      ...slas({ instance: "b" }, { [OBJECTIVE]: 1, [MET]: perSecond(1) }),
      ...slas({ job: "late" }, { [OBJECTIVE]: 1, [MISSED]: perSecond(0.5) }),
    },
    firing: {
      15: [],
      60: ["QueueSlaBudgetBurn (critical) job=late"],
      199: ["QueueSlaBudgetBurn (critical) job=late"],
    },
  },
  {
    name: "what waited for an hour is taken: its age has paged, and so the budget that it used up doesn't",
    minutes: 150,
    series: {
      ...target({}),
      ...slas(
        {},
        {
          'oldest_age_seconds{queue_tier="regular"}': (t) =>
            t < 1_800 || t >= 6_300 ? 1 : Math.min(t - 1_800, 6_300 - t),
          [MET]: (t) => perSecond(1, 0, 1_800)(t)! + perSecond(1, 6_300)(t)!,
          [MISSED]: perSecond(4, 5_400, 6_300),
        },
      ),
    },
    firing: {
      29: [],
      60: ["QueueOldestItemOverSla (critical)", "QueueOldestItemOverSla (warning)"],
      100: ["QueueOldestItemOverSla (critical)", "QueueOldestItemOverSla (warning)"],
      106: [],
      110: [],
      113: [],
      118: [],
      149: [],
    },
  },
];
