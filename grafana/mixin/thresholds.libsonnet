// Made by `npm run dashboards` from grafana/build/mixin/thresholds.ts.
{
  // how long an item may wait in a queue that has no SLA
  patience_seconds: 300,
  // QueueOldestItemOverSla: age of the oldest item, by its SLA's target
  oldest_item_warning: 1,
  // the same, when it pages
  oldest_item_critical: 3,
  // QueueCompletionOverSla: age of the oldest item that is not settled, by what the SLA promises
  completion_warning: 1,
  // the same, when it pages
  completion_critical: 3,
  // QueueSlaBudgetBurn: how many times as fast as allowed the budget goes, over 1h
  burn_rate_1h: 14.4,
  // QueueSlaBudgetBurn: how many times as fast as allowed the budget goes, over 6h
  burn_rate_6h: 6,
  // QueueSlaBudgetBurn: how many times as fast as allowed the budget goes, over 1d
  burn_rate_1d: 3,
  // QueueSlaBudgetBurn: how many times as fast as allowed the budget goes, over 3d
  burn_rate_3d: 1,
  // QueueNearlyFull: share of the capacity that is taken; QueueWillBeFull ends there
  nearly_full_ratio: 0.9,
  // QueueWillBeFull: share of the capacity from which on a trend counts
  will_be_full_ratio: 0.25,
  // QueueGrowing: items in a queue without a bound from which on its growth counts
  growing_items: 100,
  // QueueDropping: share of the items that come
  dropping_warning_ratio: 0.01,
  // the same, when it pages
  dropping_critical_ratio: 0.1,
  // QueueFailures: share of the items that are given up
  failures_warning_ratio: 0.05,
  // the same, when it pages
  failures_critical_ratio: 0.5,
  // QueueRetryStorm: share of the attempts that are repeated
  retries_warning_ratio: 0.5,
  // the same, when it pages
  retries_critical_ratio: 0.9,
  // QueueRedeliveryStorm: share of the deliveries that are repeated
  redelivered_ratio: 0.5,
  // QueueTasksStuck: how long a task has been in flight at least
  task_stuck_seconds: 600,
  // QueueEventLoopStalled: share of the time
  event_loop_stalled_warning_ratio: 0.1,
  // the same, when it pages
  event_loop_stalled_critical_ratio: 0.25,
  // QueueEventLoopBusy: share of 10 minutes
  event_loop_busy_ratio: 0.95,
  // QueueProcessRestarting: more restarts than this within an hour
  restarts: 2,
  // QueueWatchdogDead: how long it has not looked
  watchdog_silent_seconds: 120,
}
