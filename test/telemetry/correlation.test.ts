import { trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { currentCorrelationId, withCorrelationId } from "../../src/telemetry/context/correlation.js";
import { SpanCapture, signal } from "../support/telemetry-capture.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;

function queueOf(options: Partial<InstrumentOptions> = {}): FifoQueue<string> {
  return instrument(new FifoQueue<string>(), { name: "orders", ...options });
}

/** What the consumer of the next item sees: the delivery's ID, and that of the code inside run. */
async function next(queue: FifoQueue<string>): Promise<{ delivery: string; inside: string | undefined }> {
  const delivery = await queue.receive();
  const inside = delivery.run(currentCorrelationId);
  delivery.done();
  return { delivery: delivery.correlationId, inside };
}

describe("withCorrelationId", () => {
  it("holds for what fn calls and starts, and no longer", async () => {
    expect(currentCorrelationId()).toBeUndefined();
    const turn = signal();
    const later = withCorrelationId("c-1", async () => {
      expect(currentCorrelationId()).toBe("c-1");
      await turn.promise;
      return currentCorrelationId();
    });
    expect(currentCorrelationId()).toBeUndefined();
    turn.give();
    expect(await later).toBe("c-1");
  });

  it("nests, and returns what fn returns", () => {
    const inner = withCorrelationId("outer", () => {
      const id = withCorrelationId("inner", currentCorrelationId);
      expect(currentCorrelationId()).toBe("outer");
      return id;
    });
    expect(inner).toBe("inner");
  });

  it.each([
    ["", '""'],
    [undefined, "undefined"],
    [7, "7"],
  ])("refuses %j as an ID, naming what is allowed", (id, words) => {
    expect(() => withCorrelationId(id as string, () => {})).toThrow(
      `id must be a string with at least one character, not ${words}`,
    );
  });

  it("refuses what is no function", () => {
    expect(() => withCorrelationId("c", "fn" as never)).toThrow('fn must be a function, not "fn"');
  });
});

describe("without tracing", () => {
  it("the ID that comes with the put wins over the caller's", async () => {
    const queue = queueOf();
    await withCorrelationId("caller's", () => queue.put("a", { correlationId: "explicit" }));
    expect(await next(queue)).toEqual({ delivery: "explicit", inside: "explicit" });
  });

  it("the caller's comes next", async () => {
    const queue = queueOf();
    await withCorrelationId("caller's", () => queue.put("a"));
    expect(await next(queue)).toEqual({ delivery: "caller's", inside: "caller's" });
  });

  it("of several header values the first counts, and an empty one is none", async () => {
    const queue = queueOf();
    await queue.put("a", { correlationId: ["first", "second"] });
    await withCorrelationId("caller's", () => queue.put("b", { correlationId: "" }));
    expect((await next(queue)).delivery).toBe("first");
    expect((await next(queue)).delivery).toBe("caller's");
  });

  it("without any, one is made when it is first read, the same inside run and outside", async () => {
    const queue = queueOf();
    await queue.put("a");
    await queue.put("b");
    const first = await next(queue);
    const second = await next(queue);
    expect(first.delivery).toMatch(UUID);
    expect(first.inside).toBe(first.delivery);
    expect(second.delivery).not.toBe(first.delivery);
  });

  it("the made ID stays the same over retries", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    const inside = delivery.run(currentCorrelationId);
    delivery.retry();
    const again = await queue.receive();
    expect(again.attempt).toBe(2);
    expect(again.correlationId).toBe(inside);
    again.retry();
    expect(await next(queue)).toEqual({ delivery: inside, inside });
  });

  it("a retried item keeps the ID even if it was never read before", async () => {
    const queue = queueOf();
    await queue.put("a");
    const delivery = await queue.receive();
    delivery.retry();
    expect((await next(queue)).delivery).toBe(delivery.correlationId);
  });

  it("the ID goes on with what the handler puts, over several queues", async () => {
    const first = queueOf({ name: "first" });
    const second = queueOf({ name: "second" });
    await withCorrelationId("c-1", () => first.put("a"));
    const delivery = await first.receive();
    await delivery.run(async () => {
      await Promise.resolve();
      await second.put("b");
    });
    expect((await next(second)).delivery).toBe("c-1");
  });

  it("a lazily made ID goes on too", async () => {
    const first = queueOf({ name: "first" });
    const second = queueOf({ name: "second" });
    await first.put("a");
    const delivery = await first.receive();
    await delivery.run(() => second.put("b"));
    expect(await next(second)).toEqual({ delivery: delivery.correlationId, inside: delivery.correlationId });
  });

  it("the consumer's own ID does not get in", async () => {
    const queue = queueOf();
    await withCorrelationId("producer's", () => queue.put("a"));
    await withCorrelationId("consumer's", async () => {
      expect((await next(queue)).inside).toBe("producer's");
      expect(currentCorrelationId()).toBe("consumer's");
    });
  });

  it("puts that share a context don't share IDs", async () => {
    const queue = queueOf();
    await queue.put("a", { correlationId: "c-1" });
    await queue.put("b");
    await queue.put("c", { correlationId: "c-3" });
    await withCorrelationId("c-4", () => queue.put("d"));
    await queue.put("e");
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push((await next(queue)).delivery);
    expect(ids).toEqual(["c-1", expect.stringMatching(UUID), "c-3", "c-4", expect.stringMatching(UUID)]);
    expect(ids[1]).not.toBe(ids[4]);
  });
});

