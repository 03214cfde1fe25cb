import type { WorkerCounts } from "../../inspector/protocol.js";
import { count, UNKNOWN } from "../state/format.js";

/** Those that work first. */
export const STATES = [
  "processing",
  "stalled",
  "backoff",
  "idle",
  "stopped",
] as const satisfies readonly (keyof WorkerCounts)[];

const WORDS: Readonly<Record<keyof WorkerCounts, string>> = {
  processing: "processing",
  stalled: "stalled",
  backoff: "waiting to retry",
  idle: "idle",
  stopped: "stopped",
};

/** How many of these squares there is room for; more workers are one bar. */
const MAX_SQUARES = 10;
const SIZE = 6;
const PITCH = 8;

/** `3 processing, 1 idle`. */
export function workerWords(counts: WorkerCounts): string {
  const parts = STATES.filter((state) => counts[state] > 0).map(
    (state) => `${count(counts[state])} ${WORDS[state]}`,
  );
  return parts.length === 0 ? "no workers" : parts.join(", ");
}

/** Each worker a square, filled while it works; and how many of them do. */
export function Workers({
  counts,
  consumers,
}: {
  counts: WorkerCounts | undefined;
  consumers?: number | undefined;
}) {
  if (counts === undefined) {
    if (consumers === undefined) return <span class="muted">{UNKNOWN}</span>;
    return <span title="consumers, as the broker tells">{count(consumers)} consumers</span>;
  }
  const all = STATES.reduce((sum, state) => sum + counts[state], 0);
  const busy = counts.processing + counts.stalled + counts.backoff;
  const words = workerWords(counts);
  return (
    <span class="workers" title={words}>
      <svg
        width={MAX_SQUARES * PITCH - 2}
        height={SIZE + 2}
        viewBox={`0 0 ${MAX_SQUARES * PITCH - 2} ${SIZE + 2}`}
        role="img"
        aria-label={words}
      >
        {all <= MAX_SQUARES ? squares(counts) : bar(counts, all)}
      </svg>
      <span class="workers-number">
        {count(busy)}
        <span class="muted">/{count(all)}</span>
      </span>
    </span>
  );
}

function squares(counts: WorkerCounts) {
  const states = STATES.flatMap((state) => Array<keyof WorkerCounts>(counts[state]).fill(state));
  return states.map((state, i) => (
    <rect
      key={i}
      class={`worker-${state}`}
      x={i * PITCH + 0.5}
      y="1.5"
      width={SIZE - 1}
      height={SIZE - 1}
      rx="1.5"
    />
  ));
}

function bar(counts: WorkerCounts, all: number) {
  let x = 0;
  const width = MAX_SQUARES * PITCH - 2;
  return STATES.filter((state) => counts[state] > 0).map((state) => {
    const share = (counts[state] / all) * width;
    const at = x;
    x += share;
    return (
      <rect
        key={state}
        class={`worker-${state}`}
        x={at + 0.5}
        y="1.5"
        width={Math.max(1, share - 1)}
        height={SIZE - 1}
        rx="1"
      />
    );
  });
}
