import { trace } from "@opentelemetry/api";
import * as callbackApi from "amqplib/callback_api";
import { describe, expect, it } from "vitest";
import { handleMessage } from "../../../src/amqplib.js";
import { currentCorrelationId, withCorrelationId } from "../../../src/index.js";
import { signal } from "../../support/telemetry-capture.js";
import { BODY, Inbox, linksOf, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

describe.skipIf(!hasRabbitMQ())("a message that amqplib delivers", () => {
  const rig = new Rig();

  const { declared, sent } = rig;

  it("by get has a delivery, in whose context its handler can be called", async () => {
    const channel = await declared();
    await withCorrelationId("request 3", () => sent(channel));
    expect(await channel.get(`${rig.queue}`, {})).toBeTruthy();
    await sent(channel);
    const message = await channel.get(rig.queue);
    expect(message).toBeTruthy();
    if (!message) return;
    expect(await rig.read("queue.inflight")).toBe(2);
    const result = await handleMessage(message, async () => {
      await Promise.resolve();
      return [currentCorrelationId(), trace.getActiveSpan()?.spanContext().traceId];
    });
    channel.ack(message);
    expect(result[1]).toBe((await rig.spans.only(`process ${rig.queue}`)).spanContext().traceId);
    expect(await channel.get(rig.queue)).toBe(false);
    expect(handleMessage({}, () => 5)).toBe(5);
    expect(await rig.read("queue.inflight")).toBe(1);
  });

  it("without acknowledgement is over when its handler is", async () => {
    const channel = await declared();
    const over = signal();
    const came = signal();
    await channel.consume(
      rig.queue,
      async () => {
        came.give();
        await over.promise;
      },
      { noAck: true },
    );
    await sent(channel);
    await came.promise;
    expect(await rig.read("queue.inflight")).toBe(1);
    over.give();
    await until(
      () => rig.read("queue.completed", { "queue.outcome": "success" }),
      (count) => count === 1,
    );
    expect(await rig.read("queue.inflight")).toBe(0);
  });

  it("is settled as the user says: all up to it, all, again, or not any more", async () => {
    const channel = await declared({}, { deadLetterExchange: "", deadLetterRoutingKey: `${rig.queue}-dead` });
    await channel.assertQueue(`${rig.queue}-dead`);
    const inbox = new Inbox();
    const read = (name: string, attributes = {}) => rig.read(name, attributes);
    await channel.consume(rig.queue, inbox.put);
    const take = async (count: number) => {
      for (let i = 0; i < count; i++) await sent(channel);
      return Promise.all(Array.from({ length: count }, () => inbox.next()));
    };
    const three = await take(3);
    channel.ack(three[1]!, true);
    expect(await read("queue.inflight")).toBe(1);
    await take(2);
    channel.ackAll();
    expect(await read("queue.inflight")).toBe(0);
    expect(await read("queue.completed", { "queue.outcome": "success" })).toBe(5);
    const [one] = await take(1);
    channel.nack(one!);
    expect(await read("queue.retried")).toBe(1);
    const again = await inbox.next();
    channel.reject(again, false);
    expect(await read("queue.dead.lettered")).toBe(1);
    expect(await read("queue.inflight")).toBe(0);
    await take(2);
    channel.nackAll(false);
    expect(await read("queue.dead.lettered")).toBe(3);
    await until(
      async () => (await channel.checkQueue(`${rig.queue}-dead`)).messageCount,
      (count) => count === 3,
    );
  });

  it("is of the tier of its priority, and the most urgent one comes first", async () => {
    const channel = await rig.channel({ queues: { [rig.queue]: { tiers: { urgent: 5 } } } });
    await channel.assertQueue(rig.queue, { maxPriority: 10 });
    for (const priority of [undefined, 5, 3]) await sent(channel, priority === undefined ? {} : { priority });
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    for (let i = 0; i < 3; i++) await inbox.next();
    const spans = await until(
      () => rig.spans.named(`process ${rig.queue}`),
      (all) => all.length === 3,
    );
    expect(spans.map(({ attributes }) => attributes["queue.tier"])).toEqual(["urgent", "3", "default"]);
    expect(await rig.read("queue.enqueued", { "queue.tier": "urgent" })).toBe(1);
  });

  it("tells its attempt: exactly in a quorum queue, at least 2 when a classic one delivers it again", async () => {
    for (const [type, attempts] of [
      ["quorum", [1, 2, 3, 4]],
      ["classic", [1, 2, 2, 2]],
    ] as const) {
      const queue = `${rig.queue}-${type}`;
      const channel = await rig.channel({ queues: { [queue]: {} } });
      await channel.assertQueue(queue, { arguments: { "x-queue-type": type } });
      const inbox = new Inbox();
      await channel.consume(queue, inbox.put);
      channel.sendToQueue(queue, BODY);
      for (let i = 0; i < 4; i++) channel.nack(await inbox.next(), false, i < 3);
      const spans = await until(
        () => rig.spans.named(`process ${queue}`),
        (all) => all.length === 4,
      );
      expect(spans.map(({ attributes }) => attributes["queue.attempt"])).toEqual(attempts);
      expect(spans.map(({ attributes }) => "queue.wait_ms" in attributes)).toEqual([
        true,
        false,
        false,
        false,
      ]);
      const sentBy = (await rig.spans.only(`send ${queue}`)).spanContext().spanId;
      expect(spans.map(linksOf)).toEqual([[sentBy], [sentBy], [sentBy], [sentBy]]);
    }
    expect(await rig.read("queue.redelivered", { "queue.name": `${rig.queue}-quorum` })).toBe(3);
  });

  it("keeps context and attempts through a loop over a dead-letter queue with a TTL, whose delay is no wait", async () => {
    const channel = await declared(
      {},
      { deadLetterExchange: "", deadLetterRoutingKey: `${rig.queue}-later` },
    );
    await channel.assertQueue(`${rig.queue}-later`, {
      messageTtl: 300,
      deadLetterExchange: "",
      deadLetterRoutingKey: rig.queue,
    });
    const ids: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      void channel.consume(rig.queue, (message) => {
        ids.push(currentCorrelationId());
        if (ids.length < 4) channel.nack(message!, false, false);
        else {
          channel.ack(message!);
          resolve();
        }
      });
    });
    await withCorrelationId("request 5", () => sent(channel));
    await done;
    expect(ids).toEqual(["request 5", "request 5", "request 5", "request 5"]);
    const spans = await until(
      () => rig.spans.named(`process ${rig.queue}`),
      (all) => all.length === 4,
    );
    expect(spans.map(({ attributes }) => attributes["queue.attempt"])).toEqual([1, 2, 3, 4]);
    expect(spans.filter(({ attributes }) => "queue.wait_ms" in attributes)).toHaveLength(1);
  });

  it("sent by way of a delay queue has waited since its delay was over", async () => {
    const channel = await declared();
    await channel.assertQueue(`${rig.queue}-delay`, {
      deadLetterExchange: "",
      deadLetterRoutingKey: rig.queue,
    });
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    channel.sendToQueue(`${rig.queue}-delay`, BODY, { expiration: 2_500 });
    await inbox.next();
    const span = await until(
      () => rig.spans.named(`process ${rig.queue}`),
      (all) => all.length === 1,
    );
    expect(span[0]!.attributes["queue.wait_ms"]).toBeLessThan(1_500);
    expect(span[0]!.attributes["queue.attempt"]).toBe(1);
  });

  it("by amqplib's callback API is the same", async () => {
    const connection = await new Promise<callbackApi.Connection>((resolve, reject) => {
      callbackApi.connect(rig.rabbit.url, (error, it) => (error ? reject(error) : resolve(it)));
    });
    rig.finally(() => new Promise((resolve) => connection.close(resolve)));
    const channel = await new Promise<callbackApi.ConfirmChannel>((resolve, reject) => {
      connection.createConfirmChannel((error, it) => (error ? reject(error) : resolve(it)));
    });
    rig.instrument(channel);
    await new Promise((resolve) => channel.assertQueue(rig.queue, {}, resolve));
    const inbox = new Inbox();
    const seen: unknown[] = [];
    await new Promise((resolve) => {
      channel.consume(
        rig.queue,
        (message) => {
          seen.push(currentCorrelationId());
          channel.ack(message!);
          inbox.put(message);
        },
        {},
        resolve,
      );
    });
    withCorrelationId("request 2", () => channel.sendToQueue(rig.queue, BODY));
    await inbox.next();
    await new Promise((resolve) => channel.waitForConfirms(resolve));
    expect(seen).toEqual(["request 2"]);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(await rig.read("queue.enqueued")).toBe(1);
    const got = await new Promise((resolve) => channel.get(rig.queue, {}, (_, message) => resolve(message)));
    expect(got).toBe(false);
  });

  it("of anyone, with hostile headers, reaches its handler: what can't be ours is not taken, and counted", async () => {
    const stranger = await (await rig.connect()).createConfirmChannel();
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    const trueParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const hostile: Record<string, unknown>[] = [
      {},
      JSON.parse(`{"__proto__": {"traceparent": "${trueParent}"}}`),
      { traceparent: "00-00000000000000000000000000000000-0000000000000000-01" },
      { traceparent: trueParent.toUpperCase() },
      { traceparent: null },
      { traceparent: 42 },
      { traceparent: { a: 1 } },
      { traceparent: [trueParent] },
      { traceparent: Buffer.from([0xff, 0xfe]) },
      { baggage: Array.from({ length: 5_000 }, (_, i) => `k${i}=v`).join() },
      { "queuescope-correlation-id": "a\nb" },
      { "queuescope-correlation-id": "\ud800" },
      { "queuescope-sent-at": "soon" },
      { "x-death": "never", "x-delivery-count": "many" },
      { "x-death": [{ queue: rig.queue, reason: "rejected", count: -5 }, 7, null] },
    ];
    for (const headers of hostile) {
      stranger.sendToQueue(rig.queue, BODY, { headers });
      await inbox.next();
    }
    const spans = await until(
      () => rig.spans.named(`process ${rig.queue}`),
      (all) => all.length === hostile.length,
    );
    expect(spans.flatMap(({ links }) => links)).toEqual([]);
    expect(await rig.read("queue.telemetry.errors")).toBe(0);
    expect(await rig.read("queue.context.lost", { "queue.where": "carrier" })).toBe(5);
  });

  it("of a producer whose clock is 5 s ahead has waited for 0 s", async () => {
    const stranger = await (await rig.connect()).createConfirmChannel();
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    stranger.sendToQueue(rig.queue, BODY, { headers: { "queuescope-sent-at": String(Date.now() + 5_000) } });
    await inbox.next();
    const [span] = await until(
      () => rig.spans.named(`process ${rig.queue}`),
      (all) => all.length === 1,
    );
    expect(span!.attributes["queue.wait_ms"]).toBe(0);
  });
});
