import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import type { Delivery } from "../../src/queue/delivery.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { registerContextManager, SpanCapture, signal } from "../support/telemetry-capture.js";

let capture: SpanCapture;

beforeEach(() => {
  capture = new SpanCapture();
});

afterEach(async () => {
  await capture.stop();
});

function queueOf<T = string>(
  options: Partial<InstrumentOptions> = {},
  clock = new FakeClock(),
): FifoQueue<T> {
  return instrument(new FifoQueue<T>({ clock }), { name: "orders", ...options });
}

/** Calls `fn` under a span of the caller's, and ends that. */
async function under<R>(name: string, fn: () => R | Promise<R>): Promise<R> {
  return trace.getTracer("caller").startActiveSpan(name, async (span) => {
    try {
      return await fn();
    } finally {
      span.end();
    }
  });
}

function parentOf(span: ReadableSpan): string | undefined {
  return span.parentSpanContext?.spanId;
}

function idOf(span: ReadableSpan): string {
  return span.spanContext().spanId;
}

function traceOf(span: ReadableSpan): string {
  return span.spanContext().traceId;
}

function linksOf(span: ReadableSpan): string[] {
  return span.links.map((link) => link.context.spanId);
}

async function receiveAndRun<T, R>(
  queue: FifoQueue<T>,
  fn: (delivery: Delivery<T>) => R,
): Promise<Awaited<R>> {
  const delivery = await queue.receive();
  const result = await delivery.run(() => fn(delivery));
  delivery.done();
  return result;
}

describe("the span of a put", () => {
  it("is a PRODUCER span under the caller's, with what the contract says", async () => {
    const queue = instrument(new PriorityQueue<string>({ tiers: { vip: 0, regular: 10 } }), {
      name: "orders",
    });
    await under("caller", () => queue.put("a", { tier: "vip", correlationId: "c-1" }));
    const send = await capture.only("send orders");
    const caller = await capture.only("caller");
    expect(send.kind).toBe(SpanKind.PRODUCER);
    expect(parentOf(send)).toBe(idOf(caller));
    expect(send.status.code).toBe(SpanStatusCode.UNSET);
    expect(send.attributes).toEqual({
      "messaging.system.name": "in_process",
      "messaging.destination.name": "orders",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.message.conversation_id": "c-1",
      "queue.tier": "vip",
    });
    expect(send.instrumentationScope.name).toBe("queuescope");
  });

  it("lasts as long as the put waits for room", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1 }), { name: "orders" });
    await queue.put("a");
    const waiting = queue.put("b");
    expect(await capture.named("send orders")).toHaveLength(1);
    await queue.get();
    await waiting;
    expect(await capture.named("send orders")).toHaveLength(2);
  });

  it("fails with the put: status, exception and the error's code", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1, whenFull: "reject" }), { name: "orders" });
    await queue.put("a");
    await expect(queue.put("b")).rejects.toMatchObject({ code: "QUEUE_FULL", item: "b" });
    queue.shutdown();
    await expect(queue.put("c")).rejects.toMatchObject({ code: "QUEUE_SHUT_DOWN" });
    const [, full, shutDown] = await capture.named("send orders");
    expect(full?.status).toMatchObject({ code: SpanStatusCode.ERROR, message: /is full/ });
    expect(full?.attributes["error.type"]).toBe("QUEUE_FULL");
    expect(full?.events.map((event) => event.name)).toEqual(["exception"]);
    expect(shutDown?.attributes["error.type"]).toBe("QUEUE_SHUT_DOWN");
  });

  it("fails when the wait for room is aborted", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1 }), { name: "orders" });
    await queue.put("a");
    const abort = new AbortController();
    const waiting = queue.put("b", { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toBe(abort.signal.reason);
    const [, aborted] = await capture.named("send orders");
    expect(aborted?.attributes["error.type"]).toBe("AbortError");
  });

  it("is one for a putMany, with the number of items, and all its items link to it", async () => {
    const queue = queueOf({ relation: "link" });
    await queue.putMany(["a", "b", "c"]);
    const send = await capture.only("send orders");
    expect(send.attributes["messaging.batch.message_count"]).toBe(3);
    for (let i = 0; i < 3; i++) await receiveAndRun(queue, () => {});
    const processed = await capture.named("process orders");
    expect(processed.map(linksOf)).toEqual([[idOf(send)], [idOf(send)], [idOf(send)]]);
  });

  it("is not made for a tryPut that changes nothing", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1 }), { name: "orders" });
    expect(queue.tryPut("a")).toBe(true);
    expect(queue.tryPut("b")).toBe(false);
    expect(await capture.named("send orders")).toHaveLength(1);
  });

  it("belongs to the newcomer that loses against all others", async () => {
    const queue = instrument(new FifoQueue<string>({ capacity: 1, whenFull: "evict" }), { name: "orders" });
    await queue.put("a");
    await expect(queue.put("b")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    const [accepted, evicted] = await capture.named("send orders");
    expect(accepted?.status.code).toBe(SpanStatusCode.UNSET);
    expect(evicted?.status.code).toBe(SpanStatusCode.ERROR);
  });
});