describe("with tracing", () => {
  let capture: SpanCapture;

  beforeEach(() => {
    capture = new SpanCapture();
  });

  afterEach(async () => {
    await capture.stop();
  });

  it.each(["always", "with-parent", "never"] as const)(
    "the trace ID of the caller is the ID, with traces %s",
    async (traces) => {
      const queue = queueOf({ traces });
      const traceId = await trace.getTracer("caller").startActiveSpan("caller", async (span) => {
        await queue.put("a");
        span.end();
        return span.spanContext().traceId;
      });
      expect(await next(queue)).toEqual({ delivery: traceId, inside: traceId });
    },
  );

  it("the ID of code that handles no item is that of its trace, where it has none of its own", () => {
    trace.getTracer("caller").startActiveSpan("caller", (span) => {
      expect(currentCorrelationId()).toBe(span.spanContext().traceId);
      expect(withCorrelationId("own", currentCorrelationId)).toBe("own");
      span.end();
    });
    expect(currentCorrelationId()).toBeUndefined();
  });

  it("the trace ID of the put span is, where the caller has no trace", async () => {
    const queue = queueOf();
    await queue.put("a");
    const { delivery } = await next(queue);
    expect(delivery).toMatch(TRACE_ID);
    const send = await capture.only("send orders");
    expect(send.spanContext().traceId).toBe(delivery);
    expect(send.attributes["messaging.message.conversation_id"]).toBe(delivery);
    expect((await capture.only("process orders")).attributes["messaging.message.conversation_id"]).toBe(
      delivery,
    );
  });

  it("the caller's ID wins over the trace ID, and the one of the put over both", async () => {
    const queue = queueOf();
    await withCorrelationId("caller's", async () => {
      await queue.put("a");
      await queue.put("b", { correlationId: "explicit" });
    });
    expect((await next(queue)).delivery).toBe("caller's");
    expect((await next(queue)).delivery).toBe("explicit");
    const sent = await capture.named("send orders");
    expect(sent.map((span) => span.attributes["messaging.message.conversation_id"])).toEqual([
      "caller's",
      "explicit",
    ]);
  });

  it("traces with-parent and no parent: one is made, as without tracing", async () => {
    const queue = queueOf({ traces: "with-parent" });
    await queue.put("a");
    expect((await next(queue)).delivery).toMatch(UUID);
  });

  it("a made ID stands on the process span, and on that of the retry", async () => {
    const queue = new FifoQueue<string>();
    await queue.put("early");
    instrument(queue, { name: "orders" });
    const delivery = await queue.receive();
    delivery.run(() => {});
    delivery.retry();
    await next(queue);
    const ids = (await capture.named("process orders")).map(
      (span) => span.attributes["messaging.message.conversation_id"],
    );
    expect(ids).toEqual([delivery.correlationId, delivery.correlationId]);
  });
});
