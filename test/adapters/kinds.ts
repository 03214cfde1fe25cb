import { callbackify } from "node:util";
import async from "async";
import fastqOf, { type done as Done, type queueAsPromised } from "fastq";
import PQueue from "p-queue";
import { asyncQueue } from "../../src/adapters/async.js";
import { fastq } from "../../src/adapters/fastq.js";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { ownQueue } from "../../src/adapters/own-queue.js";
import { pQueue } from "../../src/adapters/p-queue.js";
import type { Adapter } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import type { Handle, PutWishes, QueueKind } from "../../src/testing.js";
import { adapterConformance, type ConformanceCase } from "../../src/testing.js";

const ALL = ["takes", "outcomes", "durations"] as const;

/** `(error, result)` as a promise. */
function promised(call: (done: (error: unknown, result?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)));
  });
}

const calledBack = (handle: Handle) => callbackify(async (item: unknown) => handle(item));

const pQueueKind: QueueKind<PQueue> = {
  adapter: pQueue,
  tells: [...ALL, "evicted", "shutdown"],
  handlers: "in-context",
  results: "promised",
  priorities: "highest-first",
  signals: "observed",
  timeouts: "observed",
  make: ({ concurrency }) => new PQueue({ concurrency }),
  put: (queue, item, { handle, timeoutMs, priority, signal }) =>
    queue.add(() => handle(item) as Promise<unknown>, {
      ...(priority !== undefined && { priority }),
      ...(signal !== undefined && { signal }),
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    }),
  putMany: (queue, items, { handle }) => queue.addAll(items.map((item) => async () => handle(item))),
  pause: (queue) => queue.pause(),
  resume: (queue) => queue.start(),
  clear: (queue) => queue.clear(),
};

type FastQueue = fastqOf.queue<unknown, unknown>;

const fastqParts = {
  adapter: fastq as unknown as Adapter<FastQueue>,
  tells: [...ALL, "shutdown"],
  results: "promised",
  pause: (queue: FastQueue) => queue.pause(),
  resume: (queue: FastQueue) => queue.resume(),
  clear: (queue: FastQueue) => queue.kill(),
} as const;

const fastqCallback: QueueKind<FastQueue> = {
  ...fastqParts,
  handlers: "in-context",
  make: ({ handle, concurrency, name }) => {
    const worker = (item: unknown, done: Done<unknown>) => calledBack(handle)(item, done as never);
    return fastqOf(instrumentHandler(worker, { name }), concurrency);
  },
  put: (queue, item) => promised((done) => queue.push(item, done)),
};

const fastqBareCallback: QueueKind<FastQueue> = {
  ...fastqCallback,
  handlers: "out-of-context",
  make: ({ handle, concurrency }) => {
    const worker = (item: unknown, done: Done<unknown>) => calledBack(handle)(item, done as never);
    return fastqOf(worker, concurrency);
  },
};

const fastqPromise: QueueKind<queueAsPromised<unknown, unknown>> = {
  ...(fastqParts as unknown as Pick<
    QueueKind<queueAsPromised<unknown, unknown>>,
    "adapter" | "tells" | "results" | "pause" | "resume" | "clear"
  >),
  handlers: "in-context",
  make: ({ handle, concurrency, name }) =>
    fastqOf.promise(
      instrumentHandler(async (item: unknown) => handle(item), { name }),
      concurrency,
    ),
  put: (queue, item) => queue.push(item),
};

const fastqBarePromise: QueueKind<queueAsPromised<unknown, unknown>> = {
  ...fastqPromise,
  handlers: "out-of-context",
  make: ({ handle, concurrency }) => fastqOf.promise(async (item: unknown) => handle(item), concurrency),
};

type AsyncQueue = async.QueueObject<unknown>;

