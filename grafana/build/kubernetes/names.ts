/** What the examples are about: a service that puts orders, and workers that take them from a broker. */
export const NAMESPACE = "shop";
export const API = "order-api";
export const WORKER = "order-worker";

/** Where the operator looks by the defaults of the chart kube-prometheus-stack: at what has its release as a label. */
export const RELEASE = { release: "kube-prometheus-stack" } as const;
export const MONITORING = "monitoring";

/** Pods of an application, and its job in Prometheus. */
export const APP_LABEL = "app.kubernetes.io/name";
