import { AnnotationQueryBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PER_TIER, restarts, TIER } from "./promql.js";
import { METRICS } from "./variables.js";

/** The variable's choice, or none at all: some alerts are of no queue, some rules keep no job. */
export const OF_CHOSEN = 'cluster=~"$cluster|",namespace=~"$namespace|",job=~"$job|",queue_name=~"$queue|"';

/** What happened, drawn over every graph. */
export const annotations = [
  annotation({
    name: "Breaches",
    expr: `sum by (${PER_TIER}, queue_verdict) (increase(queue_sla_breaches_total{${TIER}}[$__rate_interval])) > 0`,
    title: "Breach: {{queue_verdict}}",
    text: "{{job}}/{{queue_name}} {{queue_tier}}",
    color: "orange",
  }),
  annotation({
    name: "Restarts",
    expr: `${restarts()} > 0`,
    title: "Restart",
    text: "{{job}} {{instance}}",
    color: "purple",
  }),
  annotation({
    name: "Critical alerts",
    expr: `max by (alertname, job, queue_name) (ALERTS{alertstate="firing",severity="critical",${OF_CHOSEN}}) > 0`,
    title: "{{alertname}}",
    // Not as text: of what an alert isn't of, that would have the label's name.
    tags: "job,queue_name",
    color: "red",
  }),
];

interface Event {
  readonly name: string;
  readonly expr: string;
  readonly title: string;
  readonly text?: string;
  /** Labels to show, without blanks between. */
  readonly tags?: string;
  readonly color: string;
}

function annotation({ name, expr, title, text, tags, color }: Event): AnnotationQueryBuilder {
  const builder = new AnnotationQueryBuilder()
    .name(name)
    .datasource(METRICS)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .target(new DataqueryBuilder().refId("Anno").expr(expr).range().datasource(METRICS))
    .titleFormat(title);
  if (text !== undefined) builder.textFormat(text);
  if (tags !== undefined) builder.tagKeys(tags);
  return builder;
}
