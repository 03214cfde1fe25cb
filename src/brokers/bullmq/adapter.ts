import { checkKnown, checkNumber, checkObject } from "../../base/checks.js";
import { InvalidOptionTypeError, MissingPeerError } from "../../base/errors.js";
import type {
  BrokerAdapter,
  BrokerFacts,
  BrokerHub,
  OpenedQueue,
  TakenMessage,
} from "../../contracts/index.js";
import { type BullClient, type Client, kindOf } from "./clients.js";
import { OpenedBullMQ, type OpeningClasses } from "./opened.js";
import { type OwnWorkers, Poller, type Redis } from "./poller.js";
import { Producer } from "./producers.js";
import { Consumer } from "./worker.js";

/** Options of {@link bullmq}. Only `undefined` stands for the default. */
export interface BullMQOptions {
  /**
   * Where the Redis of the queues is: options of ioredis, such as `{ host, port }`, or a client of it, which is duplicated. Needed for
   * `brokerQueue`; besides, the broker is asked there. Default: the client of what is instrumented.
   */
  connection?: object | undefined;
  /** `Queue` and `Worker`, for `brokerQueue`. Default: those of the package bullmq. */
  classes?: OpeningClasses | undefined;
  /**
   * Of queues that `brokerQueue` opens: how long a job stays with a process that doesn't say any longer that it lives, in milliseconds, from
   * 1,000. It says so three times as often. Default: 30,000.
   */
  lockMs?: number | undefined;
}

/**
 * An adapter for `Queue`, `Worker` and `FlowProducer` of BullMQ 5 and 6: `instrument(queue, { adapter: bullmq() })`. Methods of the object are
 * replaced; BullMQ's own telemetry is left to others. Where that is in use already, there are metrics and correlation IDs only. Give the same adapter to
 * all, and they share one connection for polling. With any other client than ioredis nothing is polled.
 * Throws an `InvalidOptionTypeError` for a bad option.
 *
 * @example
 * import { Queue, Worker } from "bullmq";
 * import { bullmq } from "queuescope/bullmq";
 *
 * const connection = { host: "127.0.0.1", port: 6379 };
 * const adapter = bullmq();
 * const orders = instrument(new Queue("orders", { connection }), { adapter, sla: { default: { targetMs: 5_000 } } });
 * instrument(new Worker("orders", async (job) => console.log(job.data), { connection }), { adapter });
 * await orders.add("order", { id: 7 });
 */
export function bullmq(options?: BullMQOptions): BrokerAdapter<BullClient> {
  checkObject("options", options);
  checkKnown(options, { connection: true, classes: true, lockMs: true });
  const { connection, classes, lockMs = LOCK_MS } = options ?? {};
  checkNumber("lockMs", lockMs, "milliseconds, from 1,000", (n) => n >= 1_000 && n < 2 ** 31);
  const client = isIoredis(connection as Partial<Redis> | undefined) ? (connection as Redis) : undefined;
  if (connection !== undefined && client === undefined && !isPlainObject(connection)) {
    const allowed = "options such as { host, port }, or a client of ioredis, such as new Redis()";
    throw new InvalidOptionTypeError("connection", connection, allowed);
  }
  if (
    classes !== undefined &&
    (typeof classes?.Queue !== "function" || typeof classes.Worker !== "function")
  ) {
    throw new InvalidOptionTypeError("classes", classes, "Queue and Worker of the package bullmq");
  }
  return new BullMQAdapter(client, client === undefined ? connection : client.options, classes, lockMs);
}

/** The package is the user's: where it can't be found, that is an error of this call. */
async function packageClasses(): Promise<OpeningClasses> {
  try {
    return (await import("bullmq")) as unknown as OpeningClasses;
  } catch (error) {
    throw new MissingPeerError("brokerQueue", ["bullmq"], "npm install bullmq", { cause: error });
  }
}

function isPlainObject(value: object): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const LOCK_MS = 30_000;

class BullMQAdapter implements BrokerAdapter<BullClient> {
  readonly system = "bullmq";
  readonly priorities = true;
  private readonly clients = new Set<Client>();
  private readonly pollers = new Map<string, Poller>();

