// Made by `npm run dashboards` from grafana/rules.
//
// Recording rules stay in the groups of the alerts that use them: what is in one group is evaluated in order, at one moment.
function(c) {
  alerts: [
    {
      name: 'queuescope-brokers',
      rules: [
        {
          record: 'queue:shared_depth:max',
          expr: |||
            max by (cluster, namespace, queue_name) (last_over_time(queue_depth{queue_scope="shared"%(more_matchers)s}[%(range_100s)s]))
          ||| % c,
        },
        {
          record: 'queue:shared_consumers:max',
          expr: |||
            max by (cluster, namespace, queue_name) (last_over_time(queue_consumers%(matchers)s[%(range_100s)s]))
          ||| % c,
        },
        {
          record: 'queue:shared_oldest_age:max',
          expr: |||
            max by (cluster, namespace, queue_name) (last_over_time(queue_oldest_age_seconds{queue_scope="shared"%(more_matchers)s}[%(range_100s)s]))
          ||| % c,
        },
        {
          record: 'queue:shared_oldest_age:over_sla',
          expr: |||
            queue:shared_oldest_age:max / max by (cluster, namespace, queue_name) (last_over_time(queue_sla_target_seconds%(matchers)s[%(range_100s)s]))
          ||| % c,
        },
        {
          record: 'queue:shared_oldest_age:over_target',
          expr: |||
            queue:shared_oldest_age:over_sla or queue:shared_oldest_age:max / %(patience_seconds)g
          ||| % c,
        },
        {
          alert: 'QueueNoConsumer',
          expr: |||
            queue:shared_depth:max > 0
              and queue:shared_consumers:max == 0
              unless queue:shared_oldest_age:over_target <= 1
              and (
                queue:shared_consumers:max1d > 0
                or max by (cluster, namespace, queue_name) (present_over_time(queue_sla_target_seconds%(matchers)s[%(range_100s)s]))
              )
          ||| % c,
          'for': c.held(180),
          keep_firing_for: '4m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "The broker knows of no consumer of {{ $labels.queue_name }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ printf \"%.0f\" $value }} messages wait",
            description: "For 3 minutes no process has been connected that takes from the queue, and messages are late, or it isn't known since when they wait. Consumers were never started, have crashed, or have lost their subscription. The watchdog's verdict is no-consumer.",
            runbook_url: c.runbook_url_pattern % 'QueueNoConsumer',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueStuck',
          expr: |||
            queue:shared_depth:max > 0
              unless queue:shared_oldest_age:over_target <= 1
              unless queue:shared_consumers:max == 0
              and sum by (cluster, namespace, queue_name) (last_over_time(queue_inflight{queue_scope=""%(more_matchers)s}[%(range_100s)s])) > 0
              unless sum by (cluster, namespace, queue_name) (rate(queue_dequeued_total%(matchers)s[5m])) > 0
              unless sum by (cluster, namespace, queue_name) (rate(queue_completed_total%(matchers)s[5m])) > 0
              unless max by (cluster, namespace, queue_name) (last_over_time(queue_inflight_oldest_age_seconds%(matchers)s[%(range_100s)s]))
                < 3 * queue:shared_process_seconds:mean1d
          ||| % c,
          'for': c.held(300),
          keep_firing_for: '4m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is stuck in all of its consumers: {{ printf \"%.0f\" $value }} messages wait in the broker, and nothing gets done",
            description: "Consumers have messages in hand, but for 10 minutes none was finished and none taken: they hang in a call without a timeout, or wait for each other or for a breaker. The watchdog's report says where (consumers-stuck, never-resumes, downstream-saturated).",
            runbook_url: c.runbook_url_pattern % 'QueueStuck',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueOldestItemOverSla',
          expr: |||
            queue:shared_oldest_age:over_sla > %(oldest_item_warning)g
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: the oldest message in the broker has waited {{ printf \"%.1f\" $value }} times as long as its SLA allows",
            description: "Messages come in faster than they are done, or aren't done at all. The queue's dashboard shows which of the two, and queue_sla_breaches_total which cause the watchdog found.",
            runbook_url: c.runbook_url_pattern % 'QueueOldestItemOverSla',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueOldestItemOverSla',
          expr: |||
            queue:shared_oldest_age:over_sla > %(oldest_item_critical)g
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: the oldest message in the broker has waited {{ printf \"%.1f\" $value }} times as long as its SLA allows",
            description: "It has been more than %(oldest_item_critical)g times for 5 minutes, and will not mend by itself if the depth still grows. The queue's dashboard shows whether work is slow or too much, and queue_sla_breaches_total which cause the watchdog found." % c,
            runbook_url: c.runbook_url_pattern % 'QueueOldestItemOverSla',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueSettlesStale',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_settle_stale_total%(matchers)s[15m])) > 0
          ||| % c,
          'for': c.held(60),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ printf \"%.0f\" $value }} acknowledgements in 15 minutes were of deliveries whose channel or lock is gone",
            description: "Their messages are delivered again, so work is done twice. On RabbitMQ such an acknowledgement may have hit another message, which then is lost. The warning in the process's log has a correlation ID; the watchdog's verdict is stale-settle or lock-lost.",
            runbook_url: c.runbook_url_pattern % 'QueueSettlesStale',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueRedeliveryStorm',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_redelivered_total%(matchers)s[5m]))
              / sum by (cluster, namespace, job, queue_name) (increase(queue_dequeued_total%(matchers)s[5m])) > %(redelivered_ratio)g
              and sum by (cluster, namespace, job, queue_name) (increase(queue_redelivered_total%(matchers)s[5m])) > 20
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ $value | humanizePercentage }} of the deliveries had been delivered before",
            description: "Consumers work, but mostly on what comes back: messages that fail each time, rejected ones that are requeued at once, or locks that expire. The watchdog's verdict is redelivery-storm, poison-item or lock-lost.",
            runbook_url: c.runbook_url_pattern % 'QueueRedeliveryStorm',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
      ],
    },
    {
      name: 'queuescope-tasks',
      interval: '1m',
      rules: [
        {
          record: 'queue:process_seconds_sum:rate30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (rate(queue_process_seconds_sum%(matchers)s[30m]))
          ||| % c,
        },
        {
          record: 'queue:process_seconds_count:rate30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (rate(queue_process_seconds_count%(matchers)s[30m]))
          ||| % c,
        },
        {
          record: 'queue:process_seconds:mean1d',
          expr: |||
            sum_over_time(queue:process_seconds_sum:rate30m[1d]) / sum_over_time(queue:process_seconds_count:rate30m[1d]) > 0
              or last_over_time(queue:process_seconds:mean1d[1h])
          ||| % c,
        },
        {
          record: 'instance:queue_dequeued:increase1d',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (increase(queue_dequeued_total%(matchers)s[1d]))
          ||| % c,
        },
        {
          record: 'instance:queue_tasks:stuck',
          expr: |||
            max by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_inflight_oldest_age_seconds%(matchers)s[%(range_100s)s])) > %(task_stuck_seconds)g
              and max by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_inflight_oldest_age_seconds%(matchers)s[%(range_100s)s]))
                > on (cluster, namespace, job, queue_name) group_left () (
                  10 * queue:process_seconds:mean1d
                    or 0 * (sum by (cluster, namespace, job, queue_name) (rate(queue_completed_total%(matchers)s[30m])) > 0) + 3600
                )
          ||| % c,
        },
        {
          alert: 'QueueTasksStuck',
          expr: |||
            max by (cluster, namespace, job, queue_name) (instance:queue_tasks:stuck)
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: a task has been in flight for {{ $value | humanizeDuration }}",
            description: "At {{ range $i, $each := printf \"topk(5, instance:queue_tasks:stuck{cluster=%q,namespace=%q,job=%q,queue_name=%q})\" $labels.cluster $labels.namespace $labels.job $labels.queue_name | query | sortByLabel \"instance\" }}{{ if $i }}, {{ end }}{{ $each.Labels.instance }}{{ end }}: that is far longer than a task takes on average, 10 times or an hour. Its worker is lost for other work; so are others, if they hang at the same place. The watchdog's report says where (consumers-stuck, never-resumes).",
            runbook_url: c.runbook_url_pattern % 'QueueTasksStuck',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          record: 'queue:settled:increase5m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_completed_total%(matchers)s[5m]) or increase(queue_dead_lettered_total%(matchers)s[5m]))
          ||| % c,
        },
        {
          record: 'queue:settled:increase30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_completed_total%(matchers)s[30m]) or increase(queue_dead_lettered_total%(matchers)s[30m]))
          ||| % c,
        },
        {
          record: 'queue:settled:increase6h',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_completed_total%(matchers)s[6h]) or increase(queue_dead_lettered_total%(matchers)s[6h]))
          ||| % c,
        },
        {
          record: 'queue:failure_ratio:5m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (
              increase(queue_completed_total{queue_outcome="failure"%(more_matchers)s}[5m]) or increase(queue_dead_lettered_total%(matchers)s[5m])
            )
              / queue:settled:increase5m
          ||| % c,
        },
        {
          record: 'queue:failure_ratio:30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (
              increase(queue_completed_total{queue_outcome="failure"%(more_matchers)s}[30m]) or increase(queue_dead_lettered_total%(matchers)s[30m])
            )
              / queue:settled:increase30m
          ||| % c,
        },
        {
          record: 'queue:failure_ratio:6h',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (
              increase(queue_completed_total{queue_outcome="failure"%(more_matchers)s}[6h]) or increase(queue_dead_lettered_total%(matchers)s[6h])
            )
              / queue:settled:increase6h
          ||| % c,
        },
        {
          alert: 'QueueFailures',
          expr: |||
            (
              queue:failure_ratio:5m > %(failures_warning_ratio)g and queue:settled:increase5m > 20
            ) or (
              queue:failure_ratio:6h > %(failures_warning_ratio)g
                and queue:failure_ratio:30m > %(failures_warning_ratio)g
                and queue:settled:increase6h > 20
                unless queue:settled:increase5m > 20
            )
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ $value | humanizePercentage }} of the items fail",
            description: "They are given up after their last attempt, and dropped or dead-lettered. The spans \"process {{ $labels.queue_name }}\" with status ERROR have the exceptions.",
            runbook_url: c.runbook_url_pattern % 'QueueFailures',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueFailures',
          expr: |||
            (
              queue:failure_ratio:5m > %(failures_critical_ratio)g and queue:settled:increase5m > 20
            ) or (
              queue:failure_ratio:6h > %(failures_critical_ratio)g
                and queue:failure_ratio:30m > %(failures_critical_ratio)g
                and queue:settled:increase6h > 20
                unless queue:settled:increase5m > 20
            )
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ $value | humanizePercentage }} of the items fail",
            description: "Most of the work is lost or ends as dead letters. The spans \"process {{ $labels.queue_name }}\" with status ERROR have the exceptions. What was deployed last?",
            runbook_url: c.runbook_url_pattern % 'QueueFailures',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          record: 'queue:retried:increase15m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_retried_total%(matchers)s[15m]))
          ||| % c,
        },
        {
          record: 'queue:attempts:increase15m',
          expr: |||
            queue:retried:increase15m
              + (
                sum by (cluster, namespace, job, queue_name) (increase(queue_completed_total%(matchers)s[15m]) or increase(queue_dead_lettered_total%(matchers)s[15m]))
                  or queue:retried:increase15m * 0
              )
          ||| % c,
        },
        {
          record: 'queue:retry_ratio:15m',
          expr: |||
            queue:retried:increase15m / queue:attempts:increase15m
          ||| % c,
        },
        {
          record: 'queue:retried:increase1h',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_retried_total%(matchers)s[1h]))
          ||| % c,
        },
        {
          record: 'queue:attempts:increase1h',
          expr: |||
            queue:retried:increase1h
              + (
                sum by (cluster, namespace, job, queue_name) (increase(queue_completed_total%(matchers)s[1h]) or increase(queue_dead_lettered_total%(matchers)s[1h]))
                  or queue:retried:increase1h * 0
              )
          ||| % c,
        },
        {
          record: 'queue:retry_ratio:1h',
          expr: |||
            queue:retried:increase1h / queue:attempts:increase1h
          ||| % c,
        },
        {
          record: 'queue:retried:increase6h',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (increase(queue_retried_total%(matchers)s[6h]))
          ||| % c,
        },
        {
          record: 'queue:attempts:increase6h',
          expr: |||
            queue:retried:increase6h
              + (
                queue:settled:increase6h
                  or queue:retried:increase6h * 0
              )
          ||| % c,
        },
        {
          record: 'queue:retry_ratio:6h',
          expr: |||
            queue:retried:increase6h / queue:attempts:increase6h
          ||| % c,
        },
        {
          record: 'queue:delayed:max15m',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (max_over_time(queue_delayed{queue_scope=""%(more_matchers)s}[15m]))
              or max by (cluster, namespace, job, queue_name) (max_over_time(queue_delayed{queue_scope="shared"%(more_matchers)s}[15m]))
          ||| % c,
        },
        {
          alert: 'QueueRetryStorm',
          expr: |||
            (
              queue:retry_ratio:15m > %(retries_warning_ratio)g and queue:retried:increase15m > 20 unless queue:delayed:max15m == 1
            ) or (
              queue:retry_ratio:6h > %(retries_warning_ratio)g
                and queue:retry_ratio:1h > %(retries_warning_ratio)g
                and queue:retried:increase6h > 20
                unless queue:delayed:max15m <= 1
                unless queue:attempts:increase15m > 20
            )
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ $value | humanizePercentage }} of the attempts fail and are repeated",
            description: "Items aren't given up, so none counts as failed, and those that wait for their next attempt count neither as waiting nor as late. The spans \"process {{ $labels.queue_name }}\" with status ERROR have the exceptions.",
            runbook_url: c.runbook_url_pattern % 'QueueRetryStorm',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueRetryStorm',
          expr: |||
            (
              queue:retry_ratio:15m > %(retries_critical_ratio)g and queue:retried:increase15m > 20
                and (queue:delayed:max15m >= 10 or queue:retried:increase15m > 1000)
            ) or (
              queue:retry_ratio:6h > %(retries_critical_ratio)g
                and queue:retry_ratio:1h > %(retries_critical_ratio)g
                and queue:retried:increase6h > 20
                and (queue:delayed:max15m >= 10 or queue:retried:increase6h > 1000)
                unless queue:attempts:increase15m > 20
            )
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ $value | humanizePercentage }} of the attempts fail and are repeated",
            description: "Hardly any work gets done, whatever depth and age say: items come in, fail, and wait for their next attempt. What they need is down, or a deploy broke them. The spans \"process {{ $labels.queue_name }}\" with status ERROR have the exceptions.",
            runbook_url: c.runbook_url_pattern % 'QueueRetryStorm',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
      ],
    },
    {
      name: 'queuescope-consumers',
      rules: [
        {
          record: 'instance:queue_oldest_age:over_target',
          expr: |||
            max by (cluster, namespace, job, instance, queue_name) (
              last_over_time(queue_oldest_age_seconds{queue_scope=""%(more_matchers)s}[%(range_100s)s])
                / (last_over_time(queue_sla_target_seconds%(matchers)s[%(range_100s)s]) or last_over_time(queue_oldest_age_seconds{queue_scope=""%(more_matchers)s}[%(range_100s)s]) * 0 + %(patience_seconds)g)
                unless on (cluster, namespace, job, instance) (present_over_time(up%(matchers)s[%(range_100s)s]) unless up%(matchers)s)
            )
          ||| % c,
        },
        {
          record: 'instance:queue_depth:while_late',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_depth{queue_scope=""%(more_matchers)s}[%(range_100s)s]))
              and instance:queue_oldest_age:over_target > 1
          ||| % c,
        },
        {
          record: 'instance:queue_busy:sum',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (
              last_over_time(queue_workers{queue_state=~"processing|backoff|stalled"%(more_matchers)s}[%(range_100s)s])
                or last_over_time(queue_inflight{queue_scope=""%(more_matchers)s}[%(range_100s)s])
            )
          ||| % c,
        },
        {
          record: 'instance:queue_workers:all_stalled',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_workers{queue_state="stalled"%(more_matchers)s}[%(range_100s)s])) > 0
              unless sum by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_workers{queue_state=~"idle|processing|backoff"%(more_matchers)s}[%(range_100s)s])) > 0
          ||| % c,
        },
        {
          record: 'instance:queue_depth:no_consumer',
          expr: |||
            instance:queue_depth:while_late
            unless instance:queue_busy:sum > 0
            unless sum by (cluster, namespace, job, instance, queue_name) (irate(queue_dequeued_total%(matchers)s[%(range_3m)s])) > 0
            and (
              sum by (cluster, namespace, job, instance, queue_name) (rate(queue_dequeued_total%(matchers)s[%(range_3m)s])) == 0
              or sum by (cluster, namespace, job, instance, queue_name) (present_over_time(queue_workers%(matchers)s[%(range_100s)s]))
            )
            and on (cluster, namespace, job, instance, queue_name) (
              instance:queue_dequeued:increase1d > 10
              or present_over_time(queue_workers%(matchers)s[%(range_100s)s])
              or present_over_time(queue_sla_target_seconds%(matchers)s[%(range_100s)s])
            )
          ||| % c,
        },
        {
          alert: 'QueueNoConsumer',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (instance:queue_depth:no_consumer)
          ||| % c,
          'for': c.held(180),
          keep_firing_for: '4m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "No consumer takes items from {{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ printf \"%.0f\" $value }} wait",
            description: "At {{ range $i, $each := printf \"topk(5, instance:queue_depth:no_consumer{cluster=%q,namespace=%q,job=%q,queue_name=%q})\" $labels.cluster $labels.namespace $labels.job $labels.queue_name | query | sortByLabel \"instance\" }}{{ if $i }}, {{ end }}{{ $each.Labels.instance }}{{ end }}: an item is late, and no consumer has had anything in hand for 3 minutes. Workers were never started, have ended, or are paused. The watchdog's verdict is no-consumer or consumers-paused.",
            runbook_url: c.runbook_url_pattern % 'QueueNoConsumer',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          record: 'instance:queue_depth:stuck',
          expr: |||
            instance:queue_depth:while_late
            and sum by (cluster, namespace, job, instance, queue_name) (rate(queue_dequeued_total%(matchers)s[5m])) == 0
            and instance:queue_busy:sum > 0
            unless sum by (cluster, namespace, job, instance, queue_name) (rate(queue_completed_total%(matchers)s[5m])) > 0
            unless instance:queue_workers:all_stalled
            unless max by (cluster, namespace, job, instance, queue_name) (max_over_time(queue_breaker_open%(matchers)s[%(range_2m)s])) > 0
            unless max by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_inflight_oldest_age_seconds%(matchers)s[%(range_100s)s]))
              < on (cluster, namespace, job, queue_name) group_left () 3 * queue:process_seconds:mean1d
          ||| % c,
        },
        {
          alert: 'QueueStuck',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (instance:queue_depth:stuck)
          ||| % c,
          'for': c.held(300),
          keep_firing_for: '4m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is stuck: {{ printf \"%.0f\" $value }} items wait, and nothing gets done",
            description: "At {{ range $i, $each := printf \"topk(5, instance:queue_depth:stuck{cluster=%q,namespace=%q,job=%q,queue_name=%q})\" $labels.cluster $labels.namespace $labels.job $labels.queue_name | query | sortByLabel \"instance\" }}{{ if $i }}, {{ end }}{{ $each.Labels.instance }}{{ end }}: workers have items in hand, but for 10 minutes none was finished and none taken: they hang in a call without a timeout, or wait for each other. The watchdog's report says where (consumers-stuck, never-resumes, downstream-saturated).",
            runbook_url: c.runbook_url_pattern % 'QueueStuck',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueWorkersStalled',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (last_over_time(queue_workers{queue_state="stalled"%(more_matchers)s}[%(range_100s)s])) > 0
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: {{ printf \"%.0f\" $value }} of its workers are stalled",
            description: "Their tasks were aborted after timeoutMs and go on all the same, so they are lost for other work. Pass task.signal on to what the handler waits for.",
            runbook_url: c.runbook_url_pattern % 'QueueWorkersStalled',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueWorkersStalled',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (
              instance:queue_workers:all_stalled and instance:queue_oldest_age:over_target > 1
            )
          ||| % c,
          'for': c.held(120),
          keep_firing_for: '4m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: all of its {{ printf \"%.0f\" $value }} workers are stalled, and items are late",
            description: "No worker of a process is left to take an item. Their tasks were aborted after timeoutMs and go on all the same. A restart frees them; passing task.signal on to what the handler waits for keeps it from happening again.",
            runbook_url: c.runbook_url_pattern % 'QueueWorkersStalled',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueBreakerOpen',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_gate) (max_over_time(queue_breaker_open%(matchers)s[%(range_2m)s])) > 0
          ||| % c,
          'for': c.held(180),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}: the circuit breaker of {{ $labels.queue_gate }} is open in {{ printf \"%.0f\" $value }} of its processes",
            description: "Calls to {{ $labels.queue_gate }} failed, so it is not called for now. Work on the queue's items waits and isn't lost.",
            runbook_url: c.runbook_url_pattern % 'QueueBreakerOpen',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueBreakerOpen',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_gate) (
              max_over_time(queue_breaker_open%(matchers)s[%(range_2m)s]) > 0
              and on (cluster, namespace, job, instance, queue_name) instance:queue_oldest_age:over_target > 1
            )
          ||| % c,
          'for': c.held(300),
          keep_firing_for: '4m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is late, as the circuit breaker of {{ $labels.queue_gate }} is open in {{ printf \"%.0f\" $value }} of its processes",
            description: "{{ $labels.queue_gate }} has been failing for minutes, and items now wait for longer than they may. The cause is there and not in the queue.",
            runbook_url: c.runbook_url_pattern % 'QueueBreakerOpen',
            dashboard_url: "%(grafana_url)s/d/queuescope-workers?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
      ],
    },
    {
      name: 'queuescope-process',
      rules: [
        {
          alert: 'QueueEventLoopStalled',
          expr: |||
            sum by (cluster, namespace, job, instance) (rate(queue_eventloop_stall_seconds_sum%(matchers)s[5m])) > %(event_loop_stalled_warning_ratio)g
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} at {{ $labels.instance }}: the event loop stood still for {{ $value | humanizePercentage }} of the time",
            description: "While it does, no worker of any queue gets on, no timer fires and no request is answered. The watchdog's stall event names the place in the code.",
            runbook_url: c.runbook_url_pattern % 'QueueEventLoopStalled',
            dashboard_url: "%(grafana_url)s/d/queuescope-runtime?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueEventLoopStalled',
          expr: |||
            sum by (cluster, namespace, job, instance) (rate(queue_eventloop_stall_seconds_sum%(matchers)s[5m])) > %(event_loop_stalled_critical_ratio)g
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} at {{ $labels.instance }}: the event loop stood still for {{ $value | humanizePercentage }} of the time",
            description: "All queues of the process are slow for it, whatever else fires about them. The watchdog's stall event names the place in the code (event-loop-blocked).",
            runbook_url: c.runbook_url_pattern % 'QueueEventLoopStalled',
            dashboard_url: "%(grafana_url)s/d/queuescope-runtime?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueEventLoopBusy',
          expr: |||
            max by (cluster, namespace, job, instance) (
              avg_over_time(nodejs_eventloop_utilization%(matchers)s[10m])
                or sum by (cluster, namespace, job, instance) (rate(nodejs_eventloop_time_total{nodejs_eventloop_state="active"%(more_matchers)s}[10m]))
            ) > %(event_loop_busy_ratio)g
              and on (cluster, namespace, job, instance) last_over_time(queue_depth%(matchers)s[%(range_100s)s])
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} at {{ $labels.instance }}: the event loop was busy for {{ $value | humanizePercentage }} of the last 10 minutes",
            description: "There is no time left: whatever comes next is late, in all queues of the process. Each task may be short, so no stall is seen, or no watchdog is there to see one. A profile says what takes the time; more processes share it.",
            runbook_url: c.runbook_url_pattern % 'QueueEventLoopBusy',
            dashboard_url: "%(grafana_url)s/d/queuescope-runtime?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
        {
          record: 'instance:queue_depth:last_heard',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name, queue_scope) (last_over_time(queue_depth%(matchers)s[%(range_100s)s]))
              or last_over_time(instance:queue_depth:last_heard[1h]) and on (cluster, namespace, job, instance) up%(matchers)s == 0
          ||| % c,
        },
        {
          record: 'instance:up:seldom',
          expr: |||
            max by (cluster, namespace, job, instance) (avg_over_time(up%(matchers)s[15m]) < 0.5 and changes(up%(matchers)s[15m]) > 3)
          ||| % c,
        },
        {
          record: 'instance:queue_depth:heard',
          expr: |||
            (
              sum by (cluster, namespace, job, instance) (last_over_time(queue_depth%(matchers)s[%(range_100s)s]))
                or sum by (cluster, namespace, job, instance) (last_over_time(queue_inflight%(matchers)s[%(range_100s)s]))
            )
              unless on (cluster, namespace, job, instance) instance:up:seldom
          ||| % c,
        },
        {
          record: 'job:queue_depth:last_heard',
          expr: |||
            sum by (cluster, namespace, job) (instance:queue_depth:last_heard{queue_scope=""})
              or max by (cluster, namespace, job) (instance:queue_depth:last_heard{queue_scope="shared"})
              or last_over_time(job:queue_depth:last_heard[1h]) and on (cluster, namespace, job) up%(matchers)s == 0
          ||| % c,
        },
        {
          alert: 'QueueTelemetryLost',
          expr: |||
            last_over_time(job:queue_depth:last_heard[1h])
              unless on (cluster, namespace, job) instance:queue_depth:heard
              unless on (cluster, namespace, job) (present_over_time(up%(matchers)s[1h]) unless on (cluster, namespace, job) up%(matchers)s)
          ||| % c,
          'for': c.held(120),
          keep_firing_for: '3m',
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is not heard of, or hardly ever; {{ printf \"%.0f\" $value }} items waited in its queues when it last was",
            description: "All processes of the job are down, crash again and again, or export no queue metrics. What was queued in them is lost if they died; what a broker has is not. No other alert about its queues can fire until it is back.",
            runbook_url: c.runbook_url_pattern % 'QueueTelemetryLost',
            dashboard_url: "%(grafana_url)s/d/queuescope-sla?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueTelemetryLost',
          expr: |||
            (
              sum by (cluster, namespace, job, instance) (instance:queue_depth:last_heard{queue_scope=""})
                or max by (cluster, namespace, job, instance) (instance:queue_depth:last_heard{queue_scope="shared"})
            )
              and on (cluster, namespace, job, instance) (up%(matchers)s == 0 or instance:up:seldom)
              and on (cluster, namespace, job) instance:queue_depth:heard
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is not heard of, or hardly ever, at {{ $labels.instance }}; {{ printf \"%.0f\" $value }} items waited in its queues when it last was",
            description: "The process can't be scraped, or crashes again and again, while others of the job go on. What was queued in it is lost if it died; what a broker has is not.",
            runbook_url: c.runbook_url_pattern % 'QueueTelemetryLost',
            dashboard_url: "%(grafana_url)s/d/queuescope-sla?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueWatchdogDead',
          expr: |||
            max by (cluster, namespace, job, instance) (time() - last_over_time(queue_watchdog_last_run_timestamp_seconds%(matchers)s[%(range_100s)s])) > %(watchdog_silent_seconds)g
              and max by (cluster, namespace, job, instance) (changes(queue_watchdog_last_run_timestamp_seconds%(matchers)s[5m])) == 0
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} at {{ $labels.instance }}: the watchdog has not looked for {{ $value | humanizeDuration }}",
            description: "Breaches are not diagnosed there, and stalls of the event loop not seen. The other alerts work as before.",
            runbook_url: c.runbook_url_pattern % 'QueueWatchdogDead',
            dashboard_url: "%(grafana_url)s/d/queuescope-sla?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
      ],
    },
    {
      name: 'queuescope-room',
      rules: [
        {
          record: 'instance:queue_depth:sum',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_depth{queue_scope=""%(more_matchers)s}[%(range_100s)s]))
          ||| % c,
        },
        {
          record: 'instance:queue_capacity:sum',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (last_over_time(queue_capacity%(matchers)s[%(range_100s)s]))
          ||| % c,
        },
        {
          record: 'instance:queue_depth:of_capacity',
          expr: |||
            instance:queue_depth:sum / instance:queue_capacity:sum
          ||| % c,
        },
        {
          record: 'instance:queue_depth:avg15m',
          expr: |||
            sum by (cluster, namespace, job, instance, queue_name) (avg_over_time(queue_depth{queue_scope=""%(more_matchers)s}[15m]))
          ||| % c,
        },
        {
          record: 'instance:queue_sla_target:max',
          expr: |||
            max by (cluster, namespace, job, instance, queue_name) (
              last_over_time(queue_sla_target_seconds%(matchers)s[%(range_100s)s]) or last_over_time(queue_depth{queue_scope=""%(more_matchers)s}[%(range_100s)s]) * 0 + %(patience_seconds)g
            )
          ||| % c,
        },
        {
          alert: 'QueueNearlyFull',
          expr: |||
            max by (cluster, namespace, job, queue_name) (instance:queue_depth:of_capacity) > %(nearly_full_ratio)g
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is {{ $value | humanizePercentage }} full",
            description: "Soon producers will have to wait, or items be refused or evicted, as the queue's whenFull says.",
            runbook_url: c.runbook_url_pattern % 'QueueNearlyFull',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueWillBeFull',
          expr: |||
            max by (cluster, namespace, job, queue_name) (
              sum by (cluster, namespace, job, instance, queue_name) (predict_linear(queue_depth{queue_scope=""%(more_matchers)s}[15m], 1800))
                / instance:queue_capacity:sum > 1
              and instance:queue_depth:of_capacity > %(will_be_full_ratio)g
              unless instance:queue_depth:of_capacity > %(nearly_full_ratio)g
            )
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} will be full within 30 minutes: the trend leads to {{ $value | humanizePercentage }} of its capacity",
            description: "Over the last 15 minutes more came in than was taken. There is still time to add workers, or to hold producers back.",
            runbook_url: c.runbook_url_pattern % 'QueueWillBeFull',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          record: 'queue:arrived:increase3m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (
              increase(queue_enqueued_total%(matchers)s[%(range_3m)s]) or increase(queue_dropped_total{queue_reason=~"rejected|evicted"%(more_matchers)s}[%(range_3m)s])
            )
          ||| % c,
        },
        {
          record: 'queue:dropped:increase3m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier, queue_reason) (increase(queue_dropped_total{queue_reason!="shutdown"%(more_matchers)s}[%(range_3m)s]))
          ||| % c,
        },
        {
          record: 'queue:dropped_ratio:3m',
          expr: |||
            clamp_max(queue:dropped:increase3m / on (cluster, namespace, job, queue_name, queue_tier) group_left () queue:arrived:increase3m, 1)
          ||| % c,
        },
        {
          alert: 'QueueDropping',
          expr: |||
            queue:dropped_ratio:3m > %(dropping_warning_ratio)g or (
              queue:dropped_ratio:6h > %(dropping_warning_ratio)g
                and queue:dropped_ratio:30m > %(dropping_warning_ratio)g
                and queue:dropped:increase6h > 5
                unless on (cluster, namespace, job, queue_name, queue_tier) queue:arrived:increase30m > 30
            )
          ||| % c,
          'for': c.held(180),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: {{ $value | humanizePercentage }} of the items are {{ $labels.queue_reason }}",
            description: "Work that was asked for is not done. Rejected and evicted items mean that the queue is full, expired ones that their deadline came before a worker did.",
            runbook_url: c.runbook_url_pattern % 'QueueDropping',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueDropping',
          expr: |||
            queue:dropped_ratio:3m > %(dropping_critical_ratio)g or (
              queue:dropped_ratio:6h > %(dropping_critical_ratio)g
                and queue:dropped_ratio:30m > %(dropping_critical_ratio)g
                and queue:dropped:increase6h > 5
                unless on (cluster, namespace, job, queue_name, queue_tier) queue:arrived:increase30m > 30
            )
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: {{ $value | humanizePercentage }} of the items are {{ $labels.queue_reason }}",
            description: "At least every tenth item is lost or refused, and has been for minutes. Rejected and evicted items mean that the queue is full, expired ones that their deadline came before a worker did.",
            runbook_url: c.runbook_url_pattern % 'QueueDropping',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueBacklogNotShrinking',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (
              instance:queue_depth:sum
              and instance:queue_depth:avg15m >= 0.95 * instance:queue_depth:avg15m offset 15m
              and instance:queue_depth:avg15m
                > sum by (cluster, namespace, job, instance, queue_name) (rate(queue_dequeued_total%(matchers)s[15m])) * instance:queue_sla_target:max
              and sum by (cluster, namespace, job, instance, queue_name) (rate(queue_dequeued_total%(matchers)s[15m])) > 0
            )
          ||| % c,
          'for': c.held(900),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} does not get through its backlog: {{ printf \"%.0f\" $value }} items wait, hardly fewer than 15 minutes ago",
            description: "Items are taken, but as many come in. More workers, shorter tasks or fewer items: without one of them it stays as it is.",
            runbook_url: c.runbook_url_pattern % 'QueueBacklogNotShrinking',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueGrowing',
          expr: |||
            sum by (cluster, namespace, job, queue_name) (
              instance:queue_depth:sum > %(growing_items)g
                and sum by (cluster, namespace, job, instance, queue_name) (deriv(queue_depth{queue_scope=""%(more_matchers)s}[10m])) > 0
                and sum by (cluster, namespace, job, instance, queue_name) (predict_linear(queue_depth{queue_scope=""%(more_matchers)s}[10m], 3600))
                  > 10 * sum by (cluster, namespace, job, instance, queue_name) (rate(queue_dequeued_total%(matchers)s[10m])) * instance:queue_sla_target:max
                and sum by (cluster, namespace, job, instance, queue_name) (rate(queue_dequeued_total%(matchers)s[10m])) > 0
                unless instance:queue_capacity:sum
            )
          ||| % c,
          'for': c.held(900),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} has no bound and grows: {{ printf \"%.0f\" $value }} items wait",
            description: "More comes in than is taken, and in an hour what waits will take 10 times as long as items may wait. Nothing holds producers back, so it ends when memory does, and what is queued in the process is lost with it. Give it a capacity, or more workers.",
            runbook_url: c.runbook_url_pattern % 'QueueGrowing',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueProcessRestarting',
          expr: |||
            max by (cluster, namespace, job, instance) (
              max by (cluster, namespace, job, instance, queue_name) (resets(queue_enqueued_total%(matchers)s[1h])) > %(restarts)g
                and max_over_time(instance:queue_depth:sum[1h]) > 0
            )
          ||| % c,
          'for': c.held(60),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} at {{ $labels.instance }} has been started anew {{ printf \"%.0f\" $value }} times within an hour, and items waited",
            description: "It is killed, or crashes, and is back before its absence is noticed. What was queued in it is lost each time. Out of memory? Its exit code and the orchestrator's events say so; a queue that grows is one reason.",
            runbook_url: c.runbook_url_pattern % 'QueueProcessRestarting',
            dashboard_url: "%(grafana_url)s/d/queuescope-runtime?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
      ],
    },
    {
      name: 'queuescope-sla',
      rules: [
        {
          record: 'queue:oldest_age:over_sla',
          expr: |||
            max by (cluster, namespace, job, queue_name, queue_tier) (
              last_over_time(queue_oldest_age_seconds{queue_scope=""%(more_matchers)s}[%(range_100s)s]) / last_over_time(queue_sla_target_seconds%(matchers)s[%(range_100s)s])
                unless on (cluster, namespace, job, instance) (present_over_time(up%(matchers)s[%(range_100s)s]) unless up%(matchers)s)
            )
          ||| % c,
        },
        {
          alert: 'QueueOldestItemOverSla',
          expr: |||
            queue:oldest_age:over_sla > %(oldest_item_warning)g
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: the oldest item has waited {{ printf \"%.1f\" $value }} times as long as its SLA allows",
            description: "Work comes in faster than it is done, or isn't done at all. The queue's dashboard shows which of the two, and queue_sla_breaches_total which cause the watchdog found.",
            runbook_url: c.runbook_url_pattern % 'QueueOldestItemOverSla',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueOldestItemOverSla',
          expr: |||
            queue:oldest_age:over_sla > %(oldest_item_critical)g
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: the oldest item has waited {{ printf \"%.1f\" $value }} times as long as its SLA allows",
            description: "It has been more than %(oldest_item_critical)g times for 5 minutes, and will not mend by itself if the depth still grows. The queue's dashboard shows whether work is slow or too much, and queue_sla_breaches_total which cause the watchdog found." % c,
            runbook_url: c.runbook_url_pattern % 'QueueOldestItemOverSla',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
        {
          record: 'queue:unsettled_age:over_sla',
          expr: |||
            max by (cluster, namespace, job, queue_name, queue_tier) (
              last_over_time(queue_unsettled_oldest_age_seconds%(matchers)s[%(range_100s)s]) / last_over_time(queue_sla_completion_target_seconds%(matchers)s[%(range_100s)s])
                unless on (cluster, namespace, job, instance) (present_over_time(up%(matchers)s[%(range_100s)s]) unless up%(matchers)s)
            )
          ||| % c,
        },
        {
          alert: 'QueueCompletionOverSla',
          expr: |||
            queue:unsettled_age:over_sla > %(completion_warning)g
          ||| % c,
          'for': c.held(120),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: an item has not been settled for {{ printf \"%.1f\" $value }} times as long as its SLA allows",
            description: "It waits, is in flight, or fails and is retried. Depth, retries and what is in flight say which of the three, and queue_sla_breaches_total which cause the watchdog found.",
            runbook_url: c.runbook_url_pattern % 'QueueCompletionOverSla',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueCompletionOverSla',
          expr: |||
            queue:unsettled_age:over_sla > %(completion_critical)g
          ||| % c,
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: an item has not been settled for {{ printf \"%.1f\" $value }} times as long as its SLA allows",
            description: "It has been more than %(completion_critical)g times for 5 minutes. Where attempts fail, QueueRetryStorm says of how many; else something hangs, or a few items fail again and again. queue_sla_breaches_total has the cause that the watchdog found." % c,
            runbook_url: c.runbook_url_pattern % 'QueueCompletionOverSla',
            dashboard_url: "%(grafana_url)s/d/queuescope-queue?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
      ],
    },
    {
      name: 'queuescope-sla-burn',
      interval: '1m',
      rules: [
        {
          record: 'queue:sla_budget:ratio',
          expr: |||
            clamp_min(1 - max by (cluster, namespace, job, queue_name, queue_tier) (last_over_time(queue_sla_objective_ratio%(matchers)s[%(range_100s)s])), 0.0001)
          ||| % c,
        },
        {
          record: 'queue:sla_missed:rate30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total{queue_result="missed"%(more_matchers)s}[30m]))
          ||| % c,
        },
        {
          record: 'queue:sla_items:rate30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total%(matchers)s[30m]))
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:5m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total{queue_result="missed"%(more_matchers)s}[5m]))
              / sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total%(matchers)s[5m]))
              / queue:sla_budget:ratio
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:30m',
          expr: |||
            queue:sla_missed:rate30m / queue:sla_items:rate30m / queue:sla_budget:ratio
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:1h',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total{queue_result="missed"%(more_matchers)s}[1h]))
              / sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total%(matchers)s[1h]))
              / queue:sla_budget:ratio
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:2h',
          expr: |||
            sum_over_time(queue:sla_missed:rate30m[2h])
              / sum_over_time(queue:sla_items:rate30m[2h])
              / queue:sla_budget:ratio
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:6h',
          expr: |||
            sum_over_time(queue:sla_missed:rate30m[6h])
              / sum_over_time(queue:sla_items:rate30m[6h])
              / queue:sla_budget:ratio
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:1d',
          expr: |||
            sum_over_time(queue:sla_missed:rate30m[1d])
              / sum_over_time(queue:sla_items:rate30m[1d])
              / queue:sla_budget:ratio
          ||| % c,
        },
        {
          record: 'queue:sla_burn_rate:3d',
          expr: |||
            sum_over_time(queue:sla_missed:rate30m[3d])
              / sum_over_time(queue:sla_items:rate30m[3d])
              / queue:sla_budget:ratio
          ||| % c,
        },
        {
          alert: 'QueueSlaBudgetBurn',
          expr: |||
            (
              (
                queue:sla_burn_rate:1h > %(burn_rate_1h)g
                  and max_over_time(queue:sla_burn_rate:5m[3m]) > %(burn_rate_1h)g
                  and sum by (cluster, namespace, job, queue_name, queue_tier) (increase(queue_sla_items_total{queue_result="missed"%(more_matchers)s}[1h])) > 10
                  and sum by (cluster, namespace, job, queue_name, queue_tier) (rate(queue_sla_items_total{queue_result="missed"%(more_matchers)s}[8m] offset 8m)) > 0
                  and on (cluster, namespace, job, queue_name, queue_tier) present_over_time(queue_sla_target_seconds%(matchers)s[10m] offset 30m)
              ) or (
                queue:sla_burn_rate:6h > %(burn_rate_6h)g
                  and queue:sla_burn_rate:30m > %(burn_rate_6h)g
                  and sum_over_time(queue:sla_missed:rate30m[6h:30m]) * 1800 > 10
                  and queue:sla_missed:rate30m offset 30m > 0
                  and on (cluster, namespace, job, queue_name, queue_tier) present_over_time(queue_sla_target_seconds%(matchers)s[10m] offset 3h)
              )
            ) unless on (cluster, namespace, job, queue_name)
              last_over_time(ALERTS{alertname="QueueOldestItemOverSla",alertstate="firing",severity="critical"}[10m])
          ||| % c,
          'for': c.held(420),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: the SLA's error budget is used up {{ printf \"%.1f\" $value }} times as fast as allowed",
            description: "At 14.4 times a month's budget is gone in 2 days, at 6 times in 5. Items are taken and were late: either every one is a little late, or some are very late. The dashboard shows since when, and how much is left.",
            runbook_url: c.runbook_url_pattern % 'QueueSlaBudgetBurn',
            dashboard_url: "%(grafana_url)s/d/queuescope-sla?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
        {
          alert: 'QueueSlaBudgetBurn',
          expr: |||
            (
              queue:sla_burn_rate:1d > %(burn_rate_1d)g
                and queue:sla_burn_rate:2h > %(burn_rate_1d)g
                and sum_over_time(queue:sla_missed:rate30m[1d:30m]) * 1800 > 10
                and on (cluster, namespace, job, queue_name, queue_tier) present_over_time(queue_sla_target_seconds%(matchers)s[10m] offset 12h)
            ) or (
              queue:sla_burn_rate:3d > %(burn_rate_3d)g
                and queue:sla_burn_rate:6h > %(burn_rate_3d)g
                and sum_over_time(queue:sla_missed:rate30m[3d:30m]) * 1800 > 10
                and on (cluster, namespace, job, queue_name, queue_tier) present_over_time(queue_sla_target_seconds%(matchers)s[10m] offset 36h)
            )
          ||| % c,
          'for': c.held(3600),
          labels: {"severity":"warning"},
          annotations: {
            summary: "{{ $labels.queue_name }} of {{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }}, tier {{ $labels.queue_tier }}: the SLA's error budget is used up {{ printf \"%.1f\" $value }} times as fast as allowed",
            description: "It has been so for days: at this rate the objective will be missed. Nothing to do tonight. The dashboard shows at which hours items are late.",
            runbook_url: c.runbook_url_pattern % 'QueueSlaBudgetBurn',
            dashboard_url: "%(grafana_url)s/d/queuescope-sla?var-job={{ $labels.job | urlquery }}&var-queue={{ $labels.queue_name | urlquery }}&var-tier={{ $labels.queue_tier | urlquery }}" % c,
          },
        },
      ],
    },
  ],
  recordings: [
    {
      name: 'queuescope-brokers-tasks',
      interval: '1m',
      rules: [
        {
          record: 'queue:shared_process_seconds_sum:rate30m',
          expr: |||
            sum by (cluster, namespace, queue_name) (rate(queue_process_seconds_sum%(matchers)s[30m]))
          ||| % c,
        },
        {
          record: 'queue:shared_process_seconds_count:rate30m',
          expr: |||
            sum by (cluster, namespace, queue_name) (rate(queue_process_seconds_count%(matchers)s[30m]))
          ||| % c,
        },
        {
          record: 'queue:shared_process_seconds:mean1d',
          expr: |||
            sum_over_time(queue:shared_process_seconds_sum:rate30m[1d])
              / sum_over_time(queue:shared_process_seconds_count:rate30m[1d])
          ||| % c,
        },
        {
          record: 'queue:shared_consumers:max1d',
          expr: |||
            max by (cluster, namespace, queue_name) (max_over_time(queue_consumers%(matchers)s[1d]))
          ||| % c,
        },
      ],
    },
    {
      name: 'queuescope-latency',
      rules: [
        {
          record: 'queue:put_latency_p99:5m',
          expr: |||
            histogram_quantile(0.99, sum by (cluster, namespace, job, queue_name, le) (rate(queue_put_seconds_bucket%(matchers)s[5m])))
          ||| % c,
        },
        {
          record: 'queue:get_latency_p99:5m',
          expr: |||
            histogram_quantile(0.99, sum by (cluster, namespace, job, queue_name, le) (rate(queue_get_seconds_bucket%(matchers)s[5m])))
          ||| % c,
        },
        {
          record: 'queue:wait_p50:5m',
          expr: |||
            histogram_quantile(0.5, sum by (cluster, namespace, job, queue_name, queue_tier, le) (rate(queue_wait_seconds_bucket%(matchers)s[5m])))
          ||| % c,
        },
        {
          record: 'queue:wait_p99:5m',
          expr: |||
            histogram_quantile(0.99, sum by (cluster, namespace, job, queue_name, queue_tier, le) (rate(queue_wait_seconds_bucket%(matchers)s[5m])))
          ||| % c,
        },
        {
          record: 'queue:process_p99:5m',
          expr: |||
            histogram_quantile(0.99, sum by (cluster, namespace, job, queue_name, le) (rate(queue_process_seconds_bucket%(matchers)s[5m])))
          ||| % c,
        },
      ],
    },
    {
      name: 'queuescope-drops',
      interval: '1m',
      rules: [
        {
          record: 'queue:arrived:increase30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (
              increase(queue_enqueued_total%(matchers)s[30m]) or increase(queue_dropped_total{queue_reason=~"rejected|evicted"%(more_matchers)s}[30m])
            )
          ||| % c,
        },
        {
          record: 'queue:dropped:increase30m',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier, queue_reason) (increase(queue_dropped_total{queue_reason!="shutdown"%(more_matchers)s}[30m]))
          ||| % c,
        },
        {
          record: 'queue:dropped_ratio:30m',
          expr: |||
            clamp_max(queue:dropped:increase30m / on (cluster, namespace, job, queue_name, queue_tier) group_left () queue:arrived:increase30m, 1)
          ||| % c,
        },
        {
          record: 'queue:arrived:increase6h',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier) (
              increase(queue_enqueued_total%(matchers)s[6h]) or increase(queue_dropped_total{queue_reason=~"rejected|evicted"%(more_matchers)s}[6h])
            )
          ||| % c,
        },
        {
          record: 'queue:dropped:increase6h',
          expr: |||
            sum by (cluster, namespace, job, queue_name, queue_tier, queue_reason) (increase(queue_dropped_total{queue_reason!="shutdown"%(more_matchers)s}[6h]))
          ||| % c,
        },
        {
          record: 'queue:dropped_ratio:6h',
          expr: |||
            clamp_max(queue:dropped:increase6h / on (cluster, namespace, job, queue_name, queue_tier) group_left () queue:arrived:increase6h, 1)
          ||| % c,
        },
      ],
    },
  ],
  // `matchers` as they stand in a selector.
  expected(matchers)::
        {
          alert: 'QueueJobAbsent',
          expr: 'absent(up{' + matchers + c.more_matchers + '})\n',
          'for': c.held(300),
          labels: {"severity":"critical"},
          annotations: {
            summary: "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is not there: Prometheus has had no target of it for 5 minutes",
            description: "It was scaled to zero or undeployed, or its monitor, labels or port no longer fit. No other alert about its queues can fire.",
            runbook_url: c.runbook_url_pattern % 'QueueTelemetryLost',
            dashboard_url: "%(grafana_url)s/d/queuescope-sla?var-job={{ $labels.job | urlquery }}" % c,
          },
        },
}
