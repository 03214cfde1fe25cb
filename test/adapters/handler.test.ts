import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import async from "async";
import fastq, { type done as Done } from "fastq";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { instrument, uninstrument } from "../../src/adapters/instrument.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../src/base/errors.js";
import { MetricCapture, SpanCapture, signal } from "../support/telemetry-capture.js";
import { as, kept, unhandledIn, who, whoThroughout } from "./callers.js";
import { Readings } from "./readings.js";

let spans: SpanCapture;
let metrics: MetricCapture;
let read: Readings;
let name: string;
let count = 0;

beforeAll(() => {
  metrics = new MetricCapture("producer");
});
afterAll(() => metrics.stop());
beforeEach(() => {
  spans = new SpanCapture();
  name = `handler-${count++}`;
  read = new Readings(metrics, spans, name);
});
afterEach(() => spans.stop());

const wrap = <F extends (...args: never[]) => unknown>(handler: F): F => instrumentHandler(handler, { name });

/** A queue of that name whose `get` leads to its caller. */
function line(its = name) {
  const items: unknown[] = [];
  const queue = { put: (item: unknown) => void items.push(item), get: () => items.shift() };
  return instrument(queue, { name: its, adapter: generic({ put: "put", get: "get" }) });
}

describe("a wrapped handler is to the eye what it was", () => {
  it.each([
    ["a function", function resize(_item: unknown, _done: unknown) {}],
    ["an async function", async function resize(_item: unknown) {}],
    ["an arrow function", (_a: unknown, _b: unknown, _c: unknown) => {}],
    ["an async arrow function", async (_: unknown) => {}],
    ["one with a default", (_item: unknown, _done = 7) => {}],
    ["one with rest arguments", (..._: unknown[]) => {}],
    ["a method", { async resize(_item: unknown) {} }.resize],
  ])("%s: its name, its arity, and being async", (_, handler) => {
    const wrapped = wrap(handler as () => unknown);
    expect([wrapped.name, wrapped.length]).toEqual([handler.name, handler.length]);
    expect(Object.getPrototypeOf(wrapped)).toBe(Object.getPrototypeOf(handler));
    expect(wrapped.constructor).toBe(handler.constructor);
    const tag = (of: object) => (of as Record<symbol, unknown>)[Symbol.toStringTag];
    expect(tag(wrapped)).toBe(tag(handler));
  });

  it("one that is bound is async to those who ask as async does, by its tag", () => {
    const wrapped = wrap(async function resize(this: unknown, _item: unknown) {}.bind({}));
    expect([wrapped.name, wrapped.length]).toEqual(["bound resize", 1]);
    expect(Object.prototype.toString.call(wrapped)).toBe("[object AsyncFunction]");
  });

  it("gets this and every argument, and its result is what it gave", () => {
    const seen: unknown[] = [];
    const result = {};
    const handler = function (this: unknown, ...args: unknown[]) {
      seen.push(this, ...args);
      return result;
    };
    const that = {};
    expect(wrap(handler).call(that, 1, "two", that)).toBe(result);
    expect(seen).toEqual([that, 1, "two", that]);
    expect(wrap(handler)()).toBe(result);
    expect(seen.slice(4)).toEqual([undefined]);
  });

  it("throws at once what it throws at once, and rejects with what it rejects, handled or not", async () => {
    const errors = [new Error("e"), "text", 0, null, undefined];
    for (const error of errors) {
      const thrower = wrap(() => {
        throw error;
      });
      let thrown: unknown[] = [];
      try {
        thrower();
      } catch (caught) {
        thrown = [caught];
      }
      expect(thrown).toEqual([error]);
      const rejecter = wrap(async () => Promise.reject(error));
      expect(await rejecter().catch((caught: unknown) => [caught])).toEqual([error]);
    }
    const own = new Error("own");
    expect(await unhandledIn(() => void wrap(async () => Promise.reject(own))())).toEqual([own]);
  });

  it("gives back the very promise that it gave", () => {
    const promise = Promise.resolve();
    expect(wrap(() => promise)()).toBe(promise);
  });

  it("is over not a microtask later, for an async function neither", async () => {
    const microtasks = async (worker: () => Promise<void>) => {
      const queue = fastq.promise(worker, 1);
      if (worker !== work) instrument(queue, { name });
      let isOver = false;
      void queue.push(1).then(() => {
        isOver = true;
      });
      let count = 0;
      for (; !isOver; count++) await undefined;
      return count;
    };
    const work = async () => {};
    expect(await microtasks(wrap(work))).toBe(await microtasks(work));
  });

  it("does the same for an item of a queue that is instrumented", async () => {
    const queue = line();
    const error = new Error("own");
    const that = {};
    const seen: unknown[] = [];
    const work = wrap(async function (this: unknown, item: { ok: boolean }, more: unknown) {
      seen.push(this, more);
      if (!item.ok) throw error;
      return item;
    });
    const [good, bad] = [{ ok: true }, { ok: false }];
    queue.put(good);
    queue.put(bad);
    expect(await work.call(that, queue.get() as never, "more")).toBe(good);
    await expect(work.call(that, queue.get() as never, "more")).rejects.toBe(error);
    expect(seen).toEqual([that, "more", that, "more"]);
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 1 });
    const thrower = wrap(() => {
      throw error;
    });
    queue.put(good);
    expect(() => (thrower as (item: unknown) => void)(queue.get())).toThrow(error);
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 1, failure: 2 });
  });

  it.each<[string, unknown, unknown, unknown, string]>([
    [
      "no handler",
      undefined,
      { name: "n" },
      InvalidOptionTypeError,
      "handler must be a function, not undefined",
    ],
    ["no function", {}, { name: "n" }, InvalidOptionTypeError, "handler must be a function, not an object"],
    ["no options", () => {}, undefined, InvalidOptionTypeError, "name must be a string, not undefined"],
    ["null for options", () => {}, null, InvalidOptionTypeError, "name must be a string, not undefined"],
    ["no name", () => {}, {}, InvalidOptionTypeError, "name must be a string, not undefined"],
    ["a number as name", () => {}, { name: 7 }, InvalidOptionTypeError, "name must be a string, not 7"],
    ["an empty name", () => {}, { name: "" }, InvalidOptionRangeError, "at least one character"],
  ])("is refused with %s", (_, handler, options, kind, message) => {
    const refused = () => instrumentHandler(handler as never, options as never);
    expect(refused).toThrow(kind as never);
    expect(refused).toThrow(message);
  });
});

