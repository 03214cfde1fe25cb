import { column, dashboardLink, verdictLink } from "./links.js";
import { UNITS } from "./panels/panel.js";
import { table } from "./panels/table.js";
import { inRange, PER_TIER, TIER } from "./promql.js";

/** What the watchdog found to be the causes: on the dashboard that one starts at, and on that of the SLAs. */
export function causes(width: number) {
  const breaches = inRange({
    metric: "queue_sla_breaches_total",
    where: TIER,
    per: `${PER_TIER}, queue_verdict`,
  });
  return table({
    title: "Causes that the watchdog found",
    description:
      "Why was a queue late, in this time range? The watchdog's verdicts, the most frequent first: the one worth removing. Click one to read what it means, and what to do. Needs a watchdog.",
    unit: UNITS.items,
    width,
    labels: { queue_verdict: "Verdict", job: "Service", queue_name: "Queue", queue_tier: "Tier" },
    widths: { Verdict: 160, Tier: 76 },
    columns: [{ name: "Breaches", expr: `${breaches} > 0`, unit: UNITS.items, decimals: 0 }],
    sortBy: "Breaches",
    cellLinks: {
      Verdict: [verdictLink(column("Verdict"))],
      Queue: [dashboardLink("queue", column("Service"), column("Queue"))],
    },
    none: "no breach",
  });
}
