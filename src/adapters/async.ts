import type { Adapter, Attachment, OpenContext, QueueTelemetry } from "../contracts/index.js";
import { type Claimant, listen, lostContext } from "./handler.js";
import { Ledger } from "./ledger.js";
import { type Method, patch, type Replace } from "./patch.js";
import { Task } from "./task.js";

/** What async makes of an item. */
interface Node {
  data: unknown;
  priority?: unknown;
  callback: Method;
  /** A list links its nodes. */
  next?: Node | null;
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

/** Whether the object is built like a queue of async's. */
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

class AsyncTask extends Task {
  declare node: Node;
  /** What async has in the node's stead, once it has taken that. */
  declare standIn: Node | undefined;
  /** Whether it is handled in a context that isn't its own, unless its worker is wrapped. */
  declare isStray: boolean;

  constructor(...given: ConstructorParameters<typeof Task>) {
    super(...given);
    this.node = undefined as never;
    this.standIn = undefined;
    this.isStray = false;
  }

  override close(): void {
    super.close();
    // They keep the promise of the put, which on Node 20 keeps the task that has put this one, and so on for ever.
    this.node = undefined as never;
    this.standIn = undefined;
  }
}

/**
 * async keeps a node for each item. While it waits, that stays as it is; when async takes it, it gets a copy in its stead,
 * whose callback tells us when the task is over. Users get to see the nodes themselves.
 */
class AsyncAttachment implements Attachment, Claimant {
  readonly capabilities = ["takes", "outcomes", "durations", "evicted", "shutdown"] as const;
  readonly probe;
  private readonly ledger: Ledger<AsyncTask>;
  private readonly restores: (() => void)[];
  /** A list has the order of the books, but for what was put at its front. */
  private readonly isList: boolean;
  /** Those that wait and aren't found by the order, by their nodes. */
  private readonly byNode = new Map<Node, AsyncTask>();
  /** The nodes of tasks whose handler threw: async never lets go of those. */
  private readonly abandoned = new WeakMap<Node, Node>();
  /** The task that was made last. */
  private latest: AsyncTask | undefined = undefined;
  /** The task that was taken last, and at which of all starts. */
  private started: AsyncTask | undefined = undefined;
  private startedAs = 0;
  /** The task whose put makes async look for work: it is the one that is taken in the context of its put, wrapped or not. */
  private leader: AsyncTask | undefined = undefined;
  /** Whether the worker is wrapped. */
  private isClaimed = false;

