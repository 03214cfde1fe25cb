import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Job, JobsOptions, Processor, Queue, QueueOptions, Worker, WorkerOptions } from "bullmq";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { BrokerOptions } from "../../../src/brokers/instrument.js";
import { bullmq } from "../../../src/bullmq.js";
import { instrument, uninstrument } from "../../../src/index.js";
import { usePropagators } from "../../support/propagators.js";
import { type Collected, MetricCapture, SpanCapture } from "../../support/telemetry-capture.js";
import { type Bull, MAJORS } from "../support/bullmq.js";
import { RedisServer } from "../support/redis.js";
import { Child } from "./child.js";
import type { Actions } from "./process.js";

export type Instrumenting = Omit<BrokerOptions, "adapter">;

/** For what never comes, in milliseconds. */
const LIMIT_MS = 120_000;
/** How long to wait between two looks, in milliseconds. */
const LOOK_EVERY_MS = 20;

let count = 0;

/** A queue of BullMQ and what is seen of it, with a Redis that all tests of a file share. */
export class Rig {
  readonly name = `jobs-${count++}`;
  readonly adapter = bullmq();
  /** Errors that workers and queues have emitted. */
  readonly errors: Error[] = [];
  private readonly opened: { close(force?: boolean): Promise<void> }[] = [];

  private constructor(
    readonly bull: Bull,
    readonly major: number,
    readonly redis: RedisServer,
    readonly spans: SpanCapture,
    readonly metrics: MetricCapture,
  ) {}

  static of(major: number, redis: RedisServer): Rig {
    usePropagators();
    return new Rig(MAJORS[major]!, major, redis, new SpanCapture(), new MetricCapture("producer"));
  }

  get connection(): { readonly host: string; readonly port: number } {
    return this.redis.connection;
  }

  queue(options: Partial<QueueOptions> = {}, how: Instrumenting | false = { poll: false }): Queue {
    const queue = this.kept(new this.bull.Queue(this.name, { connection: this.connection, ...options }));
    return how === false ? queue : instrument(queue, { ...how, adapter: this.adapter });
  }

  worker(
    processor: Processor | string | null,
    options: Partial<WorkerOptions> = {},
    how: Instrumenting | false = { poll: false },
  ): Worker {
    const all = { connection: this.connection, drainDelay: 1, ...options };
    const worker = this.kept(new this.bull.Worker(this.name, processor, all));
    return how === false ? worker : instrument(worker, { ...how, adapter: this.adapter });
  }

  kept<
    C extends {
      close(force?: boolean): Promise<void>;
      on(event: "error", listener: (error: Error) => void): unknown;
    },
  >(client: C): C {
    client.on("error", (error) => this.errors.push(error));
    this.opened.push(client);
    return client;
  }

  /** The spans of handlers, once there are so many. */
  async processed(spans: number, name = this.name): Promise<ReadableSpan[]> {
    return await until(async () => {
      const all = await this.spans.named(`process ${name}`);
      return all.length >= spans ? all : undefined;
    });
  }

  async number(metric: string, attributes: object = {}): Promise<number | undefined> {
    return (await this.metrics.collect()).number(metric, { "queue.name": this.name, ...attributes });
  }

  /** What is counted of outcomes and losses. */
  async counts(): Promise<Record<string, number | undefined>> {
    const collected: Collected = await this.metrics.collect();
    const number = (metric: string, attributes: object = {}) =>
      collected.number(metric, { "queue.name": this.name, ...attributes });
    const inFlight = collected
      .points("queue.inflight", { "queue.name": this.name })
      .find(({ attributes }) => attributes["queue.scope"] === undefined);
    return {
      success: number("queue.completed", { "queue.outcome": "success" }),
      failure: number("queue.completed", { "queue.outcome": "failure" }),
      retried: number("queue.retried"),
      lost: number("queue.context.lost", { "queue.where": "get" }),
      stale: number("queue.settle.stale"),
      errors: number("queue.telemetry.errors"),
      inFlight: inFlight?.value as number | undefined,
    };
  }

  async close(): Promise<void> {
    for (const client of this.opened) {
      uninstrument(client);
      await client.close(true);
    }
    await this.spans.stop();
    await this.metrics.stop();
  }
}

/** Gives each test of a suite a rig of its own, on a Redis that all of them share. */
export function useRigs(major: number, begin: (rig: Rig) => void): void {
  let redis: RedisServer;
  let rig: Rig;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  beforeEach(() => {
    rig = Rig.of(major, redis);
    begin(rig);
  });
  afterEach(() => rig.close());
  afterAll(() => redis.stop());
}

/** What {@link Rig.counts} gives, where nothing but this was counted. */
export function only(counts: Record<string, number>): Record<string, number> {
  return { success: 0, failure: 0, retried: 0, lost: 0, stale: 0, errors: 0, inFlight: 0, ...counts };
}

/** The first answer that isn't undefined or false. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const answer = await look();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error("it has not come in time");
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export function startChild(): Child<Actions> {
  return Child.start<Actions>(new URL("process.ts", import.meta.url));
}

/** What tests look at in the spans of handlers. */
export function shown({ attributes, status }: ReadableSpan): object {
  return {
    attempt: attributes["queue.attempt"],
    ...(attributes["error.type"] === undefined ? {} : { error: attributes["error.type"] }),
    ...(attributes["queue.outcome"] === undefined ? {} : { outcome: attributes["queue.outcome"] }),
    isError: status.code === 2,
    hasWait: attributes["queue.wait_ms"] !== undefined,
  };
}

export type { Job, JobsOptions };
