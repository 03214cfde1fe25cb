import type { IPrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { expectedJobs } from "../expected-jobs.js";
import { RUNBOOKS } from "../links.js";
import { type RuleGroup, ruleGroups } from "../rules.js";
import { API, MONITORING, NAMESPACE, RELEASE, WORKER } from "./names.js";

/** All rules, as they are committed. */
export function prometheusRule(): IPrometheusRule {
  return manifest("queuescope", ruleGroups());
}

/** Jobs of which there has to be a target. */
export function expectedJobsRule(): IPrometheusRule {
  const jobs = [API, WORKER].map((job) => `job="${job}", namespace="${NAMESPACE}"`);
  return manifest("queuescope-expected-jobs", [expectedJobs(jobs, `${RUNBOOKS}QueueTelemetryLost.md`)]);
}

function manifest(name: string, groups: readonly RuleGroup[]): IPrometheusRule {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name, namespace: MONITORING, labels: RELEASE },
    spec: { groups: structuredClone(groups) as NonNullable<NonNullable<IPrometheusRule["spec"]>["groups"]> },
  };
}
