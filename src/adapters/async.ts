import type { Adapter, Attachment, OpenContext, QueueTelemetry } from "../contracts/index.js";
import { type Claimant, listen, lostContext } from "./handler.js";
import { Ledger } from "./ledger.js";
import { type Method, patch } from "./patch.js";
import type { Task } from "./task.js";

/** What async makes of an item. */
interface Node {
  data: unknown;
  priority?: unknown;
  callback: Method;
  /** A list links its nodes. */
  next?: Node | null;
  /** Of what stands in for a node: that node. */
  [NODE]?: Node;
}

/** The parts that async keeps to itself, and that have been the same since its version 3.2. */
interface Inside {
  /** A list has a head, a heap an array. */
  readonly _tasks: { readonly head?: Node | null; readonly heap?: readonly Node[] };
  _createTaskItem(data: unknown, callback: Method): Node;
  workersList(): Node[];
  readonly paused: boolean;
  readonly concurrency: number;
  /** How many items its worker gets at a time: more than 1 for a `cargo`. */
  readonly payload: number;
  length(): number;
  running(): number;
}

const NODE = Symbol("queuescope.node");

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
  asyncContext: "producer",
  tiersOf: () => ["default"],
  attach: (queue, telemetry) => new AsyncAttachment(queue, telemetry),
};

/** `priorityQueue` of async. */
export const asyncPriorityQueue: Adapter<Inside> = { ...asyncQueue, priorities: true };

/** How many tasks all of async's queues have taken: the next worker that is called gets the last of those. */
let starts = 0;

/**
 * async keeps a node for each item. While it waits, that stays as it is; when async takes it, it gets something else in its stead,
 * whose callback tells us when the task is over. Users get to see the nodes themselves.
 */
class AsyncAttachment implements Attachment, Claimant {
  readonly capabilities = ["takes", "outcomes", "durations", "evicted", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger;
  private readonly restores: (() => void)[];
  /** The tasks that wait, by their nodes. */
  private readonly tasks = new Map<Node, Task>();
  /** The task that was taken last, and at which of all starts. */
  private started: Task | undefined = undefined;
  private startedAs = 0;
  /** The task whose put makes async look for work: it is the one that is taken in the context of its put, wrapped or not. */
  private leader: Task | undefined = undefined;
  /** Is the worker wrapped? */
  private isClaimed = false;

  constructor(
    private readonly queue: Inside,
    private readonly telemetry: QueueTelemetry,
  ) {
    this.ledger = new Ledger(telemetry);
    this.probe = this.ledger.probe({
      size: () => queue.length(),
      running: () => queue.running(),
      head: () => this.tasks.get(first(queue)!),
      isMoreUrgent: (a, b) => a < b,
      isPaused: () => queue.paused,
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
    for (const node of nodesOf(queue)) {
      this.tasks.set(node, this.ledger.adopt(node.data, this.ledger.tierOf(node.priority)));
    }
  }

  detach(): void {
    this.ledger.close();
    this.tasks.clear();
    for (const restore of this.restores) restore();
  }

  claim(item: unknown): Task | undefined {
    const task = this.started;
    if (task === undefined || this.startedAs !== starts || !Object.is(task.item, item)) return undefined;
    this.started = undefined;
    this.isClaimed = true;
    return task;
  }

  run(task: Task, handler: () => unknown): unknown {
    try {
      return this.ledger.run(task, handler, "callback");
    } catch (error) {
      this.threw(task, error);
      throw error;
    }
  }

  open(task: Task): OpenContext {
    return this.ledger.open(task);
  }

  threw(task: Task, error: unknown): void {
    this.ledger.settle(task, { error });
  }

  private readonly wrapCreate = (original: Method): Method => {
    const { ledger, tasks, queue } = this;
    const attachment = this;
    return function createTaskItem(this: unknown, ...args: unknown[]) {
      const node = original.apply(this, args) as Node;
      if (!ledger.isOpen) return node;
      const task = ledger.enter(node.data, ledger.tierOf(node.priority));
      ledger.entered(task);
      if (tasks.size === 0 && queue.running() < queue.concurrency) attachment.leader = task;
      tasks.set(node, task);
      return node;
    };
  };

  private readonly wrapShift = (original: Method): Method => {
    const attachment = this;
    return function shift(this: unknown, ...args: unknown[]) {
      const node = original.apply(this, args) as Node | undefined;
      const task = node && attachment.tasks.get(node);
      return task === undefined ? node : attachment.start(node!, task);
    };
  };

  /** What async gets in the node's stead. */
  private start(node: Node, task: Task): Node {
    const { ledger } = this;
    this.tasks.delete(node);
    ledger.take(task);
    this.started = task;
    this.startedAs = ++starts;
    // The worker of a cargo gets the items of many puts.
    const isStray = task !== this.leader && task.carrier !== undefined && this.queue.payload === 1;
    this.leader = undefined;
    const callback = (error: unknown, ...results: unknown[]) => {
      if (isStray && !this.isClaimed && task.stage === "running") lostContext(this.telemetry);
      ledger.settle(task, error ? { error } : undefined);
      // It is not claimed where the worker isn't wrapped.
      if (this.started === task) this.started = undefined;
      return node.callback(error, ...results);
    };
    return { ...node, callback, [NODE]: node };
  }

  private readonly wrapRemove = (original: Method): Method => {
    const { ledger, tasks } = this;
    return function remove(this: unknown, test: unknown, ...more: unknown[]) {
      if (typeof test !== "function") return original.call(this, test, ...more);
      const tell = (node: Node) => {
        const isOut = test(node);
        const task = isOut ? tasks.get(node) : undefined;
        if (task !== undefined) {
          tasks.delete(node);
          ledger.drop(task, "evicted");
        }
        return isOut;
      };
      return original.call(this, tell, ...more);
    };
  };

  private readonly wrapEmpty = (original: Method): Method => {
    const { ledger, tasks } = this;
    const attachment = this;
    return function empty(this: unknown, ...args: unknown[]) {
      tasks.clear();
      attachment.leader = undefined;
      ledger.dropAll("shutdown");
      return original.apply(this, args);
    };
  };

  private readonly wrapWorkersList = (original: Method): Method => {
    /** async gives the same array each time, too. */
    let list: Node[] | undefined;
    return function workersList(this: unknown, ...args: unknown[]) {
      list ??= new Proxy(original.apply(this, args) as Node[], {
        get: (nodes, key, receiver) => {
          const value = Reflect.get(nodes, key, receiver);
          return value?.[NODE] ?? value;
        },
      });
      return list;
    };
  };
}

function first({ _tasks }: Inside): Node | undefined {
  return _tasks.head ?? _tasks.heap?.[0];
}

/** Those that wait, in the order of the list or heap. */
function* nodesOf(queue: Inside): Iterable<Node> {
  if (queue._tasks.heap !== undefined) yield* queue._tasks.heap;
  else for (let node = first(queue); node; node = node.next ?? undefined) yield node;
}
