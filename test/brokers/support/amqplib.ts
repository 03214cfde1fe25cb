import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type AmqplibOptions, amqplib } from "../../../src/amqplib.js";
import { inTime as settledInTime } from "../../../src/base/in-time.js";
import type { BrokerOptions } from "../../../src/brokers/options.js";
import { instrument } from "../../../src/index.js";
import { usePropagators } from "../../support/propagators.js";
import { MetricCapture, SpanCapture } from "../../support/telemetry-capture.js";
import { RabbitServer } from "./rabbitmq.js";

/** What is in a message. */
export const BODY = Buffer.from("coffee");

/** The server of a test file, and what a test has of it and of its telemetry. */
export class Rig {
  spans!: SpanCapture;
  metrics!: MetricCapture;
  /** The one of this test. */
  queue!: string;
  private server: RabbitServer | undefined = undefined;
  private readonly cleanups: (() => unknown)[] = [];
  private count = 0;

  constructor() {
    beforeAll(async () => {
      this.server = await RabbitServer.start();
    });
    afterAll(() => this.server?.stop());
    beforeEach(() => {
      usePropagators();
      this.spans = new SpanCapture();
      this.metrics = new MetricCapture("producer");
      this.queue = `orders-${++this.count}`;
    });
    afterEach(async () => {
      for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup();
      await this.spans.stop();
      await this.metrics.stop();
    });
  }

  get rabbit(): RabbitServer {
    return this.server!;
  }

  /** At the end of the test this is done. What fails then is of no matter. */
  finally(cleanup: () => unknown): void {
    this.cleanups.push(async () => {
      try {
        await cleanup();
      } catch {
        // It may be closed already.
      }
    });
  }

  async connect(name = "test"): Promise<ChannelModel> {
    const connection = await connect(this.rabbit.url, { clientProperties: { connection_name: name } });
    connection.on("error", () => {});
    this.finally(() => connection.close());
    return connection;
  }

  /** A channel with confirms, on a connection of its own, with the queue of this test declared. */
  async channel(
    options: Partial<BrokerOptions> & { amqplib?: AmqplibOptions } = {},
    connection?: ChannelModel,
  ) {
    const channel = await (connection ?? (await this.connect())).createConfirmChannel();
    channel.on("error", () => {});
    this.instrument(channel, options);
    return channel;
  }

  /** A channel with this test's queue, which is declared with these arguments. */
  readonly declared = async (
    options: Parameters<Rig["channel"]>[0] = {},
    args: object = {},
  ): Promise<ConfirmChannel> => {
    const channel = await this.channel(options);
    await channel.assertQueue(this.queue, args);
    return channel;
  };

  /** Sends a message to this test's queue; resolves when the broker has it. */
  readonly sent = async (channel: ConfirmChannel, options?: object): Promise<void> => {
    channel.sendToQueue(this.queue, BODY, options);
    await channel.waitForConfirms();
  };

  instrument<C extends object>(
    client: C,
    options: Partial<BrokerOptions> & { amqplib?: AmqplibOptions } = {},
  ): C {
    const { amqplib: own, ...others } = options;
    return instrument(client, {
      adapter: amqplib(own),
      queues: { [this.queue]: {} },
      poll: false,
      ...others,
    } as never);
  }

  async read(name: string, attributes: Record<string, string> = {}): Promise<number | undefined> {
    return (await this.metrics.collect()).number(name, { "queue.name": this.queue, ...attributes });
  }
}

/** The next messages of a queue, in order. */
export class Inbox {
  private readonly messages: ConsumeMessage[] = [];
  private readonly takers: ((message: ConsumeMessage) => void)[] = [];

  readonly put = (message: ConsumeMessage | null): void => {
    if (message === null) return;
    const taker = this.takers.shift();
    if (taker === undefined) this.messages.push(message);
    else taker(message);
  };

  next(): Promise<ConsumeMessage> {
    const message = this.messages.shift();
    return message === undefined
      ? new Promise((resolve) => this.takers.push(resolve))
      : Promise.resolve(message);
  }
}

export function linksOf(span: ReadableSpan): string[] {
  return span.links.map((link) => link.context.spanId);
}

/** For what never comes, in milliseconds. */
const LIMIT_MS = 120_000;

/** Resolves when it is so. Asks again and again, as it is the broker or the SDK that is asked. */
export async function until<V>(ask: () => V | Promise<V>, isSo: (value: V) => boolean = Boolean): Promise<V> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (Date.now() > limit) throw new Error(`in vain: it still is ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Rejects when it takes too long, and says what has not come: of a test that only runs out of time one can't say it. */
export function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  return settledInTime(LIMIT_MS, promise, () => new Error(`in vain: ${what} has not come`), "waits");
}
