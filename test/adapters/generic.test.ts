import { AsyncResource } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { context, propagation, ROOT_CONTEXT } from "@opentelemetry/api";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type GenericNames, generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument, uninstrument } from "../../src/adapters/instrument.js";
import { NotInstrumentableError } from "../../src/base/errors.js";
import { processWide } from "../../src/base/process-wide.js";
import { MetricCapture, SpanCapture, signal } from "../support/telemetry-capture.js";
import { as, kept, stopClock, who, whoThroughout } from "./callers.js";
import { idOf, parentOf, Readings } from "./readings.js";

/** A queue as others write them. */
class Line<T> {
  readonly items: T[] = [];

  enqueue(item: T, ..._more: unknown[]): number {
    return this.items.push(item);
  }

  dequeue(): T | undefined {
    return this.items.shift();
  }

  first(): T | undefined {
    return this.items[0];
  }

  count(): number {
    return this.items.length;
  }

  get length(): number {
    return this.items.length;
  }
}

/** The same with promises: take waits for an item, offer for room. */
class AsyncLine<T> {
  #items: T[] = [];
  #takers: ((item: T) => void)[] = [];
  #room: (() => void)[] = [];

  constructor(private readonly most = Number.POSITIVE_INFINITY) {}

  async offer(item: T): Promise<void> {
    while (this.#items.length >= this.most) await new Promise<void>((resolve) => this.#room.push(resolve));
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else {
      taker(item);
      this.#room.shift()?.();
    }
  }

  async take(): Promise<T> {
    if (this.#items.length === 0) return new Promise((resolve) => this.#takers.push(resolve));
    const item = this.#items.shift() as T;
    this.#room.shift()?.();
    return item;
  }

  get size(): number {
    return this.#items.length;
  }
}

const LINE: GenericNames = { put: "enqueue", get: "dequeue", size: "length" };
const ASYNC: GenericNames = { put: "offer", get: "take", size: "size" };

let spans: SpanCapture;
let metrics: MetricCapture;
let name: string;
let count = 0;

beforeAll(() => {
  metrics = new MetricCapture("producer");
});
afterAll(() => metrics.stop());
beforeEach(() => {
  spans = new SpanCapture();
  name = `generic-${count++}`;
});
afterEach(async () => {
  vi.useRealTimers();
  await spans.stop();
});

function wrap<Q extends object>(queue: Q, names: GenericNames, options: Partial<InstrumentOptions> = {}): Q {
  return instrument(queue, { name, adapter: generic(names), ...options });
}

async function read(metric: string, attributes: Record<string, string> = {}): Promise<number | undefined> {
  return (await metrics.collect()).number(metric, { "queue.name": name, ...attributes });
}

async function waits(): Promise<number | undefined> {
  return (await metrics.collect()).histogram("queue.wait.seconds", { "queue.name": name })?.count;
}

/** The producer of the put span, told apart by what the receive span links to. */
async function linked(): Promise<(number | undefined)[]> {
  const sends = (await spans.named(`send ${name}`)).map((span) => span.spanContext().spanId);
  const receives = await spans.named(`receive ${name}`);
  return receives.map((span) => {
    const [link] = span.links;
    return link === undefined ? undefined : sends.indexOf(link.context.spanId);
  });
}

async function underSpan<R>(fn: () => R | Promise<R>): Promise<R> {
  const tracer = spans.provider.getTracer("consumer");
  return tracer.startActiveSpan("consumer", async (span) => {
    try {
      return await fn();
    } finally {
      span.end();
    }
  });
}

/** How many are left when everything is gone that can go. */
async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  setFlagsFromString("--expose-gc");
  // A weak reference that was made stays strong until the turn of the event loop is over.
  await turn();
  (runInNewContext("gc") as () => void)();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

describe("a synchronous queue", () => {
  it("gives what it gave before, with arguments, this and names untouched", () => {
    const seen: unknown[] = [];
    const queue = {
      enqueue(this: unknown, item: string, priority: number, done: () => void) {
        seen.push(this, item, priority, done);
        return "result";
      },
      dequeue: () => "taken",
    };
    const { length } = queue.enqueue;
    const done = () => {};
    wrap(queue, { put: "enqueue", get: "dequeue" });
    expect(queue.enqueue("a", 3, done)).toBe("result");
    expect(seen).toEqual([queue, "a", 3, done]);
    expect(queue.enqueue.name).toBe("enqueue");
    expect(queue.enqueue.length).toBe(length);
    expect(queue.dequeue()).toBe("taken");
  });

  it("has spans, counts, waits and depth", async () => {
    const queue = wrap(new Line<object>(), LINE);
    queue.enqueue({});
    queue.enqueue({});
    expect(await read("queue.depth")).toBe(2);
    expect(await read("queue.oldest.age.seconds")).toBeGreaterThan(0);
    await underSpan(() => queue.dequeue());
    expect(await linked()).toEqual([0]);
    expect(await read("queue.enqueued")).toBe(2);
    expect(await read("queue.dequeued")).toBe(1);
    expect(await read("queue.context.lost")).toBe(0);
    expect(await waits()).toBe(1);
    expect(await read("queue.depth")).toBe(1);
    queue.dequeue();
    expect(await read("queue.oldest.age.seconds")).toBe(0);
  });

  it("counts an empty-handed get as nothing", async () => {
    const queue = wrap(new Line<object>(), LINE);
    expect(await underSpan(() => queue.dequeue())).toBeUndefined();
    expect(await read("queue.dequeued")).toBe(0);
    expect(await linked()).toEqual([]);
  });

  it("gives its errors unchanged; the put span fails and nothing counts as put", async () => {
    const error = Object.assign(new Error("full"), { code: "FULL" });
    const fail = () => {
      throw error;
    };
    const queue = wrap({ enqueue: fail, dequeue: fail, items: [] } as never as Line<string>, {
      put: "enqueue",
      get: "dequeue",
    });
    expect(() => queue.enqueue("a")).toThrow(error);
    await expect(underSpan(() => queue.dequeue())).rejects.toBe(error);
    expect((await spans.only(`send ${name}`)).attributes["error.type"]).toBe("FULL");
    expect((await spans.only(`receive ${name}`)).attributes["error.type"]).toBe("FULL");
    expect(await read("queue.enqueued")).toBe(0);
    expect(await read("queue.depth")).toBe(0);
  });

  describe("whose put throws when it has taken the item in", () => {
    /** Throws when the item is in, while it is told to. */
    class Hasty extends Line<unknown> {
      isThrowing = true;
      override enqueue(item: unknown): number {
        super.enqueue(item);
        if (this.isThrowing) throw new Error("too late to refuse");
        return this.length;
      }
    }

    const totals = async () => ({
      enqueued: await read("queue.enqueued"),
      dequeued: await read("queue.dequeued"),
      lost: await read("queue.context.lost"),
      waits: await waits(),
    });

    it.each([
      ["with a size, at once", LINE, 2],
      ["without a size, when the item comes out", { put: "enqueue", get: "dequeue" } as const, 1],
    ])("has books that add up: %s", async (_, names, depth) => {
      const queue = wrap(new Hasty(), names);
      expect(() => queue.enqueue("a")).toThrow("too late to refuse");
      queue.isThrowing = false;
      queue.enqueue("b");
      expect(await read("queue.depth")).toBe(depth);
      expect([queue.dequeue(), queue.dequeue()]).toEqual(["a", "b"]);
      expect(await totals()).toEqual({ enqueued: 2, dequeued: 2, lost: 0, waits: 2 });
      expect(await read("queue.depth")).toBe(0);
    });

    it("and gives it to a consumer within the put: it was put, and taken", async () => {
      const queue = new Hasty();
      const taken: unknown[] = [];
      const { enqueue } = queue;
      queue.enqueue = function (item) {
        try {
          return enqueue.call(this, item);
        } finally {
          taken.push(this.dequeue());
        }
      };
      wrap(queue, LINE);
      expect(() => queue.enqueue("a")).toThrow("too late to refuse");
      expect(taken).toEqual(["a"]);
      expect(await totals()).toEqual({ enqueued: 1, dequeued: 1, lost: 0, waits: 1 });
      expect(await read("queue.depth")).toBe(0);
    });

    it("comes with its producer's context", async () => {
      const queue = wrap(new Hasty(), LINE);
      expect(() => queue.enqueue("a")).toThrow();
      await underSpan(() => queue.dequeue());
      expect(await linked()).toEqual([0]);
    });
  });

  it("keeps no more than a hundred of the items that it refused", async () => {
    const queue = wrap(
      {
        put(): void {
          throw new Error("full");
        },
        get: () => undefined,
      },
      { put: "put", get: "get" },
    ) as { put(item: object): void };
    const refused: WeakRef<object>[] = [];
    for (let i = 0; i < 1_000; i++) {
      const item = { payload: i };
      refused.push(new WeakRef(item));
      expect(() => queue.put(item)).toThrow("full");
    }
    expect(await alive(refused)).toBeLessThanOrEqual(101);
  });

  it("takes its size from a property or from a method", async () => {
    const byMethod = wrap(new Line<string>(), { put: "enqueue", get: "dequeue", size: "count" });
    byMethod.enqueue("a");
    expect(await read("queue.depth")).toBe(1);
    const byProperty = wrap(new Line<string>(), LINE);
    byProperty.enqueue("b");
    expect(await read("queue.depth")).toBe(2);
  });

  it("without a size has puts less gets as depth", async () => {
    const queue = wrap(new Line<string>(), { put: "enqueue", get: "dequeue" });
    for (const item of ["a", "b", "c"]) queue.enqueue(item);
    queue.dequeue();
    expect(await read("queue.depth")).toBe(2);
  });

  it("may have a size that throws, or that is no number: it is contained", async () => {
    const queue = wrap(
      Object.defineProperty(new Line<string>(), "broken", {
        get: () => {
          throw new Error("boom");
        },
      }),
      { ...LINE, size: "broken" },
    );
    queue.enqueue("a");
    expect(queue.dequeue()).toBe("a");
    expect(await read("queue.depth")).toBe(0);
    expect(await read("queue.telemetry.errors")).toBeGreaterThan(0);
  });
});

describe("a queue with promises and #private fields", () => {
  it("works as before, with promises of the same kind, results and errors", async () => {
    class Special<T> extends Promise<T> {}
    const queue = wrap(
      { offer: () => Special.resolve("in"), take: () => Special.reject(new Error("out")) },
      { put: "offer", get: "take" },
    );
    expect(queue.offer()).toBeInstanceOf(Special);
    expect(await queue.offer()).toBe("in");
    await expect(queue.take()).rejects.toThrow("out");
  });

  it("hides no unhandled rejection, and makes none", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
    const queue = wrap(
      { offer: (item: string) => Promise.reject(item), take: () => Promise.reject("take") },
      { put: "offer", get: "take" },
    );
    void queue.offer("nobody looks");
    queue.offer("somebody looks").catch(() => {});
    void queue.take();
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
    expect(unhandled).toEqual(["nobody looks", "take"]);
  });

  it("hands items to who waits, with their context", async () => {
    const queue = wrap(new AsyncLine<string>(), ASYNC);
    const taking = underSpan(() => queue.take());
    expect(await read("queue.waiters", { "queue.side": "get" })).toBe(1);
    await queue.offer("a");
    expect(await taking).toBe("a");
    expect(await linked()).toEqual([0]);
    expect(await read("queue.waiters", { "queue.side": "get" })).toBe(0);
    expect(await read("queue.context.lost")).toBe(0);
  });

  it("shows who waits for room", async () => {
    const queue = wrap(new AsyncLine<string>(1), ASYNC);
    await queue.offer("a");
    const offering = queue.offer("b");
    expect(await read("queue.waiters", { "queue.side": "put" })).toBe(1);
    expect(await read("queue.enqueued")).toBe(1);
    await queue.take();
    await offering;
    expect(await read("queue.waiters", { "queue.side": "put" })).toBe(0);
    expect(await read("queue.enqueued")).toBe(2);
  });

  it("passes rejections on unchanged, and the put span fails", async () => {
    const error = new TypeError("closed");
    const reject = () => Promise.reject(error);
    const queue = wrap({ offer: reject, take: reject }, { put: "offer", get: "take" });
    await expect(queue.offer()).rejects.toBe(error);
    await expect(queue.take()).rejects.toBe(error);
    expect((await spans.only(`send ${name}`)).attributes["error.type"]).toBe("TypeError");
    for (const side of ["put", "get"]) expect(await read("queue.waiters", { "queue.side": side })).toBe(0);
    expect(await read("queue.depth")).toBe(0);
    expect(await read("queue.enqueued")).toBe(0);
  });

  it("does not await a thenable that is no promise", () => {
    let awaited = 0;
    // biome-ignore lint/suspicious/noThenProperty: a lazy thenable, as query builders have them
    const lazy = { then: () => awaited++ };
    const queue = wrap({ put: () => lazy, get: () => lazy }, { put: "put", get: "get" });
    expect(queue.put()).toBe(lazy);
    expect(queue.get()).toBe(lazy);
    expect(awaited).toBe(0);
  });

  it("is right with many producers and consumers at a time", async () => {
    const queue = wrap(new AsyncLine<number>(2), ASYNC);
    const taken: number[] = [];
    const consumers = Array.from({ length: 3 }, async () => {
      for (let i = 0; i < 20; i++) taken.push(await queue.take());
    });
    await Promise.all(Array.from({ length: 60 }, (_, item) => queue.offer(item)));
    await Promise.all(consumers);
    expect([...taken].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, item) => item));
    expect(await read("queue.enqueued")).toBe(60);
    expect(await read("queue.dequeued")).toBe(60);
    expect(await read("queue.context.lost")).toBe(0);
    expect(await waits()).toBe(60);
  });
});

