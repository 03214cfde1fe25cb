import { Pending } from "../sources/source.js";
import { peerOf, statementLabel } from "../statements.js";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";

/** On whose behalf a client is called now, where the async context may be that of another task: a pool calls back when it has a connection. */
let caller: TaskNotes | "no task" | undefined;

/** The task that calls a client. */
export function callingTask(): TaskNotes | undefined {
  return caller === "no task" ? undefined : (caller ?? currentTaskNotes());
}

export function onBehalfOf<R>(notes: TaskNotes | undefined, fn: () => R): R {
  const before = caller;
  caller = notes ?? "no task";
  try {
    return fn();
  } finally {
    caller = before;
  }
}

/** What a client was asked for. Texts are made only when it is described. */
export class QueryWait extends Pending {
  readonly kind = "query";

  constructor(
    notes: TaskNotes,
    private readonly system: string,
    private readonly what: "query" | "command" | "statement",
    private readonly statement: () => string,
    private readonly server: { readonly serverAddress?: unknown; readonly serverPort?: unknown },
  ) {
    super(notes);
  }

  protected label(): string {
    const { system, what, server } = this;
    return statementLabel(system, what, this.statement(), peerOf(server.serverAddress, server.serverPort));
  }
}
