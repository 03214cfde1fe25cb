import { InvalidOptionRangeError } from "../../base/errors.js";
import { randomId } from "../../base/random-id.js";
import type { BrokerHub, OpenedQueue, OutgoingMessage, TakenMessage } from "../../contracts/index.js";
import { deliveryFacts } from "./deliveries.js";
import { ATTEMPT, type Link, link, type Properties, type ReceivedMessage } from "./link.js";
import { headerOf, ownOf } from "./message.js";
import type { Connect } from "./options.js";

export interface Opening {
  readonly queue: string;
  readonly hub: BrokerHub;
  readonly came: (message: TakenMessage) => void;
  readonly connect: Connect;
  readonly closed: () => void;
}

/** How long it waits until it tries to connect again, in milliseconds: twice as long each time. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** The longest delay, in milliseconds: 2^31, 24 days. Queues that hold messages back are deleted by the broker soon after that. */
const MAX_DELAY_MS = 2 ** 31;
const MIN_BUCKET_MS = 1_024;
const UNUSED_FOR_MS = 60_000;

/** What the broker writes into a message on its way: one that is sent anew is to have none of it. */
const BROKERS_OWN = /^x-(death|first-death-.*|last-death-.*|delivery-count|acquired-count)$/;

/** A queue of RabbitMQ, with a connection of its own, which is opened again whenever it is lost. Messages are JSON, persistent and confirmed. */
export class OpenedAmqplib implements OpenedQueue {
  readonly maxPriority = undefined;
  private current: Promise<Link> | undefined = undefined;
  private most = 0;
  private isAdjusting = false;
  private isClosed = false;

  private constructor(private readonly opening: Opening) {}

  static async open(opening: Opening): Promise<OpenedAmqplib> {
    const opened = new OpenedAmqplib(opening);
    opened.current = opened.linked();
    await opened.current;
    return opened;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const { queue, hub } = this.opening;
    for (const { delayMs } of messages) {
      if (delayMs > MAX_DELAY_MS) {
        throw new InvalidOptionRangeError("delayMs", delayMs, `milliseconds from 0 to ${MAX_DELAY_MS}`);
      }
    }
    const sending = hub.send({ name: queue, queue }, messages.length);
    const headers = { ...sending.carrier };
    try {
      const { publisher } = await this.link();
      await sending.run(() =>
        Promise.all(
          messages.map(({ json, delayMs }) =>
            this.publish(publisher, Buffer.from(json), { headers, contentType: "application/json" }, delayMs),
          ),
        ),
      );
      sending.done();
    } catch (error) {
      sending.done(error);
      throw error;
    }
  }

  take(most: number): void {
    this.most = most;
    void this.adjust();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.opening.closed();
    const { current } = this;
    this.current = undefined;
    await current?.then(
      (it) => it.close(),
      () => {},
    );
  }

  /** The connection there is, or the next one. */
  private link(): Promise<Link> {
    this.current ??= this.again();
    return this.current;
  }

  private async linked(): Promise<Link> {
    const { queue, hub, connect } = this.opening;
    const made = await link(connect, queue, hub, () => {
      if (this.isClosed || this.current === undefined) return;
      this.current = this.again();
      this.current.catch(() => {});
      // What is to be taken is to be taken there.
      void this.adjust();
    });
    if (this.isClosed) await made.close();
    return made;
  }

  private async again(): Promise<Link> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        return await this.linked();
      } catch (error) {
        if (this.isClosed) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        if (this.isClosed) throw error;
      }
    }
  }

  /** Has as much taken as is wanted, on the connection there is. */
  private async adjust(): Promise<void> {
    if (this.isAdjusting) return;
    this.isAdjusting = true;
    try {
      while (!this.isClosed) {
        const it = await this.link();
        const { most } = this;
        if (it.isGone) continue;
        if (it.taking === most) break;
        // Only a new consumer has a new limit; what the old one was given keeps its place.
        await it.consume(most, (message) => this.took(it, message)).catch(() => it.drop());
      }
    } catch {
      // It was closed.
    }
    this.isAdjusting = false;
  }

  private took(by: Link, message: ReceivedMessage): void {
    const { hub, queue, came } = this.opening;
    const { isDeadLettered: _, ...facts } = deliveryFacts(message, queue, by.server);
    const before = ownOf(message.properties.headers, ATTEMPT);
    const tried = typeof before === "number" && Number.isSafeInteger(before) && before > 0 ? before : 0;
    const attempt = (facts.attempt ?? 1) + tried;
    const delivery = hub.deliver(headerOf(message), { ...facts, attempt, isRedelivered: attempt > 1 });
    const settle = async (act: () => void) => {
      // Another channel would take the tag for another message's.
      if (by.isGone) throw channelGone();
      act();
    };
    came({
      delivery,
      read: () => JSON.parse(message.content.toString()),
      done: () => settle(() => by.consumer.ack(message)),
      failed: () => settle(() => by.consumer.nack(message, false, false)),
      giveBack: () => settle(() => by.consumer.nack(message, false, true)),
      retry: async (delayMs) => {
        if (by.isGone) throw channelGone();
        const properties = { ...given(message.properties), headers: headersOf(message, attempt) };
        await this.publish(by.publisher, message.content, properties, Math.min(delayMs, MAX_DELAY_MS));
        await settle(() => by.consumer.ack(message));
      },
    });
  }

  /** Resolves when the broker has it, in the queue or in one that holds it back. */
  private async publish(
    publisher: Link["publisher"],
    content: Buffer,
    properties: Properties,
    delayMs: number,
  ): Promise<void> {
    const { queue } = this.opening;
    const wait = delayMs > 0 ? Math.ceil(delayMs) : undefined;
    const key = wait === undefined ? queue : await publisher.heldBack(queue, bucketOf(wait));
    const messageId = typeof properties.messageId === "string" ? properties.messageId : randomId();
    const expiration = wait === undefined ? {} : { expiration: `${wait}` };
    const all = { ...properties, ...expiration, messageId, persistent: true, mandatory: true };
    await publisher.publish(key, content, all);
  }
}

/**
 * Messages that are held back expire in queues of their own, one for each power of two: a message waits behind others that take up to twice as
 * long at most.
 */
function bucketOf(delayMs: number): { readonly ms: number; readonly unusedForMs: number } {
  const ms = Math.max(MIN_BUCKET_MS, 2 ** Math.ceil(Math.log2(delayMs)));
  return { ms, unusedForMs: ms + UNUSED_FOR_MS };
}

/** What was sent with it, without what the broker has written. */
function given({ expiration: _, headers: __, ...rest }: Properties): Properties {
  return rest;
}

function headersOf({ properties }: ReceivedMessage, attempt: number): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties.headers ?? {})) {
    if (!BROKERS_OWN.test(name)) headers[name] = value;
  }
  headers[ATTEMPT] = attempt;
  return headers;
}

function channelGone(): Error {
  const error = new Error("the channel by which the message came is gone: the broker delivers it again");
  return Object.assign(error, { name: "ChannelGoneError", code: "channel_gone" });
}
