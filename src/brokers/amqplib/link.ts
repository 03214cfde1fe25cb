import { InvalidOptionTypeError } from "../../base/errors.js";
import { inTime } from "../../base/in-time.js";
import type { BrokerHub } from "../../contracts/index.js";
import { onBlocked, serverOf } from "./connection.js";
import type { Message } from "./message.js";
import type { Connect } from "./options.js";
import { unroutable } from "./publishing.js";

/** Says in a message that was sent anew how often it had been tried. */
export const ATTEMPT = "queuescope-attempt";

/** So often the broker is told that a queue which holds messages back is still needed, in milliseconds, at the most. */
const DECLARED_FOR_MS = 30_000;
/** A connection that was given up is cut after so many milliseconds. */
const CUT_AFTER_MS = 3_000;
/** The most that the protocol has room for. */
const MAX_PREFETCH = 65_535;

/** Properties of a message, as amqplib gives and takes them. */
export interface Properties {
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly messageId?: unknown;
  readonly expiration?: unknown;
  readonly [name: string]: unknown;
}

export interface ReceivedMessage extends Message {
  readonly content: Buffer;
  readonly properties: Message["properties"] & Properties;
}

interface Channel {
  on(event: string, listener: (...args: never[]) => void): unknown;
  checkQueue(queue: string): Promise<unknown>;
  assertQueue(queue: string, options: object): Promise<unknown>;
  prefetch(count: number): Promise<unknown>;
  consume(
    queue: string,
    came: (message: ReceivedMessage | null) => void,
  ): Promise<{ readonly consumerTag: string }>;
  cancel(tag: string): Promise<unknown>;
  ack(message: ReceivedMessage): void;
  nack(message: ReceivedMessage, allUpTo: false, requeue: boolean): void;
  publish(
    exchange: string,
    key: string,
    content: Buffer,
    options: object,
    confirmed: (error: unknown) => void,
  ): boolean;
  close(): Promise<unknown>;
}

interface Connection {
  createChannel(): Promise<Channel>;
  createConfirmChannel(): Promise<Channel>;
  close(): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  readonly connection?: { readonly stream?: { destroy?(): void } | undefined } | undefined;
}

/** Publishes, and tells what became of it. */
class Publisher {
  /** What was given back, by its ID, until its confirmation comes. */
  private readonly returned = new Map<unknown, Message>();
  private readonly declaredAt = new Map<string, number>();

  constructor(private readonly channel: Channel) {
    channel.on("return", (message: Message) => {
      this.returned.set(message.properties.messageId, message);
    });
  }

