import type { BrokerFacts } from "../../contracts/index.js";
import type { Client } from "./clients.js";
import { factsFrom } from "./facts.js";
import { type Answer, KEYS, SCRIPT } from "./script.js";

/** A client of ioredis, or what BullMQ makes of one, as far as it is used. */
export interface Redis {
  readonly status: string;
  readonly isCluster?: boolean | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly connector?: object | undefined;
  readonly stream?: { unref?(): void } | undefined;
  duplicate(options: object): Redis;
  on(event: string, listener: () => void): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
  info(section: string): Promise<string>;
  client(subcommand: string): Promise<unknown>;
  defineCommand(name: string, definition: { numberOfKeys: number; lua: string }): void;
}

/** Asks for nothing that holds the process, waits for nothing, and tries nothing again: the next poll does. */
const OPTIONS = {
  lazyConnect: true,
  connectionName: "queuescope",
  connectTimeout: 3_000,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
};

const COMMAND = "queuescopeFacts";

/** How long a list of clients is good for, in milliseconds: a long one for longer, as to list 1,000 takes Redis 5 ms. */
const LIST_FOR_MS = 10_000;
const LONG_LIST_FOR_MS = 60_000;
/** From so many clients on it is a long one. */
const LONG = 200;
/** The same while jobs wait and none is worked on: then the count tells why. All queues that are asked about at a time share one. */
const LIST_FOR_MS_IF_IDLE = 200;

/** What is known of a queue's workers in this process. */
export interface OwnWorkers {
  readonly count: number;
  /** How many jobs they may have at a time. */
  readonly concurrency: number;
  /** How many jobs may be taken in some time; undefined where none of them says so. */
  readonly max: number | undefined;
}

/** A connection of its own to one Redis, by which any queues there are asked about. */
export class Poller {
  private connecting: Promise<unknown> | undefined = undefined;
  private readonly connection: Redis;
  /** The names of all clients, since when, and for how long they are good. */
  private clients:
    | { readonly at: number; goodForMs: number; readonly names: Promise<readonly string[] | undefined> }
    | undefined = undefined;
  /** Queues whose workers' names got through. */
  private readonly seen = new Set<string>();

  constructor(client: Redis) {
    this.connection = client.duplicate(OPTIONS);
    // Every failure is one of a command, too; without a listener, ioredis prints it.
    this.connection.on("error", () => {});
    this.connection.on("connect", () => this.connection.stream?.unref?.());
    this.connection.defineCommand(COMMAND, { numberOfKeys: KEYS.length, lua: SCRIPT });
  }

  /** Rejects where Redis can't be asked. */
  async ask(queue: string, client: Client, own: OwnWorkers): Promise<BrokerFacts> {
    await this.connect();
    const prefix = `${client.opts.prefix ?? "bull"}:`;
    const keys = KEYS.map((key) => `${prefix}${queue}:${key}`);
    const command = (this.connection as unknown as Record<string, (args: string[]) => Promise<string>>)[
      COMMAND
    ]!;
    const [text, memory] = await Promise.all([
      command.call(this.connection, [...keys, `${prefix}${queue}:`]),
      // What isn't allowed, or not known, is unknown.
      this.connection.info("memory").catch(() => ""),
    ]);
    const answer = JSON.parse(text) as Answer;
    const facts = factsFrom(answer, own.max);
    const isIdle = (facts.depth ?? 0) > 0 && !answer.isAnyLocked;
    const names = await this.clientNames(isIdle ? LIST_FOR_MS_IF_IDLE : LONG_LIST_FOR_MS);
    const consumers = countOf(names, `${prefix}${Buffer.from(queue).toString("base64")}`);
    if (consumers !== undefined && consumers > 0) this.seen.add(queue);
    // Where no worker is listed and jobs are worked on, the list is old, or names of workers don't get through.
    const isDoubtful = consumers === 0 && answer.isAnyLocked;
    if (isDoubtful) this.clients = undefined;
    const isKnown = consumers !== undefined && (!isDoubtful || this.seen.has(queue));
    return {
      ...facts,
      consumers: isKnown ? consumers : undefined,
      maxInFlight: maxInFlight(facts, consumers, own),
      blockedReason: outOfMemory(memory),
    };
  }

  disconnect(): void {
    this.connection.disconnect();
  }

  private async connect(): Promise<void> {
    const { status } = this.connection;
    if (status === "ready") return;
    if (this.connecting === undefined) {
      this.connecting = this.connection.connect().finally(() => {
        this.connecting = undefined;
      });
    }
    await this.connecting;
  }

  private async clientNames(goodForMs: number): Promise<readonly string[] | undefined> {
    const now = performance.now();
    if (this.clients === undefined || now - this.clients.at >= Math.min(this.clients.goodForMs, goodForMs)) {
      const names = this.connection.client("LIST").then(
        (list) => namesIn(String(list)),
        () => undefined,
      );
      const clients = { at: now, goodForMs: LIST_FOR_MS, names };
      this.clients = clients;
      const known = await names;
      if ((known?.length ?? 0) >= LONG) clients.goodForMs = LONG_LIST_FOR_MS;
      return known;
    }
    return await this.clients.names;
  }
}

/** The names of all connections; undefined where names don't get through, as ours doesn't. */
function namesIn(list: string): readonly string[] | undefined {
  const names = Array.from(list.matchAll(/ name=(\S+)/g), ([, name]) => name!);
  return names.includes(OPTIONS.connectionName) ? names : undefined;
}

/** Workers name their connections by the queue, and by themselves if they have a name. */
function countOf(names: readonly string[] | undefined, queue: string): number | undefined {
  return names?.filter((name) => name === queue || name.startsWith(`${queue}:w:`)).length;
}

/** What other processes' workers may have is not told: by workers it is known where all are in this process. */
function maxInFlight(facts: BrokerFacts, consumers: number | undefined, own: OwnWorkers): number | undefined {
  const isAll = own.count > 0 && consumers === own.count && (facts.inFlight ?? 0) <= own.concurrency;
  const most = Math.min(
    facts.maxInFlight ?? Number.POSITIVE_INFINITY,
    isAll ? own.concurrency : Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(most) ? most : undefined;
}

/** Undefined while Redis takes what is written. */
function outOfMemory(info: string): string | undefined {
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? Number.NaN);
  const used = number("used_memory");
  const most = number("maxmemory");
  if (!(most > 0 && used >= most && /^maxmemory_policy:noeviction/m.test(info))) return undefined;
  return `Redis is out of memory: ${used} of ${most} bytes are used`;
}
