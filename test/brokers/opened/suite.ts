import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BrokerAdapter, BrokeredQueueOptions } from "../../../src/adapter.js";
import {
  type BrokeredQueue,
  brokerQueue,
  currentCorrelationId,
  type Handler,
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  QueueShutDownError,
  QueueTimeoutError,
  Watchdog,
  WorkerPool,
  type WorkerPoolOptions,
} from "../../../src/index.js";
import { usePropagators } from "../../support/propagators.js";
import { MetricCapture, SpanCapture } from "../../support/telemetry-capture.js";
import { Child } from "../bullmq/child.js";
import { until } from "../bullmq/rig.js";
import { inRequest, requestHere } from "../support/bullmq.js";
import type { Actions } from "./process.js";

/** What the same cases need of an engine. */
export interface Engine {
  readonly name: string;
  readonly hasPriorities: boolean;
  start(): Promise<Server>;
}

export interface Server {
  /** Another one each time, as another process would have it. */
  adapter(): BrokerAdapter;
  /** What `process.ts` makes the same adapter from. */
  readonly recipe: Recipe;
  /** Makes a queue that outlives a crash from its first second on; nothing where all do. */
  makeDurable?(queue: string): Promise<void>;
  /** It ends without a word, and comes back with what it had written. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export type Recipe =
  | { readonly engine: "bullmq"; readonly major: number; readonly port: number }
  | { readonly engine: "amqplib"; readonly url: string };

interface Order {
  readonly id: number;
}

let count = 0;

/** The handlers of one test, as they were called. */
class Seen {
  readonly ids: number[] = [];
  readonly attempts: number[] = [];
}

export function openedQueues(engine: Engine): void {
  let server: Server;
  let spans: SpanCapture;
  let metrics: MetricCapture;
  let name: string;
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    usePropagators();
    server = await engine.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    name = `orders-${count++}`;
    spans = new SpanCapture();
    metrics = new MetricCapture("producer");
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await spans.stop();
    await metrics.stop();
  });

  async function opened<Tiers extends Readonly<Record<string, number>> = Record<never, number>>(
    options: BrokeredQueueOptions<Tiers> = {},
    queue = name,
  ): Promise<BrokeredQueue<Order, Extract<keyof Tiers, string>>> {
    const it = await brokerQueue<Order, Tiers>(server.adapter(), queue, { poll: false, ...options });
    ends.push(() => it.close());
    return it;
  }

  function pool(
    queue: BrokeredQueue<Order, never> | BrokeredQueue<Order>,
    handler: Handler<Order>,
    options?: WorkerPoolOptions<Order>,
  ) {
    const it = new WorkerPool(queue, handler, options);
    ends.push(() => it.stop({ graceMs: 0 }));
    return it;
  }

  const number = async (metric: string, attributes: object = {}) =>
    (await metrics.collect()).number(metric, { "queue.name": name, ...attributes });

  describe(`a queue of ${engine.name} that brokerQueue has opened`, () => {
    it("gives a pool what is put, in its producer's context, with a span and a wait", async () => {
      const orders = await opened();
      const seen: unknown[] = [];
      pool(orders, (order, task) => {
        seen.push([order, currentCorrelationId(), task.correlationId, requestHere(), task.attempt]);
      });
      await inRequest(4, () => orders.put({ id: 7 }));
      await until(() => seen.length === 1);
      expect(seen).toEqual([[{ id: 7 }, "request 4", "request 4", "4", 1]]);
      await until(async () => (await number("queue.completed", { "queue.outcome": "success" })) === 1);
      const [sent] = await spans.named(`send ${name}`);
      const [processed] = await until(async () => {
        const all = await spans.named(`process ${name}`);
        return all.length > 0 && all;
      });
      expect(processed!.links.map(({ context }) => context.spanId)).toEqual([sent!.spanContext().spanId]);
      expect((await metrics.collect()).histogram("queue.wait.seconds", { "queue.name": name })?.count).toBe(
        1,
      );
      expect(await number("queue.telemetry.errors")).toBe(0);
    });

    it("gives all of many, each once, and in order to one worker", async () => {
      const orders = await opened();
      const ids = Array.from({ length: 100 }, (_, id) => id);
      await orders.putMany(ids.map((id) => ({ id })));
      await orders.putMany([]);
      const seen = new Seen();
      pool(orders, ({ id }) => void seen.ids.push(id));
      await until(() => seen.ids.length >= 100);
      expect(seen.ids).toEqual(ids);
      await until(async () => (await number("queue.completed", { "queue.outcome": "success" })) === 100);
    });

    it("has as many handlers at a time as the pool allows, also after a resize", async () => {
      const orders = await opened();
      let running = 0;
      const ends: (() => void)[] = [];
      const workers = pool(
        orders,
        async () => {
          running++;
          await new Promise<void>((resolve) => ends.push(resolve));
          running--;
        },
        { concurrency: 2 },
      );
      await orders.putMany(Array.from({ length: 9 }, (_, id) => ({ id })));
      await until(() => running === 2);
      workers.resize(5);
      await until(() => running === 5);
      const finishing = setInterval(() => ends.shift()?.(), 5);
      await until(() => workers.counts.done === 9);
      clearInterval(finishing);
    });

    it("brings what has failed again, after a pause, as the next attempt, and puts it aside at last", async () => {
      const orders = await opened();
      const aside = await opened({}, `${name}-aside`);
      const seen = new Seen();
      const workers = pool(
        orders,
        (_, { attempt }) => {
          seen.attempts.push(attempt);
          throw new Error(`attempt ${attempt}`);
        },
        { retry: { attempts: 3, backoff: { initialMs: 20 } }, deadLetter: aside },
      );
      await inRequest(5, () => orders.put({ id: 1 }));
      const delivery = await aside.receive();
      expect([delivery.item, delivery.correlationId, delivery.attempt]).toEqual([{ id: 1 }, "request 5", 1]);
      delivery.done();
      expect(seen.attempts).toEqual([1, 2, 3]);
      await until(() => workers.counts.deadLettered === 1);
      expect(workers.counts).toEqual({ done: 0, failed: 0, retried: 2, deadLettered: 1 });
      await until(async () => (await number("queue.dead.lettered")) === 1);
      expect(await number("queue.retried")).toBe(2);
      const processed = await spans.named(`process ${name}`);
      expect(processed.map(({ status }) => status.code)).toEqual([2, 2, 2]);
    });

    it("is done with what is dropped", async () => {
      const orders = await opened();
      const workers = pool(
        orders,
        () => {
          throw new TypeError("never");
        },
        { onFailed: () => "drop" },
      );
      await orders.put({ id: 1 });
      await until(() => workers.counts.failed === 1);
      await until(async () => (await number("queue.completed", { "queue.outcome": "failure" })) === 1);
      const others = await opened();
      await expect(others.receive({ timeoutMs: 300 })).rejects.toThrow(QueueTimeoutError);
    });

    it("holds back what is delayed", async () => {
      const orders = await opened();
      const seen = new Seen();
      await orders.put({ id: 1 }, { delayMs: 1_500 });
      await orders.put({ id: 2 });
      const workers = pool(orders, ({ id }) => void seen.ids.push(id), { concurrency: 2 });
      await until(() => workers.counts.done === 2);
      expect(seen.ids).toEqual([2, 1]);
    });

    it("loses nothing when a pool is drained: what has begun ends, what was taken beforehand goes back", async () => {
      const orders = await opened();
      const seen = new Seen();
      const endings: (() => void)[] = [];
      const workers = pool(
        orders,
        ({ id }) => {
          seen.ids.push(id);
          return new Promise<void>((resolve) => endings.push(resolve));
        },
        { concurrency: 3 },
      );
      await orders.putMany(Array.from({ length: 10 }, (_, id) => ({ id })));
      await until(() => endings.length === 3);
      const drained = workers.drain();
      for (const end of endings) end();
      expect(await drained).toMatchObject({ done: 3, leftOver: { count: 0 }, timedOut: false });
      expect(await number("queue.completed", { "queue.outcome": "success" })).toBe(3);
      // A handler that goes on puts all the same: the queue goes on elsewhere.
      await orders.put({ id: 10 });
      const others = await opened();
      const rest = pool(others, ({ id }) => void seen.ids.push(id), { concurrency: 4 });
      await until(() => rest.counts.done >= 8);
      expect(seen.ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, id) => id));
    });

    it("takes nothing while its pool is paused, and nothing of what others are to have", async () => {
      const orders = await opened();
      const seen = new Seen();
      const workers = pool(orders, ({ id }) => void seen.ids.push(id));
      await orders.put({ id: 1 });
      await until(() => workers.counts.done === 1);
      workers.pause();
      const others = await opened();
      await orders.put({ id: 2 });
      const delivery = await others.receive();
      expect(delivery.item).toEqual({ id: 2 });
      delivery.done();
      workers.resume();
      await orders.put({ id: 3 });
      await until(() => workers.counts.done === 2);
      expect(seen.ids).toEqual([1, 3]);
    });

    it("gives deliveries by hand, one after the other, and to several at a time", async () => {
      const orders = await opened();
      await orders.putMany([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]);
      const ids: number[] = [];
      for await (const delivery of orders.deliveries()) {
        ids.push(await delivery.run(async () => delivery.item.id));
        if (ids.length === 1) delivery.retry();
        else delivery.done();
        if (ids.length === 3) break;
      }
      expect(ids.length).toBe(3);
      const [one, two] = await Promise.all([orders.receive(), orders.receive()]);
      expect(() => one.done()).not.toThrow();
      expect(() => one.done()).toThrow(/settled/);
      two.fail(new Error("for good"));
      await until(async () => (await number("queue.completed", { "queue.outcome": "failure" })) === 1);
      await until(async () => (await number("queue.completed", { "queue.outcome": "success" })) === 3);
      expect(await number("queue.retried")).toBe(1);
      await expect(orders.receive({ timeoutMs: 50 })).rejects.toThrow(QueueTimeoutError);
      const stop = new AbortController();
      const waiting = orders.receive({ signal: stop.signal });
      stop.abort(new Error("enough"));
      await expect(waiting).rejects.toThrow("enough");
      const iterator = orders.deliveries();
      const next = iterator.next();
      await iterator.return();
      expect(await next).toEqual({ done: true, value: undefined });
    });

    it("ends when it is closed: those who wait are told, and so is a put", async () => {
      const orders = await opened();
      const next = orders.deliveries().next();
      const waiting = orders.receive();
      const refused = expect(waiting).rejects.toThrow(QueueShutDownError);
      await orders.close();
      await refused;
      expect(await next).toEqual({ done: true, value: undefined });
      await expect(orders.put({ id: 1 })).rejects.toMatchObject({ code: "QUEUE_SHUT_DOWN", item: { id: 1 } });
      await orders.close();
      expect(orders.health()).toMatchObject({ ok: false });
    });

    it("refuses what it can't carry, by name, and nothing else is put", async () => {
      const orders = await opened();
      const bad = (item: unknown, options?: object) => orders.put(item as Order, options as never);
      await expect(bad(undefined)).rejects.toThrow(InvalidOptionTypeError);
      await expect(bad(() => {})).rejects.toThrow(/what JSON can carry/);
      await expect(bad({ amount: 1n })).rejects.toThrow(/BigInt/);
      await expect(bad({ id: 1 }, { deadline: 5 })).rejects.toThrow(/deadline/);
      await expect(bad({ id: 1 }, { delayMs: -1 })).rejects.toThrow(/delayMs/);
      await expect(bad({ id: 1 }, { tier: "urgent" })).rejects.toThrow(InvalidOptionRangeError);
      await expect(orders.putMany("text" as never)).rejects.toThrow(/items/);
      await expect(orders.putMany([{ id: 1 }, undefined as never])).rejects.toThrow(InvalidOptionTypeError);
      await expect(orders.receive({ timeoutMs: 200 })).rejects.toThrow(QueueTimeoutError);
      await expect(brokerQueue({} as never, name)).rejects.toThrow(/adapter/);
      await expect(brokerQueue({ system: "x", attach: () => () => {} }, name)).rejects.toThrow(
        /can open queues/,
      );
      await expect(brokerQueue(server.adapter(), "")).rejects.toThrow(/queue/);
      await expect(brokerQueue(server.adapter(), name, { queues: {} } as never)).rejects.toThrow(/queues/);
    });

    if (engine.hasPriorities) {
      it("serves urgent tiers first, and names them", async () => {
        const orders = await opened({ tiers: { urgent: 1, normal: 10 } });
        await orders.put({ id: 1 }, { tier: "normal" });
        await orders.put({ id: 2 }, { priority: 10 });
        await orders.put({ id: 3 }, { tier: "urgent" });
        const seen: unknown[] = [];
        const workers = pool(orders as never, ({ id }, { tier }) => void seen.push([id, tier]));
        await until(() => workers.counts.done === 3);
        expect(seen).toEqual([
          [3, "urgent"],
          [1, "normal"],
          [2, "normal"],
        ]);
        const bad = (options: object) => orders.put({ id: 1 }, options);
        await expect(bad({ tier: "unknown" })).rejects.toThrow(/urgent/);
        await expect(bad({ tier: "urgent", priority: 1 })).rejects.toThrow(/tier/);
        await expect(bad({ priority: 0 })).rejects.toThrow(/from 1/);
        await expect(opened({ tiers: { urgent: 0.5 } })).rejects.toThrow(/tiers.urgent/);
      });
    } else {
      it("has no priorities, and says so", async () => {
        const orders = await opened();
        await expect(orders.put({ id: 1 }, { priority: 1 })).rejects.toThrow(/no priorities/);
        await expect(opened({ tiers: { urgent: 1 } })).rejects.toThrow(/no priorities/);
      });
    }

    it("shows watchdogs its pool's tasks, and their steps", async () => {
      const orders = await opened({ sla: { default: { targetMs: 5_000 } } });
      const watchdog = new Watchdog({ print: false });
      watchdog.watch(orders);
      ends.push(async () => watchdog.stop());
      let end = () => {};
      pool(orders, (_, task) => {
        task.step("charging the card");
        return new Promise<void>((resolve) => {
          end = resolve;
        });
      });
      await inRequest(1, () => orders.put({ id: 1 }));
      await until(async () => (await number("queue.inflight")) === 1);
      const [report] = watchdog.report();
      expect(report!.groups.flatMap(({ tasks }) => tasks)).toMatchObject([{ correlationId: "request 1" }]);
      expect(report!.workers).toMatchObject([
        { workers: [{ state: "processing", step: "charging the card" }] },
      ]);
      end();
    });

    it("brings back the task of a process that was killed, and keeps what a living one works on for long", async () => {
      const orders = await opened();
      const child = Child.start<Actions>(new URL("process.ts", import.meta.url));
      ends.push(() => child.kill());
      await child.ask("open", server.recipe, name);
      await orders.put({ id: 1 });
      expect(await child.ask("taken")).toEqual([[{ id: 1 }, 1]]);
      const seen: unknown[] = [];
      let end = () => {};
      pool(orders, (order, { attempt }) => {
        seen.push([order, attempt]);
        return new Promise<void>((resolve) => {
          end = resolve;
        });
      });
      const others = await opened();
      // For longer than a lock lasts: nothing comes, as the child lives.
      await expect(others.receive({ timeoutMs: 2_500 })).rejects.toThrow(QueueTimeoutError);
      expect(seen).toEqual([]);
      await child.kill();
      await until(() => seen.length === 1);
      expect(seen).toEqual([[{ id: 1 }, 2]]);
      await expect(others.receive({ timeoutMs: 2_500 })).rejects.toThrow(QueueTimeoutError);
      end();
      await until(async () => (await number("queue.completed", { "queue.outcome": "success" })) === 1);
    });

    it("loses nothing while its broker is away: what was not written comes again", async () => {
      await server.makeDurable?.(name);
      const orders = await opened();
      const seen = new Set<number>();
      const workers = pool(
        orders,
        async ({ id }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          seen.add(id);
        },
        { concurrency: 4 },
      );
      const ids = Array.from({ length: 200 }, (_, id) => id);
      await orders.putMany(ids.map((id) => ({ id })));
      await until(() => workers.counts.done >= 20);
      await server.kill();
      await server.start();
      await until(() => seen.size === 200);
      await orders.put({ id: 200 });
      await until(() => seen.has(200));
    });
  });
}
