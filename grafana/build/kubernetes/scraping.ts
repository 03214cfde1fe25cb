import type {
  IPodMonitor,
  IServiceMonitor,
} from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import type { IService } from "kubernetes-models/v1";
import { API, APP_LABEL, NAMESPACE, RELEASE, WORKER } from "./names.js";

type Endpoint = NonNullable<NonNullable<IPodMonitor["spec"]>["podMetricsEndpoints"]>[number];

const SCRAPE = {
  port: "metrics",
  interval: "15s",
  scrapeTimeout: "10s",
  // Alerts name the instance: a pod's name says more than an address that the next pod may get.
  relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_name"], targetLabel: "instance" }],
} satisfies Endpoint;

/** Of pods themselves, whether a Service has them or not. */
export const podMonitor: IPodMonitor = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PodMonitor",
  metadata: { name: WORKER, namespace: NAMESPACE, labels: RELEASE },
  spec: {
    jobLabel: APP_LABEL,
    selector: { matchLabels: { [APP_LABEL]: WORKER } },
    podMetricsEndpoints: [SCRAPE],
  },
};

/** Of the pods that a Service has. */
export const serviceMonitor: IServiceMonitor = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
  metadata: { name: API, namespace: NAMESPACE, labels: RELEASE },
  spec: {
    jobLabel: APP_LABEL,
    selector: { matchLabels: { [APP_LABEL]: API } },
    endpoints: [SCRAPE],
  },
};

/** What the ServiceMonitor selects: it looks for labels of the Service, and for ports that this one names. */
export const service: IService = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: API, namespace: NAMESPACE, labels: { [APP_LABEL]: API } },
  spec: {
    selector: { [APP_LABEL]: API },
    ports: [
      { name: "http", port: 80, targetPort: "http" },
      { name: "metrics", port: 9464, targetPort: "metrics" },
    ],
  },
};
