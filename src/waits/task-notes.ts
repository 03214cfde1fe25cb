import { inspect, types } from "node:util";
import { LinkedList } from "../base/linked-list.js";
import { processWide } from "../base/process-wide.js";
import { listen } from "../base/thenable.js";
import type { TaskFacts } from "../contracts/index.js";
import type { FrameList } from "./frame-list.js";
import type { OpenWait, Question } from "./wait.js";

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
  /** What the task has asked for over connections, the last for each; undefined where it has written nothing. */
  questions: WeakMap<object, Question> | undefined = undefined;
  /** Where the item was put, if that was sampled. */
  putAt: Error | undefined = undefined;
  /** Whether the handler has ended. */
  isSettled = false;
  /** What the handler failed with. */
  error: unknown = undefined;
  /** Whether nothing holds the context any more. */
  isOrphan = false;
  /** Its async functions, where `queuescope/frames` is loaded. */
  frames: FrameList | undefined = undefined;
  /** How many collections had been seen when the context was released. */
  private releasedAt = 0;

  constructor(
    /** The task itself, which does not hold its context once `neverResumes` was called. */
    readonly task: TaskFacts,
  ) {}

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
    this.ownNotes ??= new TaskNotes(this.task);
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

  /** Whether the handler's promise has not settled. Only `inspect` tells that without listening to it. */
  isPending(): boolean {
    const { handler } = this;
    return (
      handler !== undefined && /\{\s*<pending>/.test(inspect(handler, { depth: 0, customInspect: false }))
    );
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

/** Whether the handler is known to be running still. */
export function isRunning(notes: TaskNotes): boolean {
  const link = taskLinkOf(notes.task);
  return !notes.isSettled && (link instanceof TaskContext ? link.isPending() : link !== undefined);
}

/** Called in the context of the task: thereby the promise holds that context, too. */
function ignore(): void {}