describe("the span of a handler", () => {
  it("is a CONSUMER span in a trace of its own, linked to the put span", async () => {
    const clock = new FakeClock();
    const queue = queueOf({ relation: "link" }, clock);
    await under("caller", () => queue.put("a", { correlationId: "c-1" }));
    clock.advance(250);
    await receiveAndRun(queue, () => {});
    const send = await capture.only("send orders");
    const process = await capture.only("process orders");
    expect(process.kind).toBe(SpanKind.CONSUMER);
    expect(parentOf(process)).toBeUndefined();
    expect(traceOf(process)).not.toBe(traceOf(send));
    expect(linksOf(process)).toEqual([idOf(send)]);
    expect(process.attributes).toEqual({
      "messaging.system.name": "in_process",
      "messaging.destination.name": "orders",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.message.conversation_id": "c-1",
      "queue.tier": "default",
      "queue.wait_ms": 250,
      "queue.attempt": 1,
    });
  });

  it("is the put span's child with relation parent, also for retries", async () => {
    const queue = queueOf({ relation: "parent" });
    await queue.put("a");
    const delivery = await queue.receive();
    delivery.run(() => {});
    delivery.retry();
    await receiveAndRun(queue, () => {});
    const send = await capture.only("send orders");
    const processed = await capture.named("process orders");
    expect(processed.map(parentOf)).toEqual([idOf(send), idOf(send)]);
    expect(processed.map((span) => span.attributes["queue.attempt"])).toEqual([1, 2]);
    expect(processed.flatMap(linksOf)).toEqual([]);
  });

  describe("with relation auto", () => {
    async function relationAfter(waitMs: number): Promise<"child" | "link"> {
      const clock = new FakeClock();
      const queue = queueOf({ relation: "auto" }, clock);
      await queue.put("a");
      clock.advance(waitMs);
      await receiveAndRun(queue, () => {});
      const send = await capture.only("send orders");
      const process = await capture.only("process orders");
      const isChild = parentOf(process) === idOf(send);
      expect(linksOf(process)).toEqual(isChild ? [] : [idOf(send)]);
      expect(traceOf(process) === traceOf(send)).toBe(isChild);
      return isChild ? "child" : "link";
    }

    it("is a child after a wait of 999 ms", async () => {
      expect(await relationAfter(999)).toBe("child");
    });

    it("is linked after a wait of 1 s", async () => {
      expect(await relationAfter(1_000)).toBe("link");
    });

    it("is linked on a second attempt, however short the wait was", async () => {
      const queue = queueOf({ relation: "auto" });
      await queue.put("a");
      (await queue.receive()).retry();
      await receiveAndRun(queue, () => {});
      expect(parentOf(await capture.only("process orders"))).toBeUndefined();
      expect(linksOf(await capture.only("process orders"))).toHaveLength(1);
    });

    it("is the default", async () => {
      const queue = queueOf();
      await queue.put("a");
      await receiveAndRun(queue, () => {});
      expect(parentOf(await capture.only("process orders"))).toBe(idOf(await capture.only("send orders")));
    });

    it("is a root of its own when the put span is sampled, and was not recorded here", async () => {
      const queue = queueOf();
      const remote = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1, isRemote: true };
      await capture.stop();
      registerContextManager();
      await context.with(trace.setSpanContext(ROOT_CONTEXT, remote), () => queue.put("a"));
      capture = new SpanCapture();
      await receiveAndRun(queue, () => {});
      const process = await capture.only("process orders");
      expect(parentOf(process)).toBeUndefined();
      expect(linksOf(process)).toEqual([remote.spanId]);
    });
  });

  it("fails with the handler that throws, which the caller sees unchanged", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    const error = Object.assign(new Error("no stock"), { code: "NO_STOCK" });
    const fn = () => {
      throw error;
    };
    expect(() => delivery.run(fn)).toThrow(error);
    const process = await capture.only("process orders");
    expect(process.status).toEqual({ code: SpanStatusCode.ERROR, message: "no stock" });
    expect(process.attributes["error.type"]).toBe("NO_STOCK");
    expect(process.events[0]?.attributes).toMatchObject({ "exception.message": "no stock" });
  });

  it("fails with the handler that rejects; the promise is the handler's own", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    const error = new TypeError("bad");
    const promise = Promise.reject(error);
    const returned = delivery.run(() => promise);
    expect(returned).toBe(promise);
    await expect(returned).rejects.toBe(error);
    const process = await capture.only("process orders");
    expect(process.attributes["error.type"]).toBe("TypeError");
  });

  it("lasts until the handler's promise is settled", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    const work = signal<number>();
    const result = delivery.run(() => work.promise);
    expect(await capture.named("process orders")).toHaveLength(0);
    work.give(42);
    expect(await result).toBe(42);
    expect(await capture.named("process orders")).toHaveLength(1);
  });

  it.each([
    ["a string", "plain", "_OTHER", "plain"],
    ["nothing at all", undefined, "_OTHER", "undefined"],
    ["null", null, "_OTHER", "null"],
    ["an object without a prototype", Object.create(null), "_OTHER", "object"],
    [
      "an object whose properties throw",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("hands off");
          },
        },
      ),
      "_OTHER",
      "object",
    ],
    ["an error with a numeric code", Object.assign(new RangeError("r"), { code: 7 }), "RangeError", "r"],
  ])("ends when %s is thrown, and the thrower's caller gets just that", async (_, thrown, type, message) => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    let caught: { error: unknown } | undefined;
    try {
      delivery.run(() => {
        throw thrown;
      });
    } catch (error) {
      caught = { error };
    }
    expect(caught !== undefined && Object.is(caught.error, thrown)).toBe(true);
    const process = await capture.only("process orders");
    expect(process.attributes["error.type"]).toBe(type);
    expect(process.status).toEqual({ code: SpanStatusCode.ERROR, message });
  });

  it("awaits a thenable that starts its work only then, once, inside of it, and lasts until that is over", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    const seen: (string | undefined)[] = [];
    const rows = signal<string[]>();
    const query = {
      // biome-ignore lint/suspicious/noThenProperty: a lazy query, as query builders have them
      then(resolve: (rows: string[]) => void) {
        seen.push(trace.getActiveSpan()?.spanContext().spanId);
        void rows.promise.then(resolve);
      },
    };
    const returned = delivery.run(() => query) as PromiseLike<unknown>;
    expect(returned).toBeInstanceOf(Promise);
    expect(await capture.named("process orders")).toHaveLength(0);
    rows.give(["row"]);
    expect(await returned).toEqual(["row"]);
    expect(await returned).toEqual(["row"]);
    expect(seen).toEqual([idOf(await capture.only("process orders"))]);
  });

  it("does not break on a promise whose then throws", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    const odd = Promise.resolve(1);
    // biome-ignore lint/suspicious/noThenProperty: a promise that was tampered with
    odd.then = () => {
      throw new Error("no");
    };
    expect(delivery.run(() => odd)).toBe(odd);
    expect(await capture.named("process orders")).toHaveLength(1);
  });
});