  /** Resolves when the broker has it in the queue; rejects where it has not. */
  publish(queue: string, content: Buffer, properties: Properties): Promise<void> {
    return new Promise((resolve, reject) => {
      this.channel.publish("", queue, content, properties, (error) => {
        const back = this.returned.get(properties.messageId);
        this.returned.delete(properties.messageId);
        const failure = error ?? (back === undefined ? undefined : unroutable(back));
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  /** The name of the queue that holds messages back for so long at most, and gives them to that one then; it is made if need be. */
  async heldBack(
    queue: string,
    { ms, unusedForMs }: { readonly ms: number; readonly unusedForMs: number },
  ): Promise<string> {
    const name = `${queue}.delayed.${ms}`;
    const now = performance.now();
    if (now - (this.declaredAt.get(name) ?? Number.NEGATIVE_INFINITY) < DECLARED_FOR_MS) return name;
    await this.channel.assertQueue(name, {
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        // Else what is on its way between the two may be lost.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-expires": unusedForMs,
      },
    });
    this.declaredAt.set(name, now);
    return name;
  }
}

/** A connection, from when it is made until it is lost. */
export class Link {
  readonly publisher: Publisher;
  readonly server: Readonly<Record<string, string | number>>;
  /** It is lost, or was closed: nothing that came by it can be acknowledged. */
  isGone = false;
  /** Most messages that are to be here and not acknowledged. */
  taking = 0;
  private tag: string | undefined = undefined;
  private readonly forget: () => void;

  constructor(
    private readonly connection: Connection,
    readonly consumer: Channel,
    publishing: Channel,
    private readonly queue: string,
    private readonly hub: BrokerHub,
    private readonly lost: () => void,
  ) {
    this.publisher = new Publisher(publishing);
    this.server = serverOf(consumer);
    this.forget = onBlocked(consumer, hub);
    // An error is followed by the end, which is what counts; without a listener it ends the process.
    for (const each of [connection, consumer, publishing] as const) {
      each.on("error", () => {});
      each.on("close", () => this.drop());
    }
  }

  /** Rejects where the broker doesn't answer in time, as one may whose queue is being recovered. */
  consume(most: number, came: (message: ReceivedMessage) => void): Promise<void> {
    return answered("consume", this.consumed(most, came));
  }

  private async consumed(most: number, came: (message: ReceivedMessage) => void): Promise<void> {
    const { consumer, tag } = this;
    if (tag !== undefined) {
      this.tag = undefined;
      await consumer.cancel(tag);
    }
    if (most > 0) {
      await consumer.prefetch(Math.min(most, MAX_PREFETCH));
      const { consumerTag } = await consumer.consume(this.queue, (message) => {
        // The broker has it again as soon as the connection is gone.
        if (this.isGone) return;
        if (message !== null) came(message);
        else {
          // The queue was deleted, or its node is gone: the next connection makes it again.
          this.hub.cancelled(this.queue);
          this.drop();
        }
      });
      this.tag = consumerTag;
    }
    this.taking = most;
  }

  /** It is of no more use. */
  drop(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.forget();
    this.connection.close().catch(() => {});
    // It may be so broken that it never answers; as long as it lives, no other consumer gets what it has taken.
    const { stream } = this.connection.connection ?? {};
    setTimeout(() => stream?.destroy?.(), CUT_AFTER_MS).unref();
    this.lost();
  }

  /** Ends it in good order: what was acknowledged is on its way before. */
  async close(): Promise<void> {
    if (this.isGone) return;
    this.isGone = true;
    this.forget();
    const closing = this.consumer.close().then(() => this.connection.close());
    await answered("close", closing).catch(() => {});
  }
}

/** For what never comes, in milliseconds. */
const LIMIT_MS = 15_000;

/** Rejects if that takes longer than any broker that is well. */
function answered<R>(what: string, promise: PromiseLike<R>): Promise<R> {
  const silent = () => new Error(`the broker has not answered for ${LIMIT_MS} ms (${what})`);
  return inTime(LIMIT_MS, promise, () => Object.assign(silent(), { code: "ETIMEDOUT" }));
}

/** Opens a connection, and the queue, which is made as a durable quorum queue if there is none. `lost` is called once, when it is lost. */
export async function link(connect: Connect, queue: string, hub: BrokerHub, lost: () => void): Promise<Link> {
  const connection = (await answered("connect", Promise.resolve(connect()))) as unknown as Connection;
  if (typeof connection?.createConfirmChannel !== "function") {
    throw new InvalidOptionTypeError("connect", connection, "a function that opens a connection of amqplib");
  }
  // While it is made, a failure is that of the call.
  connection.on("error", () => {});
  try {
    await answered("declare", declare(connection, queue));
    const channels = Promise.all([connection.createChannel(), connection.createConfirmChannel()]);
    const [consumer, publishing] = await answered("open channels", channels);
    return new Link(connection, consumer, publishing, queue, hub, lost);
  } catch (error) {
    connection.close().catch(() => {});
    throw error;
  }
}

/** A queue that is there is taken as it is. That there is none closes the channel on which it was asked for. */
async function declare(connection: Connection, queue: string): Promise<void> {
  const asking = await connection.createChannel();
  asking.on("error", () => {});
  try {
    await asking.checkQueue(queue);
    await asking.close();
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code !== 404) throw error;
    const making = await connection.createChannel();
    making.on("error", () => {});
    await making.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await making.close();
  }
}
