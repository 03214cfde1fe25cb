import type { Watchable } from "../../contracts/index.js";
import type { Hub } from "../hub/hub.js";
import type { Found, SearchAnswer } from "../protocol.js";
import { headRow, type Payload, taskRows } from "./rows.js";

/** How many items of a queue are looked at, those that are served first, and how much is found at most. */
const MAX_HEADS = 1_000;
const MAX_FOUND = 100;

/** Where items with this correlation or trace ID are: O(queues × 1 000) at most. */
export function search(hub: Hub, q: string, payload: Payload): SearchAnswer {
  hub.watchTasks();
  const { redact } = hub;
  const { id: process } = hub.process.info;
  const found: Found[] = [];
  let isPartial = false;
  for (const track of hub.queues.values()) {
    const queue = track.name;
    for (const { probe } of track.series.alive()) {
      const view = hub.watchable(track.series, probe);
      const heads = probe.heads?.(MAX_HEADS) ?? [];
      const depth = depthOf(view);
      if (depth > heads.length) isPartial = true;
      for (const [i, head] of heads.entries()) {
        if (head.correlationId !== q && view.traceOf(head.carrier) !== q) continue;
        found.push({
          process,
          queue,
          where: "waiting",
          position: i + 1,
          item: headRow(head, view, redact, payload),
        });
      }
      if (!isInFlight(view, q)) continue;
      for (const report of hub.reportsOn(track)) {
        for (const task of taskRows(report, redact)) {
          if (task.correlationId === redact(q) || task.traceId === q)
            found.push({ process, queue, where: "in flight", task });
        }
      }
    }
    if (found.length >= MAX_FOUND) break;
  }
  for (const report of hub.reports.with(q)) {
    found.push({ process, queue: report.queue, where: "report", report });
  }
  return { q, found: found.slice(0, MAX_FOUND), isPartial };
}

function depthOf({ probe }: Watchable): number {
  let depth = 0;
  for (let tier = 0; tier < probe.tiers.length; tier++) depth += probe.depth(tier);
  return depth;
}

/** Whether it is worth a report. */
function isInFlight(queue: Watchable, q: string): boolean {
  let looked = 0;
  for (const { facts, carrier } of queue.probe.tasks?.() ?? []) {
    if (++looked > MAX_HEADS) return false;
    if (facts.correlationId === q || queue.traceOf(carrier) === q) return true;
  }
  return false;
}
