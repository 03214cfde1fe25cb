import { context, propagation, ROOT_CONTEXT, SpanStatusCode } from "@opentelemetry/api";
import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { describe, expect, it } from "vitest";
import { currentCorrelationId, withCorrelationId } from "../../../src/index.js";
import { BODY, Inbox, linksOf, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

describe.skipIf(!hasRabbitMQ())("a message by amqplib", () => {
  const rig = new Rig();

  const { declared, sent } = rig;

  it("takes trace, baggage and correlation ID to its consumer, whose span is linked", async () => {
    const channel = await declared();
    const seen: unknown[] = [];
    const inbox = new Inbox();
    await channel.consume(rig.queue, (message) => {
      const baggage = propagation.getBaggage(context.active());
      seen.push(currentCorrelationId(), baggage?.getEntry("tenant")?.value);
      channel.ack(message!);
      inbox.put(message);
    });
    const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
    context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
      withCorrelationId("request 7", () => channel.sendToQueue(rig.queue, BODY)),
    );
    const message = await inbox.next();
    await channel.waitForConfirms();
    expect(seen).toEqual(["request 7", "acme"]);
    expect(message.content).toEqual(BODY);
    const send = await rig.spans.only(`send ${rig.queue}`);
    const process = await rig.spans.only(`process ${rig.queue}`);
    expect(linksOf(process)).toEqual([send.spanContext().spanId]);
    expect(send.attributes).toMatchObject({
      "messaging.system.name": "rabbitmq",
      "messaging.destination.name": rig.queue,
      "server.address": "127.0.0.1",
      "server.port": rig.rabbit.port,
    });
    expect(process.attributes).toMatchObject({
      "queue.attempt": 1,
      "messaging.rabbitmq.message.delivery_tag": 1,
    });
    expect(await rig.read("queue.enqueued")).toBe(1);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(await rig.read("queue.inflight")).toBe(0);
  });

  it("has options and headers that amqplib reads from a prototype", async () => {
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    const headers = Object.create({ shop: "Oslo" });
    const options = Object.create(Object.freeze({ headers: null, type: "order", persistent: true }));
    options.messageId = "m 1";
    channel.sendToQueue(rig.queue, BODY, options);
    channel.sendToQueue(rig.queue, BODY, { headers });
    const first = await inbox.next();
    expect(first.properties).toMatchObject({ type: "order", messageId: "m 1", deliveryMode: 2 });
    expect(first.properties.headers).toHaveProperty("traceparent");
    expect((await inbox.next()).properties.headers).toMatchObject({
      shop: "Oslo",
      traceparent: expect.any(String),
    });
  });

  it("of a user who sends a traceparent keeps that; sent on with the headers it came with, it has a new one", async () => {
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    const mine = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    channel.sendToQueue(rig.queue, BODY, { headers: { traceparent: mine } });
    expect((await inbox.next()).properties.headers!.traceparent).toBe(mine);
    channel.sendToQueue(rig.queue, BODY);
    const first = await inbox.next();
    channel.sendToQueue(rig.queue, BODY, { headers: first.properties.headers });
    const again = await inbox.next();
    expect(again.properties.headers!.traceparent).not.toBe(first.properties.headers!.traceparent);
    const spans = await until(
      () => rig.spans.named(`send ${rig.queue}`),
      (all) => all.length === 3,
    );
    expect(again.properties.headers!.traceparent).toContain(spans[2]!.spanContext().spanId);
  });

  it("that just fits into amqplib's buffer goes out without the carrier, which is counted", async () => {
    const channel = await declared();
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    // 65,536 bytes: the table's length, the name and its length, the kind, the text's length, and the text.
    const headers = { big: "x".repeat(65_536 - 4 - 4 - 1 - 4) };
    expect(() => channel.sendToQueue(rig.queue, BODY, { headers: { big: `${headers.big}x` } })).toThrow(
      RangeError,
    );
    channel.sendToQueue(rig.queue, BODY, { headers });
    const { properties } = await inbox.next();
    expect(properties.headers).toEqual(headers);
    await channel.waitForConfirms();
    expect(await rig.read("queue.context.lost", { "queue.where": "too_large" })).toBe(1);
    expect(await rig.read("queue.enqueued")).toBe(1);
    const spans = await rig.spans.named(`send ${rig.queue}`);
    expect(spans.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
  });

  it("that just fits into a small frame goes out without the carrier, where the broker would close the connection", async () => {
    const { connect } = await import("amqplib");
    const connection = await connect(`${rig.rabbit.url}?frameMax=8192`);
    rig.finally(() => connection.close());
    const channel = await rig.channel({}, connection);
    await channel.assertQueue(rig.queue);
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    const headers = { big: "x".repeat(8_100) };
    channel.sendToQueue(rig.queue, BODY, { headers });
    expect((await inbox.next()).properties.headers).toEqual(headers);
    channel.sendToQueue(rig.queue, BODY, { headers: { big: "small" } });
    expect((await inbox.next()).properties.headers).toHaveProperty("traceparent");
  });

  it("that can't be encoded fails in amqplib's words, and as many arguments arrive as were given", async () => {
    const channel = await declared();
    const bad = [
      { headers: "text" },
      { headers: 5 },
      { messageId: 7 },
      {
        get headers() {
          throw new Error("mine");
        },
      },
    ];
    const bare = await (await rig.connect()).createConfirmChannel();
    for (const options of bad) {
      const messageOf = (each: ConfirmChannel) => {
        try {
          each.sendToQueue(rig.queue, BODY, options as never);
        } catch (error) {
          return String(error);
        }
        return undefined;
      };
      expect(messageOf(channel)).toBe(messageOf(bare));
      expect(messageOf(channel)).toBeTypeOf("string");
    }
    expect(() => channel.sendToQueue(rig.queue, "no buffer" as never)).toThrow("content is not a buffer");
    expect(await rig.read("queue.enqueued")).toBe(0);
    expect([channel.publish.length, channel.ack.name]).toEqual([5, "ack"]);
  });

  it("ends its span when the broker has confirmed it, and then calls the user's callback", async () => {
    const channel = await declared();
    const results = await new Promise<unknown[]>((resolve) => {
      channel.sendToQueue(rig.queue, BODY, {}, (...args) => resolve(args));
      void rig.spans.spans().then((spans) => expect(spans).toEqual([]));
    });
    expect(results).toEqual([null]);
    expect((await rig.spans.only(`send ${rig.queue}`)).status.code).toBe(SpanStatusCode.UNSET);
  });

  it("that no queue takes is an error where it had to be routed, though the broker confirms it", async () => {
    const channel = await declared();
    const returned = new Promise<{ fields: unknown }>((resolve) => channel.once("return", resolve));
    const confirmed = new Promise((resolve) => {
      channel.sendToQueue(`${rig.queue}-missing`, BODY, { mandatory: true }, resolve);
    });
    channel.sendToQueue(rig.queue, BODY, { mandatory: true });
    expect((await returned).fields).toMatchObject({ replyText: "NO_ROUTE" });
    expect(await confirmed).toBe(null);
    await channel.waitForConfirms();
    const span = await rig.spans.only(`send ${rig.queue}-missing`);
    expect(span.attributes["error.type"]).toBe("NO_ROUTE");
    expect((await rig.spans.only(`send ${rig.queue}`)).status.code).toBe(SpanStatusCode.UNSET);
  });

  it("that a full queue refuses is an error, as the user's callback is told", async () => {
    const channel = await declared({}, { arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
    await sent(channel);
    const error = await new Promise((resolve) => channel.sendToQueue(rig.queue, BODY, {}, resolve));
    expect(String(error)).toContain("message nacked");
    const spans = await rig.spans.named(`send ${rig.queue}`);
    expect(spans.map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
    expect(await rig.read("queue.enqueued")).toBe(1);
  });

  it("to a named exchange counts as that of the queue that the routes name", async () => {
    const exchange = `shop-${rig.queue}`;
    const channel = await declared({ amqplib: { routes: { [`${exchange}:created`]: rig.queue } } });
    await channel.assertExchange(exchange, "direct");
    await channel.bindQueue(rig.queue, exchange, "created");
    channel.publish(exchange, "created", BODY);
    channel.publish(exchange, "elsewhere", BODY);
    await channel.waitForConfirms();
    expect(await rig.read("queue.enqueued")).toBe(1);
    const span = await rig.spans.only(`send ${exchange}:created`);
    expect(span.attributes).toMatchObject({
      "messaging.destination.name": `${exchange}:created`,
      "messaging.rabbitmq.destination.routing_key": "created",
    });
  });

  it("has a timestamp if that is asked for, and the user's if there is one", async () => {
    const channel = await declared({ amqplib: { timestamp: "set" } });
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    const before = Math.floor(Date.now() / 1_000);
    channel.sendToQueue(rig.queue, BODY);
    const { timestamp } = (await inbox.next()).properties;
    expect(timestamp).toBeGreaterThanOrEqual(before);
    channel.sendToQueue(rig.queue, BODY, { timestamp: 5 });
    expect((await inbox.next()).properties.timestamp).toBe(5);
  });

  it("leaves RPC over direct reply-to as it is: the reply's consumer is in the caller's correlation", async () => {
    const channel = await declared();
    const server = await rig.channel();
    await server.consume(rig.queue, (message) => {
      const { replyTo, correlationId } = message!.properties;
      server.sendToQueue(replyTo, Buffer.from(`${correlationId} ${currentCorrelationId()}`), {
        correlationId,
      });
      server.ack(message!);
    });
    const reply = new Promise<[ConsumeMessage, unknown]>((resolve) => {
      void channel.consume(
        "amq.rabbitmq.reply-to",
        (message) => resolve([message!, currentCorrelationId()]),
        {
          noAck: true,
        },
      );
    });
    withCorrelationId("request 9", () =>
      channel.sendToQueue(rig.queue, BODY, { replyTo: "amq.rabbitmq.reply-to", correlationId: "call 1" }),
    );
    const [message, id] = await reply;
    expect(message.properties.correlationId).toBe("call 1");
    expect(String(message.content)).toBe("call 1 request 9");
    expect(id).toBe("request 9");
    const names = (await rig.spans.spans()).map(({ name }) => name);
    expect(names.join()).not.toContain("amq.");
  });
});
