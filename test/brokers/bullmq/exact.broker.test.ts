import { SpanStatusCode } from "@opentelemetry/api";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bullmq } from "../../../src/bullmq.js";
import { currentCorrelationId, instrument } from "../../../src/index.js";
import { usePropagators } from "../../support/propagators.js";
import { MetricCapture, SpanCapture } from "../../support/telemetry-capture.js";
import { MAJORS, requestHere } from "../support/bullmq.js";
import { hasRedis, RedisServer } from "../support/redis.js";
import { Child } from "./child.js";
import type { Actions } from "./process.js";

const JOBS = 1_000;

describe.skipIf(!hasRedis())("1,000 jobs of another process, of which 100 fail once", () => {
  let redis: RedisServer;
  let child: Child<Actions>;
  let spans: SpanCapture;
  let metrics: MetricCapture;

  beforeAll(async () => {
    usePropagators();
    metrics = new MetricCapture("producer");
    redis = await RedisServer.start();
    child = Child.start(new URL("process.ts", import.meta.url));
  });
  afterEach(() => spans.stop());
  afterAll(async () => {
    await child.kill();
    await metrics.stop();
    await redis.stop();
  });

  it.each([
    [5, 5],
    [6, 6],
    [5, 6],
    [6, 5],
  ])("have 2.1 spans each, with the right ID, baggage and link: BullMQ %i to %i", async (from, to) => {
    spans = new SpanCapture();
    const name = `orders-${from}-${to}`;
    const { connection } = redis;
    const sent = await child.ask("produce", from, name, connection, JOBS, { attempts: 2 });
    expect(Object.keys(sent)).toHaveLength(JOBS);

    const seen: string[] = [];
    const wrong: unknown[] = [];
    let completed = 0;
    const worker = new MAJORS[to]!.Worker(
      name,
      async (job) => {
        const { i } = job.data as { i: number };
        seen.push(`request ${i}`);
        const here = [currentCorrelationId(), requestHere()];
        await Promise.resolve();
        here.push(currentCorrelationId(), requestHere());
        const right = [`request ${i}`, `${i}`];
        if (here.join() !== [...right, ...right].join()) wrong.push(here);
        if (i % 10 === 0 && job.attemptsMade === 0) throw new TypeError("the first attempt fails");
      },
      { connection, concurrency: 10, autorun: false },
    );
    instrument(worker, { adapter: bullmq(), poll: false });
    await new Promise<void>((resolve) => {
      worker.on("completed", () => {
        if (++completed === JOBS) resolve();
      });
      void worker.run();
    });
    await worker.close();

    expect(wrong).toEqual([]);
    expect(seen).toHaveLength(1_100);
    const processed = await spans.named(`process ${name}`);
    expect(processed).toHaveLength(1_100);
    expect(await spans.spans()).toHaveLength(1_100);
    for (const { attributes, links, parentSpanContext } of processed) {
      const id = attributes["messaging.message.conversation_id"] as string;
      expect(links.map(({ context }) => context.spanId)).toEqual([sent[id]]);
      expect(parentSpanContext).toBeUndefined();
    }
    const failed = processed.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed).toHaveLength(100);
    for (const { attributes, events } of failed) {
      expect(attributes["error.type"]).toBe("TypeError");
      expect(attributes["queue.attempt"]).toBe(1);
      expect(attributes["queue.wait_ms"]).toBeGreaterThanOrEqual(0);
      expect(events.map((event) => event.name)).toEqual(["exception"]);
    }
    const retried = processed.filter(({ attributes }) => attributes["queue.attempt"] === 2);
    expect(retried).toHaveLength(100);
    expect(retried.every(({ attributes }) => attributes["queue.wait_ms"] === undefined)).toBe(true);

    const collected = await metrics.collect();
    const number = (metric: string, more: object = {}) =>
      collected.number(metric, { "queue.name": name, ...more });
    expect(number("queue.dequeued")).toBe(1_100);
    expect(number("queue.completed", { "queue.outcome": "success" })).toBe(JOBS);
    expect(number("queue.completed", { "queue.outcome": "failure" })).toBe(0);
    expect(number("queue.retried")).toBe(100);
    expect(number("queue.context.lost", { "queue.where": "get" })).toBe(0);
    expect(number("queue.telemetry.errors")).toBe(0);
    expect(number("queue.inflight")).toBe(0);
    expect(collected.histogram("queue.wait.seconds", { "queue.name": name })?.count).toBe(JOBS);
  });
});
