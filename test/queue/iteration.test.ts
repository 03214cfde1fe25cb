import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { describe, expect, it } from "vitest";
import { OBSERVE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import type { QueueIterator } from "../../src/queue/iteration.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import type { IterateOptions, QueueOptions } from "../../src/queue/options.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import type { Queue } from "../../src/queue/queue.js";
import { isSettled } from "./conformance.js";
import { Recorder } from "./recorder.js";

const END = { done: true, value: undefined };

type Options = QueueOptions<number>;
const QUEUES: Record<string, (options?: Options) => Queue<number>> = {
  FifoQueue: (options) => new FifoQueue<number>(options),
  LifoQueue: (options) => new LifoQueue<number>(options),
  PriorityQueue: (options) => new PriorityQueue<number>(options),
  "PriorityQueue, aged": (options) => new PriorityQueue<number>({ ...options, agingMs: 10 }),
};

/** The two iterations, and how to get at what they give. */
interface Way {
  open(queue: Queue<number>, options?: IterateOptions): QueueIterator<unknown>;
  /** The number that a result has; says that it is done with. */
  settle(queue: Queue<number>, value: unknown): number;
}
const WAYS: Record<string, Way> = {
  iterate: {
    open: (queue, options) =>
      options === undefined ? queue[Symbol.asyncIterator]() : queue.iterate(options),
    settle(queue, value) {
      queue.taskDone();
      return value as number;
    },
  },
  deliveries: {
    open: (queue, options) => queue.deliveries(options),
    settle(_, value) {
      const delivery = value as { item: number; done(): void };
      delivery.done();
      return delivery.item;
    },
  },
};

const cases = Object.keys(QUEUES).flatMap((queue) =>
  Object.keys(WAYS).flatMap((way) => ["bare", "instrumented"].map((dress) => [queue, way, dress] as const)),
);

describe.each(cases)("an iteration of a %s by %s, %s", (kind, wayName, dress) => {
  const { open, settle } = WAYS[wayName]!;

  function make(options?: Options): Queue<number> {
    const queue = QUEUES[kind]!(options);
    if (dress === "instrumented") queue[OBSERVE](new Recorder());
    return queue;
  }

  /** All that is left, in order; then there is nothing that `join` would wait for. */
  async function rest(queue: Queue<number>): Promise<number[]> {
    const items: number[] = [];
    while (!queue.empty) {
      items.push(queue.tryGet()!);
      queue.taskDone();
    }
    expect(await isSettled(queue.join())).toBe(true);
    return items;
  }

  it("takes a pending next back when it is left, and the item stays", async () => {
    const queue = make();
    const items = open(queue);
    const next = items.next();
    expect(await items.return()).toEqual(END);
    expect(await next).toEqual(END);
    queue.tryPut(1);
    expect(queue.size).toBe(1);
    expect(await isSettled(queue.join())).toBe(false);
    expect(await items.next()).toEqual(END);
    expect(await rest(queue)).toEqual([1]);
  });

  it("takes several pending nexts back, and leaves those of others in line", async () => {
    const queue = make();
    const left = open(queue);
    const other = open(queue);
    const nexts = [left.next(), other.next(), left.next(), left.next()];
    await left.return();
    queue.tryPut(1);
    expect(queue.size).toBe(0);
    const [first, second, third, fourth] = await Promise.all(nexts);
    expect([first, third, fourth]).toEqual([END, END, END]);
    expect(settle(queue, second?.value)).toBe(1);
    expect(await rest(queue)).toEqual([]);
  });

  it("ends by throw with the error, and by asyncDispose, in the same way", async () => {
    const queue = make();
    const error = new Error("mine");
    const thrown = open(queue);
    const next = thrown.next();
    await expect(thrown.throw(error)).rejects.toBe(error);
    expect([await next, await thrown.next()]).toEqual([END, END]);
    const disposed = open(queue);
    const other = disposed.next();
    await disposed[Symbol.asyncDispose]();
    expect([await other, await disposed.next()]).toEqual([END, END]);
    queue.tryPut(1);
    expect(await rest(queue)).toEqual([1]);
  });

  it("gives what return is given, awaited, as generators do", async () => {
    expect(await open(make()).return(Promise.resolve(5))).toEqual({ done: true, value: 5 });
  });

  it("ends by break and by throw in for await, and takes nothing after", async () => {
    const queue = make();
    queue.tryPut(1);
    queue.tryPut(2);
    for await (const value of open(queue)) {
      settle(queue, value);
      break;
    }
    const failing = async () => {
      for await (const value of open(queue)) {
        settle(queue, value);
        throw new Error("mine");
      }
    };
    await expect(failing()).rejects.toThrow("mine");
    queue.tryPut(3);
    expect(await rest(queue)).toEqual([3]);
  });

  it("ends when the Readable is destroyed that reads it", async () => {
    for (const error of [undefined, new Error("mine")]) {
      const queue = make();
      const stream = Readable.from(open(queue));
      const read: unknown[] = [];
      stream.on("data", (value) => read.push(value)).on("error", () => {});
      await isSettled(Promise.resolve());
      stream.destroy(error);
      await isSettled(Promise.resolve());
      queue.tryPut(1);
      expect([read, await rest(queue)]).toEqual([[], [1]]);
    }
  });

  it("ends when the ReadableStream is cancelled that reads it", async () => {
    const queue = make();
    const reader = ReadableStream.from(open(queue)).getReader();
    const reading = reader.read();
    await isSettled(reading);
    await reader.cancel();
    expect(await reading).toEqual(END);
    queue.tryPut(1);
    expect(await rest(queue)).toEqual([1]);
  });

  it("gives an item back that was handed over in the tick in which it is left", async () => {
    const queue = make();
    const items = open(queue);
    const next = items.next();
    queue.tryPut(1);
    queue.tryPut(2);
    expect(queue.size).toBe(1);
    void items.return();
    expect(queue.size).toBe(2);
    expect(await next).toEqual(END);
    expect(await rest(queue)).toEqual(kind === "LifoQueue" ? [2, 1] : [1, 2]);
  });

  it("gives it back by a Readable that is destroyed in the tick of the put", async () => {
    const queue = make();
    const stream = Readable.from(open(queue));
    const read: unknown[] = [];
    stream.on("data", (value) => read.push(value));
    await isSettled(Promise.resolve());
    queue.tryPut(1);
    stream.destroy();
    await isSettled(Promise.resolve());
    expect([read, await rest(queue)]).toEqual([[], [1]]);
  });

  it("gives several back in their order, to those first who wait", async () => {
    const queue = make();
    const left = open(queue);
    const nexts = [left.next(), left.next(), left.next()];
    const other = open(queue);
    const waiting = other.next();
    for (const item of [1, 2, 3]) queue.tryPut(item);
    void left.return();
    const step = await waiting;
    expect(await Promise.all(nexts)).toEqual([END, END, END]);
    expect(settle(queue, step.value)).toBe(1);
    expect(await rest(queue)).toEqual(kind === "LifoQueue" ? [3, 2] : [2, 3]);
  });

  it("keeps what its consumer has seen", async () => {
    const queue = make();
    const items = open(queue);
    const got: number[] = [];
    const consume = async () => {
      const { value } = await items.next();
      void items.return();
      got.push(settle(queue, value));
    };
    const consuming = consume();
    queue.tryPut(1);
    await consuming;
    expect([got, await rest(queue)]).toEqual([[1], []]);
  });

  it("keeps what was there when next was called: its caller has it", async () => {
    const queue = make();
    queue.tryPut(1);
    const items = open(queue);
    const next = items.next();
    void items.return();
    const { done, value } = await next;
    expect([done, settle(queue, value), queue.size]).toEqual([false, 1, 0]);
  });

  it("drops what comes back after an immediate shutdown, and says so", async () => {
    const drops: unknown[] = [];
    const queue = make({ onDrop: (item, reason) => drops.push([item, reason]) });
    const items = open(queue);
    const next = items.next();
    queue.tryPut(1);
    queue.shutdown({ immediate: true });
    void items.return();
    expect(await next).toEqual(END);
    expect(drops).toEqual([[1, "shutdown"]]);
    expect(await rest(queue)).toEqual([]);
  });

  it("rejects a pending next with the reason of an aborted signal, once, and ends", async () => {
    const queue = make();
    const abort = new AbortController();
    const items = open(queue, { signal: abort.signal });
    const nexts = [items.next(), items.next()];
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort("enough");
    for (const next of nexts) await expect(next).rejects.toBe("enough");
    queue.tryPut(1);
    expect(await items.next()).toEqual(END);
    expect(await rest(queue)).toEqual([1]);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  it("rejects the first next after an abort, also where an item is there", async () => {
    const queue = make();
    queue.tryPut(1);
    const reason = new Error("mine");
    const items = open(queue, { signal: AbortSignal.abort(reason) });
    await expect(items.next()).rejects.toBe(reason);
    expect(await items.next()).toEqual(END);
    expect(await rest(queue)).toEqual([1]);
  });

  it("ends a for await by its signal, while it waits and while it works", async () => {
    for (const isWaiting of [true, false]) {
      const queue = make();
      const abort = new AbortController();
      const got: number[] = [];
      const consume = async () => {
        for await (const value of open(queue, { signal: abort.signal })) {
          got.push(settle(queue, value));
          if (!isWaiting) abort.abort("enough");
        }
      };
      const consuming = consume();
      const outcome = expect(consuming).rejects.toBe("enough");
      queue.tryPut(1);
      await isSettled(consuming);
      if (isWaiting) abort.abort("enough");
      await outcome;
      queue.tryPut(2);
      expect([got, await rest(queue)]).toEqual([[1], [2]]);
    }
  });

  it("has one listener at a signal, however many iterations wait on it, and none at the end", async () => {
    const queue = make();
    const { signal } = new AbortController();
    const all = Array.from({ length: 30 }, () => open(queue, { signal }));
    const nexts = all.map((items) => items.next());
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    for (const items of all) await items.return();
    await Promise.all(nexts);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("the options of an iteration", () => {
  it.each([
    [null],
    [5],
    [{ signal: {} }],
    [{ signal: null }],
    [{ timeoutMs: 5 }],
    [{ sginal: undefined, x: 1 }],
  ])("are refused when they are %o", (options) => {
    const queue = new FifoQueue<number>();
    for (const open of [() => queue.iterate(options as never), () => queue.deliveries(options as never)]) {
      expect(open).toThrow(expect.objectContaining({ code: "QUEUE_INVALID_OPTION_TYPE" }));
    }
  });
});

describe("items of mixed priorities that come back", () => {
  it("go to their old places, before their equals", async () => {
    const queue = new PriorityQueue<string>({ tiers: { vip: 0, regular: 10 } });
    queue[OBSERVE](new Recorder());
    const items = queue[Symbol.asyncIterator]();
    void items.next();
    void items.next();
    queue.tryPut("regular 1");
    queue.tryPut("vip 1", { tier: "vip" });
    queue.tryPut("regular 2");
    queue.tryPut("vip 2", { tier: "vip" });
    void items.return();
    expect(await queue.getMany(9)).toEqual(["vip 1", "vip 2", "regular 1", "regular 2"]);
  });
});