describe("the span of a pull", () => {
  it("is made only under an active span of the caller", async () => {
    const queue = queueOf();
    await queue.put("a");
    await queue.put("b");
    await queue.get();
    expect(await capture.named("receive orders")).toHaveLength(0);
    await under("consumer", () => queue.get());
    const receive = await capture.only("receive orders");
    const consumer = await capture.only("consumer");
    const [, second] = await capture.named("send orders");
    expect(receive.kind).toBe(SpanKind.CLIENT);
    expect(parentOf(receive)).toBe(idOf(consumer));
    expect(linksOf(receive)).toEqual([idOf(second as ReadableSpan)]);
    expect(receive.attributes).toEqual({
      "messaging.system.name": "in_process",
      "messaging.destination.name": "orders",
      "messaging.operation.name": "receive",
      "messaging.operation.type": "receive",
      "messaging.message.conversation_id": traceOf(second as ReadableSpan),
    });
  });

  it.each(["get", "receive", "tryGet", "getMany", "iterate"] as const)("is made for %s", async (way) => {
    const queue = queueOf();
    await queue.put("a");
    await under("consumer", async () => {
      if (way === "getMany") await queue.getMany(5);
      else if (way === "iterate") for await (const _ of queue) break;
      else await queue[way]();
    });
    expect(await capture.named("receive orders")).toHaveLength(1);
  });

  it("covers the wait and links to the put that ended it", async () => {
    const queue = queueOf();
    const waiting = under("consumer", () => queue.get());
    expect(await capture.named("receive orders")).toHaveLength(0);
    await queue.put("a");
    expect(await waiting).toBe("a");
    const receive = await capture.only("receive orders");
    expect(linksOf(receive)).toEqual([idOf(await capture.only("send orders"))]);
    expect(parentOf(receive)).toBe(idOf(await capture.only("consumer")));
  });

  it("of a getMany links to every put, with the number of items and no one correlation ID", async () => {
    const queue = queueOf();
    await queue.put("a");
    await queue.put("b");
    await under("consumer", () => queue.getMany(9));
    const receive = await capture.only("receive orders");
    expect(linksOf(receive)).toEqual((await capture.named("send orders")).map(idOf));
    expect(receive.attributes["messaging.batch.message_count"]).toBe(2);
    expect(receive.attributes).not.toHaveProperty("messaging.message.conversation_id");
  });

  it("of an iteration ends when the queue does, and has not failed", async () => {
    const queue = queueOf();
    const loop = under("consumer", async () => {
      for await (const _ of queue);
    });
    queue.shutdown();
    await loop;
    const receive = await capture.only("receive orders");
    expect(receive.status.code).toBe(SpanStatusCode.UNSET);
    expect(receive.attributes).not.toHaveProperty("error.type");
    expect(receive.links).toEqual([]);
  });

  it("fails when the wait does", async () => {
    const clock = new FakeClock();
    const queue = queueOf({}, clock);
    const waiting = under("consumer", () => queue.get({ timeoutMs: 100 }));
    clock.advance(100);
    await expect(waiting).rejects.toMatchObject({ code: "QUEUE_TIMEOUT" });
    const receive = await capture.only("receive orders");
    expect(receive.status.code).toBe(SpanStatusCode.ERROR);
    expect(receive.attributes["error.type"]).toBe("QUEUE_TIMEOUT");
    expect(receive.links).toEqual([]);
  });
});

