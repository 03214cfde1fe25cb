import { setImmediate as turn } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { trace } from "@opentelemetry/api";
import Bluebird from "bluebird";
import fastq from "fastq";
import PCancelable from "p-cancelable";
import PQueue from "p-queue";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generic } from "../src/adapters/generic.js";
import { instrumentHandler } from "../src/adapters/handler.js";
import { instrument } from "../src/adapters/instrument.js";
import { FifoQueue } from "../src/queue/fifo-queue.js";
import { currentCorrelationId, withCorrelationId } from "../src/telemetry/context/correlation.js";
import { Gate } from "../src/worker/gate.js";
import { runGroup } from "../src/worker/group.js";
import { WorkerPool } from "../src/worker/pool.js";
import { unhandledIn } from "./adapters/callers.js";
import { SpanCapture, signal } from "./support/telemetry-capture.js";

let spans: SpanCapture;
let name: string;
let count = 0;

beforeEach(() => {
  spans = new SpanCapture();
  name = `thenable-${count++}`;
});
afterEach(() => spans.stop());

/** As knex has them: each `then` runs the query, and nothing else does. */
class Query {
  static runs: (string | undefined)[] = [];
  constructor(private readonly outcome: PromiseLike<unknown>) {}
  // biome-ignore lint/suspicious/noThenProperty: it is what this is about
  then(fulfilled: (value: unknown) => unknown, rejected: (error: unknown) => unknown) {
    Query.runs.push(currentCorrelationId());
    const span = trace.getTracer("database").startSpan("query");
    const end = () => span.end();
    void this.outcome.then(end, end);
    return this.outcome.then(fulfilled, rejected);
  }
}

type Handler = (item: string) => unknown;
/** Gets an item handled; resolves or rejects as the handler's result does. */
type Use = (handler: Handler) => (item: string) => Promise<unknown>;

const pooled =
  (options: object = {}): Use =>
  (handler) => {
    const queue = instrument(new FifoQueue<{ item: string; over(error?: unknown): void }>(), { name });
    const pool = new WorkerPool(queue, ({ item }) => handler(item), { ...options });
    pool.on("failed", ({ item, error }) => item.over(error));
    return (item) =>
      new Promise((resolve, reject) => {
        void queue.put({ item, over: reject });
        void queue.join().then(resolve);
      });
  };

const WAYS: Record<string, Use> = {
  WorkerPool: pooled(),
  "WorkerPool with a gate": (handler) => pooled({ gate: new Gate({ name: "db", concurrency: 2 }) })(handler),
  "delivery.run"(handler) {
    const queue = instrument(new FifoQueue<string>(), { name });
    return async (item) => {
      await queue.put(item);
      const delivery = await queue.receive();
      try {
        return await delivery.run(() => handler(delivery.item));
      } finally {
        delivery.done();
      }
    };
  },
  "p-queue"(handler) {
    const queue = instrument(new PQueue({ concurrency: 1 }), { name });
    return (item) => queue.add(() => handler(item));
  },
  "fastq.promise"(handler) {
    const queue = fastq.promise(
      instrumentHandler(handler as (item: string) => Promise<unknown>, { name }),
      1,
    );
    instrument(queue, { name });
    return (item) => queue.push(item);
  },
  "generic()"(handler) {
    const items: string[] = [];
    const queue = { put: (item: string) => void items.push(item), get: () => items.shift() };
    instrument(queue, { name, adapter: generic({ put: "put", get: "get" }) });
    const work = instrumentHandler(handler, { name });
    return async (item) => {
      queue.put(item);
      return await work(queue.get() as string);
    };
  },
};

const ODD: [string, () => unknown, unknown][] = [
  ["calls back twice", () => thenable((ok) => [ok("first"), ok("second")]), "first"],
  [
    "throws after it has resolved",
    () =>
      thenable((ok) => {
        ok("first");
        throw new Error("late");
      }),
    "first",
  ],
  ["throws", () => thenable(() => fail("at then")), new Error("at then")],
  ["gives another thenable", () => thenable((ok) => ok(thenable((inner) => inner("deep")))), "deep"],
];

