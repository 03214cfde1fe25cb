import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import { Pending } from "../pending.js";
import { currentSheet, type TaskNotes } from "../task-notes.js";
import type { Source } from "./source.js";

class ChildWait extends Pending {
  readonly kind = "process";

  constructor(
    sheet: TaskNotes,
    private readonly child: ChildProcess,
  ) {
    super(sheet);
  }

  /** Not its arguments: they may be secrets. */
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
    const sheet = currentSheet();
    if (sheet === undefined) return;
    const wait = new ChildWait(sheet, child);
    child.once("exit", () => wait.end());
    // One that could not be started has no exit.
    child.once("close", () => wait.end());
  },
};
