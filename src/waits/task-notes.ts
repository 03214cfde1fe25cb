import { LinkedList } from "../base/linked-list.js";
import { processWide } from "../base/process-wide.js";
import type { OpenWait } from "./wait.js";

/** The one storage of this library. While tasks are monitored, its stores have the notes of the task that runs. */
const { correlation } = processWide;

/** How many collections a context must outlive to count as alive: one may have been half done when it was released. */
const MIN_COLLECTIONS = 2;

let collections = 0;
/** Whether a sentinel waits for the next collection. */
let isWatching = false;

/** Has the notes of released contexts, which hold nothing of a context. `undefined` stands for a sentinel. */
const contexts = new FinalizationRegistry<TaskNotes | undefined>((notes) => {
  if (notes !== undefined) notes.isOrphan = true;
  else {
    collections++;
    isWatching = false;
  }
});

/** Notes about a task while it is monitored. They hold nothing of the task's context. */
export class TaskNotes implements TaskLink {
  readonly pending = new LinkedList<OpenWait>();
  /** Where the item was put, if that was sampled. */
  putAt: Error | undefined = undefined;
  /** Whether the handler has ended. */
  isSettled = false;
  /** What the handler failed with. */
  error: unknown = undefined;
  /** Whether nothing holds the context any more. */
  isOrphan = false;
  /** How many collections had been seen when the context was released. */
  private releasedAt = 0;

  get notes(): TaskNotes {
    return this;
  }

  /** Leaves the context to the garbage collector: the caller must not hold it any longer. */
  release(context: object, handler: Promise<unknown>): void {
    const settled = () => {
      this.isSettled = true;
      contexts.unregister(this);
    };
    this.releasedAt = collections;
    contexts.register(context, this, this);
    handler.then(settled, (error: unknown) => {
      this.error = error;
      settled();
    });
  }

  /**
   * True is proven: nothing holds the task's context, and its handler has not ended. False: something held it at the last collection of the
   * whole heap, which alone can tell. Undefined: not known.
   */
  neverResumes(): boolean | undefined {
    if (this.isSettled) return undefined;
    if (this.isOrphan) return true;
    if (!isWatching) {
      isWatching = true;
      contexts.register({}, undefined);
    }
    return collections >= this.releasedAt + MIN_COLLECTIONS ? false : undefined;
  }
}

/** Where a task leads to its notes. Every copy of this library finds it, whichever copy monitors. */
export interface TaskLink {
  readonly notes: TaskNotes;
  /** Undefined: not known. From the first call on, only the task's own context holds its {@link TaskContext}. */
  neverResumes(): boolean | undefined;
}

const LINK: unique symbol = Symbol.for("queuescope.entry") as never;

export function linkTask(task: object, link: TaskLink): void {
  // A property: a WeakMap would cost five times as much for each task.
  (task as { [LINK]?: TaskLink })[LINK] = link;
}

/** Undefined for a task that began while no watchdog ran. */
export function taskLinkOf(task: object): TaskLink | undefined {
  return (task as { [LINK]?: TaskLink })[LINK];
}

/** The notes of the task whose code runs now. */
export function currentTaskNotes(): TaskNotes | undefined {
  return correlation.getStore()?.notes as TaskNotes | undefined;
}
