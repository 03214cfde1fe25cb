import type { BrokerFacts } from "../../contracts/index.js";
import type { Knowledge } from "./knowledge.js";
import { ask, type QueueFigures } from "./management.js";
import { Oldest, type Reading } from "./oldest.js";
import type { AmqpConnection, AmqplibSettings, AmqpQuestions, Connect } from "./options.js";
import { asAmqp } from "./rabbitmq-asking.js";

/** What is asked about one queue on the connection. */
interface Counted {
  readonly depth: number;
  readonly consumers: number;
}

/** By which amqplib and rabbitmq-client say that there is no such queue. */
const NOT_FOUND = new Set<unknown>([404, "NOT_FOUND"]);

/** Asks the broker about queues, on a connection of its own. */
export class Asking {
  private connection: Promise<AmqpConnection> | undefined = undefined;
  /** One a queue: a queue that is not there closes the channel on which it was asked for. */
  private readonly channels = new Map<string, Promise<AmqpQuestions>>();
  private readonly oldest = new Map<string, Oldest>();
  /** When management last told of a queue, in epoch milliseconds. */
  private readonly toldAt = new Map<string, number>();

  constructor(
    private readonly settings: AmqplibSettings,
    private readonly knowledge: Knowledge,
  ) {}

  /** What is known of the queue. Rejects when the broker can't be asked in any way. */
  async about(queue: string, signal: AbortSignal): Promise<BrokerFacts> {
    const { connect, management } = this.settings;
    const [counted, told] = await Promise.allSettled([
      connect === undefined ? undefined : this.counted(connect, queue, signal),
      management === undefined
        ? undefined
        : ask(management, queue, Date.now() - (this.toldAt.get(queue) ?? 0), signal),
    ]);
    const figures = told.status === "fulfilled" ? told.value : undefined;
    const counts = counted.status === "fulfilled" ? counted.value : undefined;
    if (figures === undefined && counts === undefined) {
      const failed = [counted, told].find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
    if (figures !== undefined) this.toldAt.set(queue, Date.now());
    if (figures?.isDeadLettering !== undefined) {
      this.knowledge.learnDeadLettering(queue, figures.isDeadLettering);
    }
    return this.factsOf(queue, counts, figures);
  }

  /** Ends the connection. Asked again, it opens one again. */
  close(): void {
    const { connection } = this;
    this.forget();
    connection?.then(
      (it) => it.close().catch(() => {}),
      () => {},
    );
  }

  private factsOf(
    queue: string,
    counts: Counted | undefined,
    figures: QueueFigures | undefined,
  ): BrokerFacts {
    const depth = counts?.depth ?? figures?.ready;
    const consumers = counts?.consumers ?? figures?.consumers;
    return {
      depth,
      consumers,
      inFlight: figures?.unacknowledged,
      maxInFlight: figures?.prefetch,
      blockedReason: figures?.alarm,
      brokerNow: figures?.now,
      oldestAt: depth === undefined ? undefined : this.oldestOf(queue, depth, consumers, figures),
    };
  }

  /** By this process's clock, or the producers'; told by the broker's, as the contract has it. */
  private oldestOf(
    queue: string,
    depth: number,
    consumers: number | undefined,
    figures: QueueFigures | undefined,
  ): number | null | undefined {
    let oldest = this.oldest.get(queue);
    if (oldest === undefined) {
      oldest = new Oldest();
      this.oldest.set(queue, oldest);
    }
    const at = Date.now();
    // The broker's clock minus ours.
    const ahead = (figures?.now ?? at) - at;
    const reading: Reading = {
      at,
      depth,
      ready: figures?.ready,
      consumers,
      marks: figures?.published.map((mark) => ({ ...mark, at: mark.at - ahead })) ?? [],
      delivered: figures?.delivered,
      headStampedAt: figures?.headStampedAt,
      inFlight: figures?.unacknowledged,
      isFifo: figures?.isFifo ?? true,
    };
    const oldestAt = oldest.learn(reading, this.knowledge.fedByOthers.has(queue));
    return typeof oldestAt === "number" ? oldestAt + ahead : oldestAt;
  }

  private async counted(connect: Connect, queue: string, signal: AbortSignal): Promise<Counted | undefined> {
    let isLate!: () => void;
    const late = new Promise<never>((_, reject) => {
      isLate = () => {
        this.drop();
        reject(signal.reason);
      };
    });
    signal.addEventListener("abort", isLate, { once: true });
    try {
      const answer = this.channelFor(connect, queue).then((channel) => channel.checkQueue(queue));
      const { messageCount, consumerCount } = await Promise.race([answer, late]);
      return { depth: messageCount, consumers: consumerCount };
    } catch (error) {
      this.channels.delete(queue);
      if (NOT_FOUND.has((error as { code?: unknown } | null)?.code)) return undefined;
      throw error;
    } finally {
      signal.removeEventListener("abort", isLate);
    }
  }

  private channelFor(connect: Connect, queue: string): Promise<AmqpQuestions> {
    const known = this.channels.get(queue);
    if (known !== undefined) return known;
    const opening = this.connected(connect).then(async (connection) => {
      const channel = await connection.createChannel();
      const gone = () => {
        if (this.channels.get(queue) === opening) this.channels.delete(queue);
      };
      channel.on("error", gone);
      channel.on("close", gone);
      return channel;
    });
    this.channels.set(queue, opening);
    return opening;
  }

  private connected(connect: Connect): Promise<AmqpConnection> {
    if (this.connection !== undefined) return this.connection;
    const connecting = (async () => {
      const opened = await connect();
      const connection = "acquire" in opened ? asAmqp(opened) : opened;
      const gone = () => {
        if (this.connection === connecting) this.forget();
      };
      connection.on("error", gone);
      connection.on("close", gone);
      holdNoProcess(connection);
      return connection;
    })();
    this.connection = connecting;
    connecting.catch(() => {
      if (this.connection === connecting) this.forget();
    });
    return connecting;
  }

  /** The broker doesn't answer: the next time there is a new connection, without waiting for the end of this one. */
  private drop(): void {
    const { connection } = this;
    this.forget();
    connection?.then(
      (it) => {
        type Destroyable = { stream?: { destroy?(error: Error): void } };
        const { stream } = (it as { connection?: Destroyable }).connection ?? {};
        // Without an error amqplib would not notice until a heartbeat is missing.
        if (typeof stream?.destroy === "function") stream.destroy(new Error("the broker has not answered"));
        else it.close().catch(() => {});
      },
      () => {},
    );
  }

  private forget(): void {
    this.connection = undefined;
    this.channels.clear();
  }
}

/** Neither its socket nor its heartbeat keeps the process alive. */
function holdNoProcess(connection: AmqpConnection): void {
  type Unreferable = { unref?(): void } | undefined;
  const { connection: inner } = connection as {
    connection?: { stream?: Unreferable; heartbeater?: { sendTimer?: Unreferable; recvTimer?: Unreferable } };
  };
  const { stream, heartbeater } = inner ?? {};
  for (const each of [stream, heartbeater?.sendTimer, heartbeater?.recvTimer]) each?.unref?.();
}
