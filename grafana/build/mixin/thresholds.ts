/** A number of the rules that users of the mixin may change. */
export interface Threshold {
  readonly name: string;
  readonly value: number;
  /** What it means, with its unit. */
  readonly doc: string;
  /** Where it stands: in these rules, wherever this text does, in place of `#`. */
  readonly places: readonly Place[];
}

interface Place {
  /** A recording's name, or an alert's with its severity. */
  readonly rule: string;
  readonly text: string;
}

/** The same alert tells of queues in a process and of those in brokers: a place may be there twice. */
const at = (rule: string, text: string): Place => ({ rule, text });

export const THRESHOLDS: readonly Threshold[] = [
  {
    name: "patience_seconds",
    value: 300,
    doc: "how long an item may wait in a queue that has no SLA",
    places: [
      at("instance:queue_oldest_age:over_target", "* 0 + #"),
      at("instance:queue_sla_target:max", "* 0 + #"),
      at("queue:shared_oldest_age:over_target", "/ #"),
    ],
  },
  {
    name: "oldest_item_warning",
    value: 1,
    doc: "QueueOldestItemOverSla: age of the oldest item, by its SLA's target",
    places: [at("QueueOldestItemOverSla (warning)", "> #")],
  },
  {
    name: "oldest_item_critical",
    value: 3,
    doc: "the same, when it pages",
    places: [
      at("QueueOldestItemOverSla (critical)", "> #"),
      at("QueueOldestItemOverSla (critical)", "more than # times"),
    ],
  },
  {
    name: "completion_warning",
    value: 1,
    doc: "QueueCompletionOverSla: age of the oldest item that is not settled, by what the SLA promises",
    places: [at("QueueCompletionOverSla (warning)", "> #")],
  },
  {
    name: "completion_critical",
    value: 3,
    doc: "the same, when it pages",
    places: [
      at("QueueCompletionOverSla (critical)", "> #"),
      at("QueueCompletionOverSla (critical)", "more than # times"),
    ],
  },
  ...(
    [
      ["1h", 14.4, "critical"],
      ["6h", 6, "critical"],
      ["1d", 3, "warning"],
      ["3d", 1, "warning"],
    ] as const
  ).map(([long, value, severity]) => ({
    name: `burn_rate_${long}`,
    value,
    doc: `QueueSlaBudgetBurn: how many times as fast as allowed the budget goes, over ${long}`,
    places: [at(`QueueSlaBudgetBurn (${severity})`, "> #")],
  })),
  {
    name: "nearly_full_ratio",
    value: 0.9,
    doc: "QueueNearlyFull: share of the capacity that is taken; QueueWillBeFull ends there",
    places: [at("QueueNearlyFull (warning)", "> #"), at("QueueWillBeFull (warning)", "> #")],
  },
  {
    name: "will_be_full_ratio",
    value: 0.25,
    doc: "QueueWillBeFull: share of the capacity from which on a trend counts",
    places: [at("QueueWillBeFull (warning)", "> #")],
  },
  {
    name: "growing_items",
    value: 100,
    doc: "QueueGrowing: items in a queue without a bound from which on its growth counts",
    places: [at("QueueGrowing (warning)", "> #")],
  },
  {
    name: "dropping_warning_ratio",
    value: 0.01,
    doc: "QueueDropping: share of the items that come",
    places: [at("QueueDropping (warning)", "> #")],
  },
  {
    name: "dropping_critical_ratio",
    value: 0.1,
    doc: "the same, when it pages",
    places: [at("QueueDropping (critical)", "> #")],
  },
  {
    name: "failures_warning_ratio",
    value: 0.05,
    doc: "QueueFailures: share of the items that are given up",
    places: [at("QueueFailures (warning)", "> #")],
  },
  {
    name: "failures_critical_ratio",
    value: 0.5,
    doc: "the same, when it pages",
    places: [at("QueueFailures (critical)", "> #")],
  },
  {
    name: "retries_warning_ratio",
    value: 0.5,
    doc: "QueueRetryStorm: share of the attempts that are repeated",
    places: [at("QueueRetryStorm (warning)", "> #")],
  },
  {
    name: "retries_critical_ratio",
    value: 0.9,
    doc: "the same, when it pages",
    places: [at("QueueRetryStorm (critical)", "> #")],
  },
  {
    name: "redelivered_ratio",
    value: 0.5,
    doc: "QueueRedeliveryStorm: share of the deliveries that are repeated",
    places: [at("QueueRedeliveryStorm (warning)", "> #")],
  },
  {
    name: "task_stuck_seconds",
    value: 600,
    doc: "QueueTasksStuck: how long a task has been in flight at least",
    places: [at("instance:queue_tasks:stuck", "> #")],
  },
  {
    name: "event_loop_stalled_warning_ratio",
    value: 0.1,
    doc: "QueueEventLoopStalled: share of the time",
    places: [at("QueueEventLoopStalled (warning)", "> #")],
  },
  {
    name: "event_loop_stalled_critical_ratio",
    value: 0.25,
    doc: "the same, when it pages",
    places: [at("QueueEventLoopStalled (critical)", "> #")],
  },
  {
    name: "event_loop_busy_ratio",
    value: 0.95,
    doc: "QueueEventLoopBusy: share of 10 minutes",
    places: [at("QueueEventLoopBusy (warning)", "> #")],
  },
  {
    name: "restarts",
    value: 2,
    doc: "QueueProcessRestarting: more restarts than this within an hour",
    places: [at("QueueProcessRestarting (warning)", "> #")],
  },
  {
    name: "watchdog_silent_seconds",
    value: 120,
    doc: "QueueWatchdogDead: how long it has not looked",
    places: [at("QueueWatchdogDead (warning)", "> #")],
  },
];