  constructor(
    private readonly queue: Inside,
    private readonly telemetry: QueueTelemetry,
  ) {
    this.ledger = new Ledger(telemetry, AsyncTask);
    this.isList = queue._tasks.heap === undefined;
    this.probe = this.ledger.probe({
      size: () => queue.length(),
      running: () => queue.running(),
      head: () => this.taskOf(first(queue)),
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
      const methods: Record<string, Replace> = { shift, remove, empty };
      if (this.isList) methods.unshift = this.wrapUnshift;
      this.restores.push(patch(queue._tasks, methods));
    } catch (error) {
      restore();
      throw error;
    }
    this.restores.push(listen(telemetry.queueName, this));
    for (const node of nodesOf(queue)) {
      this.own(this.ledger.adopt(node.data, this.ledger.tierOf(node.priority)), node);
    }
  }

  detach(): void {
    this.ledger.close();
    this.byNode.clear();
    this.latest = undefined;
    for (const restore of this.restores) restore();
  }

  claim(item: unknown): AsyncTask | undefined {
    const task = this.started;
    if (task === undefined || this.startedAs !== starts || !Object.is(task.item, item)) return undefined;
    this.started = undefined;
    this.isClaimed = true;
    return task;
  }

  open(task: AsyncTask): OpenContext {
    return this.ledger.open(task);
  }

  returned(_task: AsyncTask, result: unknown): unknown {
    return result;
  }

  threw(task: AsyncTask, error: unknown): void {
    if (task.standIn !== undefined) this.abandoned.set(task.standIn, task.node);
    this.ledger.settle(task, { error });
  }

  /** async's callback for the task was called. */
  over(task: AsyncTask, error: unknown): void {
    if (task.isStray && !this.isClaimed && task.stage === "running") lostContext(this.telemetry);
    this.ledger.settle(task, error ? { error } : undefined);
    // It is not claimed where the worker isn't wrapped.
    if (this.started === task) this.started = undefined;
  }

  private own(task: AsyncTask, node: Node): void {
    task.node = node;
    this.latest = task;
    if (!this.isList) this.byNode.set(node, task);
  }

  private putAtFront(node: Node): void {
    if (this.latest?.node === node) this.byNode.set(node, this.latest);
  }

  /** The task of a node that waits: at once, if it is the one that is taken next. */
  private taskOf(node: Node | undefined): AsyncTask | undefined {
    if (node === undefined) return undefined;
    const known = this.byNode.size === 0 ? undefined : this.byNode.get(node);
    if (known !== undefined || !this.isList) return known;
    let task = this.ledger.oldest();
    while (task !== undefined && task.node !== node) task = task.next;
    return task;
  }

  private readonly wrapCreate = (original: Method): Method => {
    const { ledger, queue } = this;
    const attachment = this;
    return function createTaskItem(this: unknown, ...args: unknown[]) {
      const node = original.apply(this, args) as Node;
      if (!ledger.isOpen) return node;
      const leads = ledger.size === 0 && queue.running() < queue.concurrency;
      const task = ledger.enter(node.data, ledger.tierOf(node.priority));
      ledger.entered(task);
      attachment.own(task, node);
      if (leads) attachment.leader = task;
      return node;
    };
  };

  private readonly wrapUnshift = (original: Method): Method => {
    const attachment = this;
    return function unshift(this: unknown, node: Node, ...more: unknown[]) {
      attachment.putAtFront(node);
      return original.call(this, node, ...more);
    };
  };

  private readonly wrapShift = (original: Method): Method => {
    const attachment = this;
    return function shift(this: unknown, ...args: unknown[]) {
      const node = original.apply(this, args) as Node | undefined;
      const task = attachment.taskOf(node);
      return task === undefined ? node : attachment.start(task);
    };
  };

  /** Gives what async gets in the node's stead. */
  private start(task: AsyncTask): Node {
    if (this.byNode.size > 0) this.byNode.delete(task.node);
    if (this.latest === task) this.latest = undefined;
    this.ledger.take(task);
    this.started = task;
    this.startedAs = ++starts;
    // The worker of a cargo gets the items of many puts.
    task.isStray = task !== this.leader && task.carrier !== undefined && this.queue.payload === 1;
    this.leader = undefined;
    const { node } = task;
    // A symbol in it would make the copy twenty times slower on Node 20.
    task.standIn = {
      ...node,
      callback: (error: unknown, ...results: unknown[]) => {
        this.over(task, error);
        return node.callback(error, ...results);
      },
    };
    return task.standIn;
  }

  private readonly wrapRemove = (original: Method): Method => {
    const { ledger, byNode, isList } = this;
    const attachment = this;
    return function remove(this: unknown, test: unknown, ...more: unknown[]) {
      if (typeof test !== "function") return original.call(this, test, ...more);
      /** Goes along with the list, so that each is found at once. */
      let next = isList ? ledger.oldest() : undefined;
      const find = (node: Node): AsyncTask | undefined => {
        while (next !== undefined && next.node !== node) next = next.next;
        if (next === undefined) return attachment.taskOf(node);
        const task = next;
        next = next.next;
        return task;
      };
      const tell = (node: Node) => {
        const isOut = test(node);
        const task = isOut ? find(node) : undefined;
        if (task !== undefined) {
          byNode.delete(node);
          ledger.drop(task, "evicted");
        }
        return isOut;
      };
      return original.call(this, tell, ...more);
    };
  };

  private readonly wrapEmpty = (original: Method): Method => {
    const { ledger, byNode } = this;
    const attachment = this;
    return function empty(this: unknown, ...args: unknown[]) {
      byNode.clear();
      attachment.leader = undefined;
      ledger.dropAll("shutdown");
      return original.apply(this, args);
    };
  };

  private readonly wrapWorkersList = (original: Method): Method => {
    const { ledger, abandoned } = this;
    /** async gives the same array each time, too. */
    let list: Node[] | undefined;
    return function workersList(this: unknown, ...args: unknown[]) {
      list ??= new Proxy(original.apply(this, args) as Node[], {
        get: (nodes, key, receiver) => {
          const value = Reflect.get(nodes, key, receiver);
          if (typeof value !== "object") return value;
          let task = ledger.running.first;
          while (task !== undefined && task.standIn !== value) task = task.next;
          return task?.node ?? abandoned.get(value) ?? value;
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
