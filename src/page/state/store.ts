import type {
  ActionRecord,
  Hello,
  History,
  QueueRow,
  ReportHead,
  ReportList,
  StallRow,
} from "../../inspector/protocol.js";
import { get } from "./api.js";
import { PAST_SECONDS, Past } from "./past.js";
import { applied, keyOf, NO_ROWS, ofSnapshot, type Rows, without } from "./rows.js";
import { Stream, type StreamMessage } from "./stream.js";

const MAX_REPORTS = 200;
const MAX_RECORDS = 50;
/** Histories that are asked for at a time. */
const MAX_AT_ONCE = 4;

/** What all views are made of. Never changed: each message makes a new one. */
export interface State {
  readonly connection: "connecting" | "live" | "lost";
  readonly hello: Hello | undefined;
  readonly rows: Rows;
  /** Processes that have ended, and when that was told. */
  readonly gone: ReadonlyMap<string, number>;
  /** The newest first. */
  readonly reports: readonly ReportHead[];
  /** The last stall of each process, as it was told. */
  readonly stalls: ReadonlyMap<string, StallRow>;
  readonly actions: readonly ActionRecord[];
}

/** What the server tells, kept for as long as the page is open. */
export class Store {
  readonly past = new Past();
  private readonly listeners = new Set<() => void>();
  /** Queues of which the history was asked for. */
  private readonly learned = new Set<string>();
  private current: State = {
    connection: "connecting",
    hello: undefined,
    rows: NO_ROWS,
    gone: new Map(),
    reports: [],
    stalls: new Map(),
    actions: [],
  };

  get state(): State {
    return this.current;
  }

  open(): this {
    new Stream({
      received: (message) => this.received(message),
      lost: () => this.set({ connection: "lost" }),
    }).open();
    return this;
  }

  /** Calls the listener after each change; the result ends that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes away what is left of a process that has ended. */
  dismiss(process: string): void {
    const gone = new Map(this.current.gone);
    gone.delete(process);
    this.set({ gone, rows: without(this.current.rows, process) });
  }

  /** Asks for the last ten minutes of these queues, a few at a time and of each once: what they did before the page was opened. */
  async learn(keys: readonly string[]): Promise<void> {
    const left = keys.filter((key) => !this.learned.has(key));
    for (const key of left) this.learned.add(key);
    const work = async () => {
      for (let key = left.shift(); key !== undefined; key = left.shift()) {
        const row = this.current.rows.queues.get(key);
        if (row === undefined) continue;
        try {
          this.past.backfill(key, await get<History>("history", { process: row.process, queue: row.name }));
          this.set({});
        } catch {
          // The process may be gone: then this is not known.
        }
      }
    };
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, work));
  }

  private received({ event, data }: StreamMessage): void {
    const { rows, reports, gone } = this.current;
    switch (event) {
      case "snapshot":
        this.set({ connection: "live", ...this.afterSnapshot(ofSnapshot(data)) });
        // Whichever server this is now: its version, its actions, and its reports.
        void this.ask();
        break;
      case "changes":
        this.set({ connection: "live", ...this.kept(applied(rows, data), gone) });
        break;
      case "breach":
        this.set({ reports: merged([data], reports) });
        break;
      case "cleared":
        this.set({
          reports: reports.map((each) =>
            each.process === data.process &&
            each.queue === data.queue &&
            each.tier === data.tier &&
            each.clearedAt === undefined
              ? { ...each, clearedAt: data.at }
              : each,
          ),
        });
        break;
      case "stall":
        this.set({ stalls: new Map(this.current.stalls).set(data.process, data) });
        break;
      case "action":
        this.set({ actions: [data, ...this.current.actions].slice(0, MAX_RECORDS) });
        break;
      case "gone":
        this.set({ gone: new Map(gone).set(data.process, rows.at) });
        break;
    }
  }

  /** A process that was there before, and of which the server says nothing any more, is gone; what was known of it stays. */
  private afterSnapshot(next: Rows): Pick<State, "rows" | "gone"> {
    const { rows } = this.current;
    const processes = new Map(next.processes);
    const queues = new Map(next.queues);
    const gone = new Map([...this.current.gone].filter(([id]) => !next.processes.has(id)));
    for (const [id, process] of rows.processes) {
      if (processes.has(id)) continue;
      processes.set(id, process);
      if (!gone.has(id)) gone.set(id, rows.at);
      for (const [key, row] of rows.queues) if (row.process === id) queues.set(key, row);
    }
    return this.kept({ at: next.at, processes, queues }, gone);
  }

  /** Writes down what there is, without processes in whose place another one of the same name has come. */
  private kept(next: Rows, gone: ReadonlyMap<string, number>): Pick<State, "rows" | "gone"> {
    let rows = next;
    const left = new Map(gone);
    const living = new Set(
      [...next.processes.values()].filter(({ id }) => !gone.has(id)).map(({ name }) => name),
    );
    for (const id of gone.keys()) {
      const name = next.processes.get(id)?.name;
      if (name !== undefined && !living.has(name)) continue;
      left.delete(id);
      rows = without(rows, id);
    }
    for (const [key, row] of rows.queues) if (!left.has(row.process)) this.past.record(key, rows.at, row);
    this.past.keepOnly(rows.queues);
    return { rows, gone: left };
  }

  private async ask(): Promise<void> {
    try {
      const [hello, { reports }] = await Promise.all([get<Hello>("hello"), get<ReportList>("reports")]);
      this.set({ hello, reports: merged(reports, this.current.reports) });
    } catch {
      // The stream tells when the server is away, and asks again when it is back.
    }
  }

  private set(change: Partial<State>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** The newer knowledge of each report stands first. */
function merged(newer: readonly ReportHead[], older: readonly ReportHead[]): readonly ReportHead[] {
  const keyed = new Map([...older, ...newer].map((each) => [keyOf(each.process, each.id), each]));
  return [...keyed.values()].sort((a, b) => b.at - a.at).slice(0, MAX_REPORTS);
}

/** The queue that a link means: that of its process or, where that process is gone or none was named, the only one of this name. */
export function findQueue(rows: Rows, name: string, process: string | undefined): QueueRow | undefined {
  const exact = process === undefined ? undefined : rows.queues.get(keyOf(process, name));
  if (exact !== undefined) return exact;
  const others = [...rows.queues.values()].filter((row) => row.name === name);
  return others.length === 1 ? others[0] : undefined;
}

/** The first instant that can be shown. */
export function pastFrom(now: number): number {
  return now - (PAST_SECONDS - 2) * 1_000;
}
