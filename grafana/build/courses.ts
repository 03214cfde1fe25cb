import { column, sharedLink } from "./links.js";
import { UNITS } from "./panels/panel.js";
import { table } from "./panels/table.js";
import { anywhere, max, ofMost, PER_TIER, rate, slaUsedAnywhere, sum, TIER, withJob } from "./promql.js";

const OLDEST = anywhere(max, "queue_oldest_age_seconds");
/** Without those where nothing has waited: they are all alike, and each column would take others of them. */
const HAS_WAITED = `(${OLDEST}) > 0`;

/** How each of the worst queues got to where it is: small lines, one queue below the other. */
export function courses(width: number) {
  const columns = [
    { name: "Oldest", expr: OLDEST, unit: UNITS.seconds, decimals: 1 },
    { name: "SLA used", expr: slaUsedAnywhere(), unit: UNITS.share, decimals: 0 },
    { name: "Waiting", expr: anywhere(sum, "queue_depth"), unit: UNITS.items },
    {
      name: "Out",
      expr: rate({ metric: "queue_dequeued_total", where: TIER, per: PER_TIER }),
      unit: UNITS.rate,
      decimals: 1,
    },
  ];
  return table({
    title: "How they got there, the oldest items first",
    description:
      "Does it get worse, or is it over? Each figure with its way through the time range, of the queues whose items had waited longest at any time in it: as many as Most lines says. Oldest rises as time does while Out is flat at 0: nothing is taken. Waiting rises while Out doesn't fall: more comes than before.",
    unit: UNITS.items,
    width,
    labels: { job: "Service", queue_name: "Queue", queue_tier: "Tier" },
    isOverTime: true,
    columns: columns.map((each) => ({ ...each, expr: withJob(ofMost(each.expr, HAS_WAITED)) })),
    sortBy: "Oldest",
    cellLinks: { Queue: [sharedLink("queue", column("Queue"))] },
    none: "nothing has waited",
  });
}