const asyncCallback: QueueKind<AsyncQueue> = {
  adapter: asyncQueue as unknown as Adapter<AsyncQueue>,
  tells: [...ALL, "evicted", "shutdown"],
  handlers: "in-context",
  results: "promised",
  make: ({ handle, concurrency, name }) =>
    async.queue(
      instrumentHandler((item: unknown, done: () => void) => calledBack(handle)(item, done), { name }),
      concurrency,
    ),
  put: (queue, item) => promised((done) => queue.push(item, done)),
  putMany: (queue, items) => queue.push([...items]),
  pause: (queue) => queue.pause(),
  resume: (queue) => queue.resume(),
  clear: (queue) => {
    queue.remove(() => true);
  },
  kill: (queue) => queue.kill(),
};

const asyncPromise: QueueKind<AsyncQueue> = {
  ...asyncCallback,
  make: ({ handle, concurrency, name }) =>
    async.queue(
      instrumentHandler(async (item: unknown) => handle(item), { name }),
      concurrency,
    ),
};

const asyncBare: QueueKind<AsyncQueue> = {
  ...asyncCallback,
  handlers: "out-of-context",
  make: ({ handle, concurrency }) => async.queue(async (item: unknown) => handle(item), concurrency),
};

const asyncPriority: QueueKind<AsyncQueue> = {
  ...asyncCallback,
  adapter: { ...asyncCallback.adapter, priorities: true },
  priorities: "lowest-first",
  make: ({ handle, concurrency, name }) =>
    async.priorityQueue(
      instrumentHandler(async (item: unknown) => handle(item), { name }),
      concurrency,
    ) as never,
  put: (queue, item, { priority }) =>
    promised((done) =>
      (queue as unknown as async.AsyncPriorityQueue<unknown>).push(item, priority ?? 0, done),
    ),
};

/** A queue as others write them. */
class Line {
  readonly items: unknown[] = [];
  worker: Handle | undefined;

  enqueue(item: unknown): number {
    return this.items.push(item);
  }

  dequeue(): unknown {
    return this.items.shift();
  }

  get length(): number {
    return this.items.length;
  }
}

/** The same with promises and private fields. */
class PrivateLine {
  readonly #items: unknown[] = [];
  worker: Handle | undefined;

  async offer(item: unknown): Promise<void> {
    await undefined;
    this.#items.push(item);
  }

  async take(): Promise<unknown> {
    return this.#items.shift();
  }

  first(): unknown {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }
}

/** The same with callbacks. */
class CallbackLine {
  readonly #items: unknown[] = [];

  add(item: unknown, done: (error: unknown) => void): void {
    this.#items.push(item);
    process.nextTick(done, null);
  }

  next(done: (error: unknown, item: unknown) => void): void {
    const item = this.#items.shift();
    process.nextTick(done, null, item);
  }

  count(): number {
    return this.#items.length;
  }
}

/** A queue that calls its worker by itself. */
class Desk {
  readonly #items: unknown[] = [];
  #busy = 0;

  constructor(
    private readonly worker: Handle,
    private readonly concurrency: number,
  ) {}

