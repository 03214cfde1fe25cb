import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { type AmqplibOptions, amqplib } from "../../../src/amqplib.js";
import type { BrokerFacts } from "../../../src/contracts/index.js";
import { BODY, Rig, until } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

/** How far the age of the oldest message may be off, in milliseconds: management counts every 5 s. */
const OFF_MS = 5_500;

const run = promisify(execFile);

describe.skipIf(!hasRabbitMQ())("RabbitMQ, asked by amqplib's adapter", () => {
  const rig = new Rig();

  /** Asks as the hub does, on a connection of its own. */
  function asker(options: "connect" | "management" | "both" = "both") {
    const { management, url } = rig.rabbit;
    const given: AmqplibOptions = {};
    if (options !== "management") {
      given.connect = async () => {
        const connection = await connect(url, { clientProperties: { connection_name: `asks-${rig.queue}` } });
        rig.finally(() => connection.close());
        return connection;
      };
    }
    if (options !== "connect") given.management = management;
    const adapter = amqplib(given);
    return (queue = rig.queue, signal = AbortSignal.timeout(60_000)) => adapter.poll!(queue, signal);
  }

  async function declared(args: object = {}) {
    const channel = await (await rig.connect(rig.queue)).createConfirmChannel();
    channel.on("error", () => {});
    await channel.assertQueue(rig.queue, { arguments: args });
    const send = async (count: number, options?: object) => {
      for (let i = 0; i < count; i++) channel.sendToQueue(rig.queue, BODY, options);
      await channel.waitForConfirms();
    };
    return { channel, send };
  }

  const ageMs = ({ oldestAt, brokerNow }: BrokerFacts) =>
    typeof oldestAt === "number" ? (brokerNow ?? Date.now()) - oldestAt : oldestAt;

  it("tells depth and consumers on a connection, and what is in flight only with management", async () => {
    const { channel, send } = await declared();
    const [byConnection, byBoth] = [asker("connect"), asker("both")];
    await send(3);
    await channel.prefetch(2);
    await channel.consume(rig.queue, () => {});
    const facts = await until(byConnection, ({ depth }) => depth === 1);
    expect(facts).toMatchObject({ depth: 1, consumers: 1, inFlight: undefined, maxInFlight: undefined });
    // Management tells of each of them at a time of its own.
    const all = await until(byBoth, ({ inFlight, maxInFlight }) => inFlight === 2 && maxInFlight === 2);
    expect(all).toMatchObject({ depth: 1, consumers: 1, blockedReason: undefined });
    const isAll = ({ depth, consumers, inFlight }: BrokerFacts) =>
      depth === 1 && consumers === 1 && inFlight === 2;
    await until(asker("management"), isAll);
  });

  it("knows nothing of a queue that isn't there, and of it once it is, or is there again", async () => {
    const ask = asker();
    const { channel, send } = await declared();
    await send(2);
    const missing = `${rig.queue}-missing`;
    expect(await ask(missing)).toEqual({});
    expect((await ask()).depth).toBe(2);
    await channel.deleteQueue(rig.queue);
    expect((await ask()).depth).toBe(undefined);
    await channel.assertQueue(rig.queue);
    expect((await ask()).depth).toBe(0);
    await channel.assertQueue(missing);
    expect((await ask(missing)).depth).toBe(0);
  });

  it("tells the age of a classic queue's oldest message from its time stamp, where nothing is in flight", async () => {
    const { channel, send } = await declared();
    await send(1, { timestamp: Math.floor(Date.now() / 1_000) - 60 });
    await send(1, { timestamp: Math.floor(Date.now() / 1_000) - 30 });
    const ask = asker();
    const facts = await until(ask, (each) => (ageMs(each) ?? 0) > 50_000);
    expect(ageMs(facts)).toBeGreaterThan(60_000 - OFF_MS);
    expect(ageMs(facts)).toBeLessThan(90_000);
    await channel.get(rig.queue, { noAck: true });
    const next = await until(ask, (each) => (ageMs(each) ?? 0) < 50_000);
    expect(ageMs(next)).toBeGreaterThan(30_000 - OFF_MS);
  });

  it("tells the age of a quorum queue's oldest message from the counts", { timeout: 600_000 }, async () => {
    const { channel } = await declared({ "x-queue-type": "quorum" });
    const sentAt: number[] = [];
    let taken = 0;
    const ask = asker();
    await ask();
    const sender = setInterval(() => {
      sentAt.push(Date.now());
      channel.sendToQueue(rig.queue, BODY);
    }, 25);
    const taker = setInterval(async () => {
      if (await channel.get(rig.queue, { noAck: true })) taken++;
    }, 50);
    const off: number[] = [];
    // Until the first ones have been waiting for several seconds.
    const poller = async () => {
      const facts = await ask();
      const real = Date.now() - (sentAt[taken] ?? Date.now());
      const told = ageMs(facts);
      if (typeof told === "number") off.push(told - real);
      return real;
    };
    await until(
      async () => {
        const real = await poller();
        await new Promise((resolve) => setTimeout(resolve, 500));
        return real;
      },
      (real) => real > 8_000,
    );
    clearInterval(sender);
    clearInterval(taker);
    console.log(`oldest age off by ${off.map((ms) => Math.round(ms)).join(", ")} ms`);
    expect(off.length).toBeGreaterThan(5);
    // Most are: on a crowded machine the broker's figures are as late as the broker.
    const near = off.filter((ms) => Math.abs(ms) < OFF_MS);
    expect(near.length).toBeGreaterThan(off.length / 2);
  });

  it("tells the age without management as long as nothing was taken, and else doesn't guess", async () => {
    const ask = asker("connect");
    const { channel, send } = await declared();
    expect((await ask()).oldestAt).toBe(null);
    const before = Date.now();
    await send(2);
    const facts = await ask();
    expect(facts.oldestAt).toBeLessThanOrEqual(Date.now());
    expect(facts.oldestAt).toBeGreaterThan(before - 5_000);
    expect((await ask()).oldestAt).toBe(facts.oldestAt);
    await channel.prefetch(1);
    await channel.consume(rig.queue, () => {});
    expect(await ask()).toMatchObject({ depth: 1, consumers: 1, oldestAt: undefined });
  });

  it("has no oldest message after a purge, nor after a TTL, and then only newer ones", async () => {
    for (const empty of ["purge", "TTL"] as const) {
      const queue = `${rig.queue}-${empty}`;
      const channel = await (await rig.connect()).createConfirmChannel();
      await channel.assertQueue(queue, empty === "TTL" ? { messageTtl: 2_000 } : {});
      const ask = asker();
      await ask(queue);
      const send = async () => {
        for (let i = 0; i < 20; i++) channel.sendToQueue(queue, BODY);
        await channel.waitForConfirms();
      };
      await send();
      await until(
        () => ask(queue),
        ({ depth }) => depth === 20,
      );
      if (empty === "purge") await channel.purgeQueue(queue);
      const facts = await until(
        () => ask(queue),
        ({ depth }) => depth === 0,
      );
      expect(facts.oldestAt).toBe(null);
      const since = Date.now();
      await send();
      const after = await ask(queue);
      expect(after.depth).toBe(20);
      const age = ageMs(after);
      expect(age === undefined || age! <= Date.now() - since + 1_500).toBe(true);
    }
  });

  it("knows no age of messages that came from another queue, which are counted nowhere", async () => {
    const { channel, send } = await declared();
    const dead = `${rig.queue}-dead`;
    await channel.assertQueue(dead);
    await channel.assertQueue(`${rig.queue}-source`, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    const ask = asker("management");
    const bury = async (count: number) => {
      for (let i = 0; i < count; i++) channel.sendToQueue(`${rig.queue}-source`, BODY);
      await channel.waitForConfirms();
      for (let i = 0; i < count; i++) {
        const message = await channel.get(`${rig.queue}-source`);
        if (message) channel.nack(message, false, false);
      }
    };
    await send(0);
    await channel.prefetch(1);
    await channel.consume(dead, () => {});
    await bury(40);
    await until(
      () => ask(dead),
      ({ inFlight, depth }) => inFlight === 1 && depth === 39,
    );
    await bury(20);
    const facts = await until(
      () => ask(dead),
      ({ depth }) => depth === 59,
    );
    expect((await ask(dead)).oldestAt).toBe(undefined);
    expect(facts.consumers).toBe(1);
  });

  it("is asked on a new connection after the old one was cut", async () => {
    const ask = asker("connect");
    await declared();
    expect((await ask()).depth).toBe(0);
    await rig.rabbit.cut(`asks-${rig.queue}`);
    await until(
      () => ask().catch(() => ({ depth: undefined })),
      ({ depth }) => depth === 0,
    );
  });

  it("that says nothing is given up at the signal, and asked on a new connection then", async () => {
    const ask = asker("connect");
    await declared();
    expect((await ask()).depth).toBe(0);
    rig.rabbit.freeze();
    const giveUp = new AbortController();
    const answer = ask(rig.queue, giveUp.signal);
    giveUp.abort();
    await expect(answer).rejects.toThrow();
    rig.rabbit.thaw();
    expect((await ask()).depth).toBe(0);
  });

  it("answers during a memory alarm, and tells of it", async () => {
    const ask = asker();
    const { send } = await declared();
    await send(2);
    expect((await ask()).depth).toBe(2);
    await rig.rabbit.raiseMemoryAlarm();
    try {
      const facts = await until(ask, ({ blockedReason }) => blockedReason !== undefined);
      expect(facts).toMatchObject({ depth: 2, blockedReason: "memory alarm" });
      const before = performance.now();
      await asker("connect")();
      console.log(
        `asked during an alarm in ${Math.round(performance.now() - before)} ms, connecting included`,
      );
    } finally {
      await rig.rabbit.endMemoryAlarm();
    }
    expect((await until(ask, ({ blockedReason }) => blockedReason === undefined)).depth).toBe(2);
  });

  it("rejects when the broker is away, and answers when it is back", async () => {
    const ask = asker();
    await declared();
    await ask();
    await rig.rabbit.kill();
    await expect(ask()).rejects.toThrow();
    await rig.rabbit.start();
    const facts = await until(
      () => ask().catch((): BrokerFacts => ({})),
      ({ depth }) => depth !== undefined,
    );
    expect(facts.depth).toBe(0);
  });

  it("is asked no more for a channel that is closed and gone", async () => {
    const { url } = rig.rabbit;
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const connection = await rig.connect();
    await (async () => {
      const channel = await connection.createChannel();
      rig.instrument(channel, { amqplib: { connect: () => connect(url) }, poll: { everyMs: 100 } });
      await channel.assertQueue(rig.queue);
      await until(
        () => rig.read("queue.depth", { "queue.scope": "shared" }),
        (depth) => depth === 0,
      );
      await channel.close();
    })();
    await until(
      () => {
        gc();
        return rig.read("queue.depth", { "queue.scope": "shared" });
      },
      (depth) => depth === undefined,
    );
  });

  /** The arguments of a Node that asks about this test's queue, prints what it hears, and ends. */
  function askingProcess(): string[] {
    const { management, url } = rig.rabbit;
    const program = ["--import", "tsx", "test/brokers/amqplib/asking-process.ts"];
    return [...program, url, JSON.stringify(management), rig.queue];
  }

  it("tells two processes that ask the same: the figures are shared, and doubled by none", async () => {
    const { send } = await declared();
    await send(7);
    const args = askingProcess();
    const both = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
    const points = both.map(({ stdout }) => JSON.parse(stdout));
    const shared = {
      attributes: { "queue.name": rig.queue, "queue.tier": "default", "queue.scope": "shared" },
      value: 7,
    };
    expect(points).toEqual([[shared], [shared]]);
  });

  it("is asked by nothing that keeps the process alive, as the one above has ended by itself", async () => {
    const { send } = await declared();
    await send(1);
    const child = execFile(process.execPath, askingProcess());
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
});
