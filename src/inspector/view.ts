import type { ActionRequest, ErrorCode, Hello, ProcessInfo, ServerEvents, Snapshot } from "./protocol.js";

/** What is asked besides snapshots and events. */
export type Question =
  | { readonly route: "queue" | "history"; readonly process?: string | undefined; readonly queue: string }
  | { readonly route: "reports"; readonly process?: string | undefined }
  | { readonly route: "tree"; readonly process?: string | undefined; readonly queue?: string | undefined }
  | {
      readonly route: "report";
      readonly process?: string | undefined;
      readonly queue?: string | undefined;
      readonly id?: string | undefined;
      readonly format?: "json" | "text" | undefined;
    }
  | { readonly route: "search"; readonly process?: string | undefined; readonly q: string }
  | { readonly route: "metrics"; readonly process?: string | undefined };

/** Gets events, as JSON, for as long as it wants. */
export interface Watcher {
  /** Only of this process. */
  readonly process?: string | undefined;
  /** The queue of which it also wants details; of the process that is named. */
  readonly queue?: string | undefined;
  send(event: keyof ServerEvents, json: string): void;
}

/** One process, or several, as the routes show them. What goes wrong is a {@link ViewError}. */
export interface View {
  readonly processes: readonly ProcessInfo[];
  hello(): Promise<Pick<Hello, "processes">>;
  snapshot(process?: string): Promise<Snapshot>;
  /** The first event is a snapshot. Returns what ends it. */
  watch(watcher: Watcher): Promise<() => void>;
  /** JSON as text, or text. */
  ask(question: Question): Promise<string>;
  /** Answers with JSON. `by`: on whose behalf. */
  act(request: ActionRequest, by: string, token?: string): Promise<string>;
}

/** That something can't be answered, and why. */
export class ViewError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
    Object.defineProperty(this, "name", { value: "ViewError", configurable: true });
  }
}

/** The process that is meant, where there may be several. */
export function onlyOne(processes: readonly ProcessInfo[], wanted: string | undefined): ProcessInfo {
  const found = findProcess(processes, wanted);
  if (found !== undefined) return found;
  if (wanted !== undefined) throw new ViewError("not_found", `there is no process "${wanted}"`);
  const [one, other] = processes;
  if (one === undefined) throw new ViewError("not_found", "there is no process to look into");
  if (other === undefined) return one;
  throw new ViewError("process_required", "there are several processes: say which one, by process=ID");
}

/** By its ID, or by its pid where that is of one only. */
export function findProcess(
  processes: readonly ProcessInfo[],
  wanted: string | undefined,
): ProcessInfo | undefined {
  if (wanted === undefined) return undefined;
  const byId = processes.find(({ id }) => id === wanted);
  if (byId !== undefined) return byId;
  const byPid = processes.filter(({ pid }) => String(pid) === wanted);
  return byPid.length === 1 ? byPid[0] : undefined;
}
