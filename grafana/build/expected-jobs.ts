import type { RuleGroup } from "./rules.js";

/**
 * Pages if Prometheus has no target of a job at all, up or down. `QueueTelemetryLost` is silent then, as it can't tell a job that was
 * undeployed from one that was never found; who expects a job can. A target that is down is told by that alert, and not by this one
 * as well.
 *
 * @param jobs matchers of each expected job, as they stand in a selector: `job="worker"`.
 */
export function expectedJobs(jobs: readonly string[], runbookUrl: string): RuleGroup {
  const rules = jobs.map((matchers) => ({
    alert: "QueueJobAbsent",
    expr: `absent(up{${matchers}})\n`,
    for: "5m",
    labels: { severity: "critical" },
    annotations: {
      summary:
        "{{ $labels.job }}{{ with $labels.namespace }} in {{ . }}{{ end }}{{ with $labels.cluster }} on {{ . }}{{ end }} is not there: Prometheus has had no target of it for 5 minutes",
      description:
        "It was scaled to zero or undeployed, or its monitor, labels or port no longer fit. No other alert about its queues can fire.",
      runbook_url: runbookUrl,
      dashboard_url:
        "{{ $externalLabels.grafana_url }}/d/queuescope-sla?var-job={{ $labels.job | urlquery }}",
    },
  }));
  return { name: "queuescope-expected-jobs", rules };
}
