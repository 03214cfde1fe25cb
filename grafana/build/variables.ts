import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { JOB } from "./promql.js";

const PLACE = 'cluster=~"$cluster",namespace=~"$namespace"';

/** What panels ask, by the value of the variable. */
export const METRICS = { type: "prometheus", uid: `\${datasource}` };

/** Rather than a list of all there are: it would lack what has just come. Also matches what has no such label. */
const EVERY = ".*";

/** Where measurements and traces are, and of which service, queue and tier they are shown. */
export const variables = [
  new DatasourceVariableBuilder("datasource").label("Metrics").type("prometheus"),
  new DatasourceVariableBuilder("traces").label("Traces").type("tempo"),
  // All of these are the services that have queues, not all that is scraped: `up` has many more. Of a broker's queue the depth may be unknown,
  // what comes and goes never is.
  // Only where targets are discovered, as in Kubernetes, are there any.
  choice("cluster", "Cluster", "label_values(queue_enqueued_total, cluster)").allValue(EVERY),
  choice(
    "namespace",
    "Namespace",
    'label_values(queue_enqueued_total{cluster=~"$cluster"}, namespace)',
  ).allValue(EVERY),
  choice("job", "Service", `label_values(queue_enqueued_total{${PLACE}}, job)`),
  choice("queue", "Queue", `label_values(queue_enqueued_total{${JOB}}, queue_name)`).allValue(EVERY),
  choice(
    "tier",
    "Tier",
    `label_values(queue_enqueued_total{${JOB},queue_name=~"$queue"}, queue_tier)`,
  ).allValue(EVERY),
  choice("instance", "Process", `label_values(queue_enqueued_total{${JOB}}, instance)`).allValue(EVERY),
  new CustomVariableBuilder("top")
    .label("Most lines")
    .values("5,10,20,50,200")
    .current({ selected: true, text: "10", value: "10" }),
];

/** Any number of a label's values, or all of them. */
function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(METRICS)
    .query({ qryType: 1, query, refId: "PrometheusVariableQueryEditor-VariableQuery" })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}
