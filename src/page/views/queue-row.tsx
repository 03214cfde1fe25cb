import type { ProcessRow, QueueRow } from "../../inspector/protocol.js";
import { HealthMark } from "../parts/health.js";
import { ProcessName } from "../parts/process-name.js";
import { SlaBar } from "../parts/sla-bar.js";
import { Sparkline } from "../parts/sparkline.js";
import { Workers } from "../parts/workers.js";
import { count, duration, rate } from "../state/format.js";
import { memo } from "../state/memo.js";
import { failedOf } from "../state/sorting.js";

/** How many columns the table has. */
export const COLUMN_COUNT = 12;

export interface QueueLineProps {
  readonly row: QueueRow;
  readonly depths: readonly (number | null)[];
  readonly process: ProcessRow | undefined;
  readonly withProcess: boolean;
  readonly href: string;
  readonly isGone: boolean;
  readonly isSelected: boolean;
}

/** A queue in one line, and why it is late in a second one. */
export const QueueLine = memo((props: QueueLineProps) => {
  const { row, depths, process, withProcess, href, isGone, isSelected } = props;
  const { health } = row;
  const sentence = verdictOf(row);
  return (
    <tbody class={`line line-${isGone ? "gone" : health}${isSelected ? " is-selected" : ""}`}>
      <tr>
        <th scope="row" class="cell-name">
          <a href={href}>
            <HealthMark health={health} isGone={isGone} />
            <span class="queue-name">
              <bdi title={row.name}>{row.name}</bdi>
              {row.paused !== undefined && <span class="chip chip-quiet">{row.paused}</span>}
              {row.scope === "broker" && <span class="chip chip-quiet">broker</span>}
            </span>
            {withProcess && <ProcessName process={process} />}
          </a>
        </th>
        <td class="cell-sla" data-name="SLA used">
          <SlaBar used={row.slaUsed} />
        </td>
        <td class="number" data-name="Oldest">
          {row.oldestMs === 0 ? <span class="muted">0</span> : duration(row.oldestMs)}
        </td>
        <td class="number cell-depth" data-name="Depth">
          {row.depth === 0 ? <span class="muted">0</span> : count(row.depth)}
          {row.capacity !== undefined && <span class="muted of">/{count(row.capacity)}</span>}
        </td>
        <td class="cell-spark" data-name="last minute">
          <Sparkline values={depths} />
        </td>
        <td class="number" data-name="Wait p50">
          {duration(row.waitP50Ms)}
        </td>
        <td class="number" data-name="Wait p99">
          {duration(row.waitP99Ms)}
        </td>
        <td class="number" data-name="In/s">
          {rate(row.inPerSecond)}
        </td>
        <td class="number" data-name="Out/s">
          {rate(row.outPerSecond)}
        </td>
        <td class="number" data-name="In flight">
          {count(row.inFlight)}
        </td>
        <td class="number cell-lost" data-name="Failed · dropped">
          <Losses total={failedOf(row.totals)} perSecond={row.failedPerSecond} />
          <span class="muted"> · </span>
          <Losses total={row.totals.dropped} perSecond={row.droppedPerSecond} />
        </td>
        <td class="cell-workers" data-name="Workers">
          <Workers counts={row.workers} consumers={row.consumers} />
        </td>
      </tr>
      {sentence !== undefined && (
        <tr class="why">
          <td colSpan={COLUMN_COUNT}>{sentence}</td>
        </tr>
      )}
    </tbody>
  );
});

/** What has failed or was dropped since the queue was instrumented; stronger while that goes on. */
function Losses({ total, perSecond }: { total: number; perSecond: number }) {
  const isGoingOn = perSecond > 0;
  return (
    <span
      class={isGoingOn ? "strong" : total === 0 ? "muted" : ""}
      title={isGoingOn ? `${rate(perSecond)} per second now` : undefined}
    >
      {count(total)}
    </span>
  );
}

function verdictOf({ health, why, reasons }: QueueRow) {
  if (health !== "breach" && health !== "warning") return undefined;
  if (why !== undefined && why.verdict !== "unknown") {
    return (
      <>
        <span class="verdict">
          <bdi>{why.verdict}</bdi>
        </span>{" "}
        <bdi>{why.sentence}</bdi>
      </>
    );
  }
  if (reasons.length === 0) return undefined;
  return <bdi>{reasons.join("; ")}</bdi>;
}