describe("items", () => {
  it("that are primitives, or one object put twice, come with their own contexts, in order of arrival", async () => {
    const object = {};
    const items = [7, 7, Number.NaN, Number.NaN, "x", "x", true, 0, object, object, Symbol.iterator, 1n];
    const queue = wrap(new Line<unknown>(), LINE);
    for (const item of items) queue.enqueue(item);
    for (const item of items) expect(await underSpan(() => queue.dequeue())).toBe(item);
    expect(await linked()).toEqual(items.map((_, i) => i));
    expect(await read("queue.context.lost")).toBe(0);
  });

  it("that are null are items if they were put in", async () => {
    const queue = wrap(new Line<null>(), LINE);
    queue.enqueue(null);
    expect(queue.dequeue()).toBeNull();
    expect(queue.dequeue()).toBeUndefined();
    expect(await read("queue.dequeued")).toBe(1);
    expect(await read("queue.oldest.age.seconds")).toBe(0);
  });

  it("that were there before come out without context, wait or judgement, and are no loss", async () => {
    const queue = new Line<string>();
    queue.enqueue("early");
    wrap(queue, LINE, { sla: { default: { targetMs: 60_000 } } });
    queue.enqueue("late");
    expect(queue.dequeue()).toBe("early");
    expect(queue.dequeue()).toBe("late");
    expect(await read("queue.dequeued")).toBe(2);
    expect(await read("queue.context.lost")).toBe(0);
    expect(await read("queue.overtakes")).toBe(0);
    expect(await waits()).toBe(1);
    expect(await read("queue.sla.items", { "queue.result": "met" })).toBe(1);
    expect(await read("queue.sla.items", { "queue.result": "missed" })).toBe(0);
  });

  it("that come from nowhere are counted as lost context", async () => {
    const queue = wrap(new Line<string>(), LINE);
    queue.items.push("smuggled");
    expect(queue.dequeue()).toBe("smuggled");
    expect(await read("queue.context.lost", { "queue.where": "get" })).toBe(1);
    expect(await waits()).toBe(0);
  });

  it("that come from nowhere age from the last look that has not found them", async () => {
    vi.useFakeTimers({ now: 0, toFake: ["performance", "Date"] });
    const queue = wrap(new Line<string>(), LINE);
    const { probe } = processWide.instrumented.get(queue)!.watchables[0]!;
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(60_000);
      expect(probe.oldestAt(0)).toBeUndefined();
    }
    queue.items.push("smuggled");
    vi.advanceTimersByTime(1_000);
    expect(probe.now() - probe.oldestAt(0)!).toBe(1_000);
  });

  it("that leave by other ways don't pile up, and an empty queue has no age", async () => {
    const queue = wrap(new Line<object>(), LINE);
    const gone: WeakRef<object>[] = [];
    for (let i = 0; i < 20_000; i++) {
      const item = { payload: i };
      gone.push(new WeakRef(item));
      queue.enqueue(item);
      queue.items.length = 0;
    }
    expect(await read("queue.depth")).toBe(0);
    expect(await read("queue.oldest.age.seconds")).toBe(0);
    expect(await alive(gone)).toBeLessThan(1_100);
  });

  it("that are taken out of order, as a stack does, count as overtakes", async () => {
    const queue = {
      items: [] as number[],
      add(n: number) {
        this.items.push(n);
      },
      pop() {
        return this.items.pop();
      },
    };
    wrap(queue, { put: "add", get: "pop" });
    for (const n of [1, 2, 3]) queue.add(n);
    for (let i = 0; i < 3; i++) await underSpan(() => queue.pop());
    expect(await linked()).toEqual([2, 1, 0]);
    expect(await read("queue.overtakes")).toBe(2);
  });

  it("find their own entry, whatever is put and taken in which order", () => {
    const step = fc.record({ put: fc.boolean(), item: fc.integer({ min: 0, max: 4 }), at: fc.nat(10) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        // By identity, and first in first out among the same: that is what telemetry can know.
        const told: unknown[] = [];
        const model = new Map<number, number[]>();
        const expected: unknown[] = [];
        const bag = {
          items: [] as number[],
          put(item: number) {
            this.items.push(item);
          },
          takeAt(at: number) {
            return this.items.splice(at % this.items.length, 1)[0];
          },
        };
        let puts = 0;
        const ignore = () => {};
        const attachment = generic({ put: "put", get: "takeAt" }).attach(bag, {
          queueName: "bag",
          tierNames: ["default"],
          tierOf: () => 0,
          begin: () => undefined,
          deadLettered: ignore,
          gateWaited: ignore,
          within: (_began, _carrier, _task, fn) => fn(),
          open: () => ({ scope: new AsyncResource("test.handler") }),
          end: ignore,
          putAtOnce: () => undefined,
          takenAtOnce: ignore,
          putStarted: () => ({ put: puts++ }),
          taken: (carrier: object | undefined) => told.push((carrier as { put: number } | undefined)?.put),
          putDone: ignore,
          putFailed: ignore,
          pullStarted: () => undefined,
          pullDone: ignore,
          dropped: ignore,
          settled: ignore,
          retried: ignore,
          givenBack: ignore,
          released: (carrier) => carrier,
          reentered: ignore,
          correlationIdOf: () => undefined,
          contextLost: () => told.push("lost"),
          fault: ignore,
          run: (_carrier, _task, fn) => fn(),
        });
        for (const { put, item, at } of steps) {
          if (put) {
            const entries = model.get(item) ?? [];
            model.set(item, [...entries, puts]);
            bag.put(item);
          } else if (bag.items.length > 0) {
            const taken = bag.takeAt(at)!;
            expected.push(model.get(taken)?.shift());
          }
        }
        expect(told).toEqual(expected);
        expect(attachment.probe.depth(0)).toBe(bag.items.length);
        const left = [...model.values()].flat();
        expect(attachment.probe.oldestAt(0) === undefined).toBe(left.length === 0);
      }),
    );
  });
});

