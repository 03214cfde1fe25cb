import { SpanStatusCode } from "@opentelemetry/api";
import type { Channel, ConfirmChannel, ConsumeMessage } from "amqplib";
import { describe, expect, it } from "vitest";
import { currentCorrelationId, withCorrelationId } from "../../../src/index.js";
import { signal } from "../../support/telemetry-capture.js";
import { BODY, Inbox, inTime, linksOf, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

/** Rejections that nothing has handled, while `fn` runs and until `count` of them have come. */
async function unhandled(count: number, fn: () => Promise<unknown>): Promise<unknown[]> {
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  const seen: unknown[] = [];
  process.on("unhandledRejection", (reason) => seen.push(reason));
  try {
    await fn();
    await until(() => seen.length >= count);
    // One too many would come with the next turns of the event loop.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  return seen;
}

const closed = (channel: Channel) => new Promise<void>((resolve) => channel.once("close", resolve));

describe.skipIf(!hasRabbitMQ())("where something fails with amqplib", () => {
  const rig = new Rig();
  async function declared(args: object = {}, name?: string): Promise<ConfirmChannel> {
    const channel = await rig.channel({}, name === undefined ? undefined : await rig.connect(name));
    await channel.assertQueue(rig.queue, args);
    return channel;
  }

  async function sent(channel: ConfirmChannel, count = 1): Promise<void> {
    for (let i = 0; i < count; i++) channel.sendToQueue(rig.queue, Buffer.from(`${i}`), { persistent: true });
    await channel.waitForConfirms();
  }

  const processed = (count: number) =>
    until(
      () => rig.spans.named(`process ${rig.queue}`),
      (all) => all.length === count,
    );

  it("a handler that throws ends its channel, as without us; its message is delivered again, in its context", async () => {
    const producer = await declared();
    const first = await declared();
    const error = new Error("no beans");
    const told = new Promise((resolve) => first.once("error", resolve));
    const end = closed(first);
    await first.consume(rig.queue, () => {
      throw error;
    });
    await withCorrelationId("request 1", () => sent(producer));
    expect(await told).toBe(error);
    await end;
    expect(await rig.read("queue.inflight")).toBe(0);
    const [failed] = await processed(1);
    expect(failed!.status.code).toBe(SpanStatusCode.ERROR);
    expect(failed!.events.map(({ attributes }) => attributes?.["exception.message"])).toEqual(["no beans"]);
    const second = await declared();
    const id = new Promise((resolve) => {
      void second.consume(rig.queue, (message) => {
        second.ack(message!);
        resolve(currentCorrelationId());
      });
    });
    expect(await id).toBe("request 1");
    const [, again] = await processed(2);
    expect(again!.attributes["queue.attempt"]).toBe(2);
    expect(linksOf(again!)).toEqual([(await rig.spans.only(`send ${rig.queue}`)).spanContext().spanId]);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(await rig.read("queue.completed", { "queue.outcome": "failure" })).toBe(0);
  });

  it("a handler that rejects is an unhandled rejection, once, as without us; its message stays in flight", async () => {
    const channel = await declared();
    const error = new Error("no beans");
    const seen = await unhandled(1, async () => {
      await channel.consume(rig.queue, async () => {
        await Promise.resolve();
        throw error;
      });
      await sent(channel);
    });
    expect(seen).toEqual([error]);
    expect(await rig.read("queue.inflight")).toBe(1);
    const end = closed(channel);
    await channel.close();
    await end;
    expect(await rig.read("queue.inflight")).toBe(0);
    const [span] = await processed(1);
    expect(span!.status.code).toBe(SpanStatusCode.ERROR);
  });

  it("a handler without acknowledgement that rejects is an unhandled rejection, once, and a failure", async () => {
    const channel = await declared();
    const seen = await unhandled(1, async () => {
      await channel.consume(rig.queue, () => Promise.reject(new Error("no beans")), { noAck: true });
      await sent(channel);
    });
    expect(seen.map(String)).toEqual(["Error: no beans"]);
    expect(await rig.read("queue.completed", { "queue.outcome": "failure" })).toBe(1);
  });

  it("a handler that never settles has its message in flight until its connection is gone", async () => {
    const connection = await rig.connect();
    const channel = await rig.channel({}, connection);
    await channel.assertQueue(rig.queue);
    const came = signal();
    await channel.consume(rig.queue, () => {
      came.give();
      return new Promise(() => {});
    });
    await sent(channel);
    await came.promise;
    expect(await rig.read("queue.inflight")).toBe(1);
    expect(await rig.read("queue.inflight.oldest.age.seconds")).toBeGreaterThan(0);
    await connection.close();
    expect(await rig.read("queue.inflight")).toBe(0);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(0);
  });

  it("an acknowledgement on a closed channel throws, as without us, and counts nothing", async () => {
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put);
    await sent(channel);
    const message = await inbox.next();
    await channel.close();
    expect(() => channel.ack(message)).toThrow("Channel closed");
    expect(() => channel.nackAll()).toThrow("Channel closed");
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(0);
    expect(await rig.read("queue.settle.stale")).toBe(0);
  });

  it("acknowledged twice, the broker closes the channel: what else was in flight is lost to it", async () => {
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put);
    await sent(channel, 2);
    const message = await inbox.next();
    await inbox.next();
    const error = new Promise<{ code: number }>((resolve) => channel.once("error", resolve));
    const end = closed(channel);
    channel.ack(message);
    channel.ack(message);
    expect((await error).code).toBe(406);
    await end;
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(await rig.read("queue.inflight")).toBe(0);
  });

  it("acknowledged on another channel after its connection was cut, a message is told to be stale, and the one it hit is lost", async () => {
    const warning = new Promise<Error>((resolve) => process.once("warning", resolve));
    const producer = await declared();
    const first = await declared({}, `cut-${rig.queue}`);
    const inbox = new Inbox();
    await first.consume(rig.queue, inbox.put);
    await sent(producer, 2);
    await inbox.next();
    const old = await inbox.next();
    expect([String(old.content), old.fields.deliveryTag]).toEqual(["1", 2]);
    const end = closed(first);
    await rig.rabbit.cut(`cut-${rig.queue}`);
    await end;
    expect(await rig.read("queue.inflight")).toBe(0);
    const connection = await rig.connect();
    const second = await rig.channel({}, connection);
    const again = new Inbox();
    await second.consume(rig.queue, again.put);
    const [one, two] = [await again.next(), await again.next()];
    expect(two.fields.deliveryTag).toBe(2);
    // The old delivery's tag is that of another message here.
    second.ack(old);
    expect(await rig.read("queue.settle.stale")).toBe(1);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(0);
    expect((await warning).message).toContain("was gone");
    second.ack(one);
    // As the broker has it, nothing is left, though the second message was never handled to its end.
    const { messageCount } = await second.checkQueue(rig.queue);
    await connection.close();
    expect(messageCount).toBe(0);
    expect((await producer.checkQueue(rig.queue)).messageCount).toBe(0);
  });

  it("consumed by one channel and acknowledged on another, a message stays in flight", async () => {
    const channel = await declared();
    const other = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put);
    await sent(channel);
    const error = new Promise<{ code: number }>((resolve) => other.once("error", resolve));
    other.ack(await inbox.next());
    expect((await error).code).toBe(406);
    expect(await rig.read("queue.settle.stale")).toBe(1);
    expect(await rig.read("queue.inflight")).toBe(1);
  });

  it("a queue that is deleted cancels its consumer, who is told as before", async () => {
    const channel = await declared();
    const seen = new Promise<ConsumeMessage | null>((resolve) => {
      void channel.consume(rig.queue, (message) => resolve(message));
    });
    await sent(await rig.channel({ queues: {} }));
    await channel.checkQueue(rig.queue);
    expect(await seen).not.toBe(null);
    const cancelled = new Promise<ConsumeMessage | null>((resolve) => {
      void channel.consume(rig.queue, resolve);
    });
    await (await rig.channel()).deleteQueue(rig.queue);
    expect(await cancelled).toBe(null);
    expect(await rig.read("queue.telemetry.errors")).toBe(0);
  });

  it("a memory alarm blocks what is published until it is over, and the broker is asked all the same", async () => {
    const { connect } = await import("amqplib");
    const { management, url } = rig.rabbit;
    const connection = await rig.connect();
    const channel = await connection.createConfirmChannel();
    rig.instrument(channel, { amqplib: { connect: () => connect(url), management }, poll: { everyMs: 100 } });
    await channel.assertQueue(rig.queue);
    await sent(channel);
    await until(
      () => rig.read("queue.depth", { "queue.scope": "shared" }),
      (depth) => depth === 1,
    );
    await rig.rabbit.raiseMemoryAlarm();
    const blocked = new Promise((resolve) => connection.once("blocked", resolve));
    let isConfirmed = false;
    channel.sendToQueue(rig.queue, BODY, {}, () => {
      isConfirmed = true;
    });
    await blocked;
    const stranger = await (await rig.connect()).createChannel();
    await stranger.assertQueue(`${rig.queue}-other`);
    await stranger.prefetch(1);
    await stranger.consume(rig.queue, () => {});
    await until(
      () => rig.read("queue.consumers", { "queue.scope": "shared" }),
      (consumers) => consumers === 1,
    );
    expect(isConfirmed).toBe(false);
    expect(await rig.spans.named(`send ${rig.queue}`)).toHaveLength(1);
    await rig.rabbit.endMemoryAlarm();
    await channel.waitForConfirms();
    expect(isConfirmed).toBe(true);
    expect(await rig.spans.named(`send ${rig.queue}`)).toHaveLength(2);
  });

  it("a broker that is killed takes back what was in flight; what was being published is an error", async () => {
    const producer = await declared();
    const consumer = await declared();
    const inbox = new Inbox();
    await consumer.consume(rig.queue, inbox.put);
    await inTime(
      "the broker's confirmation",
      withCorrelationId("request 8", () => sent(producer)),
    );
    await inTime("the delivery", inbox.next());
    expect(await rig.read("queue.inflight")).toBe(1);
    const ended = Promise.all([closed(producer), closed(consumer)]);
    const confirms: Promise<unknown>[] = [];
    const killed = rig.rabbit.kill();
    while (confirms.length < 50) {
      confirms.push(
        new Promise((resolve) => producer.sendToQueue(rig.queue, BODY, { persistent: true }, resolve)),
      );
    }
    await inTime("the broker's end", killed);
    await inTime("the end of both channels", ended);
    const results = await inTime("what became of the messages", Promise.all(confirms));
    const failed = results.filter((result) => result !== null).length;
    expect(failed).toBeGreaterThan(0);
    expect(() => producer.sendToQueue(rig.queue, BODY)).toThrow("Channel closed");
    const spans = await rig.spans.named(`send ${rig.queue}`);
    expect(spans).toHaveLength(52);
    const wrong = spans.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(wrong).toHaveLength(failed + 1);
    expect(await rig.read("queue.inflight")).toBe(0);
    await rig.rabbit.start();
    const again = await inTime("a channel of the new broker", declared());
    // Without this one would wait for a message of a channel that is no more.
    const end = closed(again).then(() => Promise.reject(new Error("the new channel was closed")));
    const id = new Promise((resolve) => {
      void again.consume(rig.queue, (message) => {
        again.ack(message!);
        if (String(message!.content) === "0") resolve(currentCorrelationId());
      });
    });
    expect(await inTime("the message, once more,", Promise.race([id, end]))).toBe("request 8");
  });
});