  constructor(
    private readonly connection: Redis | undefined,
    /** For clients of ours. */
    private readonly options: object | undefined,
    private readonly classes: OpeningClasses | undefined,
    private readonly lockMs: number,
  ) {}

  queueOf(client: BullClient): string | undefined {
    return kindOf(client) === "flow" ? undefined : (client as Client).name;
  }

  attach(client: BullClient, hub: BrokerHub): () => void {
    const kind = kindOf(client);
    const known = client as Client;
    let detach: () => void;
    if (kind === "worker") detach = new Consumer(known, hub).attach();
    else if (kind === "queue") detach = new Producer(known, hub).attachQueue();
    else detach = new Producer(known, hub).attachFlow();
    this.clients.add(known);
    return () => {
      detach();
      this.leave(known);
    };
  }

  async open(queue: string, hub: BrokerHub, came: (message: TakenMessage) => void): Promise<OpenedQueue> {
    const { options, lockMs } = this;
    if (options === undefined) {
      throw new InvalidOptionTypeError(
        "connection",
        options,
        "given to bullmq({ connection }), to open a queue",
      );
    }
    const classes = this.classes ?? (await packageClasses());
    const attach = (client: BullClient) => this.attach(client, hub);
    return await OpenedBullMQ.open({ queue, hub, came, classes, connection: { ...options }, lockMs, attach });
  }

  async poll(queue: string, signal: AbortSignal): Promise<BrokerFacts> {
    // The first poll begins before the client is attached.
    await undefined;
    const client = this.clientOf(queue);
    if (client === undefined) return {};
    const redis = this.connection ?? (await redisOf(client));
    // Any other driver would hold the process, and try for ever.
    if (redis === undefined || signal.aborted || !this.clients.has(client)) return {};
    const address = addressOf(redis);
    let poller = this.pollers.get(address);
    if (poller === undefined) {
      poller = new Poller(redis);
      this.pollers.set(address, poller);
    }
    // What hangs is cut. The next poll has a new connection: ioredis takes one that is being cut for a good one.
    const cut = () => {
      poller.disconnect();
      if (this.pollers.get(address) === poller) this.pollers.delete(address);
    };
    signal.addEventListener("abort", cut, { once: true });
    try {
      return await poller.ask(queue, client, this.workersOf(queue));
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  /** One of this process that serves the queue and isn't closed. */
  private clientOf(queue: string): Client | undefined {
    let any: Client | undefined;
    for (const client of this.clients) {
      if (client.closing) this.leave(client);
      else if (client.name === queue) return client;
      else if (client.name === undefined) any ??= client;
    }
    return any;
  }

  private workersOf(queue: string): OwnWorkers {
    let count = 0;
    let concurrency = 0;
    let max: number | undefined;
    for (const client of this.clients) {
      if (client.name !== queue || client.closing || kindOf(client) !== "worker") continue;
      count++;
      // By hand, any number may be taken.
      concurrency += client.processFn === undefined ? Number.NaN : (client.concurrency ?? Number.NaN);
      if (typeof client.opts.limiter?.max === "number") max ??= client.opts.limiter.max;
    }
    return { count, concurrency, max };
  }

  private leave(client: Client): void {
    this.clients.delete(client);
    if (this.clients.size > 0) return;
    for (const poller of this.pollers.values()) poller.disconnect();
    this.pollers.clear();
  }
}

/** The client that the object has, once it is connected: from a promise in BullMQ 5, from the backend in 6; undefined where it isn't ioredis. */
async function redisOf(client: Client): Promise<Redis | undefined> {
  const { getBackend } = client as { getBackend?: () => { client?: unknown } };
  const owner = typeof getBackend === "function" ? getBackend.call(client) : client;
  const redis = (await (owner as { client?: unknown }).client) as Partial<Redis> | undefined;
  return isIoredis(redis) ? redis : undefined;
}

function isIoredis(redis: Partial<Redis> | undefined): redis is Redis {
  const isOne = typeof redis?.duplicate === "function" && typeof redis.defineCommand === "function";
  return isOne && redis.isCluster !== true && typeof redis.connector === "object";
}

function addressOf({ options }: Redis): string {
  const { host, port, path, db, username, sentinels, name } = options;
  return JSON.stringify([host, port, path, db, username, sentinels, name]);
}
