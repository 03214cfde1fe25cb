import type { IConfigMap } from "kubernetes-models/v1";
import { files } from "../files.js";
import { MONITORING } from "./names.js";

/** Each dashboard, for the sidecar of Grafana's chart, which loads what has the label. */
export function dashboardConfigMaps(): IConfigMap[] {
  return [...files()].map(([file, text]) => {
    const name = `queuescope-${file.replace(/\.json$/, "")}`;
    return {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: MONITORING, labels: { grafana_dashboard: "1" } },
      // On one line: `kubectl apply` keeps a copy in an annotation, which may have 256 KiB.
      data: { [`${name}.json`]: `${JSON.stringify(JSON.parse(text))}\n` },
    };
  });
}
