import type { Changes, ProcessRow, QueueRow, ServerEvents, Snapshot } from "../../inspector/protocol.js";
import { ProcessState } from "../../inspector/remote/process-state.js";

/** All processes, as their events have told. */
export class Rows {
  private readonly states = new Map<string, ProcessState>();

  told(event: keyof ServerEvents, json: string): void {
    if (event === "snapshot") {
      this.states.clear();
      this.begin(JSON.parse(json) as Snapshot);
    } else if (event === "changes") {
      this.change(JSON.parse(json) as Changes);
    } else if (event === "gone") {
      this.states.delete((JSON.parse(json) as ServerEvents["gone"]).process);
    }
  }

  get processes(): ProcessRow[] {
    return [...this.states.values()].flatMap(({ process }) => process ?? []);
  }

  get queues(): QueueRow[] {
    return [...this.states.values()].flatMap(({ queues }) => queues);
  }

  private begin(snapshot: Snapshot): void {
    for (const process of snapshot.processes) {
      const queues = snapshot.queues.filter((row) => row.process === process.id);
      this.stateOf(process.id).begin({ ...snapshot, processes: [process], queues });
    }
  }

  private change({ at, processes, queues, gone }: Changes): void {
    const ids = new Set([...processes.map(({ id }) => id), ...queues.map((row) => row.process)]);
    for (const { process } of gone ?? []) ids.add(process);
    for (const id of ids) {
      this.stateOf(id).apply({
        at,
        processes: processes.filter((each) => each.id === id),
        queues: queues.filter((row) => row.process === id),
        gone: (gone ?? []).filter(({ process }) => process === id),
      });
    }
  }

  private stateOf(id: string): ProcessState {
    const state = this.states.get(id) ?? new ProcessState();
    this.states.set(id, state);
    return state;
  }
}