describe("attaching", () => {
  it("leaves the object as it was when it is uninstrumented", () => {
    const queue = new Line<string>();
    const before = Object.getOwnPropertyDescriptors(queue);
    wrap(queue, LINE);
    expect(Object.keys(queue)).toEqual(["items"]);
    expect(Object.hasOwn(queue, "enqueue")).toBe(true);
    uninstrument(queue);
    expect(Object.getOwnPropertyDescriptors(queue)).toEqual(before);
    expect(queue.enqueue).toBe(Line.prototype.enqueue);
  });

  it("restores own methods with their descriptors", () => {
    const put = () => {};
    const queue = Object.defineProperties({} as { put(): void; get(): void }, {
      put: { value: put, enumerable: true, writable: false, configurable: true },
      get: { get: () => put, enumerable: false, configurable: true },
    });
    const before = Object.getOwnPropertyDescriptors(queue);
    wrap(queue, { put: "put", get: "get" });
    expect(queue.put).not.toBe(put);
    uninstrument(queue);
    expect(Object.getOwnPropertyDescriptors(queue)).toEqual(before);
  });

  it("restores a method that both puts and takes", () => {
    const swap = (item: unknown) => item;
    const queue = { swap };
    wrap(queue, { put: "swap", get: "swap" });
    expect(queue.swap("a")).toBe("a");
    uninstrument(queue);
    expect(queue.swap).toBe(swap);
  });

  it("keeps what other code has wrapped around it, and is silent from then on", async () => {
    const queue = wrap(new Line<string>(), LINE);
    const ours = queue.enqueue;
    let calls = 0;
    queue.enqueue = function (this: Line<string>, item: string) {
      calls++;
      return ours.call(this, item);
    };
    const theirs = queue.enqueue;
    uninstrument(queue);
    expect(queue.enqueue).toBe(theirs);
    queue.enqueue("a");
    expect(calls).toBe(1);
    expect(queue.items).toEqual(["a"]);
    expect(await read("queue.enqueued")).toBe(0);
  });

  it("lets a put that waits be counted when it ends after uninstrument", async () => {
    const room = signal();
    const queue = wrap({ put: () => room.promise, get: () => undefined }, { put: "put", get: "get" });
    const putting = queue.put();
    uninstrument(queue);
    room.give();
    await putting;
    expect((await spans.named(`send ${name}`)).length).toBe(1);
  });

  it("touches no other object of the class", () => {
    const other = new Line<string>();
    wrap(new Line<string>(), LINE);
    expect(Object.hasOwn(other, "enqueue")).toBe(false);
  });

  it("sees calls that the object makes to itself", async () => {
    class Batching extends Line<string> {
      enqueueAll(items: string[]): void {
        for (const item of items) this.enqueue(item);
      }
    }
    const queue = wrap(new Batching(), LINE);
    queue.enqueueAll(["a", "b"]);
    expect(await read("queue.enqueued")).toBe(2);
  });

  it.each([
    ["frozen", Object.freeze(new Line<string>())],
    ["sealed", Object.seal(new Line<string>())],
    ["not extensible", Object.preventExtensions(new Line<string>())],
  ])("is a clear error for an object that is %s", (_, queue) => {
    expect(() => wrap(queue, LINE)).toThrow(NotInstrumentableError);
    expect(() => wrap(queue, LINE)).toThrow(/"enqueue" can't be replaced: it is frozen or sealed/);
  });

  it("leaves nothing half done when only one of the methods can be replaced", () => {
    const queue = new Line<string>();
    Object.defineProperty(queue, "dequeue", { value: () => "fixed", configurable: false });
    expect(() => wrap(queue, LINE)).toThrow(NotInstrumentableError);
    expect(Object.hasOwn(queue, "enqueue")).toBe(false);
  });

  it.each([
    [{ ...LINE, put: "push" }, 'the object has no method "push"'],
    [{ ...LINE, get: "shift" }, 'the object has no method "shift"'],
    [{ ...LINE, put: "items" }, 'the object has no method "items"'],
    [{ ...LINE, size: "many" }, 'the object has neither a property nor a method "many"'],
    [{ ...LINE, peek: "look" }, 'the object has no method "look"'],
  ])("names what the object lacks: %o", (names, reason) => {
    const queue = new Line<string>();
    expect(() => wrap(queue, names)).toThrow(reason);
    expect(Object.keys(Object.getOwnPropertyDescriptors(queue))).toEqual(["items"]);
  });
});

describe("the probe", () => {
  function probeOf(queue: object, names: GenericNames) {
    const ignore = () => undefined;
    const telemetry = new Proxy({}, { get: () => ignore }) as never;
    return generic(names).attach(queue, telemetry).probe;
  }

  it("knows the head by peek", () => {
    const queue = new Line<string>();
    const probe = probeOf(queue, { ...LINE, peek: "first" });
    expect(probe.headAt()).toBeUndefined();
    queue.enqueue("a");
    const before = probe.now();
    queue.enqueue("b");
    expect(probe.headAt()).toBeLessThanOrEqual(before);
    queue.dequeue();
    expect(probe.headAt()).toBeGreaterThanOrEqual(before);
  });

  it("does not know the head without it, and says so", () => {
    const queue = new Line<string>();
    const probe = probeOf(queue, LINE);
    queue.enqueue("a");
    expect(probe.headAt()).toBeUndefined();
    expect(probe.inFlight).toBeUndefined();
    expect(probe.capacity).toBe(Number.POSITIVE_INFINITY);
    expect(probe.delayed).toBeUndefined();
  });

  it("survives a peek that throws", () => {
    const queue = Object.assign(new Line<string>(), {
      peek: () => {
        throw new Error("boom");
      },
    });
    expect(probeOf(queue, { ...LINE, peek: "peek" }).headAt()).toBeUndefined();
  });
});

it("the producer's context is on the receive span's link, whatever the consumer's is", async () => {
  const queue = wrap(new Line<string>(), LINE, { traces: "with-parent" });
  const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
  context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => queue.enqueue("without a span"));
  await underSpan(() => queue.enqueue("with"));
  await underSpan(() => queue.dequeue());
  await underSpan(() => queue.dequeue());
  expect(await linked()).toEqual([undefined, 0]);
});