const NO_RESULT = ["WorkerPool", "WorkerPool with a gate"];

describe.each(Object.entries(WAYS))("a handler of %s", (way, use) => {
  it("that returns a lazy thenable has it run once, in the item's context, inside its span", async () => {
    Query.runs = [];
    const rows = signal<string>();
    const put = use(() => new Query(rows.promise));
    const over = withCorrelationId("c-1", () => put("item"));
    for (let i = 0; i < 5; i++) await turn();
    expect(await spans.named(`process ${name}`)).toEqual([]);
    rows.give("rows");
    const result = await over;
    if (!NO_RESULT.includes(way)) expect(result).toBe("rows");
    await turn();
    expect(Query.runs).toEqual(["c-1"]);
    const process = await spans.only(`process ${name}`);
    expect((await spans.only("query")).parentSpanContext?.spanId).toBe(process.spanContext().spanId);
    expect(process.attributes["error.type"]).toBeUndefined();
  });

  it("that returns a lazy thenable which fails has a span that fails", async () => {
    const put = use(() => new Query(Promise.reject(new RangeError("no rows"))));
    await expect(put("item")).rejects.toThrow("no rows");
    await turn();
    expect((await spans.only(`process ${name}`)).attributes["error.type"]).toBe("RangeError");
  });

  it.each<[string, (outcome: Promise<unknown>) => unknown]>([
    ["bluebird", (outcome) => Bluebird.resolve(outcome)],
    ["p-cancelable", (outcome) => new PCancelable((resolve, reject) => void outcome.then(resolve, reject))],
    ["another realm", (outcome) => runInNewContext("new Promise((...s) => outcome.then(...s))", { outcome })],
    ["a subclass", (outcome) => Subclass.resolve(outcome)],
    ["one with an own property", (outcome) => Object.assign(Promise.resolve(outcome), { pid: 7 })],
  ])("that returns a promise of %s is over when that is", async (_, make) => {
    for (const fails of [false, true]) {
      const outcome = signal<string>();
      const settled = outcome.promise.then((value) => {
        if (fails) throw new RangeError("failed");
        return value;
      });
      name = `${name}-${fails}`;
      const over = use(() => make(settled))("item");
      const heard = fails ? expect(over).rejects.toThrow("failed") : over;
      for (let i = 0; i < 5; i++) await turn();
      expect(await spans.named(`process ${name}`)).toEqual([]);
      outcome.give("value");
      const result = await heard;
      if (!fails && !NO_RESULT.includes(way)) expect(result).toBe("value");
      await turn();
      const { attributes } = await spans.only(`process ${name}`);
      expect(attributes["error.type"]).toBe(fails ? "RangeError" : undefined);
    }
  });

  // fastq calls `then` by itself, and hears what it hears without us.
  it.each(way === "fastq.promise" ? [] : ODD)("contains a then that %s", async (_, make, expected) => {
    const over = use(make)("item");
    if (expected instanceof Error) await expect(over).rejects.toThrow(expected.message);
    else if (NO_RESULT.includes(way)) await over;
    else expect(await over).toBe(expected);
    await turn();
    const { attributes } = await spans.only(`process ${name}`);
    expect(attributes["error.type"]).toBe(expected instanceof Error ? "Error" : undefined);
  });
});

class Subclass<T> extends Promise<T> {
  own(): string {
    return "own";
  }
}

function thenable(then: (resolve: (value: unknown) => void) => unknown): object {
  return { then };
}

function fail(message: string): never {
  throw new Error(message);
}

describe("a group and a gate", () => {
  it("await a lazy thenable once, where they were called", async () => {
    Query.runs = [];
    const run = () => new Query(Promise.resolve("rows"));
    const gate = new Gate({ name: "db", concurrency: 1 });
    await withCorrelationId("c-1", async () => {
      await runGroup(async (group) => {
        expect(await group.run(run)).toBe("rows");
      });
      expect(await gate.run(run as never)).toBe("rows");
    });
    expect(Query.runs).toEqual(["c-1", "c-1"]);
  });
});

