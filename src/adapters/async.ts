import type { Adapter, Attachment, QueueTelemetry } from "../contracts.js";
import { type Claimant, listen } from "./handler.js";
import { Ledger } from "./ledger.js";
import { type Method, patch } from "./patch.js";
import type { Task } from "./task.js";

/** What async makes of an item. */
interface Node {
  data: unknown;
  priority?: unknown;
  callback: Method;
  [OURS]?: Ours;
}

/** What we keep with it. */
interface Ours {
  readonly task: Task;
  /** The user's callback, while the node has one of ours. */
  readonly callback: Method;
  /** What users get to see of the node. */
  view?: Node;
}

/** The parts that async keeps to itself, and that have been the same since its version 3.2. */
interface Inside {
  /** A list has a head, a heap an array. */
  readonly _tasks: { readonly head?: Node | null; readonly heap?: readonly Node[] };
  _createTaskItem(data: unknown, callback: Method): Node;
  workersList(): Node[];
  length(): number;
  running(): number;
}

const OURS = Symbol("queuescope");

/** Is the object built like a queue of async's? */
export function isAsyncQueue(queue: object): queue is Inside {
  const { _tasks, _createTaskItem, workersList, length, running } = queue as Partial<Inside>;
  const methods = [_createTaskItem, workersList, length, running];
  return methods.every((method) => typeof method === "function") && typeof _tasks === "object";
}

/** Only a `priorityQueue` has no front to put something at. */
export function isAsyncPriorityQueue(queue: object): queue is Inside {
  return isAsyncQueue(queue) && !("unshift" in queue);
}

/** `queue` of async. */
export const asyncQueue: Adapter<Inside> = {
  system: "async",
  tiersOf: () => ["default"],
  attach: (queue, telemetry) => new AsyncAttachment(queue, telemetry),
};

/** `priorityQueue` of async. */
export const asyncPriorityQueue: Adapter<Inside> = { ...asyncQueue, priorities: true };

/** How many tasks all of async's queues have taken: the next worker that is called gets the last of those. */
let starts = 0;

/** async keeps a node for each item: it carries the task, and knows when it is over. */
class AsyncAttachment implements Attachment, Claimant {
  readonly tells = ["takes", "outcomes", "durations", "evicted", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger;
  private readonly restores: (() => void)[];
  /** The task that was taken last, and at which of all starts. */
  private started: Task | undefined = undefined;
  private startedAs = 0;
  /** What users get to see of those that are running; async, too, gives the same array each time. */
  private readonly views: Node[] = [];

  constructor(queue: Inside, telemetry: QueueTelemetry) {
    this.ledger = new Ledger(telemetry);
    this.probe = this.ledger.probe({
      size: () => queue.length(),
      running: () => queue.running(),
      head: () => (queue._tasks.head ?? queue._tasks.heap?.[0])?.[OURS]?.task,
    });
    const restore = patch(queue, {
      _createTaskItem: this.wrapCreate,
      workersList: this.wrapWorkersList,
    });
    this.restores = [restore];
    try {
      const { wrapShift: shift, wrapRemove: remove, wrapEmpty: empty } = this;
      this.restores.push(patch(queue._tasks, { shift, remove, empty }));
    } catch (error) {
      restore();
      throw error;
    }
    this.restores.push(listen(telemetry.queueName, this));
  }

  detach(): void {
    this.ledger.close();
    for (const restore of this.restores) restore();
  }

  claim(item: unknown): Task | undefined {
    const task = this.started;
    if (task === undefined || this.startedAs !== starts || !Object.is(task.item, item)) return undefined;
    this.started = undefined;
    return task;
  }

  run(task: Task, handler: () => unknown): unknown {
    try {
      return this.ledger.run(task, handler);
    } catch (error) {
      this.ledger.settle(task, { error });
      throw error;
    }
  }

  private readonly wrapCreate = (original: Method): Method => {
    const attachment = this;
    const { ledger } = this;
    return function createTaskItem(this: unknown, ...args: unknown[]) {
      const node = original.apply(this, args) as Node;
      if (!ledger.isOpen) return node;
      const task = ledger.enter(node.data, ledger.tierOf(node.priority));
      ledger.entered(task);
      const { callback } = node;
      const settle: Method = function (error, ...results) {
        ledger.settle(task, error ? { error } : undefined);
        // Nobody claims it where the worker isn't wrapped.
        if (attachment.started === task) attachment.started = undefined;
        return callback.call(this, error, ...results);
      };
      node.callback = settle;
      node[OURS] = { task, callback };
      return node;
    };
  };

  private readonly wrapShift = (original: Method): Method => {
    const attachment = this;
    return function shift(this: unknown, ...args: unknown[]) {
      const node = original.apply(this, args) as Node | undefined;
      const task = node?.[OURS]?.task;
      if (task?.stage === "waiting" && attachment.ledger.isOpen) {
        attachment.ledger.take(task);
        attachment.started = task;
        attachment.startedAs = ++starts;
      }
      return node;
    };
  };

  private readonly wrapRemove = (original: Method): Method => {
    const attachment = this;
    return function remove(this: unknown, test: unknown, ...more: unknown[]) {
      if (typeof test !== "function") return original.call(this, test, ...more);
      const tell = (node: Node) => {
        const isOut = test(viewOf(node));
        const task = node[OURS]?.task;
        if (isOut && task !== undefined) attachment.ledger.drop(task, "evicted");
        return isOut;
      };
      return original.call(this, tell, ...more);
    };
  };

  private readonly wrapEmpty = (original: Method): Method => {
    const { ledger } = this;
    return function empty(this: unknown, ...args: unknown[]) {
      ledger.dropAll("shutdown");
      return original.apply(this, args);
    };
  };

  private readonly wrapWorkersList = (original: Method): Method => {
    const { views } = this;
    return function workersList(this: unknown, ...args: unknown[]) {
      views.splice(0, views.length, ...(original.apply(this, args) as Node[]).map(viewOf));
      return views;
    };
  };
}

/** The node as it would be without us; the same one each time. */
function viewOf(node: Node): Node {
  const { [OURS]: ours, ...theirs } = node;
  if (ours === undefined) return node;
  ours.view ??= { ...theirs, callback: ours.callback };
  return ours.view;
}
