import { types } from "node:util";
import { listen } from "../base/thenable.js";
import type { TaskFacts } from "../contracts/index.js";
import { release } from "./orphans.js";
import { type Entry, setEntry, TaskNotes } from "./task-notes.js";

/** The key by which a handler's promise holds its token. */
const TOKEN: unique symbol = Symbol.for("queuescope.token") as never;

/**
 * Stands for a task in its async context. When nobody but that context holds it, its end is the proof that nothing is left that
 * could go on in there. The task itself, in lists of ours, leads to it only until somebody asks; so one that ends soon costs
 * next to nothing.
 */
export class TaskContext implements TaskFacts, Entry {
  private notes: TaskNotes | undefined = undefined;
  /** What the handler returned, if that can tell when it is over. */
  private handler: Promise<unknown> | undefined = undefined;

  constructor(private readonly task: TaskFacts) {
    setEntry(task, this);
  }

  get sheet(): TaskNotes {
    this.notes ??= new TaskNotes();
    return this.notes;
  }

  get tier(): string {
    return this.task.tier;
  }

  get attempt(): number {
    return this.task.attempt;
  }

  get waitMs(): number | undefined {
    return this.task.waitMs;
  }

  get correlationId(): string {
    return this.task.correlationId;
  }

  /** The handler has returned, and this is still its context. Of one that calls back, or gives a thenable, nobody knows what holds it. */
  returned(result: unknown): void {
    // Not by `instanceof`, which asks a proxy of the user's, and that may throw.
    if (!types.isPromise(result) || !Object.isExtensible(result)) return;
    this.handler = result;
    // Who can settle the promise can go on, in whatever context: so it must hold the token. Several tasks may share a promise.
    if (TOKEN in result) listen(result, ignore, ignore);
    else (result as { [TOKEN]?: TaskContext })[TOKEN] = this;
  }

  /** The handler is over: it threw before it could return anything. */
  threw(error: unknown): void {
    this.sheet.isSettled = true;
    this.sheet.error = error;
  }

  neverResumes(): boolean | undefined {
    const { task, sheet, handler } = this;
    if (handler === undefined) return undefined;
    this.handler = undefined;
    setEntry(task, sheet);
    release(this, sheet, handler);
    return sheet.neverResumes();
  }
}

/** What calls this, calls it in the context of the task: thereby the promise holds that as well. */
function ignore(): void {}
