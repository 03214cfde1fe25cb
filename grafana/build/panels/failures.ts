import { column, dashboardLink, label, tracesLink } from "../links.js";
import { inRange, PER_QUEUE, QUEUE, QUEUE_LEGEND, rate, sinceRange } from "../promql.js";
import { graph } from "./graph.js";
import { UNITS } from "./panel.js";
import { table } from "./table.js";

const BY_KIND = { metric: "queue_errors_total", where: QUEUE, per: `${PER_QUEUE}, error_type` };
const FAILED = ["status = error", 'span.messaging.operation.name = "process"'];

/** What attempts fail with, since when. */
export function failuresByKind(width: number) {
  const most = `topk(10, ${inRange(BY_KIND).replace("[$__range]", "[$__range] @ end()")} > 0)`;
  return graph({
    title: "Failures by kind, top 10",
    description:
      "What do attempts fail with, and since when? The error's code or class, retries included. One kind that begins at once: a downstream, or a release. Kinds beyond a queue's first 20 are other. A kind that was seen once only is in Overview.",
    unit: UNITS.rate,
    width,
    stacked: true,
    queries: [{ expr: `${rate(BY_KIND)} and ${most}`, legend: `{{error_type}} ${QUEUE_LEGEND}` }],
    links: [
      tracesLink("Failed tasks", ...FAILED),
      tracesLink("Failed tasks of this kind", ...FAILED, `span.error.type = "${label("error_type")}"`),
    ],
    none: "no failure",
  });
}

/** Which queues fail most, and with what. */
export function topFailing(width: number) {
  return table({
    title: "Failing most, top 10",
    description:
      "Which queue has failed most in this time range, and with what? Attempts by the error's code or class, retries included. Many kinds at once in one queue: its handler, or its downstream; one kind in many queues: what they share.",
    unit: UNITS.items,
    width,
    labels: { error_type: "Error", job: "Service", queue_name: "Queue" },
    columns: [
      { name: "Failures", expr: `topk(10, ${sinceRange(BY_KIND)} > 0)`, unit: UNITS.items, decimals: 0 },
    ],
    sortBy: "Failures",
    cellLinks: { Queue: [dashboardLink("queue", column("Service"), column("Queue"))] },
    none: "no failure",
  });
}