describe("a wrapped handler", () => {
  it("of a queue that isn't instrumented works as before, with callbacks and promises", async () => {
    const promised = fastq.promise(wrap(whoThroughout), 1);
    expect(await as("caller", () => promised.push(1))).toBe("caller");
    const called = fastq(
      wrap((item: number, done: Done) => done(null, item as never)),
      1,
    );
    let result: unknown;
    called.push(7, (_, given) => {
      result = given;
    });
    expect(result).toBe(7);
    const queue = async.queue(
      wrap(async (item: number) => item),
      1,
    );
    expect(await queue.pushAsync(7)).toBe(7);
    expect(await spans.spans()).toEqual([]);
    expect(await read.metricNames()).toEqual([]);
  });

  it("serves two queues of its name, each item in the context of its own put", async () => {
    const worker = wrap(whoThroughout);
    const one = instrument(fastq.promise(worker, 2), { name });
    const two = instrument(async.queue(worker, 2), { name });
    const asked = ["a", "b", "c", "d"].flatMap((each) => [
      as(`${each} in one`, () => one.push("same")),
      as(`${each} in two`, () => two.pushAsync("same")),
    ]);
    const expected = ["a", "b", "c", "d"].flatMap((each) => [`${each} in one`, `${each} in two`]);
    expect(await Promise.all(asked)).toEqual(expected);
    expect(await read.number("queue.enqueued")).toBe(8);
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 8, failure: 0 });
    expect(await read.number("queue.inflight")).toBe(0);
  });

  it("brings back all async context of its item, or only what is ours and its own", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = async (_: string) => [storage.getStore(), who()];
    const run = (queue: { push(item: string): Promise<unknown> }) =>
      Promise.all(["a", "b", "c"].map((each) => storage.run(each, () => as(each, () => queue.push(each)))));
    const wrapped = storage.run("wrapped", () => wrap(seen));
    const producers = instrument(fastq.promise(wrapped, 1), { name });
    expect(await run(producers)).toEqual(["a", "b", "c"].map((each) => [each, each]));
    uninstrument(producers);
    const workers = instrument(fastq.promise(wrapped, 1), { name, asyncContext: "worker" });
    expect(await run(workers)).toEqual(["a", "b", "c"].map((each) => ["wrapped", each]));
  });

  it("may be wrapped after its queue was instrumented", async () => {
    let handler: (item: unknown) => Promise<string> = async () => "not yet";
    const queue = instrument(
      fastq.promise((item: unknown) => handler(item), 1),
      { name },
    );
    expect(await as("early", () => queue.push("same"))).toBe("not yet");
    handler = wrap(whoThroughout);
    const asked = ["a", "b", "c"].map((each) => as(each, () => queue.push("same")));
    expect(await Promise.all(asked)).toEqual(["a", "b", "c"]);
    expect(await read.number("queue.dequeued")).toBe(4);
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 4, failure: 0 });
    expect(await read.number("queue.depth")).toBe(0);
    expect(read.links()).toEqual([1, 2, 3]);
  });

  it("goes on when its queue is uninstrumented, and when it is instrumented again", async () => {
    const queue = instrument(fastq.promise(wrap(whoThroughout), 1), { name });
    expect(await as("first", () => queue.push(1))).toBe("first");
    uninstrument(queue);
    await as("between", () => queue.push(1));
    instrument(queue, { name });
    expect(await as("again", () => queue.push(1))).toBe("again");
    expect(read.links()).toEqual([0, 1]);
    expect(await read.number("queue.enqueued")).toBe(2);
  });

  it("that is called with what is in no queue just runs, where it is called", async () => {
    instrument(
      fastq.promise(async () => {}, 1),
      { name },
    );
    const work = wrap(async (_: unknown) => who());
    expect(await as("caller", () => work("anything"))).toBe("caller");
    expect(await read.number("queue.dequeued")).toBe(0);
    expect(read.processes()).toEqual([]);
  });

  it("may be wrapped once more, for another queue", async () => {
    const other = `${name} other`;
    const worker = instrumentHandler(wrap(whoThroughout), { name: other });
    const queue = instrument(fastq.promise(worker, 1), { name });
    expect(await as("a", () => queue.push({}))).toBe("a");
    const second = instrument(fastq.promise(worker, 1), { name: other });
    expect(await as("b", () => second.push({}))).toBe("b");
    expect(read.links()).toEqual([0]);
    expect(await spans.named(`process ${other}`)).toHaveLength(1);
  });
});

