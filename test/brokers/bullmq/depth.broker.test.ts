import type { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bullmq } from "../../../src/bullmq.js";
import type { BrokerFacts } from "../../../src/contracts/index.js";
import { hasRedis, RedisServer } from "../support/redis.js";
import { Rig, startChild, until } from "./rig.js";

/** How far two clocks and a round trip may be apart, in milliseconds. */
const ABOUT_MS = 3_000;
const MINUTE_MS = 60_000;

describe.skipIf(!hasRedis()).each([5, 6])("polled figures of BullMQ %i", (major) => {
  let redis: RedisServer;
  let raw: Redis;
  let rig: Rig;
  let queue: Queue;

  beforeAll(async () => {
    redis = await RedisServer.start();
    raw = new Redis(redis.connection);
  });
  beforeEach(() => {
    rig = Rig.of(major, redis);
    queue = rig.queue();
  });
  afterEach(() => rig.close());
  afterAll(async () => {
    raw.disconnect();
    await redis.stop();
  });

  const ask = (): Promise<BrokerFacts> => rig.adapter.poll!(rig.name, new AbortController().signal);
  /** The age of the oldest that could be taken, in minutes. */
  const age = async (): Promise<number> => {
    const { oldestAt, brokerNow } = await ask();
    return Math.round((brokerNow! - oldestAt!) / MINUTE_MS);
  };
  /** Adds a job that was added so many minutes ago. */
  const add = (minutesAgo: number, options: object = {}) =>
    queue.add("job", {}, { timestamp: Date.now() - minutesAgo * MINUTE_MS, ...options });

  it("are those of an empty queue", async () => {
    const { brokerNow, ...facts } = await ask();
    expect(facts).toEqual({
      depth: 0,
      oldestAt: null,
      inFlight: 0,
      delayed: 0,
      maxInFlight: undefined,
      isPaused: false,
      rateLimitedMs: 0,
      overdue: 0,
      schedulerOverdueSince: undefined,
      consumers: 0,
      blockedReason: undefined,
    });
    expect(Math.abs(brokerNow! - Date.now())).toBeLessThan(ABOUT_MS);
  });

  it("have the age of the oldest: first in, first out", async () => {
    for (const minutes of [9, 5, 1]) await add(minutes);
    expect(await age()).toBe(9);
  });

  it("have the age of the oldest: last in, first out, alone and among others", async () => {
    for (const minutes of [8, 4, 2]) await add(minutes, { lifo: true });
    expect(await age()).toBe(8);
    for (const minutes of [20, 10, 5]) await add(minutes);
    expect(await age()).toBe(20);
    for (const minutes of [1, 0]) await add(minutes, { lifo: true });
    expect(await age()).toBe(20);
  });

  it("have the age of the oldest of any priority, not of the most urgent one", async () => {
    await add(2, { priority: 1 });
    await add(30, { priority: 7 });
    await add(3, { priority: 7 });
    await add(4, { priority: 2_000_000 });
    expect(await age()).toBe(30);
    expect((await ask()).depth).toBe(4);
  });

  it("count the age from the end of a planned delay, and leave out what isn't due", async () => {
    await add(1, { delay: 10 * MINUTE_MS });
    expect(await ask()).toMatchObject({ depth: 0, oldestAt: null, delayed: 1, overdue: 0 });
    await add(12, { delay: 10 * MINUTE_MS });
    expect(await ask()).toMatchObject({ depth: 1, delayed: 1, overdue: 1 });
    expect(await age()).toBe(2);
    // A worker that takes a job promotes what is due.
    await add(0);
    const worker = rig.worker(null, {}, false);
    await worker.getNextJob("token");
    expect(await ask()).toMatchObject({ depth: 1, delayed: 1, overdue: 0, inFlight: 1 });
    expect(await age()).toBe(2);
  });

  it("count the age of a retry from its last attempt and its backoff", async () => {
    const retried = async (fields: object, options: object = {}) => {
      const { id } = await add(60, options);
      await raw.hset(queue.toKey(id!), fields);
    };
    const processedOn = Date.now() - 20 * MINUTE_MS;
    await retried({ ats: 1, atm: 1, processedOn });
    expect(await age()).toBe(20);
    await queue.drain();
    const backoff = { type: "exponential", delay: 3 * MINUTE_MS };
    await retried({ ats: 3, atm: 3, processedOn }, { backoff });
    expect(await age()).toBe(8);
    await queue.drain();
    // It was put off, and nothing says until when; the next one, which came later, says how old it is at least.
    await retried({ ats: 1, atm: 0, processedOn });
    expect((await ask()).oldestAt).toBeUndefined();
    await add(4);
    expect(await age()).toBe(4);
  });

  it("don't count how long a job has waited for its children", async () => {
    const flows = rig.kept(new rig.bull.FlowProducer({ connection: rig.connection }));
    const opts = { timestamp: Date.now() - 30 * MINUTE_MS };
    const children = [{ name: "child", queueName: rig.name }];
    await flows.add({ name: "parent", queueName: rig.name, opts, children });
    expect(await age()).toBe(0);
    const worker = rig.worker(null, {}, false);
    const child = await worker.getNextJob("token");
    await child!.moveToCompleted("done", "token", false);
    expect((await ask()).depth).toBe(1);
    expect((await ask()).oldestAt).toBeUndefined();
    await add(2);
    expect(await age()).toBe(2);
  });

  it("count what is paused, and say that it is", async () => {
    await add(3);
    await queue.pause();
    expect(await ask()).toMatchObject({ depth: 1, isPaused: true });
    expect(await age()).toBe(3);
  });

  it("count workers, by the names of their connections, and leave themselves out", async () => {
    const workers = ["", "named"].map((name) => rig.worker(async () => {}, name === "" ? {} : { name }));
    for (const worker of workers) await worker.waitUntilReady();
    expect((await ask()).consumers).toBe(2);
  });

  it("say how long nothing is given out for, where that is known", async () => {
    await queue.rateLimit(50_000);
    const { rateLimitedMs } = await ask();
    expect(rateLimitedMs).toBeGreaterThan(10_000);
    expect(rateLimitedMs).toBeLessThanOrEqual(50_000);
    await raw.set(queue.toKey("limiter"), 3, "PX", 50_000);
    expect((await ask()).rateLimitedMs).toBeUndefined();
    rig.worker(null, { limiter: { max: 3, duration: 50_000 } });
    expect((await ask()).rateLimitedMs).toBeGreaterThan(10_000);
    await raw.set(queue.toKey("limiter"), 2, "PX", 50_000);
    expect((await ask()).rateLimitedMs).toBe(0);
  });

  it("say how many jobs may be active at a time, if that is limited", async () => {
    await queue.setGlobalConcurrency(4);
    expect((await ask()).maxInFlight).toBe(4);
  });

  it("say since when a scheduler has no next job, and not that of one that is over", async () => {
    await queue.upsertJobScheduler("each", { every: 100 }, { name: "tick" });
    await queue.upsertJobScheduler("over", { every: 100, limit: 1 }, { name: "tick" });
    // Both are due now, and wait for a worker.
    await until(async () => (await ask()).overdue === 2 || (await ask()).depth === 2);
    expect((await ask()).schedulerOverdueSince).toBeUndefined();
    let ticks = 0;
    const worker = rig.worker(async () => void ticks++, {}, false);
    await until(() => ticks > 3);
    expect((await ask()).schedulerOverdueSince).toBeUndefined();
    await worker.close();
    const [scheduler] = (await queue.getJobSchedulers()).filter(({ key }) => key === "each");
    const next = scheduler!.next!;
    await queue.remove(`repeat:each:${next}`).catch(() => 0);
    await raw.del(queue.toKey(`repeat:each:${next}`));
    expect(await until(async () => (await ask()).schedulerOverdueSince)).toBe(next);
  });

  it.runIf(major === 6)("are of a million jobs, in a millisecond or so", { timeout: 600_000 }, async () => {
    const script = `
      for i = ARGV[1], ARGV[2] do
        redis.call("HSET", KEYS[1] .. i, "name", "job", "data", "{}", "opts", ARGV[3], "timestamp", ARGV[4] + i, "priority", 0)
        redis.call(ARGV[5], KEYS[1] .. "wait", i)
      end`;
    const now = Date.now();
    const fill = async (from: number, to: number, opts: object, push: string) => {
      for (let i = from; i <= to; i += 10_000) {
        const last = Math.min(to, i + 9_999);
        await raw.eval(script, 1, queue.toKey(""), i, last, JSON.stringify(opts), now - 90 * MINUTE_MS, push);
      }
    };
    await fill(1, 900_000, { attempts: 0 }, "LPUSH");
    await fill(900_001, 1_000_000, { attempts: 0, lifo: true }, "RPUSH");
    await ask();
    await raw.config("RESETSTAT");
    const ASKED = 20;
    for (let i = 0; i < ASKED; i++) expect((await ask()).depth).toBe(1_000_000);
    // The first of those that were added at the left, behind all that came in at the right.
    expect((await ask()).oldestAt).toBe(now - 90 * MINUTE_MS + 1);
    const stats = await raw.info("commandstats");
    const spentUs = Number(/cmdstat_evalsha:.*usec_per_call=([\d.]+)/.exec(stats)![1]);
    console.log(`BullMQ ${major}: ${spentUs} us of the server's time for a poll of 1,000,000 jobs`);
    expect(spentUs).toBeLessThan(5_000);
    await raw.flushall();
  });

  it("come on a connection of the given client's, and need nothing of the queue's", async () => {
    const adapter = bullmq({ connection: raw });
    const other = rig.kept(new rig.bull.Queue(`${rig.name}-other`, { connection: rig.connection }));
    adapter.attach(other, { fault: () => {} } as never);
    await other.add("job", {});
    const facts = await adapter.poll!(other.name, new AbortController().signal);
    expect(facts.depth).toBe(1);
  });
});