describe("the option traces", () => {
  it("always makes spans, also where the producer has none", async () => {
    const queue = queueOf({ traces: "always" });
    await queue.put("a");
    await receiveAndRun(queue, () => {});
    expect((await capture.spans()).map((span) => span.name)).toEqual(["send orders", "process orders"]);
  });

  it("with-parent makes them only for items whose producer has one", async () => {
    const queue = queueOf({ traces: "with-parent" });
    await queue.put("without");
    await under("caller", () => queue.put("with"));
    await receiveAndRun(queue, () => {});
    expect((await capture.spans()).map((span) => span.name)).toEqual(["send orders", "caller"]);
    await receiveAndRun(queue, () => {});
    expect(parentOf(await capture.only("process orders"))).toBe(idOf(await capture.only("send orders")));
  });

  it("never makes none, and the producer's context travels all the same", async () => {
    const queue = queueOf({ traces: "never" });
    await under("caller", () => queue.put("a"));
    const seen = await under("consumer", () =>
      receiveAndRun(queue, () => trace.getActiveSpan()?.spanContext()),
    );
    const names = (await capture.spans()).map((span) => span.name);
    expect(names).toEqual(["caller", "consumer"]);
    expect(seen?.spanId).toBe(idOf(await capture.only("caller")));
  });
});