/** A queue with callbacks, for put, get and worker. Each of them is answered when the test says so. */
class CallbackLine {
  readonly #items: unknown[] = [];
  readonly answers: (() => void)[] = [];

  add(item: unknown, done: (error: unknown, size?: number) => void): string {
    this.answers.push(() => {
      if (item instanceof Error) return done(item);
      this.#items.push(item);
      done(null, this.#items.length);
    });
    return "added";
  }

  next(done: (error: unknown, item?: unknown) => void): void {
    this.answers.push(() => done(null, this.#items.shift()));
  }

  get size(): number {
    return this.#items.length;
  }
}

const CALLBACKS: GenericNames = { put: "add", get: "next", size: "size", style: "callback" };

describe("a queue with callbacks", () => {
  it("calls back with what it called back before, and its methods return what they returned", () => {
    const queue = wrap(new CallbackLine(), CALLBACKS);
    const called: unknown[] = [];
    const that = {};
    const note = function (this: unknown, ...results: unknown[]) {
      called.push(results);
    };
    expect(queue.add("a", note)).toBe("added");
    const error = new Error("refused");
    queue.add(error, note.bind(that));
    expect(queue.next(note)).toBeUndefined();
    expect(called).toEqual([]);
    for (const answer of queue.answers) answer();
    expect(called).toEqual([[null, 1], [error], [null, "a"]]);
  });

  it("has waiters, and the times of put and get, until it calls back", async () => {
    stopClock();
    const queue = wrap(new CallbackLine(), CALLBACKS);
    const read = new Readings(metrics, spans, name);
    const waiters = () => read.by("queue.side", "queue.waiters");
    queue.add("a", () => {});
    vi.advanceTimersByTime(2_000);
    expect(await waiters()).toEqual({ put: 1, get: 0 });
    expect(await read.number("queue.enqueued")).toBe(0);
    queue.answers.shift()!();
    expect(await waiters()).toEqual({ put: 0, get: 0 });
    expect([await read.number("queue.enqueued"), await read.number("queue.depth")]).toEqual([1, 1]);
    await underSpan(() => queue.next(() => {}));
    vi.advanceTimersByTime(3_000);
    expect(await waiters()).toEqual({ put: 0, get: 1 });
    queue.answers.shift()!();
    expect(await waiters()).toEqual({ put: 0, get: 0 });
    expect((await read.histogram("queue.put.seconds"))?.sum).toBe(2);
    expect((await read.histogram("queue.get.seconds"))?.sum).toBe(3);
    expect((await read.histogram("queue.wait.seconds"))?.sum).toBe(5);
    expect([await read.number("queue.dequeued"), await read.number("queue.depth")]).toEqual([1, 0]);
    expect(await linked()).toEqual([0]);
  });

  it("that calls back with an error has refused the item", async () => {
    const queue = wrap(new CallbackLine(), CALLBACKS);
    queue.add(Object.assign(new Error("full"), { code: "FULL" }), () => {});
    queue.answers.shift()!();
    expect((await spans.only(`send ${name}`)).attributes["error.type"]).toBe("FULL");
    expect(await read("queue.enqueued")).toBe(0);
    expect(await read("queue.depth")).toBe(0);
    expect(await read("queue.waiters", { "queue.side": "put" })).toBe(0);
  });

  it("that calls back twice is counted once", async () => {
    const queue = {
      put(_item: string, done: (error: unknown) => void) {
        done(null);
        done(new Error("again"));
      },
      get: () => undefined,
    };
    wrap(queue, { put: "put", get: "get", style: "callback" });
    const done = vi.fn();
    queue.put("a", done);
    expect(done).toHaveBeenCalledTimes(2);
    expect(await read("queue.enqueued")).toBe(1);
    expect(await read("queue.waiters", { "queue.side": "put" })).toBe(0);
  });

  it("has a worker whose task is over when it calls back", async () => {
    stopClock();
    const going: ((error?: unknown) => void)[] = [];
    const seen: string[] = [];
    const worker = instrumentHandler(
      (_item: unknown, done: (error?: unknown) => void) => {
        seen.push(who());
        going.push(done);
      },
      { name },
    );
    const queue = wrap(new CallbackLine(), CALLBACKS);
    const readings = new Readings(metrics, spans, name);
    const work = (item: unknown) => worker(item, () => {});
    for (const each of ["a", "b"]) as(each, () => queue.add("same", () => {}));
    for (const answer of queue.answers.splice(0)) answer();
    for (let i = 0; i < 2; i++) queue.next((_, item) => work(item));
    for (const answer of queue.answers.splice(0)) answer();
    expect(seen).toEqual(["a", "b"]);
    vi.advanceTimersByTime(4_000);
    expect(await read("queue.inflight")).toBe(2);
    expect(await read("queue.inflight.oldest.age.seconds")).toBe(4);
    going.shift()!();
    going.shift()!(new Error("no"));
    expect(await readings.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 1 });
    expect((await readings.histogram("queue.process.seconds", { "queue.outcome": "failure" }))?.sum).toBe(4);
    expect(await read("queue.inflight")).toBe(0);
    expect(readings.links()).toEqual([0, 1]);
  });
});

/** A queue that calls its worker by itself, one item at a time, from private fields. */
class Desk<T, R> {
  readonly results: Promise<R>[] = [];
  readonly #items: T[] = [];
  #work: Promise<void> | undefined;

  constructor(private readonly worker: (item: T) => Promise<R>) {}

  submit(item: T): void {
    this.#items.push(item);
    this.#work ??= this.#workOff();
  }

  get waiting(): number {
    return this.#items.length;
  }

  /** When there is nothing left to do. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #workOff(): Promise<void> {
    while (this.#items.length > 0) {
      const result = this.worker(this.#items.shift() as T);
      this.results.push(result);
      await result.catch(() => {});
    }
    this.#work = undefined;
  }
}

describe("a worker that is wrapped", () => {
  it("with get has process spans, times, and what is in flight", async () => {
    stopClock();
    const over = signal();
    const work = instrumentHandler(
      async (_: object) => {
        await over.promise;
        return who();
      },
      { name },
    );
    const queue = wrap(new Line<object>(), LINE);
    const readings = new Readings(metrics, spans, name);
    const item = {};
    as("producer", () => queue.enqueue(item));
    vi.advanceTimersByTime(1_000);
    const taken = queue.dequeue()!;
    expect(await readings.number("queue.inflight")).toBeUndefined();
    vi.advanceTimersByTime(500);
    const working = work(taken);
    vi.advanceTimersByTime(2_000);
    expect(await readings.number("queue.inflight")).toBe(1);
    expect(await readings.number("queue.inflight.oldest.age.seconds")).toBe(2.5);
    expect(await readings.number("queue.dequeued")).toBe(1);
    over.give();
    expect(await working).toBe("producer");
    expect(await readings.number("queue.inflight")).toBe(0);
    expect(await readings.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 0 });
    // From get to settle.
    expect((await readings.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.sum).toBe(
      2.5,
    );
    expect((await readings.histogram("queue.wait.seconds"))?.sum).toBe(1);
    expect(readings.links()).toEqual([0]);
    const [process] = readings.processes();
    expect(process?.attributes).toMatchObject({
      "messaging.system.name": "in_process",
      "messaging.message.conversation_id": "producer",
      "queue.wait_ms": 1_000,
    });
  });

  it("without get tells when items are taken, how they end, and how long they took", async () => {
    stopClock();
    const going: ((error?: Error) => void)[] = [];
    const worker = instrumentHandler(
      async (_: string) => {
        const { promise, give } = signal<Error | undefined>();
        going.push(give);
        const error = await promise;
        if (error !== undefined) throw error;
        return whoThroughout();
      },
      { name },
    );
    const queue = wrap(new Desk(worker), { put: "submit", size: "waiting" });
    const readings = new Readings(metrics, spans, name);
    for (const each of ["a", "b", "c"]) as(each, () => queue.submit("same"));
    expect(await readings.number("queue.depth")).toBe(2);
    expect(await readings.number("queue.inflight")).toBe(1);
    vi.advanceTimersByTime(1_000);
    going.shift()!();
    expect(await queue.results[0]).toBe("a");
    await turn();
    const error = Object.assign(new Error("no"), { code: "E_NO" });
    going.shift()!(error);
    await expect(queue.results[1]).rejects.toBe(error);
    await turn();
    going.shift()!();
    expect(await queue.results[2]).toBe("c");
    await queue.idle();
    expect(await readings.number("queue.enqueued")).toBe(3);
    expect(await readings.number("queue.dequeued")).toBe(3);
    expect(await readings.number("queue.depth")).toBe(0);
    expect(await readings.number("queue.inflight")).toBe(0);
    expect(await readings.by("queue.outcome", "queue.completed")).toEqual({ success: 2, failure: 1 });
    expect((await readings.histogram("queue.wait.seconds"))?.sum).toBe(2);
    expect(await readings.number("queue.context.lost")).toBe(0);
    const failed = readings.processes().filter((span) => span.attributes["error.type"] === "E_NO");
    expect(failed.map(({ links: [link] }) => link?.context.spanId)).toEqual([idOf(readings.sends()[1]!)]);
  });

  it("is waited for by a put that promises its result: that put is over when it returns", async () => {
    stopClock();
    const going: ((error?: Error) => void)[] = [];
    const worker = instrumentHandler(
      async (_: string) => {
        const { promise, give } = signal<Error | undefined>();
        going.push(give);
        const error = await promise;
        if (error !== undefined) throw error;
        return "result";
      },
      { name },
    );
    let last: Promise<unknown> | undefined;
    const office = {
      hand(item: string): Promise<string> {
        if (item === "refused") return Promise.reject(new Error("refused"));
        const result = last === undefined ? worker(item) : last.then(() => worker(item));
        last = result.catch(() => {});
        return result;
      },
    };
    const queue = wrap(office, { put: "hand" });
    const readings = new Readings(metrics, spans, name);
    const results = Promise.allSettled(["a", "b", "c"].map((item) => queue.hand(item)));
    await expect(queue.hand("refused")).rejects.toThrow("refused");
    expect(await readings.number("queue.enqueued")).toBe(4);
    expect(await readings.number("queue.waiters", { "queue.side": "put" })).toBe(0);
    expect(await readings.number("queue.depth")).toBe(2);
    for (const error of [undefined, undefined, new Error("no")]) {
      vi.advanceTimersByTime(1_000);
      going.shift()!(error);
      await turn();
    }
    expect(await results).toMatchObject([
      { value: "result" },
      { value: "result" },
      { reason: { message: "no" } },
    ]);
    expect(await readings.number("queue.dequeued")).toBe(3);
    expect(await readings.number("queue.depth")).toBe(0);
    expect(await readings.number("queue.oldest.age.seconds")).toBe(0);
    expect(await readings.by("queue.outcome", "queue.completed")).toEqual({ success: 2, failure: 1 });
    expect((await readings.histogram("queue.put.seconds"))?.sum).toBe(0);
    // 0, 1 and 2 seconds.
    expect((await readings.histogram("queue.wait.seconds"))?.sum).toBe(3);
    for (const [outcome, sum] of Object.entries({ success: 2, failure: 1 })) {
      const took = await readings.histogram("queue.process.seconds", { "queue.outcome": outcome });
      expect(took?.sum).toBe(sum);
    }
  });

  it("with relation parent is in the producer's trace", async () => {
    const worker = instrumentHandler(async (_: string) => {}, { name });
    const queue = wrap(new Desk(worker), { put: "submit" }, { relation: "parent" });
    queue.submit("a");
    await queue.idle();
    const [send, process] = [await spans.only(`send ${name}`), await spans.only(`process ${name}`)];
    expect(parentOf(process)).toBe(idOf(send));
  });

  it("ends the spans of what runs when the queue is uninstrumented, and works on", async () => {
    const over = signal();
    const worker = instrumentHandler((_: string) => over.promise, { name });
    const queue = new Desk(worker);
    const before = Object.getOwnPropertyDescriptors(queue);
    wrap(queue, { put: "submit", size: "waiting" });
    for (const item of ["a", "b"]) queue.submit(item);
    uninstrument(queue);
    expect(Object.getOwnPropertyDescriptors(queue)).toEqual(before);
    queue.submit("c");
    over.give();
    await queue.idle();
    expect(queue.results).toHaveLength(3);
    const readings = new Readings(metrics, spans, name);
    expect(readings.processes()).toHaveLength(1);
    expect(await readings.number("queue.enqueued")).toBe(2);
    expect(await readings.number("queue.dequeued")).toBe(1);
    expect(await readings.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 0 });
  });

  it("must be there where there is no get, or nothing tells when items are taken", async () => {
    const queue = new Line<string>();
    const refused = () => wrap(queue, { put: "enqueue" });
    expect(refused).toThrow(NotInstrumentableError);
    expect(refused).toThrow(`instrumentHandler(worker, { name: "${name}" })`);
    expect(Object.hasOwn(queue, "enqueue")).toBe(false);
    instrumentHandler(() => {}, { name });
    expect(refused).not.toThrow();
  });
});

describe("a queue that is uninstrumented, or gone", () => {
  it("has its numbers also if that was before the first look", async () => {
    const work = instrumentHandler(async (_: unknown) => {}, { name });
    const queue = wrap(new Line<string>(), LINE);
    for (const item of ["a", "b"]) queue.enqueue(item);
    await work(queue.dequeue());
    uninstrument(queue);
    const readings = new Readings(metrics, spans, name);
    expect(await readings.number("queue.enqueued")).toBe(2);
    expect(await readings.number("queue.dequeued")).toBe(1);
    expect(await readings.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 0 });
    expect((await readings.histogram("queue.get.seconds"))?.count).toBe(1);
    expect((await readings.histogram("queue.wait.seconds"))?.count).toBe(1);
    expect((await readings.histogram("queue.process.seconds", { "queue.outcome": "success" }))?.count).toBe(
      1,
    );
    expect(await readings.number("queue.depth")).toBe(0);
  });

  it.each(["without a handler", "with a handler"])("is not kept, %s of its name", async (handler) => {
    const work = async (_: unknown) => {};
    const worker = handler === "with a handler" ? instrumentHandler(work, { name }) : work;
    const left = await kept(async () => {
      const queue = wrap(new AsyncLine<object>(), ASYNC);
      const items = Array.from({ length: 10 }, (_, i) => ({ i }));
      for (const item of items) await queue.offer(item);
      for (let i = 0; i < 5; i++) await worker(await queue.take());
      await queue.take();
      return [queue, ...items];
    });
    expect(left).toBe(0);
    expect(await read("queue.depth")).toBe(0);
  });
});
