import { percent, UNKNOWN } from "../state/format.js";

/** How much of the SLA the oldest item has used: the bar is full at the limit. */
export function SlaBar({ used }: { used: number | undefined }) {
  if (used === undefined)
    return (
      <span class="muted" title="no SLA">
        {UNKNOWN}
      </span>
    );
  const isOver = used > 1;
  return (
    <span class={`sla${isOver ? " sla-over" : ""}`}>
      <svg class="sla-bar" width="64" height="6" viewBox="0 0 64 6" aria-hidden="true">
        <rect class="sla-track" width="64" height="6" rx="3" />
        {used > 0 && <rect class="sla-fill" width={Math.max(3, Math.min(1, used) * 64)} height="6" rx="3" />}
      </svg>
      <span class="sla-number">{percent(used)}</span>
    </span>
  );
}
