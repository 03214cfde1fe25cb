import { connect as manage } from "amqp-connection-manager";
import { type Channel, type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { describe, expect } from "vitest";
import { CHECKS, idleThoughConnected } from "../../../src/checks.js";
import type { WatchdogOptions } from "../../../src/index.js";
import { BODY, Inbox, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";
import { onEachRun } from "./runs.js";
import { POLL, slaOf, Watch } from "./watch.js";

/** So long that a crowded machine's pauses are not what is late. */
const TARGET_MS = 1_500;
/** For how long work is healthy, in milliseconds. */
const STEADY_MS = 3_000;

describe.skipIf(!hasRabbitMQ())("the first verdict on RabbitMQ", () => {
  const rig = new Rig();

  const how = (targetMs = TARGET_MS) => ({
    amqplib: { connect: () => connect(rig.rabbit.url), management: rig.rabbit.management },
    queues: { [rig.queue]: { sla: slaOf(targetMs) } },
    poll: POLL,
  });

  /** A channel that is asked about this test's queue, which is declared. */
  async function open(targetMs?: number): Promise<ConfirmChannel> {
    const channel = await rig.channel(how(targetMs));
    await channel.assertQueue(rig.queue);
    return channel;
  }

  function watch(client: object, options?: WatchdogOptions): Watch {
    const watch = new Watch(client, options);
    rig.finally(() => watch.stop());
    return watch;
  }

  /** From a connection that knows nothing of us. */
  async function send(count: number): Promise<void> {
    const channel = await (await rig.connect()).createConfirmChannel();
    for (let i = 0; i < count; i++) channel.sendToQueue(rig.queue, BODY);
    await channel.waitForConfirms();
    await channel.close();
  }

  onEachRun("is no-consumer where there is none", async () => {
    const watched = watch(await open());
    await send(3);
    expect(await watched.first()).toMatch(/^no-consumer: .* knows of no consumer: 3 messages/);
  });

  onEachRun("is no-consumer, and says so, where the broker has cancelled ours", async () => {
    const channel = await open();
    const cancelled = new Promise<void>((resolve) => {
      void channel.consume(rig.queue, (message) => message ?? resolve());
    });
    await channel.deleteQueue(rig.queue);
    await cancelled;
    await channel.assertQueue(rig.queue);
    const watched = watch(channel);
    await send(1);
    expect(await watched.first()).toMatch(/^no-consumer: .*; it cancelled that of this process/);
  });

  onEachRun("is consumers-saturated where all that the prefetch allows is in flight", async () => {
    const channel = await open();
    await channel.prefetch(2);
    await channel.consume(rig.queue, () => {});
    // Management tells of consumers some seconds later.
    const watched = watch(channel, { minReportIntervalMs: 500 });
    await send(5);
    await watched.says(/^consumers-saturated: 2 of 2 messages/);
  });

  onEachRun(
    "is idle-though-connected where another queue has used up what the channel may have",
    async () => {
      const channel = await open();
      await channel.assertQueue(`${rig.queue}-other`);
      await channel.prefetch(1, true);
      const inbox = new Inbox();
      await channel.consume(`${rig.queue}-other`, inbox.put);
      await channel.consume(rig.queue, () => {});
      channel.sendToQueue(`${rig.queue}-other`, BODY);
      await inbox.next();
      const watched = watch(channel, { checks: [idleThoughConnected({ minMs: 1_000 }), ...CHECKS] });
      await send(3);
      expect(await watched.first()).toMatch(/^idle-though-connected: 1 consumer is connected/);
    },
  );

  /** Gives each message back, a little later. */
  async function giveBack(channel: Channel): Promise<void> {
    let isOpen = true;
    rig.finally(() => {
      isOpen = false;
    });
    await channel.consume(rig.queue, (message) => {
      setTimeout(() => isOpen && channel.nack(message as ConsumeMessage), 30);
    });
  }

  onEachRun("is poison-item where one message is given back again and again, before all others", async () => {
    const channel = await open(TARGET_MS);
    await channel.prefetch(1);
    await giveBack(channel);
    const watched = watch(channel);
    for (let i = 0; i < 4; i++) channel.sendToQueue(rig.queue, BODY);
    expect(await watched.first()).toMatch(/^poison-item: /);
  });

  onEachRun("is redelivery-storm where all messages are given back", async () => {
    const channel = await open();
    await channel.prefetch(10);
    await giveBack(channel);
    const watched = watch(channel);
    await send(30);
    expect(await watched.first()).toMatch(/^redelivery-storm: /);
  });

  onEachRun("is stale-settle where an old delivery is acknowledged after a reconnect", async () => {
    const name = `cut-${rig.queue}`;
    const manager = manage([rig.rabbit.url], {
      reconnectTimeInSeconds: 0.05,
      connectionOptions: { clientProperties: { connection_name: name } },
    });
    rig.finally(() => manager.close());
    const setup = (channel: Channel) => channel.assertQueue(rig.queue);
    const channel = rig.instrument(manager.createChannel({ setup }), how());
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put, { prefetch: 1 });
    // Until then there is no such queue, and what is sent there is lost.
    await channel.waitForConnect();
    await send(1);
    const old = await inbox.next();
    await rig.rabbit.cut(name);
    // It comes again, on the new channel.
    await inbox.next();
    channel.ack(old);
    const watched = watch(channel);
    await send(4);
    expect(await watched.first()).toMatch(/^stale-settle: /);
  });

  onEachRun(
    "is stale-settle where an old delivery is acknowledged on another channel of amqplib's",
    async () => {
      const name = `cut-${rig.queue}`;
      const channel = await rig.channel(how(), await rig.connect(name));
      await channel.assertQueue(rig.queue);
      const inbox = new Inbox();
      await channel.consume(rig.queue, inbox.put);
      await send(2);
      const old = await inbox.next();
      const end = new Promise((resolve) => channel.once("close", resolve));
      await rig.rabbit.cut(name);
      await end;
      const next = await open();
      await next.prefetch(1);
      const again = new Inbox();
      await next.consume(rig.queue, again.put);
      await again.next();
      next.ack(old);
      const watched = watch(next);
      await send(3);
      expect(await watched.first()).toMatch(/^stale-settle: .*channel was gone/);
    },
  );

  onEachRun("is none while all is well: steady load, bursts, delays and retries", async () => {
    // On a crowded machine a second is soon lost.
    const channel = await open(15_000);
    const delays = `${rig.queue}-delays`;
    await channel.assertQueue(delays, {
      arguments: {
        "x-message-ttl": 300,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": rig.queue,
      },
    });
    await channel.prefetch(20);
    let done = 0;
    await channel.consume(rig.queue, (message) => {
      const { fields, properties } = message!;
      const isFlaky = properties.type === "flaky" && !fields.redelivered;
      setTimeout(() => {
        if (isFlaky) channel.nack(message!);
        else channel.ack(message!);
        if (!isFlaky) done++;
      }, 5);
    });
    const watched = watch(channel);
    const end = performance.now() + STEADY_MS;
    let sent = 0;
    for (let i = 1; performance.now() < end; i++) {
      for (let k = 0; k < 20; k++) channel.sendToQueue(rig.queue, BODY);
      for (let k = 0; k < 2; k++) channel.sendToQueue(delays, BODY);
      channel.sendToQueue(rig.queue, BODY, { type: "flaky" });
      if (i % 20 === 0) await send(300);
      sent += 23 + (i % 20 === 0 ? 300 : 0);
      // Those that are delayed come later.
      await until(() => done >= sent - 2 * i);
    }
    await until(() => done === sent);
    expect(watched.reports.map(String)).toEqual([]);
  });

  onEachRun("is broker-blocked where the broker has too little memory", async () => {
    const channel = await open(3_000);
    await channel.prefetch(1);
    await channel.consume(rig.queue, () => {});
    await send(2);
    const watched = watch(channel, { minReportIntervalMs: 500 });
    await rig.rabbit.raiseMemoryAlarm();
    try {
      await watched.says(/^broker-blocked: .*memory alarm/);
    } finally {
      await rig.rabbit.endMemoryAlarm();
    }
  });
});
