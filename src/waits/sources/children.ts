import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import { Pending, type Source } from "./source.js";

class ChildWait extends Pending {
  readonly kind = "process";

  constructor(
    notes: TaskNotes,
    private readonly child: ChildProcess,
  ) {
    super(notes);
  }

  /** Without its arguments, which may be secrets. */
  protected label(): string {
    return `process ${basename(this.child.spawnfile ?? "")}`;
  }

  protected override state(): string | undefined {
    return this.child.pid === undefined ? undefined : `pid ${this.child.pid}`;
  }
}

/** Processes that tasks start. */
export const children: Source = {
  child_process: ({ process: child }: { process: ChildProcess }) => {
    const notes = currentTaskNotes();
    if (notes === undefined) return;
    const wait = new ChildWait(notes, child);
    child.once("exit", () => wait.end());
    // A process that could not be started has no exit.
    child.once("close", () => wait.end());
  },
};