describe.skipIf(!hasRedis()).each([5, 6])("a wait of BullMQ %i", (major) => {
  let redis: RedisServer;
  let rig: Rig;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  beforeEach(() => {
    rig = Rig.of(major, redis);
  });
  afterEach(() => rig.close());
  afterAll(() => redis.stop());

  it("is never negative, where the producer's clock is ahead, and that is counted", async () => {
    const child = startChild();
    await child.ask("produce", major, rig.name, rig.connection, 1, {}, 20_000);
    await child.kill();
    rig.worker(async () => {});
    const [span] = await rig.processed(1);
    expect(span!.attributes["queue.wait_ms"]).toBe(0);
    expect(await rig.number("queue.negative.waits")).toBe(1);
  });

  it("begins when a planned delay is over, and is unknown of a job that was promoted", async () => {
    const queue = rig.queue();
    await queue.add("delayed", {}, { delay: 300 });
    const promoted = await queue.add("promoted", {}, { delay: 600_000 });
    await promoted.promote();
    rig.worker(async () => {});
    const spans = await rig.processed(2);
    const waits = new Map(
      spans.map(({ attributes }) => [attributes["bullmq.job.name"], attributes["queue.wait_ms"]]),
    );
    expect(waits.get("promoted")).toBeUndefined();
    expect(waits.get("delayed")).toBeGreaterThanOrEqual(0);
    expect(await rig.number("queue.negative.waits")).toBe(0);
  });
});