describe("generic() gives back", () => {
  // biome-ignore lint/suspicious/noExplicitAny: promises of many kinds
  const MAKES: Record<string, (fails: boolean) => any> = {
    bluebird: (fails) => (fails ? Bluebird.reject(new Error("refused")) : Bluebird.resolve("in")),
    "p-cancelable": (fails) =>
      new PCancelable((resolve, reject) => (fails ? reject(new Error("refused")) : resolve("in"))),
    "another realm": (fails) =>
      runInNewContext(fails ? 'Promise.reject(new Error("refused"))' : 'Promise.resolve("in")'),
    subclass: (fails) => (fails ? Subclass.reject(new Error("refused")) : Subclass.resolve("in")),
    "lazy thenable": (fails) =>
      new Query(fails ? Promise.reject(new Error("refused")) : Promise.resolve("in")),
    "promise with an own method": (fails) =>
      Object.assign(fails ? Promise.reject(new Error("refused")) : Promise.resolve("in"), {
        kill: () => "killed",
      }),
  };

  it.each(Object.entries(MAKES))("the user's own %s, and hears what becomes of it", async (_, make) => {
    const given: PromiseLike<unknown>[] = [];
    const queue = {
      put(fails: boolean) {
        const promise = make(fails);
        given.push(promise);
        return promise;
      },
    };
    instrumentHandler((_: unknown) => {}, { name });
    instrument(queue, { name, adapter: generic({ put: "put" }) });
    const good = queue.put(false);
    const bad = queue.put(true);
    // Handled at once, as bluebird asks for it within a turn of the event loop.
    const refused = expect(Promise.resolve(bad)).rejects.toThrow("refused");
    expect([good, bad]).toEqual(given);
    expect(good).toBe(given[0]);
    expect(bad).toBe(given[1]);
    expect(await good).toBe("in");
    await refused;
  });

  it("methods and all", async () => {
    const cancelled: string[] = [];
    const queue = {
      put: () =>
        new PCancelable((_resolve, _reject, onCancel) => {
          onCancel.shouldReject = false;
          onCancel(() => void cancelled.push("cancelled"));
        }),
      get: () => undefined,
    };
    instrument(queue, { name, adapter: generic({ put: "put", get: "get" }) });
    const putting = queue.put();
    expect(putting).toBeInstanceOf(PCancelable);
    putting.cancel();
    expect(cancelled).toEqual(["cancelled"]);
  });

  it("what rejects with one unhandled rejection, if it is not handled, and none otherwise", async () => {
    for (const kind of ["p-cancelable", "another realm", "subclass"]) {
      const make = MAKES[kind]!;
      const queue = { put: (_: unknown) => make(true), get: () => undefined };
      instrument(queue, { name: `${name}-${kind}`, adapter: generic({ put: "put", get: "get" }) });
      const ignored = await unhandledIn(() => void queue.put(1));
      expect([kind, ignored.length]).toEqual([kind, 1]);
      const handled = await unhandledIn(() => void queue.put(1).then(undefined, () => {}));
      expect([kind, handled]).toEqual([kind, []]);
      const caught = await unhandledIn(() => void (queue.put(1) as Promise<unknown>).catch(() => {}));
      expect([kind, caught]).toEqual([kind, []]);
      const awaited = await unhandledIn(async () => {
        try {
          await queue.put(1);
        } catch {
          // As it should.
        }
      });
      expect([kind, awaited]).toEqual([kind, []]);
    }
  });
});

describe("a value that only looks like a promise of this realm", () => {
  /** `instanceof` and `constructor` say that it is one. */
  function lookalike(then: PromiseLike<string>["then"]): PromiseLike<string> {
    // biome-ignore lint/suspicious/noThenProperty: it stands for a thenable
    return Object.create(Promise.prototype, { then: { value: then } });
  }

  it("is awaited by a pool, once, as any thenable", async () => {
    const queue = new FifoQueue<string>();
    let calls = 0;
    const pool = new WorkerPool(queue, () =>
      lookalike(((resolve: (value: string) => void) => {
        calls++;
        resolve("done");
      }) as never),
    );
    await queue.put("a");
    await queue.join();
    expect(calls).toBe(1);
    expect(pool.counts.done).toBe(1);
  });
});
