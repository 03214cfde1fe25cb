import type { IScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { MONITORING, NAMESPACE, WORKER } from "./names.js";

/** Workers of a pod: the pool's `concurrency`. */
const CONCURRENCY = 8;
/** In how long what waits is to be gone, in seconds: within the SLA of the queue, with some room. */
const DRAIN_S = 60;

const QUEUE = `namespace="${NAMESPACE}", queue_name="orders"`;

/** How many pods are wanted. Its parts are told in the comment of the file. */
export const QUERY = `(
  max(last_over_time(queue_depth{queue_scope="shared", ${QUEUE}}[100s])) / ${DRAIN_S}
    + (sum(rate(queue_enqueued_total{${QUEUE}}[5m])) or vector(0))
)
  * (max(queue:shared_process_seconds:mean1d{${QUEUE}} > 0) or vector(1))
  / ${CONCURRENCY}
`;

export const COMMENT = ` Scales workers of a broker's queue by its backlog over the throughput of a pod. Items in the memory of a process (no broker) are of no
 use to another pod: there, scale what puts them, or give the pool more concurrency.

 pods = (waiting / ${DRAIN_S} s + coming per second) / (${CONCURRENCY} workers / seconds a task takes)

 - Above the line: the items per second that have to be taken so that what waits is gone in ${DRAIN_S} s, and nothing piles up meanwhile.
 - Below it: what one pod takes when it is busy. Not what pods take now: idle ones take little, so an idle queue would look as if
   it needed many.
 - Not by depth alone: 1000 items of 1 ms are nothing, 1000 of 10 s are 20 minutes for 8 workers. Not by CPU: workers that wait for a
   database use none.
 - The time of a task is the mean of a day, recorded by the rules, and 1 s until there is one. A mean of minutes would answer a slow
   database with more pods that press on it.
 - \`waiting\` is what may be taken now, and all processes tell the same figure, hence \`max\`. Items that wait for a retry aren't in it.
   \`coming\` is counted by who puts them: they have to be instrumented, too, or else the pace of growth is missed, not the backlog.

 The metric is the wanted number of pods, so threshold is 1: the autoscaler rounds up, and leaves things as they are within 10 %.`;

export const scaledObject: IScaledObject = {
  apiVersion: "keda.sh/v1alpha1",
  kind: "ScaledObject",
  metadata: { name: WORKER, namespace: NAMESPACE },
  spec: {
    scaleTargetRef: { name: WORKER },
    pollingInterval: 15,
    cooldownPeriod: 300,
    minReplicaCount: 1,
    maxReplicaCount: 20,
    fallback: { failureThreshold: 4, replicas: 3, behavior: "currentReplicasIfHigher" },
    advanced: {
      horizontalPodAutoscalerConfig: {
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 0,
            policies: [
              { type: "Percent", value: 100, periodSeconds: 60 },
              { type: "Pods", value: 4, periodSeconds: 60 },
            ],
            selectPolicy: "Max",
          },
          scaleDown: {
            stabilizationWindowSeconds: 300,
            policies: [{ type: "Percent", value: 25, periodSeconds: 60 }],
          },
        },
      },
    },
    triggers: [
      {
        type: "prometheus",
        metricType: "AverageValue",
        metadata: {
          serverAddress: `http://prometheus-operated.${MONITORING}.svc:9090`,
          query: QUERY,
          threshold: "1",
          activationThreshold: "0",
          ignoreNullValues: "false",
        },
      },
    ],
  },
};

/** What is said right above a field. */
export const FIELD_COMMENTS: Readonly<Record<string, string>> = {
  minReplicaCount:
    " 0 works if others than these workers tell of the depth, such as producers: what nobody tells of can't wake them. Tasks that run aren't counted.",
  maxReplicaCount: " What the database behind them bears: more workers than that only wait for it.",
  fallback:
    " After 4 failures, a minute: nothing was told, or Prometheus is away. Unknown isn't nothing: 3 pods, or as many as there are. An older KEDA knows no `behavior`: then choose `replicas` so that they are enough.",
  scaleDown:
    " A quarter a minute, and only after 5 minutes: each pod that goes drains, and a backlog comes in bursts.",
  ignoreNullValues: " Or else no answer would count as 0.",
};