  add(item: unknown): void {
    this.#items.push(item);
    if (this.#busy < this.concurrency) void this.#work();
  }

  get waiting(): number {
    return this.#items.length;
  }

  async #work(): Promise<void> {
    this.#busy++;
    while (this.#items.length > 0) {
      try {
        await this.worker(this.#items.shift());
      } catch {}
    }
    this.#busy--;
  }
}

const genericSync: QueueKind<Line> = {
  adapter: generic({ put: "enqueue", get: "dequeue", size: "length" }),
  tells: ["takes", "pulls"],
  handlers: "out-of-context",
  make: () => new Line(),
  put: (queue, item) => queue.enqueue(item),
  consume: async (queue, handle) => handle(queue.dequeue()),
};

const genericSyncWorker: QueueKind<Line> = {
  ...genericSync,
  tells: [...ALL, "pulls"],
  handlers: "in-context",
  make: ({ handle, name }) => Object.assign(new Line(), { worker: instrumentHandler(handle, { name }) }),
  consume: async (queue) => queue.worker?.(queue.dequeue()),
};

const genericPromise: QueueKind<PrivateLine> = {
  adapter: generic({ put: "offer", get: "take", size: "size", peek: "first" }),
  tells: ["takes", "pulls"],
  handlers: "out-of-context",
  make: () => new PrivateLine(),
  put: (queue, item) => queue.offer(item),
  consume: async (queue, handle) => handle(await queue.take()),
};

const genericPromiseWorker: QueueKind<PrivateLine> = {
  ...genericPromise,
  tells: [...ALL, "pulls"],
  handlers: "in-context",
  make: ({ handle, name }) =>
    Object.assign(new PrivateLine(), { worker: instrumentHandler(handle, { name }) }),
  consume: async (queue) => queue.worker?.(await queue.take()),
};

const genericCallback: QueueKind<CallbackLine> = {
  adapter: generic({ put: "add", get: "next", size: "count", style: "callback" }),
  tells: ["takes", "pulls"],
  handlers: "out-of-context",
  make: () => new CallbackLine(),
  put: (queue, item) => promised((done) => queue.add(item, done)),
  consume: async (queue, handle) => handle(await promised((done) => queue.next(done))),
};

const genericDesk: QueueKind<Desk> = {
  adapter: generic({ put: "add", size: "waiting" }),
  tells: ALL,
  handlers: "in-context",
  make: ({ handle, concurrency, name }) => new Desk(instrumentHandler(handle, { name }), concurrency),
  put: (queue, item) => queue.add(item),
};

type Own = FifoQueue<unknown> | LifoQueue<unknown> | PriorityQueue<unknown>;

function own(
  make: () => Own,
  put: (queue: Own, item: unknown, wishes: PutWishes) => unknown,
): QueueKind<Own> {
  return {
    adapter: ownQueue as unknown as Adapter<Own>,
    tells: [...ALL, "pulls", "shutdown"],
    handlers: "in-context",
    refuses: [undefined],
    make,
    put,
    consume: async (queue, handle) => {
      const delivery = await queue.receive();
      try {
        await delivery.run(() => handle(delivery.item));
        delivery.done();
      } catch (error) {
        delivery.fail(error);
      }
    },
    putMany: (queue, items) => queue.putMany(items),
    kill: (queue) => queue.shutdown({ immediate: true }),
  };
}

const fifoKind = own(
  () => new FifoQueue(),
  (queue, item) => queue.put(item),
);

const lifoKind = own(
  () => new LifoQueue(),
  (queue, item) => queue.put(item),
);

const priorityKind: QueueKind<Own> = {
  ...own(
    () => new PriorityQueue(),
    (queue, item, { priority = 0 }) => (queue as PriorityQueue<unknown>).put(item, { priority }),
  ),
  priorities: "lowest-first",
};

/** Every adapter that comes with the library, with each way to use it. */
export const KINDS: Readonly<Record<string, readonly ConformanceCase[]>> = {
  "p-queue": adapterConformance(pQueueKind),
  "fastq, wrapped worker with a callback": adapterConformance(fastqCallback),
  "fastq, bare worker with a callback": adapterConformance(fastqBareCallback),
  "fastq.promise, wrapped worker": adapterConformance(fastqPromise),
  "fastq.promise, bare worker": adapterConformance(fastqBarePromise),
  "async.queue, wrapped worker with a callback": adapterConformance(asyncCallback),
  "async.queue, wrapped async worker": adapterConformance(asyncPromise),
  "async.queue, bare async worker": adapterConformance(asyncBare),
  "async.priorityQueue, wrapped async worker": adapterConformance(asyncPriority),
  "generic, synchronous": adapterConformance(genericSync),
  "generic, synchronous, with a wrapped worker": adapterConformance(genericSyncWorker),
  "generic, with promises": adapterConformance(genericPromise),
  "generic, with promises and a wrapped worker": adapterConformance(genericPromiseWorker),
  "generic, with callbacks": adapterConformance(genericCallback),
  "generic, with a wrapped worker and no get": adapterConformance(genericDesk),
  FifoQueue: adapterConformance(fifoKind),
  LifoQueue: adapterConformance(lifoKind),
  PriorityQueue: adapterConformance(priorityKind),
};
