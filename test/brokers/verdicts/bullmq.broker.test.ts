import type { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import { CHECKS, idleThoughConnected } from "../../../src/checks.js";
import type { WatchdogOptions } from "../../../src/index.js";
import { Child } from "../bullmq/child.js";
import { Rig, until } from "../bullmq/rig.js";
import { hasRedis, RedisServer } from "../support/redis.js";
import type { Actions } from "./bullmq-process.js";
import { onEachRun } from "./runs.js";
import { POLL, slaOf, Watch } from "./watch.js";

/** So long that a crowded machine's pauses are not what is late. */
const TARGET_MS = 1_500;
const HOUR_MS = 3_600_000;
/** For how long work is healthy, in milliseconds. */
const STEADY_MS = 3_000;

describe.skipIf(!hasRedis())("the first verdict on BullMQ", () => {
  let redis: RedisServer;
  let raw: Redis;
  let rig: Rig;
  let ends: (() => unknown)[];

  beforeAll(async () => {
    redis = await RedisServer.start();
    raw = new Redis(redis.connection);
  });
  beforeEach(() => {
    rig = Rig.of(6, redis);
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.reverse()) await end();
    await rig.close();
  });
  afterAll(async () => {
    raw.disconnect();
    await redis.stop();
  });

  const how = (targetMs = TARGET_MS) => ({ poll: POLL, sla: slaOf(targetMs) });
  const addTo = (queue: Queue, count: number, options: object = {}) =>
    queue.addBulk(Array.from({ length: count }, () => ({ name: "job", data: {}, opts: options })));

  function watch(client: Queue | Worker, options: WatchdogOptions = {}): Watch {
    const watch = new Watch(client, options);
    ends.push(() => watch.stop());
    return watch;
  }

  function startChild(): Child<Actions> {
    const child = Child.start<Actions>(new URL("bullmq-process.ts", import.meta.url));
    ends.push(() => child.kill());
    return child;
  }

  onEachRun("is no-consumer where there is no worker", async () => {
    const queue = rig.queue({}, how());
    const watched = watch(queue);
    await addTo(queue, 3);
    expect(await watched.first()).toMatch(/^no-consumer: .* knows of no consumer: 3 messages/);
  });

  onEachRun(
    "is no-consumer where the only worker was closed, although it was there a moment ago",
    async () => {
      const queue = rig.queue({}, how());
      const worker = rig.worker(async () => {}, {}, false);
      await worker.waitUntilReady();
      await until(async () => (await rig.number("queue.consumers")) === 1);
      const watched = watch(queue);
      await worker.close();
      await addTo(queue, 3);
      expect(await watched.first()).toMatch(/^no-consumer: /);
    },
  );

  onEachRun("is no-consumer where the only worker was killed at work", async () => {
    const queue = rig.queue({}, how(3_000));
    const child = startChild();
    const hanging = child.ask("hang", rig.name, rig.connection, 500);
    await until(async () => (await queue.getWorkersCount()) === 1);
    await addTo(queue, 3);
    await hanging;
    const watched = watch(queue);
    await child.kill();
    expect(await watched.first()).toMatch(/^no-consumer: .*: 2 messages/);
  });

  onEachRun("is consumers-paused where the queue is paused", async () => {
    const queue = rig.queue({}, how());
    rig.worker(async () => {}, {}, false);
    await queue.pause();
    const watched = watch(queue);
    await addTo(queue, 3);
    expect(await watched.first()).toMatch(/^consumers-paused: /);
  });

  onEachRun("is rate-limited where the workers' limit is used up", async () => {
    const queue = rig.queue({}, how());
    const worker = rig.worker(async () => {}, { limiter: { max: 1, duration: 30_000 } }, how());
    const watched = watch(worker);
    await addTo(queue, 3);
    expect(await watched.first()).toMatch(/^rate-limited: /);
  });

  onEachRun("is consumers-saturated where as many jobs are active as may be, in all workers", async () => {
    const queue = rig.queue({}, how());
    await queue.setGlobalConcurrency(2);
    rig.worker(() => new Promise(() => {}), { concurrency: 10 }, false);
    const watched = watch(queue);
    await addTo(queue, 5);
    expect(await watched.first()).toMatch(/^consumers-saturated: 2 of 2 messages/);
  });

  onEachRun("is consumers-saturated where this process's workers are all that there are", async () => {
    const queue = rig.queue({}, how());
    const worker = rig.worker(
      () => new Promise((resolve) => setTimeout(resolve, 400)),
      { concurrency: 2 },
      how(),
    );
    await worker.waitUntilReady();
    const watched = watch(queue);
    await addTo(queue, 30);
    expect(await watched.first()).toMatch(/^consumers-saturated: 2 of 2 messages/);
  });

  onEachRun("is idle-though-connected where the worker takes nothing", async () => {
    const queue = rig.queue({}, how());
    const worker = rig.worker(async () => {}, {}, false);
    await worker.waitUntilReady();
    await worker.pause();
    const watched = watch(queue, { checks: [idleThoughConnected({ minMs: 1_000 }), ...CHECKS] });
    await addTo(queue, 3);
    expect(await watched.first()).toMatch(/^idle-though-connected: 1 consumer is connected/);
  });

  onEachRun("is poison-item where one job fails again and again, before all others", async () => {
    const queue = rig.queue({}, how());
    const worker = rig.worker(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new Error("no such cup");
      },
      {},
      how(),
    );
    const watched = watch(worker);
    await queue.add("poison", {}, { attempts: 10_000, priority: 1 });
    await addTo(queue, 5, { priority: 10 });
    expect(await watched.first()).toMatch(/^poison-item: .* no such cup/);
  });

  onEachRun("is broker-blocked where Redis is out of memory", async () => {
    const queue = rig.queue({}, how());
    await addTo(queue, 3);
    await raw.config("SET", "maxmemory", "1mb");
    try {
      rig.worker(async () => {}, {}, false);
      expect(await watch(queue).first()).toMatch(/^broker-blocked: .*Redis is out of memory/);
    } finally {
      await raw.config("SET", "maxmemory", "0");
    }
  });

  onEachRun("is lock-lost where a handler blocks the event loop for longer than the lock", async () => {
    const queue = rig.queue({}, how(3_000));
    let blockMs = 900;
    const worker = rig.worker(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const until = performance.now() + blockMs;
        while (performance.now() < until) Math.random();
      },
      { lockDuration: 300, stalledInterval: 300, maxStalledCount: 10 },
      how(3_000),
    );
    const watched = watch(worker, { stallThresholdMs: 200 });
    await addTo(queue, 8);
    const first = await watched.first();
    blockMs = 0;
    expect(first).toMatch(/^lock-lost: .*; the event loop was blocked for .* by /);
  });

  onEachRun("is delayed-overdue where no worker makes due jobs ready", async () => {
    const queue = rig.queue({}, how());
    const worker = rig.worker(async () => {}, {}, false);
    await worker.waitUntilReady();
    await worker.pause();
    const watched = watch(queue);
    await addTo(queue, 2, { delay: 300 });
    expect(await watched.first()).toMatch(/^delayed-overdue: 2 messages/);
  });

  onEachRun("is scheduler-dead where the chain of its jobs was cut two minutes ago", async () => {
    const queue = rig.queue({}, how());
    rig.worker(async () => {}, {}, false);
    await queue.upsertJobScheduler("hourly", { every: HOUR_MS });
    await until(async () => (await raw.zcard(queue.toKey("delayed"))) === 1);
    await raw.del(queue.toKey("delayed"));
    await raw.zadd(queue.toKey("repeat"), Date.now() - 120_000, "hourly");
    expect(await watch(queue).first()).toMatch(/^scheduler-dead: .* due for 2 min/);
  });

  onEachRun("is clock-skew where the worker's clock is 20 s ahead", async () => {
    const queue = rig.queue({}, { poll: false });
    const child = startChild();
    await child.ask("watchAhead", rig.name, rig.connection, 20_000);
    await addTo(queue, 3);
    expect(await child.ask("first")).toMatch(/^clock-skew: this process's clock is 20\.0 s ahead/);
  });

  onEachRun("is none while all is well: steady load, bursts, delays and retries", async () => {
    // On a crowded machine a second is soon lost.
    const queue = rig.queue({}, how(15_000));
    let done = 0;
    const worker = rig.worker(
      async (job) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (job.name === "flaky" && job.attemptsMade < 2) throw new Error("try again");
        done++;
      },
      { concurrency: 10 },
      how(15_000),
    );
    const watched = watch(queue);
    const consumed = watch(worker);
    const soon = { attempts: 5, backoff: 100 };
    const end = performance.now() + STEADY_MS;
    let sent = 0;
    for (let i = 1; performance.now() < end; i++) {
      await addTo(queue, 20);
      await addTo(queue, 2, { delay: 500 });
      await queue.add("flaky", {}, soon);
      if (i % 20 === 0) await addTo(queue, 300);
      sent += 23 + (i % 20 === 0 ? 300 : 0);
      // Those that are delayed, and the flaky ones, come later.
      await until(() => done >= sent - 3 * i);
    }
    await until(() => done === sent);
    expect([...watched.reports, ...consumed.reports].map(String)).toEqual([]);
  });
});
