import { types } from "node:util";
import { listen } from "../base/thenable.js";
import type { TaskFacts } from "../contracts/index.js";
import { linkTask, type TaskLink, TaskNotes } from "./task-notes.js";

/** The key by which a handler's promise holds its context. */
const CONTEXT: unique symbol = Symbol.for("queuescope.token") as never;

/**
 * Stands for a task in its async context. Once only that context holds it, its collection proves that nothing is left that could go on
 * there. The task itself links to it until `neverResumes` is first called, so a task that ends soon costs next to nothing.
 */
export class TaskContext implements TaskFacts, TaskLink {
  private ownNotes: TaskNotes | undefined = undefined;
  /** What the handler returned, where that tells when it ends. */
  private handler: Promise<unknown> | undefined = undefined;

  constructor(private readonly task: TaskFacts) {
    linkTask(task, this);
  }

  get notes(): TaskNotes {
    this.ownNotes ??= new TaskNotes();
    return this.ownNotes;
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

  /** The handler has returned, and this is still its context. What holds the context of a callback or a thenable is not known. */
  returned(result: unknown): void {
    // `instanceof` would ask a proxy of the user's, which may throw.
    if (!types.isPromise(result) || !Object.isExtensible(result)) return;
    this.handler = result;
    // Code that can settle the promise can go on, in whatever context: so the promise holds this. Several tasks may share a promise.
    if (CONTEXT in result) listen(result, ignore, ignore);
    else (result as { [CONTEXT]?: TaskContext })[CONTEXT] = this;
  }

  /** The handler threw before it returned anything. */
  threw(error: unknown): void {
    this.notes.isSettled = true;
    this.notes.error = error;
  }

  neverResumes(): boolean | undefined {
    const { task, notes, handler } = this;
    if (handler === undefined) return undefined;
    this.handler = undefined;
    linkTask(task, notes);
    notes.release(this, handler);
    return notes.neverResumes();
  }
}

/** Called in the context of the task: thereby the promise holds that context, too. */
function ignore(): void {}
