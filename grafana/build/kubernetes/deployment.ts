import type { IDeployment } from "kubernetes-models/apps/v1";
import { APP_LABEL, NAMESPACE, WORKER } from "./names.js";

/** Workers whose pods get the time to drain. */
export const deployment: IDeployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: WORKER, namespace: NAMESPACE, labels: { [APP_LABEL]: WORKER } },
  spec: {
    selector: { matchLabels: { [APP_LABEL]: WORKER } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
    template: {
      metadata: { labels: { [APP_LABEL]: WORKER } },
      spec: {
        terminationGracePeriodSeconds: 60,
        containers: [
          {
            name: "worker",
            image: "registry.example/order-worker:1.0.0",
            command: ["node", "dist/worker.js"],
            ports: [
              { name: "http", containerPort: 8080 },
              { name: "metrics", containerPort: 9464 },
            ],
            startupProbe: {
              httpGet: { path: "/live", port: "http" },
              periodSeconds: 2,
              failureThreshold: 30,
            },
            livenessProbe: {
              httpGet: { path: "/live", port: "http" },
              periodSeconds: 10,
              timeoutSeconds: 5,
              failureThreshold: 6,
            },
            readinessProbe: {
              httpGet: { path: "/ready", port: "http" },
              periodSeconds: 5,
              timeoutSeconds: 2,
              failureThreshold: 2,
            },
            resources: { requests: { cpu: "500m", memory: "256Mi" }, limits: { memory: "512Mi" } },
          },
        ],
      },
    },
  },
};