describe("a name that is not the queue's", () => {
  it("and no other's: everything is counted, only the process spans are missing", async () => {
    const worker = instrumentHandler(async (item: number) => item, { name: `${name} misspelt` });
    const queue = instrument(fastq.promise(worker, 2), { name });
    const items = Array.from({ length: 20 }, (_, i) => i);
    expect(await Promise.all(items.map((item) => queue.push(item)))).toEqual(items);
    expect(await read.number("queue.enqueued")).toBe(20);
    expect(await read.number("queue.dequeued")).toBe(20);
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 20, failure: 0 });
    expect(await read.number("queue.depth")).toBe(0);
    expect(read.processes()).toEqual([]);
  });

  it.each(["fastq", "async"])(
    "is warned of once, as items are handled in the context of others: %s",
    async (library) => {
      await turn(); // for the warnings of other tests
      const warnings: string[] = [];
      const listen = ({ message }: Error) => warnings.push(message);
      process.on("warning", listen);
      const seen = async (_: unknown) => {
        await turn();
        return who();
      };
      const makers: Record<string, (worker: typeof seen) => (item: unknown) => Promise<unknown>> = {
        fastq: (worker) => {
          const queue = instrument(fastq.promise(worker, 1), { name });
          return (item) => queue.push(item);
        },
        async: (worker) => {
          const queue = instrument(async.queue(worker, 1), { name });
          return (item) => queue.pushAsync(item);
        },
      };
      const run = (push: (item: unknown) => Promise<unknown>) =>
        Promise.all(["a", "b", "c"].map((each) => as(each, () => push(each))));
      try {
        const misspelt = instrumentHandler(seen, { name: `${name} misspelt` });
        const push = makers[library]!(misspelt);
        // One that never waits is at home.
        expect(await as("a", () => push("a"))).toBe("a");
        await turn();
        expect(await read.number("queue.context.lost")).toBe(0);
        expect(warnings).toEqual([]);
        expect(await run(push)).not.toEqual(["a", "b", "c"]);
        await run(push);
        await turn();
        expect(await read.number("queue.context.lost")).toBe(4);
        expect(warnings).toHaveLength(1);
        expect(warnings[0]).toContain(`instrumentHandler(worker, { name: "${name}" })`);
        expect(warnings[0]).toContain(`"${name} misspelt"`);
        name = `${name} right`;
        read = new Readings(metrics, spans, name);
        expect(await run(makers[library]!(wrap(seen)))).toEqual(["a", "b", "c"]);
        await turn();
        expect(warnings).toHaveLength(1);
        expect(await read.number("queue.context.lost")).toBe(0);
      } finally {
        process.off("warning", listen);
      }
    },
  );

  it("but that of another one: no item is lost, none is counted twice, in neither", async () => {
    const other = `${name} other`;
    const names = [name, other];
    // Crosswise.
    const queues = names.map((its, i) =>
      instrument(
        fastq.promise(
          instrumentHandler(
            async (item: unknown) => {
              await turn();
              return item;
            },
            { name: names[1 - i]! },
          ),
          2,
        ),
        { name: its },
      ),
    );
    const items = Array.from({ length: 50 }, (_, i) => ({ i }));
    const results = await Promise.all(items.flatMap((item) => queues.map((queue) => queue.push(item))));
    expect(results).toEqual(items.flatMap((item) => [item, item]));
    for (const its of names) {
      const theirs = new Readings(metrics, spans, its);
      expect(await theirs.number("queue.enqueued")).toBe(50);
      expect(await theirs.number("queue.dequeued")).toBe(50);
      expect(await theirs.number("queue.depth")).toBe(0);
      expect(await theirs.number("queue.inflight")).toBe(0);
      expect(await theirs.by("queue.outcome", "queue.completed")).toEqual({ success: 50, failure: 0 });
    }
  });

  it("keeps nothing of what it was called with", async () => {
    const worker = instrumentHandler(async (_: object) => {}, { name: `${name} misspelt` });
    const queue = instrument(fastq.promise(worker, 2), { name });
    const left = await kept(async () => {
      const items = Array.from({ length: 2_000 }, (_, i) => ({ i }));
      await Promise.all(items.map((item) => queue.push(item)));
      return items;
    });
    expect(left).toBe(0);
    expect(await read.number("queue.depth")).toBe(0);
  });

  it("keeps no more than some of what a queue gave to others", async () => {
    // There is a handler of the name, but what is taken never gets there.
    wrap(async () => {});
    const queue = line();
    const left = await kept(() => {
      const items = Array.from({ length: 15_000 }, (_, i) => ({ i }));
      for (const item of items) {
        queue.put(item);
        queue.get();
      }
      return items;
    });
    expect(left).toBeLessThanOrEqual(10_001);
    expect(await read.number("queue.inflight")).toBeUndefined();
    expect(await read.number("queue.dequeued")).toBe(15_000);
  });

  it("keeps no queue: neither the first of its name nor those after it", async () => {
    const worker = wrap(whoThroughout);
    const left = await kept(async () => {
      const queues = Array.from({ length: 20 }, () => instrument(fastq.promise(worker, 1), { name }));
      await Promise.all(queues.map((queue) => queue.push(1)));
      return queues;
    });
    expect(left).toBe(0);
    const queue = instrument(fastq.promise(worker, 1), { name });
    expect(await as("a", () => queue.push(1))).toBe("a");
    expect(await read.by("queue.outcome", "queue.completed")).toEqual({ success: 21, failure: 0 });
  });
});

it("a handler's process span lasts until its callback is called, or its promise settles", async () => {
  const over = signal();
  const promised = instrument(
    fastq.promise(
      wrap(() => over.promise),
      1,
    ),
    { name },
  );
  const pushed = promised.push(1);
  await turn();
  expect(read.processes()).toEqual([]);
  over.give();
  await pushed;
  expect(read.processes()).toHaveLength(1);
});
