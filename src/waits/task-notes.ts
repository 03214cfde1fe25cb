import { LinkedList } from "../base/linked-list.js";
import { correlation } from "./correlation.js";
import { type Fate, neverResumes } from "./orphans.js";
import type { OpenWait } from "./wait.js";

/** What is noted about a task while somebody looks on. It holds nothing of the task's context. */
export class TaskNotes implements Fate, Entry {
  readonly pending = new LinkedList<OpenWait>();
  /** Where the item was put, if that was sampled. */
  putAt: Error | undefined = undefined;
  isSettled = false;
  error: unknown = undefined;
  isOrphan = false;
  releasedAt = 0;

  get sheet(): TaskNotes {
    return this;
  }

  neverResumes(): boolean | undefined {
    return neverResumes(this);
  }
}

/** What a task leads to. Two copies of this library, one of which looks on, must find it. */
export interface Entry {
  readonly sheet: TaskNotes;
  /** Undefined: not known. From the first time on that this is asked, only the task's context holds its token. */
  neverResumes(): boolean | undefined;
}

const ENTRY: unique symbol = Symbol.for("queuescope.entry") as never;

export function setEntry(task: object, entry: Entry): void {
  // A property: a WeakMap would cost five times as much for each task.
  (task as { [ENTRY]?: Entry })[ENTRY] = entry;
}

/** Undefined if nobody looked on when the task began. */
export function entryOf(task: object): Entry | undefined {
  return (task as { [ENTRY]?: Entry })[ENTRY];
}

/** The sheet of the task whose code runs now. */
export function currentSheet(): TaskNotes | undefined {
  return correlation.getStore()?.sheet as TaskNotes | undefined;
}
