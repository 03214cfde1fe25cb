import { type ConfirmChannel, connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { type BreachReport, Watchdog } from "../../../src/index.js";
import { Inbox, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

const BODY = Buffer.from("coffee");
const SLA = { default: { targetMs: 500 } };

describe.skipIf(!hasRabbitMQ())("the watchdog on RabbitMQ", () => {
  const rig = new Rig();

  /** A watched channel with this test's queue, and the reports of its breaches. */
  async function watched(name = "watched", sla = SLA) {
    const connection = await rig.connect(name);
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => {});
    const { management, url } = rig.rabbit;
    rig.instrument(channel, {
      amqplib: { connect: () => connect(url), management },
      queues: { [rig.queue]: { sla } },
      poll: { everyMs: 200 },
    });
    await channel.assertQueue(rig.queue);
    const watchdog = new Watchdog({ everyMs: 100, minReportIntervalMs: 300, print: false })
      .watch(channel)
      .start();
    rig.finally(() => watchdog.stop());
    const reports: BreachReport[] = [];
    watchdog.on("breach", (report) => reports.push(report));
    return { connection, channel, reports };
  }

  const send = async (channel: ConfirmChannel, count: number) => {
    for (let i = 0; i < count; i++) channel.sendToQueue(rig.queue, BODY);
    await channel.waitForConfirms();
  };

  /** The first sentence with which a report names the cause. */
  async function sentence(reports: readonly BreachReport[], cause: string): Promise<string> {
    const find = () =>
      reports.flatMap(({ verdicts }) => verdicts).find(({ name }) => name === cause)?.sentence;
    return (await until(find))!;
  }

  it("says that there is no consumer", async () => {
    const { channel, reports } = await watched();
    await send(channel, 3);
    expect(await sentence(reports, "no-consumer")).toContain("the broker knows of no consumer: 3 messages");
  });

  it("says so of a consumer that the broker has cancelled", async () => {
    const { channel, reports } = await watched();
    const cancelled = new Promise<void>((resolve) => {
      void channel.consume(rig.queue, (message) => message ?? resolve());
    });
    await channel.deleteQueue(rig.queue);
    await cancelled;
    await channel.assertQueue(rig.queue);
    await send(channel, 1);
    expect(await sentence(reports, "no-consumer")).toContain("it cancelled that of this process");
  });

  it("says that all that the prefetch allows is in flight", async () => {
    const { channel, reports } = await watched();
    await channel.prefetch(2);
    await channel.consume(rig.queue, () => {});
    await send(channel, 5);
    expect(await sentence(reports, "consumers-saturated")).toContain("2 of 2 messages");
  });

  it("says that the broker takes nothing, for a memory alarm", async () => {
    const { channel, reports } = await watched();
    await channel.prefetch(1);
    await channel.consume(rig.queue, () => {});
    await send(channel, 2);
    await rig.rabbit.raiseMemoryAlarm();
    try {
      expect(await sentence(reports, "broker-blocked")).toContain("memory alarm");
    } finally {
      await rig.rabbit.endMemoryAlarm();
    }
  });

  it("says that deliveries are acknowledged whose channel is gone", async () => {
    const name = `cut-${rig.queue}`;
    const { channel } = await watched(name);
    const inbox = new Inbox();
    await channel.consume(rig.queue, inbox.put);
    await send(channel, 2);
    const old = await inbox.next();
    const end = new Promise((resolve) => channel.once("close", resolve));
    await rig.rabbit.cut(name);
    await end;
    const { channel: next, reports } = await watched();
    await next.prefetch(1);
    const again = new Inbox();
    await next.consume(rig.queue, again.put);
    await again.next();
    next.ack(old);
    await send(next, 3);
    expect(await sentence(reports, "stale-settle")).toContain("channel was gone");
  });

  it("says that a message comes back again and again", async () => {
    const { channel, reports } = await watched();
    await channel.prefetch(1);
    await channel.consume(rig.queue, (message) => channel.nack(message!));
    await send(channel, 3);
    await until(
      () => reports.flatMap(({ verdicts }) => verdicts.map(({ name }) => name)),
      (names) => names.some((name) => name === "poison-item" || name === "redelivery-storm"),
    );
  });

  it("is silent where all is well", async () => {
    // On a crowded machine half a second is soon lost.
    const { channel, reports } = await watched("healthy", { default: { targetMs: 20_000 } });
    await channel.prefetch(10);
    let taken = 0;
    await channel.consume(rig.queue, (message) => {
      channel.ack(message!);
      taken++;
    });
    for (let i = 0; i < 40; i++) {
      await send(channel, 5);
      await until(() => taken === 5 * (i + 1));
    }
    expect(reports.map(String)).toEqual([]);
  });
});
