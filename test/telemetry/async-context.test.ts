import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { context, propagation, trace } from "@opentelemetry/api";
import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../src/base/errors.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { currentCorrelationId, withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { Gate } from "../../src/worker/gate.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { kept } from "../adapters/callers.js";
import { SpanCapture, signal } from "../support/telemetry-capture.js";

let spans: SpanCapture;
let name: string;
let count = 0;

beforeEach(() => {
  spans = new SpanCapture();
  name = `async-context-${count++}`;
});
afterEach(() => spans.stop());

/** As nestjs-cls has one for its requests, a tracer for its scopes, a logger for its fields. */
const cls = new AsyncLocalStorage<Map<string, unknown>>();
const scopes = new AsyncLocalStorage<{ readonly span: string }>();
const own = new AsyncLocalStorage<string>();

/** What a handler finds: the stores of others, and what is ours. */
interface Seen {
  readonly item: string;
  readonly stores: readonly unknown[];
  readonly ours: readonly unknown[];
}

function inRequest<R>(id: string, fn: () => R): R {
  const baggage = propagation.createBaggage({ tenant: { value: id } });
  return cls.run(new Map([["id", id]]), () =>
    scopes.run({ span: id }, () =>
      own.run(id, () =>
        withCorrelationId(id, () => context.with(propagation.setBaggage(context.active(), baggage), fn)),
      ),
    ),
  );
}

function look(): Pick<Seen, "stores" | "ours"> {
  return {
    stores: [cls.getStore()?.get("id"), scopes.getStore()?.span, own.getStore()],
    ours: [currentCorrelationId(), propagation.getActiveBaggage()?.getEntry("tenant")?.value],
  };
}

type AsyncContext = InstrumentOptions["asyncContext"];
/** Puts an item; what handles it tells `saw` at its begin and after a wait. */
type Put = (item: string) => unknown;
interface Library {
  readonly usual: "producer" | "worker";
  make(asyncContext: AsyncContext, handle: (item: string) => Promise<void>): Put;
}

const pool =
  (options: (handle: (item: string) => Promise<void>) => object): Library["make"] =>
  (asyncContext, handle) => {
    const queue = instrument(new FifoQueue<string>(), { name, asyncContext });
    new WorkerPool(queue, handle, { concurrency: 1, ...options(handle) });
    return (item) => void queue.put(item);
  };

/** Fails the first time. */
const flaky = (handle: (item: string) => Promise<void>) => {
  const failed = new Set<string>();
  return async (item: string) => {
    await handle(item);
    if (failed.has(item)) return;
    failed.add(item);
    throw new Error("once more");
  };
};

const LIBRARIES: Record<string, Library> = {
  "p-queue": {
    usual: "producer",
    make(asyncContext, handle) {
      const queue = instrument(new PQueue({ concurrency: 1 }), { name, asyncContext });
      return (item) => void queue.add(() => handle(item));
    },
  },
  "fastq.promise": {
    usual: "producer",
    make(asyncContext, handle) {
      const queue = fastq.promise(instrumentHandler(handle, { name }), 1);
      instrument(queue, { name, asyncContext });
      return (item) => void queue.push(item);
    },
  },
  fastq: {
    usual: "producer",
    make(asyncContext, handle) {
      const worker = (item: string, done: () => void) => void handle(item).then(done);
      const queue = fastq(instrumentHandler(worker, { name }) as never, 1);
      instrument(queue, { name, asyncContext });
      return (item) => queue.push(item as never, () => {});
    },
  },
  "async.queue": {
    usual: "producer",
    make(asyncContext, handle) {
      const queue = async.queue(instrumentHandler(handle, { name }), 1);
      instrument(queue, { name, asyncContext });
      return (item) => void queue.push(item, () => {});
    },
  },
  "async.priorityQueue": {
    usual: "producer",
    make(asyncContext, handle) {
      const worker = (item: string, done: () => void) => void handle(item).then(done);
      const queue = async.priorityQueue(instrumentHandler(worker, { name }), 1);
      instrument(queue, { name, asyncContext });
      return (item) => void queue.push(item, 1, () => {});
    },
  },
  "generic()": {
    usual: "producer",
    make(asyncContext, handle) {
      const items: string[] = [];
      const queue = { put: (item: string) => void items.push(item), get: () => items.shift() };
      instrument(queue, { name, asyncContext, adapter: generic({ put: "put", get: "get" }) });
      const work = instrumentHandler(handle, { name });
      let isBusy = false;
      // A put wakes the consumer, as in many a queue of one's own.
      const wake = async () => {
        if (isBusy) return;
        isBusy = true;
        for (let item = queue.get(); item !== undefined; item = queue.get()) await work(item);
        isBusy = false;
      };
      return (item) => {
        queue.put(item);
        void wake();
      };
    },
  },
  WorkerPool: { usual: "worker", make: pool(() => ({})) },
  "WorkerPool with a gate": {
    usual: "worker",
    make: pool(() => ({ gate: new Gate({ name: "db", concurrency: 1 }) })),
  },
  "WorkerPool with timeouts": { usual: "worker", make: pool(() => ({ timeoutMs: 60_000 })) },
  "WorkerPool with retries": {
    usual: "worker",
    make(asyncContext, handle) {
      const retry = { attempts: 2, backoff: { initialMs: 0 } };
      return pool(() => ({ retry }))(asyncContext, flaky(handle));
    },
  },
  "delivery.run": {
    usual: "worker",
    make(asyncContext, handle) {
      const queue = instrument(new FifoQueue<string>(), { name, asyncContext });
      const consume = async () => {
        for await (const delivery of queue.deliveries()) {
          await delivery.run(() => handle(delivery.item));
          delivery.done();
        }
      };
      void consume();
      return (item) => void queue.put(item);
    },
  },
};

/** Two requests whose items interleave, with waits in between, and more than the worker can take at once. */
async function play(
  { make }: Library,
  asyncContext: AsyncContext,
  enter: (item: string) => void = () => {},
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const expected = 8;
  const handle = async (item: string) => {
    seen.push({ item, ...look() });
    enter(item);
    await turn();
    seen.push({ item, ...look() });
  };
  const put = own.run("made", () => make(asyncContext, handle));
  const request = async (id: string) => {
    for (let i = 0; i < expected / 2; i++) {
      put(id);
      put(id);
      await turn();
    }
  };
  await Promise.all([inRequest("a", () => request("a")), inRequest("b", () => request("b"))]);
  for (let i = 0; i < 200 && seen.length < 4 * expected; i++) await turn();
  return seen;
}

describe.each(Object.entries(LIBRARIES))("a handler of %s", (_, library) => {
  const isUsual = (mode: string) => (library.usual === mode ? [mode, "default"] : [mode]);
  const given = (mode: string) => (mode === "default" ? undefined : mode) as AsyncContext;

  it.each(isUsual("producer"))("finds all that its producer had, with %s", async (mode) => {
    const seen = await play(library, given(mode));
    expect(seen.length).toBeGreaterThanOrEqual(32);
    for (const { item, stores, ours } of seen) {
      expect({ item, stores, ours }).toEqual({ item, stores: [item, item, item], ours: [item, item] });
    }
  });

  it.each(isUsual("worker"))("finds only what is ours and the worker's own, with %s", async (mode) => {
    const seen = await play(library, given(mode));
    expect(seen.length).toBeGreaterThanOrEqual(32);
    for (const { item, stores, ours } of seen) {
      expect({ item, stores, ours }).toEqual({
        item,
        stores: [undefined, undefined, "made"],
        ours: [item, item],
      });
    }
  });

  // Within `delivery.run` a handler is called where its consumer is, and what it sets there stays, as by any call.
  it.each(
    library === LIBRARIES["delivery.run"] ? (["producer"] as const) : (["producer", "worker"] as const),
  )("finds nothing that another item's handler has set by enterWith, with %s", async (mode) => {
    let items = 0;
    const enter = (item: string) => cls.enterWith(new Map([["id", `${item}, number ${items++}`]]));
    const seen = await play(library, mode, enter);
    expect(seen.length).toBeGreaterThanOrEqual(32);
    const isSet = (id: unknown) => String(id).includes("number");
    const found = seen.map(({ stores }) => stores[0]);
    const rest = new Set(found.filter((id) => !isSet(id)));
    expect([...rest]).toEqual(mode === "producer" ? ["a", "b"] : [undefined]);
    const set = found.filter(isSet);
    // Only the one who has set it finds it; and a second attempt at the same item, which has its producer's context once more.
    if (library === LIBRARIES["WorkerPool with retries"] && mode === "producer") return;
    expect(set.length).toBe(new Set(set).size);
  });

  it("finds them without any tracing, too", async () => {
    await spans.stop();
    const seen = await play(library, "producer");
    expect(seen.length).toBeGreaterThanOrEqual(32);
    for (const { item, stores, ours } of seen) {
      expect({ item, stores, id: ours[0] }).toEqual({ item, stores: [item, item, item], id: item });
    }
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const { promise, give } = signal();
  return { promise, resolve: () => give() };
}

describe.each(Object.entries(LIBRARIES))(
  "a chain in %s, each handler of which puts the next item",
  (_, library) => {
    it.each(["producer", "worker"] as const)(
      "keeps nothing of what is over, with %s",
      async (asyncContext) => {
        const last = deferred();
        const over = deferred();
        const begun: WeakRef<object>[] = [];
        const links = new Map<string, object>();
        const store = new AsyncLocalStorage<object>();
        let put: Put = () => {};
        const handle = async (item: string) => {
          await turn();
          const link = links.get(item);
          links.delete(item);
          if (link === undefined) return; // a second attempt
          if (item === "20") {
            last.resolve();
            await over.promise;
            return;
          }
          const next = {};
          begun.push(new WeakRef(next));
          links.set(String(Number(item) + 1), next);
          // The store is what the next one's context has, and that of no other.
          store.run(next, () => put(String(Number(item) + 1)));
        };
        const left = await kept(async () => {
          put = library.make(asyncContext, handle);
          links.set("0", {});
          put("0");
          await last.promise;
          // The last ones may well be kept: one is running.
          return begun.slice(0, -3).flatMap((ref) => ref.deref() ?? []);
        });
        over.resolve();
        expect(left).toBe(0);
      },
    );
  },
);

describe("asyncContext", () => {
  it.each([["both"], [null], [1], [true]])("is refused when it is %s", (asyncContext) => {
    const call = () => instrument(new FifoQueue(), { name, asyncContext: asyncContext as never });
    expect(call).toThrow(typeof asyncContext === "string" ? InvalidOptionRangeError : InvalidOptionTypeError);
    expect(call).toThrow(/asyncContext .*"producer" or "worker"/);
  });

  it("keeps the producer's for an item that is run after it was settled", async () => {
    const queue = instrument(new FifoQueue<string>(), { name, asyncContext: "producer" });
    await inRequest("a", () => queue.put("a"));
    const delivery = await queue.receive();
    delivery.done();
    expect(delivery.run(look)).toEqual({ stores: ["a", "a", "a"], ours: ["a", "a"] });
  });

  it("gives each item of a putMany its producer's", async () => {
    const queue = instrument(new FifoQueue<string>(), { name, asyncContext: "producer" });
    const seen: unknown[] = [];
    new WorkerPool(queue, () => void seen.push(look().stores[0]), { concurrency: 2 });
    await inRequest("a", () => queue.putMany(["1", "2", "3"]));
    await queue.join();
    expect(seen).toEqual(["a", "a", "a"]);
  });

  it.each(["producer", "worker", "bare"] as const)(
    "gives no item of a putMany what the handler of another one has set by enterWith, %s",
    async (mode) => {
      const queue = new FifoQueue<string>();
      if (mode !== "bare") instrument(queue, { name, asyncContext: mode });
      const seen: unknown[] = [];
      const handle = (item: string) => {
        seen.push(own.getStore());
        own.enterWith(item);
      };
      own.run("made", () => new WorkerPool(queue, handle, { concurrency: 2 }));
      await own.run("put", () => queue.putMany(["1", "2", "3", "4"]));
      await queue.join();
      expect(new Set(seen)).toEqual(new Set([mode === "producer" ? "put" : "made"]));
    },
  );

  it("gives no handler what a listener of the pool has set by enterWith", async () => {
    const queue = new FifoQueue<string>();
    const seen: unknown[] = [];
    const handle = () => {
      seen.push(own.getStore());
      throw new Error("failed");
    };
    const pool = own.run("made", () => new WorkerPool(queue, handle, { concurrency: 1 }));
    pool.on("failed", ({ item }) => own.enterWith(item));
    for (const item of ["1", "2", "3"]) {
      await queue.put(item);
      await turn();
    }
    await queue.join();
    expect(seen).toEqual(["made", "made", "made"]);
  });

  it("lets a handler find the trace of its put, in either way", async () => {
    for (const asyncContext of ["producer", "worker"] as const) {
      const queue = instrument(new FifoQueue<string>(), { name, asyncContext, relation: "parent" });
      const tracer = trace.getTracer("caller");
      const id = await tracer.startActiveSpan("request", async (span) => {
        await queue.put("a");
        span.end();
        return span.spanContext().traceId;
      });
      const delivery = await queue.receive();
      expect(delivery.run(() => trace.getActiveSpan()?.spanContext().traceId)).toBe(id);
      delivery.done();
    }
  });
});
