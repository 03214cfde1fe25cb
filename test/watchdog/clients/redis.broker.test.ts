import net from "node:net";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Waits } from "../../../src/waits/waits.js";
import { hasRedis, RedisServer } from "../../brokers/support/redis.js";
import { eventually, inWords, task } from "./rig.js";

describe.skipIf(!hasRedis())("what a task waits for with Redis", () => {
  let server: RedisServer;
  let waits: Waits;
  let other: Redis;
  let peer: string;

  beforeAll(async () => {
    server = await RedisServer.start();
    peer = `127.0.0.1:${server.port}`;
    other = new Redis(server.connection);
  });
  afterAll(async () => {
    other?.disconnect();
    await server?.stop();
  });
  beforeEach(() => {
    waits = new Waits();
    waits.start();
  });
  afterEach(() => waits.stop());

  it("is the command of ioredis, also behind one that blocks, in a pipeline and in a transaction", async () => {
    const redis = new Redis(server.connection);
    await redis.ping();
    const first = await task(() => redis.blpop("jobs:1", 0));
    const second = await task(() => redis.set("secret:1", "secret"));
    const third = await task(() => redis.multi().get("a").get("b").exec());
    expect(inWords(waits, first.task)).toEqual([`query: ioredis command "blpop jobs:1 ?" at ${peer}`]);
    expect(inWords(waits, second.task)).toEqual([`query: ioredis command "set secret:1 ?" at ${peer}`]);
    expect(inWords(waits, third.task).at(-1)).toMatch(/^query: ioredis command "(multi of 2|exec)" at /);
    await other.rpush("jobs:1", "x");
    await Promise.all([first.result, second.result, third.result]);
    for (const each of [first, second, third]) expect(inWords(waits, each.task)).toEqual([]);
    redis.disconnect();
  });

  it("is the command of ioredis that is kept until there is a connection, and then of the task that asked for it", async () => {
    const redis = new Redis({ ...server.connection, lazyConnect: true });
    const never = new Promise(() => {});
    const first = await task(() => redis.get("a:1"));
    const unsent = `query: ioredis command "get a:1" at ${peer}, not sent, there is no connection`;
    expect(inWords(waits, first.task)).toEqual([unsent]);
    const second = await task(() => redis.blpop("jobs:4", 0));
    const third = await task(() => never);
    await first.result;
    await eventually(() =>
      expect(inWords(waits, second.task)).toEqual([`query: ioredis command "blpop jobs:4 ?" at ${peer}`]),
    );
    expect([...inWords(waits, first.task), ...inWords(waits, third.task)]).toEqual([]);
    await other.rpush("jobs:4", "x");
    await second.result;
    expect(inWords(waits, second.task)).toEqual([]);
    redis.disconnect();
  });

  it("is the command of node-redis", async () => {
    const redis = createClient({ socket: { ...server.connection } });
    await redis.connect();
    const { task: one, result } = await task(() => redis.blPop("jobs:2", 0));
    await eventually(() =>
      expect(inWords(waits, one)).toEqual([`query: redis command "blpop jobs:2 ?" at ${peer}`]),
    );
    await other.rpush("jobs:2", "x");
    await result;
    expect(inWords(waits, one)).toEqual([]);
    redis.destroy();
  });

  it("is what was written to the connection, where the client tells nothing", async () => {
    const socket = net.connect(server.port, "127.0.0.1");
    const send = (text: string) =>
      new Promise<string>((resolve) => {
        socket.once("data", (answer) => resolve(String(answer)));
        socket.write(text);
      });
    await send("*1\r\n$4\r\nPING\r\n");
    const { task: one, result } = await task(async () => {
      await send("*2\r\n$4\r\nECHO\r\n$6\r\nsecret\r\n");
      return send("*3\r\n$5\r\nBLPOP\r\n$6\r\njobs:3\r\n$1\r\n0\r\n");
    });
    await eventually(() =>
      expect(inWords(waits, one)).toEqual([`query: redis command "blpop jobs:3 ?" at ${peer}`]),
    );
    await other.rpush("jobs:3", "x");
    expect(await result).toContain("x");
    expect(inWords(waits, one)).toEqual([]);
    socket.destroy();
  });
});
