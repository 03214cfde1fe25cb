import type { PoolRow, WorkerRow } from "../../inspector/protocol.js";

/** What a worker did from one instant to another, in epoch milliseconds. */
export interface LaneSpan {
  from: number;
  to: number;
  /** `others`: it was at work on tasks that came and went between two looks. */
  readonly state: "processing" | "backoff" | "stalled" | "others";
  readonly correlationId: string | undefined;
  step: string | undefined;
  gate: string | undefined;
}

export interface Lane {
  readonly pool: string;
  readonly id: number;
  /** The oldest first. */
  readonly spans: readonly LaneSpan[];
}

const KEPT_MS = 600_000;
/** A look that is longer ago than this says nothing of the time between. */
const MAX_GAP_MS = 2_500;

interface Track {
  readonly pool: string;
  readonly id: number;
  readonly spans: LaneSpan[];
  seenAt: number;
}

/** What workers do over time, as looks once a second tell: of what is in work it is known since when. */
export class Lanes {
  private readonly tracks = new Map<string, Track>();

  record(at: number, pools: readonly PoolRow[]): void {
    for (const { name, workers } of pools) {
      for (const worker of workers) this.see(at, name, worker);
    }
    for (const [key, track] of this.tracks) {
      while (track.spans[0] !== undefined && track.spans[0].to < at - KEPT_MS) track.spans.shift();
      if (track.seenAt < at - KEPT_MS) this.tracks.delete(key);
    }
  }

  get list(): readonly Lane[] {
    return [...this.tracks.values()];
  }

  private see(
    at: number,
    pool: string,
    { id, state, correlationId, step, gate, forMs = 0 }: WorkerRow,
  ): void {
    const key = JSON.stringify([pool, id]);
    let track = this.tracks.get(key);
    if (track === undefined) {
      track = { pool, id, spans: [], seenAt: Number.NEGATIVE_INFINITY };
      this.tracks.set(key, track);
    }
    const last = track.spans.at(-1);
    const wasBusy = last !== undefined && last.to === track.seenAt && at - track.seenAt < MAX_GAP_MS;
    const seenAt = track.seenAt;
    track.seenAt = at;
    if (state !== "processing" && state !== "backoff" && state !== "stalled") return;
    // The same task may be seen again in another state.
    const startedAt = Math.max(at - forMs, last?.to ?? Number.NEGATIVE_INFINITY);
    const isSame = last !== undefined && last.correlationId === correlationId && at - forMs <= last.to;
    if (isSame && last.state === state) {
      last.to = at;
      last.step = step;
      last.gate = gate;
      return;
    }
    if (wasBusy && !isSame && startedAt - seenAt > 0) {
      track.spans.push({
        from: seenAt,
        to: startedAt,
        state: "others",
        correlationId: undefined,
        step: undefined,
        gate: undefined,
      });
    }
    track.spans.push({ from: isSame ? last.to : startedAt, to: at, state, correlationId, step, gate });
  }
}