describe("the context inside run", () => {
  const KEY = Symbol("a key of the user's");

  function baggageNow(): string | undefined {
    return propagation.getActiveBaggage()?.getEntry("tenant")?.value;
  }

  function withBaggage(tenant: string): Context {
    const baggage = propagation.createBaggage({ tenant: { value: tenant } });
    return propagation.setBaggage(ROOT_CONTEXT, baggage).setValue(KEY, tenant);
  }

  it.each(["link", "parent", "auto"] as const)(
    "has the producer's baggage with relation %s",
    async (relation) => {
      const queue = queueOf({ relation });
      await context.with(withBaggage("acme"), () => queue.put("a"));
      await context.with(withBaggage("consumer's own"), () =>
        receiveAndRun(queue, () => {
          expect(baggageNow()).toBe("acme");
          expect(context.active().getValue(KEY)).toBe("acme");
        }),
      );
    },
  );

  it.each(["always", "with-parent", "never"] as const)(
    "has it with traces %s, and on retries",
    async (traces) => {
      const queue = queueOf({ traces });
      await context.with(withBaggage("acme"), () => queue.put("a"));
      const delivery = await queue.receive();
      expect(delivery.run(baggageNow)).toBe("acme");
      delivery.retry();
      expect(await receiveAndRun(queue, baggageNow)).toBe("acme");
    },
  );

  it("has the process span active, also after an await, and not outside", async () => {
    const queue = queueOf();
    await queue.put("a");
    const turn = signal();
    const delivery = await queue.receive();
    const handled = delivery.run(async () => {
      await turn.promise;
      return trace.getActiveSpan()?.spanContext().spanId;
    });
    expect(trace.getActiveSpan()).toBeUndefined();
    turn.give();
    expect(await handled).toBe(idOf(await capture.only("process orders")));
  });

  it("is each producer's own, with many producers and consumers at a time", async () => {
    const queue = instrument(new FifoQueue<number>({ capacity: 3 }), { name: "orders" });
    const COUNT = 60;
    const wrong: unknown[] = [];
    let handled = 0;
    const consumers = Array.from({ length: 4 }, async () => {
      for await (const delivery of queue.deliveries()) {
        const { item } = delivery;
        await delivery.run(async () => {
          if (baggageNow() !== `tenant-${item}`) wrong.push([item, "before", baggageNow()]);
          await Promise.resolve();
          if (baggageNow() !== `tenant-${item}`) wrong.push([item, "after", baggageNow()]);
        });
        if (delivery.correlationId !== `c-${item}`) wrong.push([item, delivery.correlationId]);
        // A third comes back, so that retries are in between.
        if (item % 3 === 0 && delivery.attempt === 1) delivery.retry();
        else {
          delivery.done();
          handled++;
        }
      }
    });
    await Promise.all(
      Array.from({ length: COUNT }, (_, item) =>
        context.with(withBaggage(`tenant-${item}`), async () => {
          await Promise.resolve();
          await queue.put(item, { correlationId: `c-${item}` });
        }),
      ),
    );
    await queue.join();
    queue.shutdown();
    await Promise.all(consumers);
    expect(wrong).toEqual([]);
    expect(handled).toBe(COUNT);
    const sends = await capture.named("send orders");
    const processes = await capture.named("process orders");
    expect(processes).toHaveLength(COUNT + COUNT / 3);
    const idOfSend = new Map(
      sends.map((span) => [span.attributes["messaging.message.conversation_id"], idOf(span)]),
    );
    for (const span of processes) {
      const sent = idOfSend.get(span.attributes["messaging.message.conversation_id"]);
      expect(linksOf(span)[0] ?? parentOf(span)).toBe(sent);
    }
  });

  it("is right for those that stay when others are evicted", async () => {
    const queue = instrument(
      new PriorityQueue<string>({ capacity: 2, whenFull: "evict", tiers: { vip: 0, regular: 10 } }),
      { name: "orders" },
    );
    for (const name of ["r1", "r2"]) await context.with(withBaggage(name), () => queue.put(name));
    for (const name of ["v1", "v2"]) {
      await context.with(withBaggage(name), () => queue.put(name, { tier: "vip" }));
    }
    for (const name of ["v1", "v2"]) {
      const delivery = await queue.receive();
      expect(delivery.item).toBe(name);
      expect(delivery.run(baggageNow)).toBe(name);
    }
  });

  it("is right for primitives, and for one object put twice", async () => {
    const queue = queueOf<unknown>();
    const object = { id: 1 };
    const items = [7, 7, "x", "x", null, null, object, object];
    for (const [i, item] of items.entries())
      await context.with(withBaggage(`put-${i}`), () => queue.put(item));
    for (const [i, item] of items.entries()) {
      const delivery = await queue.receive();
      expect(delivery.item).toBe(item);
      expect(delivery.run(baggageNow)).toBe(`put-${i}`);
    }
  });

  it("is the consumer's where the item has none, because it was there first", async () => {
    const queue = new FifoQueue<string>();
    await queue.put("early");
    instrument(queue, { name: "orders" });
    await context.with(withBaggage("consumer"), () =>
      receiveAndRun(queue, () => expect(baggageNow()).toBe("consumer")),
    );
    const process = await capture.only("process orders");
    expect(process.links).toEqual([]);
    expect(parentOf(process)).toBeUndefined();
  });
});
