import { SpanStatusCode, trace } from "@opentelemetry/api";
import { Connection, ConsumerStatus } from "rabbitmq-client";
import { describe, expect, it } from "vitest";
import { amqplib, handleMessage } from "../../../src/amqplib.js";
import { currentCorrelationId, withCorrelationId } from "../../../src/index.js";
import { signal } from "../../support/telemetry-capture.js";
import { linksOf, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

describe.skipIf(!hasRabbitMQ())("a message by rabbitmq-client", () => {
  const rig = new Rig();

  function bare(name = "client"): Connection {
    const connection = new Connection({
      url: rig.rabbit.url,
      connectionName: name,
      retryLow: 50,
      retryHigh: 200,
    });
    connection.on("error", () => {});
    rig.finally(() => connection.unsafeDestroy());
    return connection;
  }

  const connected = (name?: string) => rig.instrument(bare(name));

  const ended = (name: string, count: number) =>
    until(
      () => rig.spans.named(`${name} ${rig.queue}`),
      (all) => all.length === count,
    );

  it("takes context to a consumer's handler, and is settled by what that returns", async () => {
    const connection = connected();
    const publisher = connection.createPublisher({ confirm: true, queues: [{ queue: rig.queue }] });
    await withCorrelationId("request 1", () =>
      publisher.send(
        Object.freeze({ routingKey: rig.queue, headers: Object.freeze({ shop: "Oslo" }) }),
        "coffee",
      ),
    );
    const seen: unknown[] = [];
    const statuses = [ConsumerStatus.REQUEUE, undefined];
    const consumer = connection.createConsumer({ queue: rig.queue, concurrency: 1 }, async (message) => {
      await Promise.resolve();
      seen.push(currentCorrelationId(), message.headers?.shop, message.body);
      return statuses.shift();
    });
    const processes = await ended("process", 2);
    await consumer.close();
    expect(seen).toEqual(["request 1", "Oslo", "coffee", "request 1", "Oslo", "coffee"]);
    const send = await rig.spans.only(`send ${rig.queue}`);
    expect(processes.map(linksOf)).toEqual([[send.spanContext().spanId], [send.spanContext().spanId]]);
    expect(processes.map(({ attributes }) => attributes["queue.attempt"])).toEqual([1, 2]);
    expect(await rig.read("queue.enqueued")).toBe(1);
    expect(await rig.read("queue.retried")).toBe(1);
    expect(await rig.read("queue.completed", { "queue.outcome": "success" })).toBe(1);
    expect(await rig.read("queue.inflight")).toBe(0);
  });

  it("whose handler throws is refused by the consumer, whose error event is as without us", async () => {
    const connection = connected();
    const publisher = connection.createPublisher({ confirm: true, queues: [{ queue: rig.queue }] });
    await publisher.send(rig.queue, { cup: 1 });
    const error = new Error("no beans");
    const consumer = connection.createConsumer({ queue: rig.queue, requeue: false }, async () => {
      throw error;
    });
    expect(await new Promise((resolve) => consumer.once("error", resolve))).toBe(error);
    const [span] = await ended("process", 1);
    expect(span!.status.code).toBe(SpanStatusCode.ERROR);
    expect(await rig.read("queue.completed", { "queue.outcome": "failure" })).toBe(1);
    await consumer.close();
  });

  it("that fits only without the carrier goes out without it, where the channel would be closed", async () => {
    const connection = connected();
    const publisher = connection.createPublisher({ confirm: true, queues: [{ queue: rig.queue }] });
    const headers = { big: "x".repeat(8_100) };
    await publisher.send({ routingKey: rig.queue, headers }, "coffee");
    const message = await connection.basicGet({ queue: rig.queue, noAck: true });
    expect(message!.headers).toEqual(headers);
    expect(await rig.read("queue.context.lost", { "queue.where": "too_large" })).toBe(1);
    await publisher.send({ routingKey: rig.queue, headers: new Map([["shop", "Oslo"]]) as never }, "coffee");
    const next = await connection.basicGet({ queue: rig.queue, noAck: true });
    expect(next!.headers).toMatchObject({ shop: "Oslo", traceparent: expect.any(String) });
  });

  it("that no queue takes is an error where it had to be routed; what fails is the user's to handle", async () => {
    const connection = connected();
    const publisher = connection.createPublisher({ confirm: true });
    const missing = `${rig.queue}-missing`;
    await publisher.send({ routingKey: missing, mandatory: true }, "coffee");
    const [span] = await until(
      () => rig.spans.named(`send ${missing}`),
      (all) => all.length === 1,
    );
    expect(span!.attributes["error.type"]).toBe("NO_ROUTE");
    await expect(
      publisher.send({ exchange: `${missing}-exchange`, routingKey: "a" }, "coffee"),
    ).rejects.toThrow("no exchange");
  });

  it("by RPC finds its way there and back, with both IDs", async () => {
    const connection = connected();
    const consumer = connection.createConsumer({ queue: rig.queue }, async (_, reply) => {
      await reply(currentCorrelationId());
    });
    await new Promise((resolve) => consumer.once("ready", resolve));
    const rpc = connection.createRPCClient({ confirm: true });
    const response = await withCorrelationId("request 2", () => rpc.send(rig.queue, "coffee"));
    expect(response.body).toBe("request 2");
    await rpc.close();
    await consumer.close();
    expect((await rig.spans.spans()).map(({ name }) => name).join()).not.toContain("amq.");
  });

  it("on a raw channel, and by get, is settled by its tag", async () => {
    const connection = connected();
    const channel = await connection.acquire();
    rig.finally(() => channel.close());
    await channel.queueDeclare(rig.queue);
    await channel.confirmSelect();
    for (let i = 0; i < 3; i++) await channel.basicPublish(rig.queue, `${i}`);
    const got = await channel.basicGet(rig.queue);
    const traceId = handleMessage(got!, () => trace.getActiveSpan()?.spanContext().traceId);
    expect(traceId).toBeTypeOf("string");
    const came = signal();
    let count = 0;
    await channel.basicConsume({ queue: rig.queue }, () => {
      if (++count === 2) came.give();
    });
    await came.promise;
    expect(await rig.read("queue.inflight")).toBe(3);
    channel.basicAck({ deliveryTag: got!.deliveryTag });
    expect(await rig.read("queue.inflight")).toBe(2);
    channel.basicNack({ deliveryTag: 0, multiple: true, requeue: false });
    expect(await rig.read("queue.inflight")).toBe(0);
    expect(await rig.read("queue.completed", { "queue.outcome": "failure" })).toBe(2);
  });

  it("whose connection is cut comes again, and nothing is left in flight", async () => {
    const name = `cut-${rig.queue}`;
    const connection = connected(name);
    const publisher = bare().createPublisher({ confirm: true, queues: [{ queue: rig.queue }] });
    await publisher.send(rig.queue, "coffee");
    const [first, second, over] = [signal(), signal(), signal()];
    let count = 0;
    const consumer = connection.createConsumer({ queue: rig.queue }, async () => {
      (++count === 1 ? first : second).give();
      await over.promise;
    });
    consumer.on("error", () => {});
    await first.promise;
    expect(await rig.read("queue.inflight")).toBe(1);
    await rig.rabbit.cut(name);
    await until(
      () => rig.read("queue.inflight"),
      (inFlight) => inFlight === 0,
    );
    over.give();
    await second.promise;
    await until(
      () => rig.read("queue.completed", { "queue.outcome": "success" }),
      (done) => done === 1,
    );
    expect(await rig.read("queue.redelivered")).toBe(1);
    expect(await rig.read("queue.inflight")).toBe(0);
    await consumer.close();
  });

  it("is counted by the broker, asked on a connection of rabbitmq-client's", async () => {
    const publisher = bare().createPublisher({ confirm: true, queues: [{ queue: rig.queue }] });
    await publisher.send(rig.queue, "coffee");
    const adapter = amqplib({ connect: () => new Connection(rig.rabbit.url) });
    const ask = (queue: string) => adapter.poll!(queue, AbortSignal.timeout(60_000));
    expect(await ask(rig.queue)).toMatchObject({ depth: 1, consumers: 0 });
    expect((await ask(`${rig.queue}-missing`)).depth).toBe(undefined);
    await rig.rabbit.kill();
    await expect(ask(rig.queue)).rejects.toThrow();
    await rig.rabbit.start();
    const answers = () =>
      ask(rig.queue).then(
        () => true,
        () => false,
      );
    await until(answers);
  });
});
