import { clock, minutes } from "../state/format.js";
import { pastFrom } from "../state/store.js";
import { useView } from "../state/view.js";

/** Live, or at an instant of the last ten minutes; the same for all views. */
export function Timeline() {
  const { state, route, at, isLive, go } = useView();
  const now = state.rows.at;
  if (now === 0) return null;
  const replace = { replace: true };
  if (isLive) {
    return (
      <div class="timeline">
        <Connection />
        <button
          type="button"
          aria-keyshortcuts="Space"
          title="Pause (space)"
          onClick={() => go({ ...route, at: now }, replace)}
        >
          Pause
        </button>
      </div>
    );
  }
  const from = pastFrom(now);
  return (
    <div class="timeline is-paused">
      <input
        type="range"
        aria-label="Time shown"
        aria-valuetext={`${clock(at)}, ${minutes(now - at)} ago`}
        min={Math.round(from / 1_000)}
        max={Math.round(now / 1_000)}
        step="1"
        value={Math.round(at / 1_000)}
        onInput={({ currentTarget }) => go({ ...route, at: Number(currentTarget.value) * 1_000 }, replace)}
      />
      <output class="timeline-at">
        {clock(at)} <span class="muted">−{minutes(now - at)}</span>
      </output>
      <button
        type="button"
        class="primary"
        aria-keyshortcuts="Space"
        title="Back to now (space)"
        onClick={() => go({ ...route, at: undefined }, replace)}
      >
        Live
      </button>
    </div>
  );
}

function Connection() {
  const { state } = useView();
  const { connection, rows } = state;
  const isLive = connection === "live";
  return (
    <span class={`connection connection-${connection}`} role="status">
      <svg width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
        <circle cx="4" cy="4" r="3" />
      </svg>
      {isLive
        ? "Live"
        : connection === "lost"
          ? `Connection lost; this is of ${clock(rows.at)}`
          : "Connecting …"}
    </span>
  );
}
