import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument, uninstrument } from "../../../src/index.js";
import { hasRedis, RedisServer } from "../support/redis.js";
import { only, Rig, until } from "./rig.js";

const POLL = { poll: { everyMs: 200 } };
const DOWN_MS = 3_500;

describe.skipIf(!hasRedis()).each([5, 6])("BullMQ %i", (major) => {
  let redis: RedisServer;
  let rig: Rig;
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => void unhandled.push(error);

  beforeEach(() => {
    unhandled.length = 0;
    process.on("unhandledRejection", hear);
  });
  afterEach(async () => {
    process.off("unhandledRejection", hear);
    await rig.close();
    await redis.stop();
    expect(unhandled).toEqual([]);
  });

  const depth = () => rig.number("queue.depth", { "queue.scope": "shared" });

  it.each([
    ["with", true],
    ["without", false],
  ])("and a Redis that is killed for 3.5 s, %s an append-only file", async (_, durable) => {
    redis = await RedisServer.start({ durable });
    rig = Rig.of(major, redis);
    const queue = rig.queue({}, POLL);
    const handled: string[] = [];
    const worker = rig.worker(async (job) => void handled.push(job.name), {}, POLL);
    await queue.add("before", {});
    await rig.processed(1);
    await worker.pause();
    await queue.add("kept", {});
    await until(async () => (await depth()) === 1);

    await redis.kill();
    const adding = queue.add("meanwhile", {});
    // What was said last is good for three intervals; then it is unknown.
    await until(async () => (await depth()) === undefined);
    await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
    await redis.start();
    await adding;
    const sent = (await rig.spans.named(`send ${rig.name}`)).at(-1)!;
    expect(sent.duration[0]).toBeGreaterThanOrEqual(Math.floor(DOWN_MS / 1_000));
    expect(sent.status.code).toBe(0);
    await until(async () => (await depth()) === (durable ? 2 : 1));
    await worker.resume();
    await rig.processed(durable ? 3 : 2);
    expect(handled).toEqual(durable ? ["before", "kept", "meanwhile"] : ["before", "meanwhile"]);
    const { errors, ...counts } = await rig.counts();
    expect({ ...counts, errors: 0 }).toEqual(only({ success: handled.length }));
    // Each poll that failed is counted.
    expect(errors).toBeGreaterThan(0);
  });

  it("and a Redis without memory: adds are rejected, figures are told, and work goes on afterwards", async () => {
    redis = await RedisServer.start();
    rig = Rig.of(major, redis);
    const queue = rig.queue();
    const raw = new Redis(redis.connection);
    await queue.add("job", {});
    await raw.config("SET", "maxmemory", "1mb");
    await expect(queue.add("job", {})).rejects.toThrow(/OOM/);
    expect((await rig.spans.named(`send ${rig.name}`)).map(({ status }) => status.code)).toEqual([0, 2]);
    const facts = await rig.adapter.poll!(rig.name, new AbortController().signal);
    expect(facts).toMatchObject({ depth: 1, blockedReason: expect.stringMatching(/out of memory/) });
    rig.worker(async () => {});
    await until(() => rig.errors.some(({ message }) => message.includes("OOM")));
    await raw.config("SET", "maxmemory", "0");
    await rig.processed(1);
    expect((await rig.adapter.poll!(rig.name, new AbortController().signal)).blockedReason).toBeUndefined();
    expect(await rig.counts()).toEqual(only({ success: 1 }));
    raw.disconnect();
  });

  it("and a Redis that hangs: a poll is given up when it is told to, and the next one is answered", async () => {
    redis = await RedisServer.start();
    rig = Rig.of(major, redis);
    const queue = rig.queue();
    await queue.add("job", {});
    const ask = (ms: number) => rig.adapter.poll!(rig.name, AbortSignal.timeout(ms));
    expect((await ask(60_000)).depth).toBe(1);
    redis.freeze();
    await expect(ask(100)).rejects.toThrow();
    redis.thaw();
    expect((await ask(60_000)).depth).toBe(1);
  });

  it("has no listener of ours, and is as before when it is uninstrumented", async () => {
    redis = await RedisServer.start();
    rig = Rig.of(major, redis);
    const { Queue, Worker, FlowProducer } = rig.bull;
    const { connection, adapter } = rig;
    const clients = [
      new Queue(rig.name, { connection }),
      new Worker(rig.name, async () => {}, { connection }),
      new FlowProducer({ connection }),
    ];
    for (const client of clients) {
      const events = () => client.eventNames().map((event) => [event, client.listenerCount(event)]);
      const before = [events(), Object.getOwnPropertyNames(client).sort()];
      instrument<typeof client, object>(client, { adapter, poll: false });
      expect([events(), before[1]]).toEqual(before);
      uninstrument(client);
      expect([events(), Object.getOwnPropertyNames(client).sort()]).toEqual(before);
    }
    for (const client of clients) await rig.kept(client as never as (typeof clients)[0]).waitUntilReady();
  });

  it("ends its polling with its last client", async () => {
    redis = await RedisServer.start();
    rig = Rig.of(major, redis);
    const queue = rig.queue({}, POLL);
    await until(async () => (await depth()) !== undefined);
    const raw = new Redis(redis.connection);
    const ours = async () => String(await raw.client("LIST")).includes("name=queuescope");
    expect(await ours()).toBe(true);
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
    const before = sockets();
    await queue.close();
    // The next poll sees that the queue is closed.
    await until(async () => !(await ours()));
    expect(sockets()).toBeLessThan(before);
    raw.disconnect();
  });
});

it.skipIf(!hasRedis())("a process that has polled ends by itself, once its clients are closed", async () => {
  const redis = await RedisServer.start();
  const file = fileURLToPath(new URL("exits.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, `${redis.port}`], { stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "exit");
  await redis.stop();
  expect(output).toBe("in flight: 1\n");
  expect(code).toBe(0);
});
