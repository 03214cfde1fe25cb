import { useEffect, useReducer, useRef } from "preact/hooks";
import type { History, QueueDetail, QueueRow } from "../../inspector/protocol.js";
import { get } from "./api.js";
import { bridged, extended } from "./history.js";
import { Lanes } from "./lanes.js";

const EVERY_MS = 1_000;
const HISTORY_EVERY_MS = 5_000;
/** Details that are kept to look back on: ten minutes, or so many rows of tasks and workers altogether. */
const MAX_DETAILS = 600;
const MAX_ROWS = 20_000;
/** The one that was shown for an instant may be older than that by so much. */
const NEAR_MS = 3_500;

interface Params {
  readonly process: string;
  readonly queue: string;
}

/** What was seen of a queue since its page was opened. */
export class Details {
  readonly lanes = new Lanes();
  private readonly list: QueueDetail[] = [];
  private rows = 0;

  add(detail: QueueDetail): void {
    const last = this.list.at(-1);
    if (last !== undefined && detail.at <= last.at) return;
    this.list.push(detail);
    this.rows += rowsOf(detail);
    while (this.list.length > MAX_DETAILS || (this.rows > MAX_ROWS && this.list.length > 1)) {
      this.rows -= rowsOf(this.list.shift()!);
    }
    this.lanes.record(detail.at, detail.pools);
  }

  get first(): QueueDetail | undefined {
    return this.list[0];
  }

  get last(): QueueDetail | undefined {
    return this.list.at(-1);
  }

  /** The last one up to this instant; undefined where none was seen at about that time. */
  at(at: number): QueueDetail | undefined {
    const found = this.list.findLast((detail) => detail.at <= at + EVERY_MS / 2);
    return found !== undefined && at - found.at < NEAR_MS ? found : undefined;
  }
}

/** Asks for the queue once a second, for as long as its page is open and in sight. */
export function useDetails({ process, queue }: Params, isAsking: boolean): Details {
  const [, rerender] = useReducer<number, void>((n) => n + 1, 0);
  const details = useRef(new Details());
  useEffect(() => {
    details.current = new Details();
    if (!isAsking) return;
    return repeat(EVERY_MS, async (signal) => {
      details.current.add(await get<QueueDetail>("queue", { process, queue }, signal));
      rerender();
    });
  }, [process, queue, isAsking]);
  return details.current;
}

/** The last ten minutes: asked for now and then, and in between continued with what the stream tells. Stands still while one looks back. */
export function useHistory(
  { process, queue }: Params,
  row: QueueRow,
  at: number,
  isLive: boolean,
  isAsking: boolean,
): History | undefined {
  const [, rerender] = useReducer<number, void>((n) => n + 1, 0);
  const shown = useRef<{ history: History; row: QueueRow; at: number } | undefined>(undefined);
  const isFrozen = useRef(false);
  const newest = useRef({ row, at });
  isFrozen.current = !isLive && shown.current !== undefined;
  if (isLive) newest.current = { row, at };
  useEffect(() => {
    shown.current = undefined;
    isFrozen.current = false;
    if (!isAsking) return;
    return repeat(HISTORY_EVERY_MS, async (signal) => {
      if (isFrozen.current) return;
      const history = bridged(await get<History>("history", { process, queue }, signal));
      if (isFrozen.current) return;
      shown.current = { history, ...newest.current };
      rerender();
    });
  }, [process, queue, isAsking]);
  const before = shown.current;
  if (isLive && before !== undefined && at > before.at) {
    shown.current = { history: extended(before.history, before.row, row, at), row, at };
  }
  return shown.current?.history;
}

/** Does something at once and then every so often, one at a time; what fails is tried again. The result ends it. */
function repeat(everyMs: number, work: (signal: AbortSignal) => Promise<void>): () => void {
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = async () => {
    const startedAt = performance.now();
    // The stream tells that the server is away.
    if (!document.hidden) await work(ending.signal).catch(() => {});
    if (!ending.signal.aborted)
      timer = setTimeout(turn, Math.max(50, everyMs - (performance.now() - startedAt)));
  };
  void turn();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}

function rowsOf({ tasks, pools }: QueueDetail): number {
  return 1 + tasks.length + pools.reduce((sum, { workers }) => sum + workers.length, 0);
}
