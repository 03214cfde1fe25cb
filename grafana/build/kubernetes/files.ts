import { Document, isMap, isPair, isScalar, visit } from "yaml";
import { dashboardConfigMaps } from "./dashboards.js";
import { deployment } from "./deployment.js";
import { expectedJobsRule, prometheusRule } from "./rules.js";
import { COMMENT, FIELD_COMMENTS, scaledObject } from "./scaled-object.js";
import { podMonitor, service, serviceMonitor } from "./scraping.js";

const MADE = " Made by `npm run dashboards` from";

/** The manifests, by their paths in `grafana/kubernetes`, as they should be. */
export function kubernetesFiles(): Map<string, string> {
  return new Map([
    [
      "prometheusrule.yaml",
      text(
        prometheusRule(),
        `${MADE} grafana/rules. \`release\` has to be what your operator's ruleSelector asks for.`,
      ),
    ],
    [
      "expected-jobs.yaml",
      text(
        expectedJobsRule(),
        ` An example: jobs of which there must always be a target, by your own names. Not those that are scaled to zero, which would page each
 time. A selector per job, as absent() tells only the labels that it was asked for by \`=\`.`,
      ),
    ],
    [
      "podmonitor.yaml",
      text(
        podMonitor,
        " For workers, which need no Service. Pods are scraped from their start to the end of their drain.",
      ),
    ],
    [
      "servicemonitor.yaml",
      text(
        serviceMonitor,
        " For what has a Service anyway. It selects Services, by their labels and the names of their ports.",
      ),
    ],
    ["service.yaml", text(service, " An example of what servicemonitor.yaml selects.")],
    [
      "deployment.yaml",
      text(
        deployment,
        " An example: probes by health(), and a grace period that is longer than the drain. docs/kubernetes.md has the process to it.",
        {
          strategy: " The new pod takes work before an old one ends.",
          terminationGracePeriodSeconds:
            " drainOnSignals: 30 s for the drain, 10 s each for onReport and onDrained, 10 s to spare.",
          command: " Node itself, not npm or a shell: it has to get SIGTERM.",
          livenessProbe: " Six in a row, a minute: a restart loses what is queued in the process.",
        },
      ),
    ],
    ["scaledobject.yaml", text(scaledObject, COMMENT, FIELD_COMMENTS)],
    ...dashboardConfigMaps().map(
      (map) => [`dashboards/${map.metadata!.name}.yaml`, text(map, `${MADE} grafana/dashboards.`)] as const,
    ),
  ]);
}

function text(manifest: object, comment: string, comments: Readonly<Record<string, string>> = {}): string {
  const document = new Document(manifest);
  document.commentBefore = comment;
  visit(document, {
    Pair: (_, pair) => {
      if (isPair(pair) && isScalar(pair.key) && Object.hasOwn(comments, `${pair.key.value}`))
        pair.key.commentBefore = comments[`${pair.key.value}`]!;
    },
  });
  if (!isMap(document.contents)) throw new Error("a manifest is a map");
  return document.toString({ lineWidth: 0 });
}
