import { SpanStatusCode } from "@opentelemetry/api";
import { type AmqpConnectionManager, type ChannelWrapper, connect } from "amqp-connection-manager";
import type { Channel, ConfirmChannel, Message } from "amqplib";
import { describe, expect, it } from "vitest";
import { currentCorrelationId, withCorrelationId } from "../../../src/index.js";
import { signal } from "../../support/telemetry-capture.js";
import { BODY, Inbox, linksOf, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

describe.skipIf(!hasRabbitMQ())("a message by amqp-connection-manager", () => {
  const rig = new Rig();

  function manager(name = "manager", url = rig.rabbit.url): AmqpConnectionManager {
    const it = connect([url], {
      heartbeatIntervalInSeconds: 30,
      reconnectTimeInSeconds: 0.05,
      connectionOptions: { clientProperties: { connection_name: name } },
    });
    rig.finally(() => it.close());
    return it;
  }

  function wrapper(
    from = manager(),
    options: Parameters<AmqpConnectionManager["createChannel"]>[0] = {},
  ): ChannelWrapper {
    const setup = (channel: Channel) => channel.assertQueue(rig.queue);
    return rig.instrument(from.createChannel({ setup, ...options }));
  }

  const ended = (name: string, count: number) =>
    until(
      () => rig.spans.named(`${name} ${rig.queue}`),
      (all) => all.length === count,
    );

  it("keeps the context of its publish, also of one before there is a connection", async () => {
    const channel = wrapper();
    const ids: unknown[] = [];
    const done = signal();
    await channel.consume(rig.queue, (message) => {
      ids.push(currentCorrelationId());
      channel.ack(message);
      if (ids.length === 2) done.give();
    });
    const early = withCorrelationId("request 1", () =>
      channel.sendToQueue(rig.queue, BODY, { persistent: true }),
    );
    await channel.waitForConnect();
    const late = withCorrelationId("request 2", () => channel.publish("", rig.queue, BODY));
    expect(await Promise.all([early, late])).toEqual([true, true]);
    await done.promise;
    expect(ids).toEqual(["request 1", "request 2"]);
    const sends = await ended("send", 2);
    const processes = await ended("process", 2);
    expect(processes.flatMap(linksOf)).toEqual(sends.map((span) => span.spanContext().spanId));
    expect(await rig.read("queue.enqueued")).toBe(2);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(2);
  });

  it("with JSON, callbacks and options of its own is as without us", async () => {
    const channel = wrapper(manager(), { json: true });
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { noAck: true });
    const options = Object.freeze({
      correlationId: "mine",
      headers: Object.freeze({ shop: "Oslo" }),
      timeout: 60_000,
    });
    const result = await new Promise((resolve) => {
      const returned: unknown = channel.sendToQueue(rig.queue, { cup: 1 }, options, (...args) =>
        resolve(args),
      );
      expect(returned).toBe(null);
    });
    expect(result).toEqual([null, true]);
    const { content, properties } = await inbox.next();
    expect(JSON.parse(String(content))).toEqual({ cup: 1 });
    expect(properties).toMatchObject({ correlationId: "mine", headers: { shop: "Oslo" } });
    expect(properties.headers).toHaveProperty("traceparent");
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(() => channel.sendToQueue(rig.queue, cyclic)).toThrow("circular");
    await expect(channel.publish("", rig.queue, cyclic)).rejects.toThrow("circular");
    const sends = await ended("send", 3);
    expect(sends.map(({ status }) => status.code)).toEqual([
      SpanStatusCode.UNSET,
      SpanStatusCode.ERROR,
      SpanStatusCode.ERROR,
    ]);
  });

  it("is consumed by a set-up that does so at once", async () => {
    const inbox = new Inbox();
    const ids: unknown[] = [];
    const channel = wrapper(manager(), {
      setup: (raw: ConfirmChannel) =>
        Promise.all([
          raw.assertQueue(rig.queue),
          raw.consume(rig.queue, (message) => {
            ids.push(currentCorrelationId());
            raw.ack(message!);
            inbox.put(message);
          }),
        ]),
    });
    await withCorrelationId("request 3", () => channel.sendToQueue(rig.queue, BODY));
    await inbox.next();
    expect(ids).toEqual(["request 3"]);
    await ended("process", 1);
  });

  it("published by a set-up on the raw channel is sent once", async () => {
    const channel = wrapper(manager(), {
      setup: async (raw: ConfirmChannel) => {
        await raw.assertQueue(rig.queue);
        raw.sendToQueue(rig.queue, BODY);
        await raw.waitForConfirms();
      },
    });
    await channel.waitForConnect();
    await channel.sendToQueue(rig.queue, BODY);
    await ended("send", 2);
    expect(await rig.read("queue.enqueued")).toBe(2);
  });

  it("that just fits goes out without the carrier, and its promise is fulfilled", async () => {
    const channel = wrapper();
    await channel.waitForConnect();
    const failed: unknown[] = [];
    channel.on("error", (error) => failed.push(error));
    const headers = { big: "x".repeat(65_536 - 4 - 4 - 1 - 4) };
    expect(await channel.sendToQueue(rig.queue, BODY, { headers })).toBe(true);
    const message = await channel.get(rig.queue, { noAck: true });
    expect((message as Message).properties.headers).toEqual(headers);
    expect(failed).toEqual([]);
    expect(await rig.read("queue.context.lost", { "queue.where": "too_large" })).toBe(1);
  });

  it("without acknowledgement is over when its handler is, which the wrapper keeps to itself", async () => {
    const channel = wrapper();
    const [came, over] = [signal(), signal()];
    await channel.consume(
      rig.queue,
      async () => {
        came.give();
        await over.promise;
      },
      { noAck: true },
    );
    await channel.sendToQueue(rig.queue, BODY);
    await came.promise;
    expect(await rig.read("queue.inflight")).toBe(1);
    expect(await rig.spans.named(`process ${rig.queue}`)).toEqual([]);
    over.give();
    await ended("process", 1);
    expect(await rig.read("queue.inflight")).toBe(0);
  });

  it("whose connection is cut is delivered again; nothing is left in flight, and a stale acknowledgement is told", async () => {
    const name = `cut-${rig.queue}`;
    const channel = wrapper(manager(name));
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put);
    const sender = await rig.channel();
    await sender.assertQueue(rig.queue);
    await withCorrelationId("request 4", async () => {
      for (let i = 0; i < 2; i++) sender.sendToQueue(rig.queue, BODY);
      await sender.waitForConfirms();
    });
    const old = [await inbox.next(), await inbox.next()];
    expect(await rig.read("queue.inflight")).toBe(2);
    await rig.rabbit.cut(name);
    const again = [await inbox.next(), await inbox.next()];
    expect(again.map(({ fields }) => fields.redelivered)).toEqual([true, true]);
    expect(await rig.read("queue.inflight")).toBe(2);
    expect(await rig.read("queue.redelivered")).toBe(2);
    channel.ack(old[1]!);
    expect(await rig.read("queue.settle.stale")).toBe(1);
    expect(await rig.read("queue.inflight")).toBe(2);
    channel.ack(again[0]!);
    expect(await rig.read("queue.inflight")).toBe(1);
  });

  it("published while the broker is away comes when it is back, and its span lasts that long", async () => {
    const channel = wrapper();
    await channel.waitForConnect();
    const gone = new Promise((resolve) => channel.once("close", resolve));
    await rig.rabbit.kill();
    const sent = withCorrelationId("request 5", () =>
      channel.sendToQueue(rig.queue, BODY, { persistent: true }),
    );
    expect(await rig.spans.named(`send ${rig.queue}`)).toEqual([]);
    await rig.rabbit.start();
    expect(await sent).toBe(true);
    const ids: unknown[] = [];
    const inbox = new Inbox();
    await channel.consume(rig.queue, (message) => {
      ids.push(currentCorrelationId());
      channel.ack(message);
      inbox.put(message);
    });
    await inbox.next();
    expect(ids).toEqual(["request 5"]);
    await ended("send", 1);
    await channel.close();
    await gone;
  });

  it("that is given up after a timeout is an error, and its rejection reaches the user", async () => {
    const channel = wrapper(manager("nowhere", "amqp://127.0.0.1:1"));
    await expect(channel.sendToQueue(rig.queue, BODY, { timeout: 50 })).rejects.toThrow("timeout");
    const [span] = await ended("send", 1);
    expect(span!.status.code).toBe(SpanStatusCode.ERROR);
  });
});
