import { checkFunction, checkKnown, checkObject, checkOneOf, type OptionNames } from "../../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../base/errors.js";

/** What is needed of a connection of amqplib's, of its promise API. */
export interface AmqpConnection {
  createChannel(): Promise<AmqpQuestions>;
  close(): Promise<unknown>;
  on(event: "error" | "close", listener: () => void): unknown;
}

/** What is needed of a channel to ask about queues. */
export interface AmqpQuestions {
  checkQueue(queue: string): Promise<{ readonly messageCount: number; readonly consumerCount: number }>;
  on(event: "error" | "close", listener: () => void): unknown;
}

/** What is needed of a connection of rabbitmq-client's. */
export interface RabbitmqConnection {
  acquire(options: { emitErrorsFromChannel: boolean }): Promise<{
    queueDeclare(params: {
      queue: string;
      passive: boolean;
    }): Promise<{ readonly messageCount: number; readonly consumerCount: number }>;
    on(event: "error" | "close", listener: () => void): unknown;
  }>;
  unsafeDestroy(): void;
  on(event: "error", listener: () => void): unknown;
}

/** Where the HTTP API of RabbitMQ's management plugin is. */
export interface ManagementOptions {
  /** Such as `http://127.0.0.1:15672`. */
  url: string;
  /** Default: `guest`. */
  user?: string | undefined;
  /** Default: `guest`. */
  password?: string | undefined;
  /** The virtual host of the queues. Default: `/`. */
  vhost?: string | undefined;
}

/** Opens a connection for asking. */
export type Connect = () => Promise<AmqpConnection> | AmqpConnection | RabbitmqConnection;

/** The queue to which messages of an exchange go, by `exchange` or `exchange:routingKey`; or what says it. */
export type Routes =
  | Readonly<Record<string, string>>
  | ((exchange: string, routingKey: string) => string | undefined);

/** Options of {@link amqplib}. Only `undefined` stands for the default. */
export interface AmqplibOptions {
  /**
   * Opens a connection on which the broker is asked for depth and consumers, such as `() => connect(url)` with amqplib's `connect`, or
   * `() => new Connection(url)` with rabbitmq-client's. It is
   * this library's own: it never publishes, so that a memory alarm doesn't block it, and it keeps no process alive. Needed for `brokerQueue`, which
   * opens another connection of amqplib's by it. Default: the broker is not asked this way.
   */
  connect?: Connect | undefined;
  /**
   * Where to ask for what only management knows: messages in flight, the age of the oldest one, prefetch, dead-lettering, alarms. Its figures
   * may be 5 s old. Default: it is not asked.
   */
  management?: ManagementOptions | undefined;
  /**
   * As whose a message counts that is published to a named exchange: the queue's to which it goes, such as `{ "shop:order.created": "orders" }`.
   * Default: the queue's that is called as the destination, `exchange:routingKey`; that is `other`, if it isn't declared.
   */
  routes?: Routes | undefined;
  /**
   * `set` gives messages a `timestamp`, unless they have one, from which management tells the age of a classic queue's oldest message. Every
   * consumer sees it. Default: `leave`.
   */
  timestamp?: "leave" | "set" | undefined;
}

const OPTIONS: OptionNames<AmqplibOptions> = {
  connect: true,
  management: true,
  routes: true,
  timestamp: true,
};
const MANAGEMENT: OptionNames<ManagementOptions> = { url: true, user: true, password: true, vhost: true };

/** {@link AmqplibOptions}, checked and complete. */
export interface AmqplibSettings {
  readonly connect: Connect | undefined;
  readonly management: Management | undefined;
  readonly queueOf: (exchange: string, routingKey: string) => string | undefined;
  readonly setsTimestamp: boolean;
}

export interface Management {
  /** Without a slash at its end. */
  readonly url: string;
  readonly authorization: string;
  readonly vhost: string;
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. */
export function readAmqplibOptions(options: AmqplibOptions): AmqplibSettings {
  checkObject("options", options);
  checkKnown(options, OPTIONS);
  const { connect, management, routes, timestamp } = options;
  checkFunction("connect", connect);
  return {
    connect,
    management: management === undefined ? undefined : readManagement(management),
    queueOf: readRoutes(routes),
    setsTimestamp: checkOneOf("timestamp", timestamp, ["leave", "set"]) === "set",
  };
}

function readManagement(management: ManagementOptions): Management {
  if (typeof management !== "object" || management === null) {
    throw new InvalidOptionTypeError("management", management, "an object such as { url, user, password }");
  }
  checkKnown(management, MANAGEMENT, "management.");
  const { url, user = "guest", password = "guest", vhost = "/" } = management;
  for (const [name, value] of Object.entries({ url, user, password, vhost })) {
    // The value of a password is no one's business.
    const shown = name === "password" ? typeof value : value;
    if (typeof value !== "string") throw new InvalidOptionTypeError(`management.${name}`, shown, "a text");
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!/^https?:$/.test(parsed?.protocol ?? "") || parsed!.username !== "" || parsed!.password !== "") {
    throw new InvalidOptionRangeError(
      "management.url",
      parsed === undefined ? url : parsed.protocol,
      "an http or https URL without user and password",
    );
  }
  return {
    url: url.replace(/\/+$/, ""),
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
    vhost,
  };
}

function readRoutes(routes: Routes | undefined): AmqplibSettings["queueOf"] {
  if (routes === undefined) return () => undefined;
  if (typeof routes === "function") return routes;
  if (typeof routes !== "object" || routes === null) {
    throw new InvalidOptionTypeError("routes", routes, "an object of exchanges and queues, or a function");
  }
  for (const [route, queue] of Object.entries(routes)) {
    if (typeof queue !== "string")
      throw new InvalidOptionTypeError(`routes.${route}`, queue, "a queue's name");
  }
  const known = new Map(Object.entries(routes));
  return (exchange, routingKey) => known.get(`${exchange}:${routingKey}`) ?? known.get(exchange);
}
